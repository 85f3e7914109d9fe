/**
 * Compares the refs of an upstream with those of its mirror.
 *
 * @packageDocumentation
 */
import { itemAt } from "../bytes/assert.ts";
import { equal } from "../bytes/chunk.ts";
import { LimitExceeded } from "../bytes/failure.ts";
import type { ObjectFormat } from "../object/object-id.ts";
import { compareRefNames } from "../refs/ref-order.ts";
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

/**
 * Refs in the order of their names, whatever the order in which they were added. Of two with one name the first counts.
 */
export class RefList {
  readonly #names: string[] = [];
  readonly #values: ObjectIdList;
  readonly #most: number;
  #isSorted = true;

  /** `most` is the number of refs that the list takes. */
  constructor(format: ObjectFormat, most: number) {
    this.#values = new ObjectIdList(format);
    this.#most = most;
  }

  get length(): number {
    return this.#names.length;
  }

  /** Adds a ref; its bytes are copied. @throws LimitExceeded over the list's bound. */
  add(name: string, oid: Uint8Array): void {
    if (this.#names.length >= this.#most) {
      throw new LimitExceeded("mirror-refs", this.#most, `more than ${this.#most} refs`);
    }
    const last = this.#names.at(-1);
    if (last !== undefined && compareRefNames(last, name) >= 0) this.#isSorted = false;
    this.#names.push(name);
    this.#values.push(oid);
  }

  has(name: string): boolean {
    return this.#names.includes(name);
  }

  /** Returns the first name that begins with a prefix; `undefined` if there is none. */
  firstBelow(prefix: string): string | undefined {
    for (const { name } of this) if (name.startsWith(prefix)) return name;
    return undefined;
  }

  /** Yields the names that were added again, once each time. */
  *repeated(): Generator<string> {
    const seen = new Set<string>();
    for (const name of this.#isSorted ? [] : this.#names) {
      if (seen.has(name)) yield name;
      seen.add(name);
    }
  }

  /** Yields the refs in order. Values are views, valid until the list grows. */
  *[Symbol.iterator](): Generator<NamedValue> {
    const order = Uint32Array.from(this.#names.keys());
    const nameAt = (index: number): string => itemAt(this.#names, index);
    if (!this.#isSorted) order.sort((a, b) => compareRefNames(nameAt(a), nameAt(b)) || a - b);
    let last: string | undefined;
    for (const index of order) {
      const name = nameAt(index);
      if (name !== last) yield { name, oid: this.#values.at(index) };
      last = name;
    }
  }
}

/** Yields the refs that differ. Both sides come in the order of names. Values are views into the sides. */
export function* compareRefs(ours: Iterable<RefRow>, theirs: Iterable<NamedValue>): Generator<RefDifference> {
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
      if (!equal(mine.value.oid, other.value.oid)) {
        const { name, oid, peeled } = mine.value;
        yield { name, ours: oid, oursPeeled: peeled, theirs: other.value.oid };
      }
      mine = left.next();
      other = right.next();
    }
  }
}
