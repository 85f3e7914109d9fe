/**
 * `LfsStore` over the RPC of a repository's Durable Object.
 *
 * @packageDocumentation
 */
import { present } from "../bytes/assert.ts";
import type { LfsStore } from "../refs/lfs-store.ts";
import type { RepositoryStub } from "./durable-refs.ts";
import type { Reader } from "./readable-refs.ts";
import type { RequestCounters } from "./request-counters.ts";

/** Opens the Git LFS objects of a repository, which need not exist. No request is sent before the first call. */
export function durableLfs(object: RepositoryStub, counters: RequestCounters): LfsStore {
  return {
    lfs: async (request) => {
      const { answer } = await counters.run("do", async () => object.lfs(request));
      return present(answer, "an answer to a request");
    },
    leavingLfs: async (limit) => {
      const { leaving } = await counters.run("do", async () => object.lfs({ kind: "leaving", limit }));
      return present(leaving, "a list of objects");
    },
    lfsLeft: async (objects) => {
      await counters.run("do", async () => object.lfs({ kind: "left", objects }));
    },
  };
}

/** Returns the Git LFS objects of a repository as far as the caller may read it. */
export function readableLfs(durable: LfsStore, { right, follow }: Pick<Reader, "right" | "follow">): LfsStore {
  return {
    ...durable,
    lfs: async (request) => {
      const known = await right();
      if (known === "none") return { kind: "missing" };
      const answer = await durable.lfs(known === "public" ? { ...request, publicOnly: true } : request);
      if (answer.kind === "missing" && answer.moved !== undefined) await follow(answer.moved);
      return answer;
    },
  };
}
