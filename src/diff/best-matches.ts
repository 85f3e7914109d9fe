/**
 * Chooses, of many files that one file may have been before, the few that are most similar to it.
 *
 * @packageDocumentation
 * @see gitdiffcore(7), "diffcore-rename"
 */

/** The best matches that are remembered for each file. */
const BEST = 4;

/** How well two files match: by their content, and whether they have the same name. */
export type Match = { readonly score: number; readonly named: boolean };

/** Orders the better of two matches first. */
export function orderOfMatches(one: Match, two: Match): number {
  return two.score - one.score || Number(two.named) - Number(one.named);
}

/** Puts a match in the place of the worst one, if there are many already and it is better. */
export function keepIfBetter<T extends Match>(best: T[], match: T): void {
  if (best.length < BEST) {
    best.push(match);
    return;
  }
  const worst = best.reduce((one, two) => (orderOfMatches(two, one) > 0 ? two : one));
  if (orderOfMatches(worst, match) > 0) best[best.indexOf(worst)] = match;
}
