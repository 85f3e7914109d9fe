/**
 * Emphasis: which runs of signs open one, and which close it. What was looked through in vain is remembered for each kind
 * of run, so that no run is looked at again for another one.
 *
 * @packageDocumentation
 * @see https://github.github.com/gfm/#phase-2-inline-structure
 */
import type { Run } from "./token.ts";
import type { Work } from "./work.ts";

const SPACE = /\s/;
const PUNCTUATION = /[\p{P}\p{S}]/u;
/** The most signs of a run that strikes text out. */
const LONGEST_STRIKE = 2;
const RUN_STEPS = 20;

/** A run that may open or close an emphasis, and its neighbours. */
export type Delimiter = {
  readonly run: Run;
  /** Its place among all runs. */
  readonly index: number;
  readonly length: number;
  readonly mayOpen: boolean;
  readonly mayClose: boolean;
  before: Delimiter | undefined;
  after: Delimiter | undefined;
};

/** Says of a run between two characters whether it may open or close an emphasis. */
export function flanking(
  sign: string,
  before: string,
  after: string,
): { readonly mayOpen: boolean; readonly mayClose: boolean } {
  const [isSpaceBefore, isSpaceAfter] = [SPACE.test(before), SPACE.test(after)];
  const [isSignBefore, isSignAfter] = [PUNCTUATION.test(before), PUNCTUATION.test(after)];
  const isLeft = !isSpaceAfter && (!isSignAfter || isSpaceBefore || isSignBefore);
  const isRight = !isSpaceBefore && (!isSignBefore || isSpaceAfter || isSignAfter);
  if (sign !== "_") return { mayOpen: isLeft, mayClose: isRight };
  return { mayOpen: isLeft && (!isRight || isSignBefore), mayClose: isRight && (!isLeft || isSignAfter) };
}

/** The runs of a text that may still open or close an emphasis. */
export class Delimiters {
  last: Delimiter | undefined;
  readonly #work: Work;
  #count = 0;

  constructor(work: Work) {
    this.#work = work;
  }

  push(run: Run, sides: { readonly mayOpen: boolean; readonly mayClose: boolean }): void {
    const delimiter = { run, index: this.#count++, length: run.left, ...sides, before: this.last, after: undefined };
    if (this.last !== undefined) this.last.after = delimiter;
    this.last = delimiter;
  }

  /** Matches the runs behind `bottom`, and forgets them. */
  match(bottom: Delimiter | undefined): void {
    if (this.last === bottom) return;
    let closer = this.last;
    while (closer !== undefined && closer.before !== bottom) {
      this.#work.add(1);
      closer = closer.before;
    }
    const bottoms = new Map<string, number>();
    while (closer !== undefined) {
      this.#work.add(RUN_STEPS);
      closer = closer.mayClose ? this.#close(closer, bottom, bottoms) : closer.after;
    }
    this.last = bottom;
    if (bottom !== undefined) bottom.after = undefined;
  }

  /** Looks for what a run closes. Returns the run to go on with. */
  #close(closer: Delimiter, bottom: Delimiter | undefined, bottoms: Map<string, number>): Delimiter | undefined {
    const kind = kindOf(closer);
    const limit = bottoms.get(kind) ?? bottom?.index ?? -1; // At first all that is behind the bottom may open it.
    let opener = closer.before;
    while (opener !== undefined && opener.index > limit && !opens(opener, closer)) {
      this.#work.add(RUN_STEPS);
      opener = opener.before;
    }
    const { after } = closer;
    if (opener === undefined || opener.index <= limit) {
      bottoms.set(kind, closer.index - 1);
      if (!closer.mayOpen) this.#remove(closer);
      return after;
    }
    // What stands between them can't be matched any more.
    opener.after = closer;
    closer.before = opener;
    const count = usedSigns(opener.run, closer.run);
    const element = closer.run.sign === "~" ? "del" : count === 2 ? "strong" : "em";
    opener.run.left -= count;
    closer.run.left -= count;
    opener.run.opens.push(element);
    closer.run.closes.push(element);
    if (opener.run.left === 0) this.#remove(opener);
    if (closer.run.left > 0) return closer;
    this.#remove(closer);
    return after;
  }

  #remove({ before, after }: Delimiter): void {
    if (before !== undefined) before.after = after;
    if (after === undefined) this.last = before;
    else after.before = before;
  }
}

/** Runs of one kind are opened by the same runs. */
function kindOf({ run, mayOpen, length }: Delimiter): string {
  return run.sign === "~" ? `~${length}` : `${run.sign}${mayOpen ? "o" : ""}${length % 3}`;
}

function opens(opener: Delimiter, closer: Delimiter): boolean {
  if (!opener.mayOpen || opener.run.sign !== closer.run.sign) return false;
  if (closer.run.sign === "~") return opener.length === closer.length;
  // Of runs that may do both, some are told apart by their lengths.
  const isOdd =
    (closer.mayOpen || opener.mayClose) && closer.length % 3 !== 0 && (opener.length + closer.length) % 3 === 0;
  return !isOdd;
}

function usedSigns(opener: Run, closer: Run): number {
  if (closer.sign === "~") return closer.left;
  return opener.left >= 2 && closer.left >= 2 ? 2 : 1;
}

/** Whether a run of this many signs may be matched at all. */
export function isDelimiter(sign: string, length: number): boolean {
  return sign !== "~" || length <= LONGEST_STRIKE;
}
