/**
 * Guesses the known word that was meant by an unknown one.
 *
 * @packageDocumentation
 */
import { itemAt } from "../bytes/assert.ts";

/** Characters of the longest word for which it guesses. */
const LONGEST = 40;
/** The most single-character changes between a word and the known one that it is taken for. */
const MOST_CHANGES = 2;

/** Returns how many characters have to be added, removed or replaced to make one word the other. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = itemAt(row, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, itemAt(row, j) + 1, itemAt(next, j - 1) + 1));
    }
    row = next;
  }
  return itemAt(row, b.length);
}

/** Returns `; did you mean "…"?` with the nearest known word, or "" if none is near. */
export function suggestion(word: string, known: readonly string[]): string {
  if (word.length > LONGEST) return "";
  const most = Math.min(MOST_CHANGES, Math.floor(word.length / 2));
  const [nearest] = known
    .map((name) => ({ name, far: distance(word.toLowerCase(), name) }))
    .filter(({ far }) => far <= most)
    .toSorted((a, b) => a.far - b.far);
  return nearest === undefined ? "" : `; did you mean "${nearest.name}"?`;
}
