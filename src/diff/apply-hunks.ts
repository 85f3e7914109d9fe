/**
 * Applies the hunks of a text file as `git apply` does: all lines of a hunk have to match, and it may lie elsewhere than
 * it says. Lines that a hunk has changed match no later one.
 *
 * @packageDocumentation
 * @see git-apply(1); `find_pos()`, `match_fragment()`, `apply_one_fragment()` in git's apply.c
 */
import type { Hunk } from "./parse-patch.ts";

/** Lines that are moved for one step. */
const MOVED_A_STEP = 16;

/** Steps of a search after which they are counted. */
const STEPS_AT_ONCE = 100_000;

/** Called with the steps that were taken. It may throw when they are too many. */
export type CountSteps = (steps: number) => Promise<void>;

/** Applies hunks to the lines of a file. Returns the number, from 1, of the first that does not apply. */
export async function applyHunks(
  lines: readonly string[],
  hunks: AsyncIterable<Hunk> | Iterable<Hunk>,
  count: CountSteps,
): Promise<string[] | number> {
  const image = [...lines];
  /** Whether each line came from a hunk. */
  const patched = lines.map(() => false);
  let number = 0;
  for await (const hunk of hunks) {
    number++;
    const search = new Search(image, patched, hunk);
    const at = await search.find(count);
    await count(search.steps + image.length / MOVED_A_STEP);
    if (at < 0) return number;
    replace(image, at, hunk.before.length, hunk.after);
    replace(
      patched,
      at,
      hunk.before.length,
      hunk.after.map(() => true),
    );
  }
  return image;
}

/** Replaces items. A call that spreads many arguments would overflow the stack. */
function replace<T>(list: T[], at: number, count: number, by: readonly T[]): void {
  const rest = list.splice(at).slice(count);
  for (const item of by) list.push(item);
  for (const item of rest) list.push(item);
}

/** The search for the place of one hunk. */
class Search {
  readonly #image: readonly string[];
  readonly #patched: readonly boolean[];
  readonly #hunk: Hunk;
  readonly #atBeginning: boolean;
  readonly #atEnd: boolean;
  steps = 0;

  constructor(image: readonly string[], patched: readonly boolean[], hunk: Hunk) {
    this.#image = image;
    this.#patched = patched;
    this.#hunk = hunk;
    this.#atBeginning = hunk.oldStart <= 1;
    this.#atEnd = hunk.trailing === 0;
  }

  /** Returns the line, from 0, at which the hunk fits, the nearest to where it says; -1 if there is none. */
  async find(count: CountSteps): Promise<number> {
    const { before, newStart } = this.#hunk;
    const last = this.#image.length - before.length;
    if (last < 0) return -1;
    if (this.#atBeginning) return this.#fits(0) ? 0 : -1;
    if (this.#atEnd) return this.#fits(last) ? last : -1;
    const start = Math.min(Math.max(0, newStart - 1), this.#image.length);
    for (let distance = 0; start - distance >= 0 || start + distance <= last; distance++) {
      if (this.#fits(start + distance)) return start + distance;
      if (distance > 0 && this.#fits(start - distance)) return start - distance;
      if (this.steps < STEPS_AT_ONCE) continue;
      // The budget is asked while the search goes on: places times lines may be far more than it has.
      await count(this.steps);
      this.steps = 0;
    }
    return -1;
  }

  #fits(at: number): boolean {
    const { before } = this.#hunk;
    if (at < 0 || at + before.length > this.#image.length) return false;
    if (this.#atBeginning && at !== 0) return false;
    if (this.#atEnd && at + before.length !== this.#image.length) return false;
    for (const [number, line] of before.entries()) {
      this.steps++;
      if (this.#image[at + number] !== line || this.#patched[at + number] === true) return false;
    }
    this.steps++;
    return true;
  }
}
