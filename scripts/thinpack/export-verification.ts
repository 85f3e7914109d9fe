/**
 * Has git check that the objects of a copy are those that their names say. Indexes and the commit-graph come from the
 * host, and git believes them: a host could give the content of one commit under the name of another.
 *
 * @packageDocumentation
 * @see git-verify-pack(1), git-commit-graph(1)
 */
import { join } from "node:path";
import type { ListedFile } from "./exported-packs.ts";
import { CommandFailure } from "./failure.ts";
import { runGit } from "./git-process.ts";

/**
 * Whether a listed file can be checked, and so is copied. Git has no check for a bitmap, and believes it when it tells
 * what a commit reaches. `git repack -adb` makes a new one.
 */
export function isCheckable({ kind }: ListedFile): boolean {
  return kind !== "bitmap";
}

/**
 * Has git make each object of the packs anew and compare its name with the index, and compare the commit-graph with the
 * commits.
 *
 * @throws CommandFailure if anything differs, or if there is no git
 */
export async function verifyCopy(directory: string, packs: readonly string[]): Promise<void> {
  for (const name of packs) {
    const index = `objects/pack/pack-${name}.idx`;
    await verify(directory, ["verify-pack", "--", join(directory, index)], index);
  }
  // The host's own names packs as they are called in its bucket.
  if (packs.length > 1) await verify(directory, ["multi-pack-index", "write"], "multi-pack index");
  // Without one there is nothing to verify, and git says so by success.
  await verify(directory, ["commit-graph", "verify"], "commit-graph");
}

async function verify(directory: string, command: readonly string[], what: string): Promise<void> {
  const { code, stderr } = await runGit(["--git-dir", directory, ...command]);
  const [why = ""] = stderr.trim().split("\n");
  if (code !== 0) throw new CommandFailure(`the host's ${what} does not tell the truth: ${why}`);
}
