/**
 * Remembers the refs of an upstream that its mirror can't have, to say so in the mirror's status.
 *
 * @packageDocumentation
 */
import { isPushableRefName, isTooLong } from "../object/ref-name.ts";
import type { LeftOut } from "../refs/mirror-store.ts";

/** The reasons for which a ref can't be here, as sentences. */
const REASONS = {
  name: "git allows no such name",
  length: "the name is too long",
  taken: "another ref of the upstream has the same name here",
} as const;

type Reason = keyof typeof REASONS;

/** The most names that the status repeats, and the most characters of each. */
const MOST_EXAMPLES = 10;
const MOST_CHARACTERS = 250;

/** Returns the reason why no ref can have this name; `undefined` if one can. */
export function reasonAgainst(name: string): Reason | undefined {
  if (isTooLong(name)) return "length";
  return isPushableRefName(name) ? undefined : "name";
}

/** The refs that were left out so far. */
export class LeftOutRefs {
  readonly #examples: string[] = [];
  readonly #reasons = new Set<Reason>();
  #refs = 0;

  /** Adds a ref that can't be here, by its name at the upstream. */
  add(name: string, reason: Reason): void {
    this.#refs++;
    this.#reasons.add(reason);
    if (this.#examples.length < MOST_EXAMPLES) this.#examples.push(name.slice(0, MOST_CHARACTERS));
  }

  /** Returns what the status says; `undefined` if nothing was left out. */
  get summary(): LeftOut | undefined {
    if (this.#refs === 0) return undefined;
    const subject = this.#refs === 1 ? "One ref of the upstream is" : `${this.#refs} refs of the upstream are`;
    const reasons = [...this.#reasons].map((reason) => REASONS[reason]).join(", or ");
    return { refs: this.#refs, examples: this.#examples, why: `${subject} left out: ${reasons}.` };
  }
}
