/**
 * Where the objects of packs stand in trees, as two hashes: of an object's own name, and of its whole path. Objects with the
 * same path are versions of one file or directory, and those with the same name are often alike.
 *
 * Each tree is read once. Of each object one place is noted: the first tree that has it, and its name there. Paths follow
 * from that without a walk from commits.
 *
 * @packageDocumentation
 * @see git-pack-objects(1), the name hash
 */
import { u32At, u8At } from "../bytes/assert.ts";
import { freeMemory } from "../bytes/free-memory.ts";
import { TreeReader, isGitlink } from "../object/tree.ts";

/** The number of trees that a tree is compared with, so that what it has in common with one is passed over. */
const REMEMBERED_TREES = 8;
/** A larger tree is not remembered. Bytes. */
const MOST_REMEMBERED = 256 * 1024;
/** Directories above an object that count: paths are deeper only where somebody wants them to be. */
const MOST_DEPTH = 64;
/** Factor and start of the FNV-1a hash. */
const FACTOR = 0x0100_0193;
const START = 0x811c_9dc5;

function hashOf(bytes: Uint8Array, from: number, to: number): number {
  let hash = START;
  for (let at = from; at < to; at++) hash = Math.imul(hash ^ u8At(bytes, at), FACTOR);
  // 0 stands for an object whose name is not known.
  return hash >>> 0 || 1;
}

/** Returns how many bytes two trees have in common at their beginning and, behind that, at their end. */
function commonEnds(a: Uint8Array, b: Uint8Array): { before: number; behind: number } {
  const most = Math.min(a.length, b.length);
  let before = 0;
  while (before < most && a[before] === b[before]) before++;
  let behind = 0;
  while (behind < most - before && a[a.length - 1 - behind] === b[b.length - 1 - behind]) behind++;
  return { before, behind };
}

/** The places of the objects in these slots. */
export class PathHashes {
  readonly #names: Uint32Array<ArrayBuffer>;
  /** By slot: the slot of the tree that has the object, plus one. */
  readonly #parents: Uint32Array<ArrayBuffer>;
  readonly #slotOf: (name: Uint8Array) => number;
  readonly #rawSize: number;
  readonly #remembered: Uint8Array[] = [];

  /** @param slotOf - Returns the slot of a raw name; -1 if it has none. */
  constructor(count: number, rawSize: number, slotOf: (name: Uint8Array) => number) {
    this.#names = new Uint32Array(count);
    this.#parents = new Uint32Array(count);
    this.#rawSize = rawSize;
    this.#slotOf = slotOf;
  }

  /** Notes what a tree has. The bytes are kept for later trees. @throws ObjectRejected if git can't read it. */
  addTree(tree: number, bytes: Uint8Array): void {
    const { before, behind } = this.#inCommon(bytes);
    const reader = new TreeReader(bytes, 0, bytes.length, this.#rawSize);
    while (reader.next()) {
      const end = reader.oidAt + this.#rawSize;
      if (end <= before || reader.entryAt >= bytes.length - behind || isGitlink(reader.mode)) continue;
      const slot = this.#slotOf(bytes.subarray(reader.oidAt, end));
      if (slot < 0 || u32At(this.#names, slot) !== 0) continue;
      this.#names[slot] = hashOf(bytes, reader.nameAt, reader.nameEnd);
      this.#parents[slot] = tree + 1;
    }
    if (bytes.length > MOST_REMEMBERED) return;
    this.#remembered.unshift(bytes);
    if (this.#remembered.length > REMEMBERED_TREES) this.#remembered.pop();
  }

  #inCommon(bytes: Uint8Array): { before: number; behind: number } {
    let best = { before: 0, behind: 0 };
    for (const tree of this.#remembered) {
      const common = commonEnds(bytes, tree);
      if (common.before + common.behind > best.before + best.behind) best = common;
    }
    return best;
  }

  /** Returns the hash of an object's own name; 0 if no tree has it. */
  nameOf(slot: number): number {
    return u32At(this.#names, slot);
  }

  /** Returns the hash of an object's path. */
  pathOf(slot: number): number {
    let hash = START;
    for (let at = slot, depth = 0; depth < MOST_DEPTH; depth++) {
      hash = Math.imul(hash ^ u32At(this.#names, at), FACTOR);
      const parent = u32At(this.#parents, at);
      if (parent === 0) break;
      at = parent - 1;
    }
    return hash >>> 0;
  }

  /** Frees the memory. It must be the last call. */
  free(): void {
    freeMemory(this.#names);
    freeMemory(this.#parents);
  }
}
