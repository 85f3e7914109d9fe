/**
 * Counts where the files of each directory went.
 *
 * @packageDocumentation
 * @see git-merge(1), git-config(1), `merge.directoryRenames`
 */
import { FOR_ITSELF, type SideRenames, UNWANTED } from "./merge-state.ts";
import { directoryOf, nameOf } from "./path-info.ts";

/** Counts one more file of a directory. */
export function countMove(counts: SideRenames["counts"], from: string, to: string): void {
  const targets = counts.get(from) ?? new Map<string, number>();
  targets.set(to, (targets.get(to) ?? 0) + 1); // A directory that is new has no files yet.
  counts.set(from, targets);
}

/**
 * Counts a file that was moved: for its directory, and, as long as both paths have the same names below, for those above
 * that are gone and matter.
 */
export function countFile({ counts, removed }: SideRenames, before: string, after: string): void {
  let [from, to] = [before, after];
  for (let isFirst = true; ; isFirst = false) {
    const [name, newName] = [nameOf(from), nameOf(to)];
    from = directoryOf(from);
    if (!removed.has(from)) return;
    to = directoryOf(to);
    if (!isFirst && name !== newName) return;
    const wanted = removed.get(from);
    if (wanted === FOR_ITSELF || isFirst) countMove(counts, from, to);
    if (wanted === UNWANTED || from === "" || to === "") return;
  }
}

/** Returns the directory to which most files of each directory went. */
export function likelyTargets(counts: SideRenames["counts"]): Map<string, string> {
  const likely = new Map<string, string>();
  for (const [from, targets] of counts) {
    let most = 0;
    for (const [to, count] of targets) {
      if (count <= most) continue;
      most = count;
      likely.set(from, to);
    }
  }
  return likely;
}
