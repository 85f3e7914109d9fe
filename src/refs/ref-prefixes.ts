/**
 * Prefixes of ref names, of which a client may send very many. They are put in order once. Each name is then compared with one of
 * them, which a binary search finds.
 *
 * @packageDocumentation
 * @see gitprotocol-v2(5), `ref-prefix`
 */
import { itemAt } from "../bytes/assert.ts";
import { firstIndex } from "../bytes/first-index.ts";
import { byteTextOf } from "../object/escaped-bytes.ts";

/**
 * Returns prefixes, which are escaped text, in the order of their bytes, with one character per byte. Those that another one
 * covers are left out, so that no ref matches twice.
 */
export function disjointPrefixes(prefixes: readonly string[]): string[] {
  const kept: string[] = [];
  for (const prefix of prefixes.map(byteTextOf).toSorted(compareByteTexts)) {
    const last = kept.at(-1);
    if (last === undefined || !prefix.startsWith(last)) kept.push(prefix);
  }
  return kept;
}

const compareByteTexts = (a: string, b: string): number => (a < b ? -1 : Number(a > b));

/** Steps of putting a prefix in order, and of each comparison of a search. */
const PREFIX_STEPS = 100;
const COMPARISON_STEPS = 5;

/** Prefixes with which names are compared. */
export class RefPrefixes {
  readonly #disjoint: readonly string[];
  /** The steps of making this. */
  readonly steps: number;
  /** The steps of {@link RefPrefixes.match}, beside those of the name's characters. */
  readonly matchSteps: number;

  /** `prefixes` are escaped text. A prefix may end inside a character. */
  constructor(prefixes: readonly string[]) {
    this.#disjoint = disjointPrefixes(prefixes);
    this.steps = prefixes.reduce((sum, { length }) => sum + PREFIX_STEPS + length, 0);
    this.matchSteps = COMPARISON_STEPS * Math.ceil(Math.log2(this.#disjoint.length + 1));
  }

  /** Whether the bytes of a name, which is escaped text, begin with those of a prefix. */
  match(escapedName: string): boolean {
    const name = byteTextOf(escapedName);
    // A prefix of the name comes before it or is equal. Whatever is between the two begins with that prefix, and was left out.
    const after = firstIndex(this.#disjoint.length, (at) => itemAt(this.#disjoint, at) > name);
    return after > 0 && name.startsWith(itemAt(this.#disjoint, after - 1));
  }
}
