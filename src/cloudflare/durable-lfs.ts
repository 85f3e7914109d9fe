/**
 * `LfsStore` over the RPC of a repository's Durable Object.
 *
 * @packageDocumentation
 */
import { present } from "../bytes/assert.ts";
import type { LockAnswer, LockStore } from "../refs/lfs-locks.ts";
import type { LfsAnswer, LfsStore } from "../refs/lfs-store.ts";
import type { RepositoryStub } from "./durable-refs.ts";
import type { Reader } from "./readable-refs.ts";
import type { RequestCounters } from "./request-counters.ts";

/** Opens the Git LFS objects of a repository, which need not exist. No request is sent before the first call. */
export function durableLfs(object: RepositoryStub, counters: RequestCounters): LfsStore & LockStore {
  return {
    lfs: async (request) => {
      const { answer } = await counters.run("do", async () => object.lfs(request));
      return present(answer, "an answer to a request");
    },
    locks: async (request) => {
      const { locks } = await counters.run("do", async () => object.lfs({ kind: "locks", request }));
      return present(locks, "an answer about locks");
    },
    sharedLfs: async (after, limit) => {
      const { shared } = await counters.run("do", async () => object.lfs({ kind: "shared", after, limit }));
      return present(shared, "a list of objects");
    },
    adoptLfs: async (objects, as) => {
      await counters.run("do", async () => object.lfs({ kind: "adopt", objects, as }));
    },
    leavingLfs: async (limit) => {
      const { leaving } = await counters.run("do", async () => object.lfs({ kind: "leaving", limit }));
      return present(leaving, "a list of objects");
    },
    notePulled: async (progress) => {
      await counters.run("do", async () => object.lfs({ kind: "pulled", progress }));
    },
    lfsLeft: async (objects) => {
      await counters.run("do", async () => object.lfs({ kind: "left", objects }));
    },
  };
}

/** Returns the Git LFS objects of a repository as far as the caller may read it. */
export function readableLfs(
  durable: LfsStore & LockStore,
  { right, follow }: Pick<Reader, "right" | "follow">,
): LfsStore & LockStore {
  const asked = async <Answer extends LfsAnswer | LockAnswer>(
    ask: (bound: { readonly publicOnly?: true }) => Promise<Answer>,
  ): Promise<Answer | { readonly kind: "missing" }> => {
    const known = await right();
    if (known === "none") return { kind: "missing" };
    const answer = await ask(known === "public" ? { publicOnly: true } : {});
    if (answer.kind === "missing" && answer.moved !== undefined) await follow(answer.moved);
    return answer;
  };
  return {
    ...durable,
    lfs: (request) => asked((bound) => durable.lfs({ ...request, ...bound })),
    locks: (request) => asked((bound) => durable.locks({ ...request, ...bound })),
  };
}
