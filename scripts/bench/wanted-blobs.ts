/**
 * Blobs that a clone without any might ask for. They are chosen before anything is pushed: every host has them.
 *
 * @packageDocumentation
 */
import type { GitSandbox } from "../../test/support/git-client.ts";

const COUNT = 1000;

/** Names of blobs, each list without repetition. */
export type WantedBlobs = {
  /** From everywhere in history. */
  readonly random: readonly string[];
  /** The first of one tree. */
  readonly old: readonly string[];
};

function blobsIn(list: string): string[] {
  return list.split("\n").flatMap((line) => (line.startsWith("blob ") ? line.slice("blob ".length) : []));
}

/** Chooses from a repository, and from the tree of one revision. */
export async function chooseBlobs(git: GitSandbox, cwd: string, revision: string): Promise<WantedBlobs> {
  const list = ["cat-file", "--batch-all-objects", "--batch-check=%(objecttype) %(objectname)"];
  // In the order of their names, which is as good as none.
  const all = blobsIn(await git.ok(list, { cwd }));
  const every = Math.max(1, Math.floor(all.length / COUNT));
  const tree = await git.ok(["ls-tree", "-r", "--format=%(objecttype) %(objectname)", revision], { cwd });
  return {
    random: all.filter((_, at) => at % every === 0).slice(0, COUNT),
    old: [...new Set(blobsIn(tree))].slice(0, COUNT),
  };
}
