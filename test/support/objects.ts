/**
 * Objects that are held whole, in plain forms: what the readers and writers in `src/`, which work piece by piece or in
 * place, are held to.
 *
 * @packageDocumentation
 */
import { itemAt, u8At } from "../../src/bytes/assert.ts";
import { textOf } from "../../src/object/byte-text.ts";
import { CommitLinks } from "../../src/object/commit.ts";
import type { FsckFinding } from "../../src/object/fsck-rule.ts";
import { fsckTree } from "../../src/object/fsck-tree.ts";
import { fsckCommit, fsckTag } from "../../src/object/fsck.ts";
import type { ObjectFormat } from "../../src/object/object-id.ts";
import type { ObjectType } from "../../src/object/object-type.ts";
import { TreeReader, isTree, typeOfMode } from "../../src/object/tree.ts";

/** An entry of a tree. */
export type TreeEntry = {
  readonly mode: number;
  readonly name: Uint8Array;
  /** The raw object name. */
  readonly oid: Uint8Array;
};

/** An entry read from a tree. Its name and oid are views of the tree. */
export type ReadTreeEntry = TreeEntry & {
  readonly type: ObjectType;
  /** The name with one character per byte, to serve as a key. */
  readonly latin1Name: string;
};

/**
 * Yields the entries of a tree that is held whole. In hot loops {@link TreeReader} makes less garbage.
 *
 * @throws ObjectRejected if git can't read the tree.
 */
export function* readTreeEntries(bytes: Uint8Array, format: ObjectFormat): Generator<ReadTreeEntry> {
  const reader = new TreeReader(bytes, 0, bytes.length, format.rawSize);
  while (reader.next()) {
    const { mode, oidAt } = reader;
    const name = bytes.subarray(reader.nameAt, reader.nameEnd);
    const oid = bytes.subarray(oidAt, oidAt + format.rawSize);
    yield { mode, type: typeOfMode(mode), name, latin1Name: textOf(name), oid };
  }
}

/** Orders two entries as a tree has them: by name, where a subtree's name counts as if it ended in a slash. */
export function compareTreeEntries(a: Pick<TreeEntry, "mode" | "name">, b: Pick<TreeEntry, "mode" | "name">): number {
  const shared = Math.min(a.name.length, b.name.length);
  for (let i = 0; i < shared; i++) {
    const difference = u8At(a.name, i) - u8At(b.name, i);
    if (difference !== 0) return difference;
  }
  const after = (entry: Pick<TreeEntry, "mode" | "name">): number =>
    entry.name[shared] ?? (isTree(entry.mode) ? 0x2f : 0);
  return after(a) - after(b);
}

/** Encodes a tree of the given entries, in the given order: see {@link compareTreeEntries}. */
export function encodeTree(entries: readonly TreeEntry[], format: ObjectFormat): Uint8Array<ArrayBuffer> {
  const modes = entries.map((entry) => new TextEncoder().encode(`${entry.mode.toString(8)} `));
  const sizeOf = (entry: TreeEntry, i: number): number =>
    itemAt(modes, i).length + entry.name.length + 1 + format.rawSize;
  const bytes = new Uint8Array(entries.reduce((sum, entry, i) => sum + sizeOf(entry, i), 0));
  let at = 0;
  entries.forEach((entry, i) => {
    const mode = modes[i] ?? new Uint8Array(0);
    bytes.set(mode, at);
    bytes.set(entry.name, at + mode.length);
    bytes.set(entry.oid, at + mode.length + entry.name.length + 1);
    at += sizeOf(entry, i);
  });
  return bytes;
}

/**
 * Reads the links of the commit in `bytes[start, end)`. The caller owns the raw names. In a loop, {@link CommitLinks}
 * makes less garbage.
 *
 * @throws ObjectRejected for a commit that git cannot walk.
 */
export function readCommitLinks(
  bytes: Uint8Array,
  start: number,
  end: number,
  format: ObjectFormat,
): { readonly tree: Uint8Array; readonly parents: readonly Uint8Array[]; readonly time: number } {
  const links = new CommitLinks(format);
  links.read(bytes, start, end);
  const parents = Array.from({ length: links.parentCount }, (_, i) => links.nameOf(i + 1));
  return { tree: links.nameOf(0), parents, time: links.time };
}

/**
 * Checks an object whose bytes are whole. Blobs pass: `fsckAttachedBlob` checks those that git reads by itself, and
 * trees tell which these are; see `fsckTree`.
 *
 * @returns the first finding that refuses it; `undefined` if there is none.
 */
export function fsckObject(type: ObjectType, bytes: Uint8Array, format: ObjectFormat): FsckFinding | undefined {
  if (type === "commit") return fsckCommit(bytes, format);
  if (type === "tag") return fsckTag(bytes, format);
  return type === "tree" ? fsckTree(bytes, format) : undefined;
}
