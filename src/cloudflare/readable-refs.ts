/**
 * Opens repositories as far as the caller may read them. The Durable Object gets the caller's right, and answers at
 * once if that is not enough. So a refusal costs what a missing repository costs.
 *
 * @packageDocumentation
 */
import type { ReadingRight } from "../access/decide.ts";
import type { Forward } from "../refs/forward.ts";
import type { HiddenRepository, RefStore } from "../refs/ref-store.ts";
import type { RepositorySettings } from "../refs/repository-settings.ts";

/** A repository's reader. */
export type Reader = {
  /** Returns what the caller may read under the repository's name. */
  readonly right: () => Promise<ReadingRight>;
  /** Is called with a private repository that the caller may not read. */
  readonly noteHidden: (hidden: HiddenRepository) => void;
  /** Is called where the name led to a repository that was renamed. Throws if the caller is to follow it. */
  readonly follow: (forward: Forward) => Promise<void>;
};

/** Returns the refs of a repository for a reader. A push says whether it is a stranger's; all other calls are passed on unchanged. */
export function readableRefs(durable: RefStore, { right, noteHidden, follow }: Reader): RefStore {
  return {
    open: async (request) => {
      const known = await right();
      if (known === "none") return { kind: "missing" };
      const answer = await durable.open(known === "public" ? { ...request, publicOnly: true } : request);
      if (answer.kind === "missing" && answer.hidden !== undefined) noteHidden(answer.hidden);
      if (answer.kind === "missing" && answer.moved !== undefined) await follow(answer.moved);
      return answer;
    },
    beginPush: async (request) => {
      const known = await right();
      const answer = await durable.beginPush(known === "private" ? request : { ...request, asStranger: true });
      if (answer.kind === "missing" && answer.moved !== undefined) await follow(answer.moved);
      return answer;
    },
    commitPush: (request) => durable.commitPush(request),
    leasePacks: (id, packNames) => durable.leasePacks(id, packNames),
    abandonPush: (packName) => durable.abandonPush(packName),
  };
}

/** Returns the settings of a repository for a reader. All other calls are passed on unchanged. */
export function readableSettings<Settings extends RepositorySettings>(
  durable: Settings,
  { right, follow }: Pick<Reader, "right" | "follow">,
): Settings {
  return {
    ...durable,
    describe: async (publicOnly = false) => {
      const known = await right();
      if (known === "none") return undefined;
      const found = await durable.describe(publicOnly || known === "public");
      const forward = found === undefined ? await durable.forward() : undefined;
      if (forward !== undefined) await follow(forward);
      return found;
    },
  };
}
