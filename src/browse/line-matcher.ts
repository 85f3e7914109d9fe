/**
 * Runs patterns on lines. Of each place in a line, the set of steps that the pattern may be at is one state; states are
 * made when they are first met, and each byte then takes one look into a table. The states are bounded: when there are
 * too many, they are forgotten and made anew. So a line takes at most its length times the length of the program.
 *
 * @packageDocumentation
 */
import { i32At, itemAt, u8At } from "../bytes/assert.ts";
import type { Pattern } from "./pattern.ts";

/** The most states at a time. */
const MOST_STATES = 256;
/** The steps of the pacer for each step of the program that a new state is made from. */
const BUILD_STEPS = 8;
/** The steps of making states after which a scan pauses. */
const STEPS_OF_SCAN = 1_000_000;

const BYTES = 256;
const NEWLINE = 0x0a;

/** The numbers of states that are always there: it is not known yet, the line matches, it can't match, it begins. */
const UNKNOWN = 0;
const MATCHED = 1;
const DEAD = 2;
const START = 3;

/** The bytes of memory for a group of bytes, and for a step of the program, in each state. */
const GROUP_BYTES = 4;
const STEP_BYTES = 12;

/** Groups bytes that all sets of a pattern treat alike. Returns the group of each byte, and a byte of each group. */
function groupsOf({ steps }: Pattern): { readonly groupOf: Uint8Array; readonly examples: readonly number[] } {
  const groupOf = new Uint8Array(BYTES);
  const examples: number[] = [];
  const known = new Map<string, number>();
  const sets = steps.flatMap((step) => (step.op === "byte" ? [step.set] : []));
  for (let byte = 0; byte < BYTES; byte++) {
    const key = sets.map((set) => u8At(set, byte)).join("");
    const group = known.get(key) ?? examples.push(byte) - 1;
    known.set(key, group);
    groupOf[byte] = group;
  }
  return { groupOf, examples };
}

/** A pattern with the states that it was in. */
export class LineMatcher {
  /** The steps of work that making states took, for the pacer. */
  work = 0;
  readonly #pattern: Pattern;
  readonly #groupOf: Uint8Array;
  readonly #examples: readonly number[];
  readonly #table: Int32Array;
  /** The steps of the program that each state stands for. */
  #sets: (readonly number[])[] = [];
  #numbers = new Map<string, number>();
  /** Whether a line that ends in a state matches. */
  #endings = new Map<number, boolean>();
  /** How often the states were forgotten. */
  #age = 0;
  /** The round in which each step was visited last. */
  readonly #visited: Uint32Array;
  #round = 0;

  constructor(pattern: Pattern) {
    const { groupOf, examples } = groupsOf(pattern);
    this.#pattern = pattern;
    this.#groupOf = groupOf;
    this.#examples = examples;
    this.#table = new Int32Array(MOST_STATES * examples.length);
    this.#visited = new Uint32Array(pattern.steps.length);
    this.#reset();
  }

  /**
   * Looks at bytes from `at` on, in the middle of a line that is in `state`, up to its end or to the place where it is
   * known to match. Returns where it came and in which state.
   */
  run(bytes: Uint8Array, from: { readonly at: number; readonly state: number }): { at: number; state: number } {
    const groups = this.#examples.length;
    const [table, groupOf] = [this.#table, this.#groupOf];
    let { at, state } = from;
    const { work } = this;
    for (; at < bytes.length && state !== MATCHED; at++) {
      const byte = u8At(bytes, at);
      if (byte === NEWLINE) break;
      const group = u8At(groupOf, byte);
      const next = i32At(table, state * groups + group);
      state = next === UNKNOWN ? this.#step(state, group) : next;
      if (state === DEAD) return { at: lineEnd(bytes, at), state };
      if (this.work - work > STEPS_OF_SCAN) return { at: at + 1, state };
    }
    return { at, state };
  }

  /** Whether a line that ends in this state matches. */
  matchesAt(state: number): boolean {
    if (state === MATCHED || state === DEAD) return state === MATCHED;
    const known = this.#endings.get(state);
    if (known !== undefined) return known;
    const isMatch = this.#closed(itemAt(this.#sets, state), state === START, true) === undefined;
    this.#endings.set(state, isMatch);
    return isMatch;
  }

  /** The most bytes of memory that all this takes. */
  get bytes(): number {
    return MOST_STATES * (this.#examples.length * GROUP_BYTES + this.#pattern.steps.length * STEP_BYTES);
  }

  #reset(): void {
    this.#age++;
    this.#table.fill(UNKNOWN);
    this.#numbers = new Map();
    this.#endings = new Map();
    const start = this.#closed([this.#pattern.first], true, false);
    this.#sets = [[], [], [], start ?? [this.#pattern.first]];
    // A pattern that matches the empty text matches each line.
    if (start === undefined) this.#table.fill(MATCHED, START * this.#examples.length);
  }

  /** Makes the state behind a byte. */
  #step(state: number, group: number): number {
    const { steps, first } = this.#pattern;
    const age = this.#age;
    const byte = itemAt(this.#examples, group);
    const reached = [first]; // A match may begin at every byte.
    for (const at of itemAt(this.#sets, state)) {
      const step = itemAt(steps, at);
      if (step.op === "byte" && u8At(step.set, byte) === 1) reached.push(step.next);
    }
    const set = this.#closed(reached, false, false);
    const next = set === undefined ? MATCHED : set.length === 0 ? DEAD : this.#numberOf(set);
    // Where all states were forgotten, this one was, too.
    if (this.#age === age) this.#table[state * this.#examples.length + group] = next;
    return next;
  }

  #numberOf(set: readonly number[]): number {
    const key = set.join();
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    if (this.#sets.length === MOST_STATES) this.#reset();
    const number = this.#sets.push(set) - 1;
    this.#numbers.set(key, number);
    return number;
  }

  /**
   * Returns the steps that wait for a byte, or for the end of the line, where these steps lead without a byte, in their
   * order; `undefined` if they lead to a match.
   */
  #closed(from: readonly number[], isStart: boolean, isEnd: boolean): number[] | undefined {
    const waiting: number[] = [];
    const open = [...from];
    this.#round++;
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      if (this.#visited[at] === this.#round) continue;
      this.#visited[at] = this.#round;
      this.work += BUILD_STEPS;
      const step = itemAt(this.#pattern.steps, at);
      if (step.op === "match") return undefined;
      if (step.op === "split") open.push(step.next, step.other);
      else if (step.op === "start" ? isStart : step.op === "end" && isEnd) open.push(step.next);
      else if (step.op !== "start") waiting.push(at);
    }
    return waiting.sort((a, b) => a - b);
  }
}

function lineEnd(bytes: Uint8Array, from: number): number {
  const end = bytes.indexOf(NEWLINE, from);
  return end < 0 ? bytes.length : end;
}

/** Goes through a text line by line, and stops at those that match. */
export class LineScan {
  /** The number of the line, from 1, and where it is in the text. */
  line = 0;
  start = 0;
  end = 0;
  readonly #matcher: LineMatcher;
  readonly #bytes: Uint8Array;
  #next = 0;
  #state = START;
  #at = 0;

  constructor(matcher: LineMatcher, bytes: Uint8Array) {
    this.#matcher = matcher;
    this.#bytes = bytes;
  }

  /** Passes over lines. */
  skip(lines: number): void {
    for (let line = 0; line < lines && this.#next < this.#bytes.length; line++) this.#next = lineEnd(this.#bytes, this.#next) + 1; // prettier-ignore
    this.line += lines;
    this.#at = this.#next;
  }

  /**
   * Goes on to the next line that matches. `pause` is returned in between after much work: the next call goes on where
   * this one stopped.
   */
  next(): "match" | "pause" | "end" {
    const bytes = this.#bytes;
    while (this.#next < bytes.length) {
      const { at, state } = this.#matcher.run(bytes, { at: this.#at, state: this.#state });
      this.#at = at;
      this.#state = state;
      const isOver = state === MATCHED || at >= bytes.length || bytes[at] === NEWLINE;
      if (!isOver) return "pause";
      const isMatch = this.#matcher.matchesAt(state);
      this.#endLine(lineEnd(bytes, at));
      if (isMatch) return "match";
    }
    return "end";
  }

  #endLine(end: number): void {
    this.line++;
    this.start = this.#next;
    this.end = end;
    this.#next = end + 1;
    this.#at = this.#next;
    this.#state = START;
  }
}
