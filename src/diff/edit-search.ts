/**
 * Finds a short way to turn one list of lines into another: E. W. Myers, "An O(ND) Difference Algorithm and Its
 * Variations" (1986), in linear space. The grid of both lists is divided where the paths from its two corners meet, and
 * so on within both parts. Two shortcuts of git's keep long lists from taking quadratic time: a part is also divided
 * where a long run of common lines was found far along, and after many edits without a meeting, where the better path
 * has come to.
 *
 * @packageDocumentation
 */
import { i32At, u32At } from "../bytes/assert.ts";
import { roughRoot } from "./discard.ts";

/** A part of the grid. `isShort` says that the edits in it are few: then the shortcuts are not taken. */
type Box = {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
  readonly isShort: boolean;
};

/** The place where a box is divided. */
type Split = {
  readonly x: number;
  readonly y: number;
  readonly firstIsShort: boolean;
  readonly secondIsShort: boolean;
};

/** Called for a run of lines, `[from, to)`, that is only in one of the lists. */
export type OnChanged = (from: number, to: number) => void;

/** The edits after which a box is divided at the latest; for long lists it is the root of their length. */
const FEWEST_EDITS = 256;
/** The edits from which on a long common run is worth dividing at. */
const RUN_EDITS = 256;
/** The lines of a long common run. */
const LONG_RUN = 20;
/** A run must have come this many times further along the grid than the edits to get there. */
const REACH = 4;
/** Steps between two reports of work. */
const REPORT_STEPS = 500_000;

/** Furthest points on each diagonal, from one corner. The diagonal of a point is `x - y`. */
class Frontier {
  readonly reached: Int32Array;
  readonly zero: number;
  /** The lowest and the highest diagonal of the last round. */
  low = 0;
  high = 0;
  readonly #unreached: number;

  /** `unreached` stands for a diagonal that no path has come to. */
  constructor(width: number, height: number, unreached: number) {
    this.reached = new Int32Array(width + height + 3);
    this.zero = height + 1;
    this.#unreached = unreached;
  }

  start(diagonal: number, x: number): void {
    this.low = diagonal;
    this.high = diagonal;
    this.reached[this.zero + diagonal] = x;
  }

  /** Widens the round by one diagonal on each side. At the border of the box it narrows instead. */
  widen(least: number, most: number): void {
    if (this.low > least) this.reached[this.zero + --this.low - 1] = this.#unreached;
    else this.low++;
    if (this.high < most) this.reached[this.zero + ++this.high + 1] = this.#unreached;
    else this.high--;
  }

  /** Whether the last round had this diagonal. */
  has(diagonal: number): boolean {
    return diagonal >= this.low && diagonal <= this.high;
  }
}

/** The search in two lists of classes. */
export class EditSearch {
  readonly #a: Uint32Array;
  readonly #b: Uint32Array;
  readonly #forward: Frontier;
  readonly #backward: Frontier;
  readonly #mostEdits: number;
  #steps = 0;
  #hasLongRun = false;

  constructor(a: Uint32Array, b: Uint32Array) {
    this.#a = a;
    this.#b = b;
    this.#forward = new Frontier(a.length, b.length, -1);
    this.#backward = new Frontier(a.length, b.length, 0x7fff_ffff);
    this.#mostEdits = Math.max(roughRoot(a.length + b.length + 3), FEWEST_EDITS);
  }

  /** Calls back for the lines that are only in the first list, or only in the second. Yields the work that was done. */
  *run(onlyInA: OnChanged, onlyInB: OnChanged): Generator<number, void, undefined> {
    const boxes: Box[] = [{ left: 0, right: this.#a.length, top: 0, bottom: this.#b.length, isShort: false }];
    for (let next = boxes.pop(); next !== undefined; next = boxes.pop()) {
      const box = this.#withoutEnds(next);
      const { left, right, top, bottom } = box;
      if (left === right) onlyInB(top, bottom);
      else if (top === bottom) onlyInA(left, right);
      else {
        const { x, y, firstIsShort, secondIsShort } = yield* this.#divide(box);
        boxes.push({ left: x, right, top: y, bottom, isShort: secondIsShort });
        boxes.push({ left, right: x, top, bottom: y, isShort: firstIsShort });
      }
      if (this.#steps >= REPORT_STEPS) yield this.#takeSteps();
    }
    yield this.#takeSteps();
  }

  #takeSteps(): number {
    const steps = this.#steps;
    this.#steps = 0;
    return steps;
  }

  /** Returns a box without the lines that are common at its beginning and its end. */
  #withoutEnds({ left, right, top, bottom, isShort }: Box): Box {
    const [a, b] = [this.#a, this.#b];
    let [x, y, endX, endY] = [left, top, right, bottom];
    while (x < endX && y < endY && a[x] === b[y]) {
      x++;
      y++;
    }
    while (x < endX && y < endY && a[endX - 1] === b[endY - 1]) {
      endX--;
      endY--;
    }
    this.#steps += x - left + right - endX + 8;
    return { left: x, right: endX, top: y, bottom: endY, isShort };
  }

  *#divide(box: Box): Generator<number, Split, undefined> {
    const { left, right, top, bottom } = box;
    const [forward, backward] = [this.#forward, this.#backward];
    const [least, most] = [left - bottom, right - top];
    forward.start(left - top, left);
    backward.start(right - bottom, right);
    const isOdd = ((left - top - (right - bottom)) & 1) !== 0;
    for (let edits = 1; ; edits++) {
      this.#hasLongRun = false;
      forward.widen(least, most);
      const met = this.#advance(box, isOdd) ?? this.#retreat(box, least, most, !isOdd);
      if (met !== undefined) return met;
      if (!box.isShort) {
        const shortcut = this.#shortcut(box, edits);
        if (shortcut !== undefined) return shortcut;
      }
      if (this.#steps >= REPORT_STEPS) yield this.#takeSteps();
    }
  }

  /** Takes the paths from the upper left corner one edit further. Returns where they met the others. */
  #advance({ right, bottom }: Box, mayMeet: boolean): Split | undefined {
    const [a, b] = [this.#a, this.#b];
    const { reached, zero, low, high } = this.#forward;
    const other = this.#backward;
    for (let diagonal = high; diagonal >= low; diagonal -= 2) {
      const below = i32At(reached, zero + diagonal - 1);
      const above = i32At(reached, zero + diagonal + 1);
      const from = below >= above ? below + 1 : above;
      let x = from;
      let y = x - diagonal;
      while (x < right && y < bottom && a[x] === b[y]) {
        x++;
        y++;
      }
      this.#steps += x - from + 3;
      if (x - from > LONG_RUN) this.#hasLongRun = true;
      reached[zero + diagonal] = x;
      if (mayMeet && other.has(diagonal) && i32At(other.reached, zero + diagonal) <= x)
        return { x, y, firstIsShort: true, secondIsShort: true };
    }
    return undefined;
  }

  /** Takes the paths from the lower right corner one edit further. Returns where they met the others. */
  #retreat({ left, top }: Box, least: number, most: number, mayMeet: boolean): Split | undefined {
    const [a, b] = [this.#a, this.#b];
    this.#backward.widen(least, most);
    const { reached, zero, low, high } = this.#backward;
    const other = this.#forward;
    for (let diagonal = high; diagonal >= low; diagonal -= 2) {
      const below = i32At(reached, zero + diagonal - 1);
      const above = i32At(reached, zero + diagonal + 1);
      const from = below < above ? below : above - 1;
      let x = from;
      let y = x - diagonal;
      while (x > left && y > top && a[x - 1] === b[y - 1]) {
        x--;
        y--;
      }
      this.#steps += from - x + 3;
      if (from - x > LONG_RUN) this.#hasLongRun = true;
      reached[zero + diagonal] = x;
      if (mayMeet && other.has(diagonal) && x <= i32At(other.reached, zero + diagonal))
        return { x, y, firstIsShort: true, secondIsShort: true };
    }
    return undefined;
  }

  #shortcut(box: Box, edits: number): Split | undefined {
    if (this.#hasLongRun && edits > RUN_EDITS) {
      const found = this.#longRunForward(box, edits) ?? this.#longRunBackward(box, edits);
      if (found !== undefined) return found;
    }
    return edits >= this.#mostEdits ? this.#furthest(box) : undefined;
  }

  /** Returns the end of the long common run that lies furthest along from the upper left corner, if that is far enough. */
  #longRunForward({ left, right, top, bottom }: Box, edits: number): Split | undefined {
    const { reached, zero, low, high } = this.#forward;
    const middle = left - top;
    let best = REACH * edits;
    let found: Split | undefined;
    for (let diagonal = high; diagonal >= low; diagonal -= 2) {
      const x = i32At(reached, zero + diagonal);
      const y = x - diagonal;
      const reach = x - left + (y - top) - Math.abs(diagonal - middle);
      const isInside = x >= left + LONG_RUN && x < right && y >= top + LONG_RUN && y < bottom;
      this.#steps += 4;
      if (reach <= best || !isInside || !this.#isRun(x - LONG_RUN, y - LONG_RUN)) continue;
      best = reach;
      found = { x, y, firstIsShort: true, secondIsShort: false };
    }
    return found;
  }

  /** Does the same from the lower right corner. */
  #longRunBackward({ left, right, top, bottom }: Box, edits: number): Split | undefined {
    const { reached, zero, low, high } = this.#backward;
    const middle = right - bottom;
    let best = REACH * edits;
    let found: Split | undefined;
    for (let diagonal = high; diagonal >= low; diagonal -= 2) {
      const x = i32At(reached, zero + diagonal);
      const y = x - diagonal;
      const reach = right - x + (bottom - y) - Math.abs(diagonal - middle);
      const isInside = x > left && x <= right - LONG_RUN && y > top && y <= bottom - LONG_RUN;
      this.#steps += 4;
      if (reach <= best || !isInside || !this.#isRun(x, y)) continue;
      best = reach;
      found = { x, y, firstIsShort: false, secondIsShort: true };
    }
    return found;
  }

  /** Whether a long common run begins at a point. */
  #isRun(x: number, y: number): boolean {
    this.#steps += LONG_RUN;
    for (let i = 0; i < LONG_RUN; i++) if (u32At(this.#a, x + i) !== u32At(this.#b, y + i)) return false;
    return true;
  }

  /** Returns the point that lies furthest along from its corner. */
  #furthest({ left, right, top, bottom }: Box): Split {
    const [forward, backward] = [this.#forward, this.#backward];
    let [forwardSum, forwardX] = [-1, -1];
    for (let diagonal = forward.high; diagonal >= forward.low; diagonal -= 2) {
      // A path may have run over the border by its last edit.
      const x = Math.min(i32At(forward.reached, forward.zero + diagonal), right, bottom + diagonal);
      if (2 * x - diagonal <= forwardSum) continue;
      [forwardSum, forwardX] = [2 * x - diagonal, x];
    }
    let [backwardSum, backwardX] = [Number.POSITIVE_INFINITY, -1];
    for (let diagonal = backward.high; diagonal >= backward.low; diagonal -= 2) {
      const x = Math.max(i32At(backward.reached, backward.zero + diagonal), left, top + diagonal);
      if (2 * x - diagonal >= backwardSum) continue;
      [backwardSum, backwardX] = [2 * x - diagonal, x];
    }
    if (right + bottom - backwardSum < forwardSum - (left + top))
      return { x: forwardX, y: forwardSum - forwardX, firstIsShort: true, secondIsShort: false };
    return { x: backwardX, y: backwardSum - backwardX, firstIsShort: false, secondIsShort: true };
  }
}
