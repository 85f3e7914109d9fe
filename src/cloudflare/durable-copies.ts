/**
 * `ObjectCopies` over the RPC of Durable Objects.
 *
 * @packageDocumentation
 */
import type { ObjectCopies, ObjectKind } from "../access/object-copies.ts";
import type { CopiedObject } from "../durable/sql/copied-object.ts";
import { objectNamed } from "../durable/placement.ts";
import type { Env } from "../env.ts";
import type { RequestCounters } from "./request-counters.ts";

const TOO_MANY = "It has more rows that must not go back than can be carried over: restore it from a backup.";

type Stub = DurableObjectStub<CopiedObject<unknown>>;

function stubOf(env: Env, kind: ObjectKind, name: string): Stub {
  switch (kind) {
    case "directory":
      return objectNamed(env.DIRECTORY, name, env);
    case "tenant":
      return objectNamed(env.TENANTS, name, env);
    case "repository":
      return objectNamed(env.REPOSITORIES, name, env);
    case "lender":
      return objectNamed(env.LENDERS, name, env);
  }
}

/** Opens an object by the name that it is addressed by. No request is sent before the first call. */
export function durableCopies(env: Env, counters: RequestCounters, kind: ObjectKind, name: string): ObjectCopies {
  const call = <T>(operation: (stub: Stub) => Promise<T>): Promise<T> =>
    counters.run("do", () => operation(stubOf(env, kind, name)));
  // The call never succeeds: the object ends with it.
  const end = (): Promise<void> => call(async (stub) => stub.renew()).catch(() => undefined);
  const renew = async (): Promise<void> => {
    await end();
    await call(async (stub) => stub.woken());
  };
  return {
    exists: () => call(async (stub) => stub.copyExists()),
    page: (place) => call(async (stub) => stub.copyPage(place)),
    stage: (piece, bytes) => call(async (stub) => stub.stageCopy(piece, bytes)),
    staged: () => call(async (stub) => stub.stagedCopy()),
    discard: () => call(async (stub) => stub.discardCopy()),
    whereabouts: (id) => call(async (stub) => stub.copyWhereabouts(id)),
    departed: () => call(async (stub) => stub.copyDeparted()),
    leaseStrays: (names) => call(async (stub) => stub.leaseStrays([...names])),
    install: async (replace) => {
      const answer = await call(async (stub) => stub.installCopy(replace));
      if (answer.kind === "installed") await renew();
      return answer;
    },
    entered: () => call(async (stub) => stub.copyEntered()),
    recover: async (at) => {
      const kept = await call(async (stub) => stub.keptRows());
      if (kept === undefined) return { kind: "refused", why: TOO_MANY };
      const answer = await call(async (stub) => stub.recover(at));
      if (answer.kind !== "recovered") return answer;
      await end();
      await call(async (stub) => stub.settleCopy(kept));
      // What it has in memory is of before it was settled.
      await renew();
      return answer;
    },
  };
}
