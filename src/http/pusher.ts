/**
 * Who pushes: what a service is told of a requester that changes refs, whether by a push or by the API.
 *
 * @packageDocumentation
 */
import { mightWrite } from "../access/decide.ts";
import { actorNameOf, actorOf, lockOwnerOf, type Principal, pusherOf } from "../access/principal.ts";
import type { PushExchange } from "../service/exchange.ts";
import type { WriteExchange } from "../writing/commit/write-session.ts";
import { type Caller, refuseMirror } from "./admission.ts";
import { authorize } from "./denied.ts";
import { missingLfs } from "./lfs-admission.ts";
import { Problem } from "./problem.ts";

/** The parts of a push that tell who pushes, and within which bounds. */
type PushedBy = Pick<PushExchange, "actor" | "actorName" | "pusher" | "lockOwner" | "missingLfs" | "allowance">;

/** Returns what a service is told of a pusher. */
export function pushedBy({ host, name }: Caller, pusher: Principal): PushedBy {
  // If it has to be asked for, that happens together with opening the repository.
  const allowance = host.allowance(name);
  allowance.catch(() => undefined);
  return {
    actor: actorOf(pusher),
    ...actorNameOf(pusher),
    pusher: pusherOf(pusher),
    lockOwner: lockOwnerOf(pusher).key,
    missingLfs: (oids) => missingLfs(host, name, oids),
    allowance: () => allowance,
  };
}

/**
 * Returns the pusher. A requester who may not write here in any case is refused before anything of the body is read or
 * written down.
 *
 * @throws AccessDenied
 */
export async function admitPusher({ host, name }: Caller): Promise<Principal> {
  const { principal } = await host.identify(name);
  if (!mightWrite(principal, name)) {
    const found = await host.repository(name).refs.open({});
    await authorize(host, "write", name, found.kind === "found" ? found.record : undefined);
  }
  return principal;
}

/** A requester of the API that writes to a repository. */
export type Writer = { readonly principal: Principal; readonly exchange: WriteExchange };

/**
 * Returns what a service needs to write for a requester of the API. Whether the repository is there, and lets the
 * requester write, is found out when the service begins.
 *
 * @throws AccessDenied
 */
export async function admitWriter(caller: Caller): Promise<Writer> {
  const { host, name } = caller;
  const principal = await admitPusher(caller);
  const exchange: WriteExchange = {
    repository: host.repository(name),
    ...pushedBy(caller, principal),
    admit: async (record) => {
      await refuseMirror(caller, record);
      await authorize(host, "write", name, record);
      if (record === undefined) throw new Problem(404, "There is no such repository.");
    },
    served: (what) => host.served(what),
    signing: { isAsked: false, sign: host.hostSignature(name.tenant) },
  };
  return { principal, exchange };
}
