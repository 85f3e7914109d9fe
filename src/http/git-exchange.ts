/**
 * Makes the exchange of a service from a request to it, whatever brought the request: HTTP, a WebSocket or a connection.
 * Every caller of a service is admitted here.
 *
 * @packageDocumentation
 */
import { needsPublic, type Action } from "../access/decide.ts";
import { repositoryKey, type RepositoryName, shownName } from "../access/names.ts";
import type { Principal } from "../access/principal.ts";
import type { RepositoryRecord } from "../refs/ref-store.ts";
import type { Repository } from "../repository/repository.ts";
import { NO_SUCH_MOMENT, showsMoment } from "../repository/view.ts";
import type { Exchange, PushExchange } from "../service/exchange.ts";
import { refuseMirror } from "./admission.ts";
import { authorize } from "./denied.ts";
import { GitRefusal } from "./git-failure.ts";
import type { Host } from "./host.ts";
import { assertRoom, PUSHED_REPOSITORY } from "./pushed-repository.ts";
import { promisorOf } from "./promisor.ts";
import { pushedBy } from "./pusher.ts";

const ACTIONS = {
  "git-upload-pack": "read",
  "git-receive-pack": "write",
  "git-upload-archive": "read",
} as const satisfies Readonly<Record<string, Action>>;

/** A service of a repository that was asked for. */
export type AskedService = {
  readonly host: Host;
  readonly name: RepositoryName;
  /** The instant at which to read it, in milliseconds since the epoch; `undefined` for now. */
  readonly at: number | undefined;
  readonly service: keyof typeof ACTIONS;
};

/** The client of a service, as far as bytes go. */
export type ServiceClient = Pick<Exchange, "input" | "output" | "signal" | "passOn" | "pauses"> & {
  /** Called when the requester was admitted. */
  readonly onAdmitted?: (record: RepositoryRecord | undefined) => void;
};

/** Opens the repository that was asked for. */
export function openAsked({ host, name, at }: AskedService): Repository {
  return at === undefined ? host.repository(name) : host.historic(name, at);
}

/** Returns the exchange of a service with its client. */
export function gitExchange(asked: AskedService, repository: Repository, client: ServiceClient): Exchange {
  const { host, name, service } = asked;
  const { onAdmitted, ...bytes } = client;
  return {
    repository,
    ...bytes,
    admit: async (record) => {
      if (service === "git-receive-pack") await refuseMirror(asked, record);
      await authorize(host, ACTIONS[service], name, record);
      await refuseThePast(asked, record);
      if (record === undefined) await assertRoom(host, name);
      else host.formats.set(repositoryKey(name), record, { now: repository.now(), client: host.client });
      onAdmitted?.(record);
    },
    agent: host.agent,
    sessionId: host.sessionId,
    note: (said) => host.note(said),
    served: (what) => host.served(what),
    ...(asked.at === undefined ? addressed(asked) : {}),
  };
}

/** Returns what tells a client other places to fetch from, as a part of an exchange. */
function addressed({ host, name }: AskedService): Pick<Exchange, "addressOf" | "promisorOf"> {
  return {
    addressOf: (path, record) => host.addressOf(name, path, record),
    promisorOf: (record) => promisorOf(host, name, record),
  };
}

/** Returns the rest of the exchange of a push, of which `pusher` is recorded when refs move. */
export function pushParts({ host, name }: AskedService, pusher: Principal): Omit<PushExchange, keyof Exchange> {
  return {
    create: PUSHED_REPOSITORY,
    register: (made) => host.register(name, made),
    retract: (id) => host.retract(name, id),
    madeNote: `The private repository ${shownName(name)} was created by this push.`,
    ...pushedBy({ host, name }, pusher),
    verifySignature: (signature, payload) => host.verifySignature(name, signature, payload),
    ...nonceSeed(host),
  };
}

/** Returns the deployment's secret for nonces, as a part of an exchange. */
export function nonceSeed({ pushCertSeed }: Host): Pick<PushExchange, "pushCertSeed"> {
  return pushCertSeed === undefined ? {} : { pushCertSeed };
}

/**
 * Refuses to read a repository at an instant that the caller may not see.
 *
 * @throws GitRefusal
 */
async function refuseThePast(
  { host, name, at, service }: AskedService,
  record: RepositoryRecord | undefined,
): Promise<void> {
  if (at === undefined) return;
  if (service === "git-receive-pack") throw new GitRefusal(403, "The past can't be pushed to.");
  const { principal } = await host.identify(name);
  const reader = { needsPublic: needsPublic(principal, name), now: Date.now() };
  if (record !== undefined && showsMoment(record, at, reader)) return;
  throw new GitRefusal(404, NO_SUCH_MOMENT);
}
