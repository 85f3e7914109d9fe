/**
 * A directory that is being changed. It is held as the bytes of its stored tree and the changes to it, so that one file
 * in a directory of 100,000 costs one pass over its bytes and no object for each entry.
 *
 * Entries are in git's order: by name, where the name of a subtree counts as if it ended in a slash.
 *
 * @packageDocumentation
 * @see git-mktree(1), base_name_compare() in git's read-cache.c
 */
import { u32At } from "../../bytes/assert.ts";
import { concat } from "../../bytes/chunk.ts";
import { ObjectRejected } from "../../bytes/failure.ts";
import { firstIndex } from "../../bytes/first-index.ts";
import { DeltaWriter } from "../../format/delta-encoder.ts";
import { bytesOf, textOf } from "../../object/byte-text.ts";
import { isTree, TreeReader } from "../../object/tree.ts";

/** An entry: its mode, and the raw name of its object. */
export type Entry = { readonly mode: number; readonly oid: Uint8Array };

/** A tree: its bytes, and, where a stored tree was changed, that tree's raw name and the delta from it. */
export type EncodedTree =
  | { readonly content: Uint8Array; readonly base?: undefined }
  | { readonly content: Uint8Array; readonly base: Uint8Array; readonly delta: Uint8Array };

/** A replaced part of the stored tree: `[at, end)` gives way to `bytes`. */
type Splice = { readonly at: number; readonly end: number; readonly key: string; readonly bytes: Uint8Array };

const NOTHING = new Uint8Array(0);

/** Steps of a change that is encoded, and more for each time that the entries of the stored tree are halved to find its place. */
const CHANGE_STEPS = 250;
const HALVING_STEPS = 50;

/** Returns the text by which an entry is ordered. */
function keyOf(name: string, mode: number): string {
  return isTree(mode) ? `${name}/` : name;
}

function encodeTreeEntry(name: string, { mode, oid }: Entry): Uint8Array {
  return concat([bytesOf(`${mode.toString(8)} ${name}\0`), oid]);
}

/** The entries of a stored tree, found by their place. */
class StoredEntries {
  readonly bytes: Uint8Array;
  readonly #rawSize: number;
  /** The offset of each entry, and at last the length of the tree. */
  readonly #offsets: Uint32Array;

  constructor(bytes: Uint8Array, rawSize: number) {
    this.bytes = bytes;
    this.#rawSize = rawSize;
    const offsets: number[] = [];
    const reader = new TreeReader(bytes, 0, bytes.length, rawSize);
    while (reader.next()) offsets.push(reader.entryAt);
    offsets.push(bytes.length);
    this.#offsets = Uint32Array.from(offsets);
    this.#assertOrder();
  }

  get count(): number {
    return this.#offsets.length - 1;
  }

  offsetAt(number: number): number {
    return u32At(this.#offsets, number);
  }

  entryAt(number: number): Entry & { readonly name: string } {
    const end = this.offsetAt(number + 1);
    const reader = new TreeReader(this.bytes, this.offsetAt(number), end, this.#rawSize);
    reader.next();
    const { mode, nameAt, nameEnd, oidAt } = reader;
    return { mode, name: textOf(this.bytes.subarray(nameAt, nameEnd)), oid: this.bytes.slice(oidAt, end) };
  }

  /** Returns the number of the first entry whose key is not less. */
  lowerBound(key: string): number {
    return firstIndex(this.count, (number) => {
      const { name, mode } = this.entryAt(number);
      return keyOf(name, mode) >= key;
    });
  }

  /** Returns the number of the entry of this name; -1 if there is none. */
  find(name: string): number {
    for (const key of [name, `${name}/`]) {
      const number = this.lowerBound(key);
      if (number === this.count) continue;
      const entry = this.entryAt(number);
      if (entry.name === name) return number;
    }
    return -1;
  }

  /** A tree in another order was let in by a repository that ignores such slips. A search in it would overlook entries. */
  #assertOrder(): void {
    let before = "";
    for (let number = 0; number < this.count; number++) {
      const { name, mode } = this.entryAt(number);
      const key = keyOf(name, mode);
      if (key <= before) throw new ObjectRejected("a directory on the way is not in git's order, and can't be changed");
      before = key;
    }
  }
}

/** A directory under change. */
export class Directory {
  readonly #stored: StoredEntries;
  readonly #tree: Uint8Array | undefined;
  #count: number;
  readonly #changes = new Map<string, Entry | undefined>();
  /** The subdirectories that were opened, by name. */
  readonly children = new Map<string, Directory>();

  /** Opens the directory of a stored tree, by its bytes and its raw name; of nothing for a new directory. @throws ObjectRejected */
  constructor(rawSize: number, bytes: Uint8Array = NOTHING, tree?: Uint8Array) {
    this.#stored = new StoredEntries(bytes, rawSize);
    this.#tree = tree;
    this.#count = this.#stored.count;
  }

  /** The number of entries. */
  get count(): number {
    return this.#count;
  }

  /** Whether an entry was set or removed. */
  get isChanged(): boolean {
    return this.#changes.size > 0;
  }

  /** Bytes that are held of the stored tree, and of the table of its entries. */
  get heldBytes(): number {
    return this.#stored.bytes.length + this.#stored.count * Uint32Array.BYTES_PER_ELEMENT;
  }

  /** Returns an entry by its name, which has one character per byte. */
  get(name: string): Entry | undefined {
    if (this.#changes.has(name)) return this.#changes.get(name);
    const number = this.#stored.find(name);
    return number < 0 ? undefined : this.#stored.entryAt(number);
  }

  /** Sets an entry. */
  set(name: string, entry: Entry): void {
    if (this.get(name) === undefined) this.#count++;
    this.#changes.set(name, entry);
  }

  /** Removes an entry, if it exists. */
  remove(name: string): void {
    if (this.get(name) === undefined) return;
    this.#count--;
    this.#changes.set(name, undefined);
  }

  /**
   * Returns the bytes of the tree with its changes, and how they come from those of the stored tree: the taking in looks
   * for references in what differs alone. Yields the steps of it: a commit may change 10,000 files of one directory.
   */
  *encode(): Generator<number, EncodedTree, undefined> {
    const stored = this.#stored.bytes;
    const splices = yield* this.#splices();
    const pieces: Uint8Array[] = [];
    const delta = new DeltaWriter();
    delta.size(stored.length);
    delta.size(splices.reduce((sum, { at, end, bytes }) => sum + bytes.length - (end - at), stored.length));
    let from = 0;
    const keep = (to: number): void => {
      if (to <= from) return;
      pieces.push(stored.subarray(from, to));
      delta.copy(from, to - from);
    };
    for (const { at, end, bytes } of splices) {
      keep(at);
      pieces.push(bytes);
      delta.insert(bytes);
      from = Math.max(from, end);
    }
    keep(stored.length);
    const content = concat(pieces);
    return this.#tree === undefined ? { content } : { content, base: this.#tree, delta: delta.bytes() };
  }

  /** Returns the changes in the order of the tree. What is put before an entry comes before that entry's removal. */
  *#splices(): Generator<number, Splice[], undefined> {
    const stored = this.#stored;
    const splices: Splice[] = [];
    const steps = CHANGE_STEPS + HALVING_STEPS * Math.ceil(Math.log2(stored.count + 1));
    for (const [name, entry] of this.#changes) {
      yield steps;
      const number = stored.find(name);
      if (number >= 0) splices.push(this.#removal(number));
      if (entry === undefined) continue;
      const key = keyOf(name, entry.mode);
      const at = stored.offsetAt(stored.lowerBound(key));
      splices.push({ at, end: at, key, bytes: encodeTreeEntry(name, entry) });
    }
    return splices.sort((a, b) => a.at - b.at || a.end - b.end || (a.key < b.key ? -1 : 1));
  }

  #removal(number: number): Splice {
    return { at: this.#stored.offsetAt(number), end: this.#stored.offsetAt(number + 1), key: "", bytes: NOTHING };
  }
}
