/**
 * Compares the refs of an upstream with those of its mirror.
 *
 * @packageDocumentation
 */
import { itemAt } from "../bytes/assert.ts";
import { equal } from "../bytes/chunk.ts";
import { LimitExceeded } from "../bytes/failure.ts";
import type { Pacer } from "../bytes/pacer.ts";
import { sortInTurns } from "../bytes/sort-in-turns.ts";
import type { ObjectFormat } from "../object/object-id.ts";
import { compareRefNames, comparingSteps } from "../refs/ref-order.ts";
import { MOST_PUSH_BYTES, moveBytes, ONE_SYNC, refuseStep } from "../refs/refs-in-one-step.ts";
import type { RefRow } from "../refs/ref-rows.ts";
import { ObjectIdList } from "../wire/object-id-list.ts";

/** One ref and its value. */
export type NamedValue = { readonly name: string; readonly oid: Uint8Array };

/** A ref whose values differ; `undefined` for a side that has no such ref. Names are raw. */
export type RefDifference = {
  readonly name: string;
  readonly ours: Uint8Array | undefined;
  /** The object that our value finally names, if it is a tag and that is known. */
  readonly oursPeeled?: Uint8Array | undefined;
  readonly theirs: Uint8Array | undefined;
};

/** Characters of the names of all refs that are listed. More could not be held beside what else an isolate does. */
const MOST_NAME_CHARACTERS = 32 * 1024 * 1024;
/** See {@link listingSteps}. */
const LISTED_STEPS = 300;
const LISTED_CHARACTER_STEPS = 5;

/**
 * Returns the steps of a listed ref, of whose name these are the characters, or the bytes: it is taken apart, mapped by refspecs
 * and checked. A name that is no UTF-8 takes the most.
 */
export function listingSteps(characters: number): number {
  return LISTED_STEPS + characters * LISTED_CHARACTER_STEPS;
}

/** The steps of a ref where it is compared, beside those of its name. */
const REF_STEPS = 50;

/** Refs as an upstream lists them, in any order. */
export class RefList {
  readonly #names: string[] = [];
  readonly #values: ObjectIdList;
  readonly #most: number;
  #characters = 0;
  #isSorted = true;

  /** `most` is the number of refs that the list takes. */
  constructor(format: ObjectFormat, most: number) {
    this.#values = new ObjectIdList(format);
    this.#most = most;
  }

  get length(): number {
    return this.#names.length;
  }

  /** Adds a ref; its bytes are copied. @throws LimitExceeded over the list's bounds. */
  add(name: string, oid: Uint8Array): void {
    if (this.#names.length >= this.#most) {
      throw new LimitExceeded("mirror-refs", this.#most, `more than ${this.#most} refs`);
    }
    this.#characters += name.length;
    if (this.#characters > MOST_NAME_CHARACTERS) {
      const why = `the names of its refs have more than ${MOST_NAME_CHARACTERS} characters`;
      throw new LimitExceeded("mirror-refs", MOST_NAME_CHARACTERS, why);
    }
    const last = this.#names.at(-1);
    if (last !== undefined && compareRefNames(last, name) >= 0) this.#isSorted = false;
    this.#names.push(name);
    this.#values.push(oid);
  }

  /** Calls `visit` for each ref, as they were added, with pauses: it may look into the name many times. */
  async forEach(visit: (ref: NamedValue) => void, pacer: Pacer): Promise<void> {
    for (const ref of this) {
      visit(ref);
      pacer.add(listingSteps(ref.name.length));
      if (pacer.isDue) await pacer.pace();
    }
  }

  /** Yields the refs as they were added. Values are views, valid until the list grows. */
  *[Symbol.iterator](): Generator<NamedValue> {
    for (const [index, name] of this.#names.entries()) yield { name, oid: this.#values.at(index) };
  }

  /** Returns the refs in the order of their names. Nothing may be added any more. */
  async sorted(pacer: Pacer): Promise<SortedRefs> {
    const names = this.#names;
    const nameAt = (index: number): string => itemAt(names, index);
    if (this.#isSorted) return new SortedRefs(names, this.#values, Uint32Array.from(names.keys()));
    const order = await sortInTurns(
      {
        count: names.length,
        compare: (a, b) => compareRefNames(nameAt(a), nameAt(b)),
        stepsOf: (index) => comparingSteps(nameAt(index)),
      },
      pacer,
    );
    return new SortedRefs(names, this.#values, order);
  }
}

/** Refs in the order of their names. Of two with one name, the one that was added first counts. */
export class SortedRefs {
  readonly #names: readonly string[];
  readonly #values: ObjectIdList;
  readonly #order: Uint32Array;

  constructor(names: readonly string[], values: ObjectIdList, order: Uint32Array) {
    this.#names = names;
    this.#values = values;
    this.#order = order;
  }

  get length(): number {
    return this.#names.length;
  }

  has(name: string): boolean {
    return this.#names.includes(name);
  }

  /** Returns the first name that begins with a prefix; `undefined` if there is none. */
  firstBelow(prefix: string): string | undefined {
    for (const index of this.#order) {
      const name = itemAt(this.#names, index);
      if (name.startsWith(prefix)) return name;
    }
    return undefined;
  }

  /** Yields the names that were added again, once each time. */
  *repeated(): Generator<string> {
    let last: string | undefined;
    for (const index of this.#order) {
      const name = itemAt(this.#names, index);
      if (name === last) yield name;
      last = name;
    }
  }

  /** Yields the refs in order. Values are views. */
  *[Symbol.iterator](): Generator<NamedValue> {
    let last: string | undefined;
    for (const index of this.#order) {
      const name = itemAt(this.#names, index);
      if (name !== last) yield { name, oid: this.#values.at(index) };
      last = name;
    }
  }
}

/** Yields refs, and counts the steps of comparing each. */
function* counted<Ref extends { readonly name: string }>(refs: Iterable<Ref>, pacer: Pacer): Generator<Ref, undefined> {
  for (const ref of refs) {
    pacer.add(REF_STEPS + comparingSteps(ref.name));
    yield ref;
  }
}

/** Yields each difference, and `undefined` for a ref that is the same on both sides. */
function* differencesOf(
  ours: Iterable<RefRow>,
  theirs: Iterable<NamedValue>,
): Generator<RefDifference | undefined, undefined> {
  const left = ours[Symbol.iterator]();
  const right = theirs[Symbol.iterator]();
  let mine = left.next();
  let other = right.next();
  for (;;) {
    const order =
      mine.done === true ? 1 : other.done === true ? -1 : compareRefNames(mine.value.name, other.value.name);
    if (mine.done === true && other.done === true) return;
    if (order < 0 && mine.done !== true) {
      yield { name: mine.value.name, ours: mine.value.oid, oursPeeled: mine.value.peeled, theirs: undefined };
      mine = left.next();
    } else if (order > 0 && other.done !== true) {
      yield { name: other.value.name, ours: undefined, theirs: other.value.oid };
      other = right.next();
    } else if (mine.done !== true && other.done !== true) {
      const { name, oid, peeled } = mine.value;
      yield equal(oid, other.value.oid) ? undefined : { name, ours: oid, oursPeeled: peeled, theirs: other.value.oid };
      mine = left.next();
      other = right.next();
    }
  }
}

/**
 * Returns the refs that differ. Both sides come in the order of names. Values are views into the sides.
 *
 * @throws LimitExceeded if they are more than can move in one step: nothing needs to be fetched for them.
 */
export async function compareRefs(
  ours: Iterable<RefRow>,
  theirs: Iterable<NamedValue>,
  pacer: Pacer,
): Promise<RefDifference[]> {
  const differences: RefDifference[] = [];
  let bytes = 0;
  for (const difference of differencesOf(counted(ours, pacer), counted(theirs, pacer))) {
    if (difference !== undefined) {
      differences.push(difference);
      const { name, theirs: value = difference.ours } = difference;
      bytes += moveBytes(name, 4 * (value?.length ?? 0)); // Each has a value.
      if (bytes > MOST_PUSH_BYTES) refuseStep(`more than ${differences.length - 1}`, ONE_SYNC);
    }
    if (pacer.isDue) await pacer.pace();
  }
  return differences;
}
