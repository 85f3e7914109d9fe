/**
 * Trees: for every entry, its mode in octal, a space, its name, a NUL and the raw name of its object.
 *
 * @packageDocumentation
 * @see gitformat-pack(5), git-mktree(1)
 */
import { u8OrNul } from "../bytes/assert.ts";
import { ObjectRejected } from "../bytes/failure.ts";
import type { ObjectType } from "./object-type.ts";

/** The modes of entries: the kind of file in the high bits, permissions in the low nine. */
export const FILE_MODE = {
  file: 0o100644,
  executable: 0o100755,
  symlink: 0o120000,
  tree: 0o040000,
  gitlink: 0o160000,
} as const;

/** Returns a mode as git writes it: six octal digits. */
export function modeText(mode: number): string {
  return mode.toString(8).padStart(6, "0");
}

const TYPE_BITS = 0o170000;

/** Whether an entry of this mode is a subtree. */
export function isTree(mode: number): boolean {
  return (mode & TYPE_BITS) === FILE_MODE.tree;
}

/** Whether an entry of this mode is a commit of another repository, which this one doesn't have. */
export function isGitlink(mode: number): boolean {
  return (mode & TYPE_BITS) === FILE_MODE.gitlink;
}

/** Whether an entry of this mode is a symbolic link. */
export function isSymlink(mode: number): boolean {
  return (mode & TYPE_BITS) === FILE_MODE.symlink;
}

/** Whether an entry of this mode is a regular file, whatever its permissions. */
export function isRegular(mode: number): boolean {
  return (mode & TYPE_BITS) === 0o100000;
}

const OWNER_EXECUTES = 0o100;

/** Returns the mode that git takes an entry's mode for: old trees have files with other permissions. */
export function canonicalMode(mode: number): number {
  if (!isRegular(mode)) return mode;
  return (mode & OWNER_EXECUTES) === 0 ? FILE_MODE.file : FILE_MODE.executable;
}

/**
 * Reads a tree entry by entry, in place. The fields describe the entry that {@link TreeReader.next} just read.
 *
 * @example
 * const reader = new TreeReader(bytes, 0, bytes.length, format.rawSize);
 * while (reader.next()) visit(reader.mode, bytes.subarray(reader.nameAt, reader.nameEnd), reader.oidAt);
 */
export class TreeReader {
  /** The mode as stored, including bits that git doesn't know. */
  mode = 0;
  /** The offset at which the entry begins, with the first digit of its mode. */
  entryAt = 0;
  /** The name is `bytes[nameAt, nameEnd)`. */
  nameAt = 0;
  nameEnd = 0;
  /** The offset at which the raw object name begins. */
  oidAt = 0;
  readonly #bytes: Uint8Array;
  readonly #rawSize: number;
  readonly #end: number;
  #next: number;

  /** Reads the tree in `bytes[start, end)`. The bytes must not change while it reads. */
  constructor(bytes: Uint8Array, start: number, end: number, rawSize: number) {
    this.#bytes = bytes;
    this.#next = start;
    this.#end = end;
    this.#rawSize = rawSize;
  }

  /**
   * Reads the next entry; false at the end.
   *
   * @throws ObjectRejected, in git's words, if git can't read the tree.
   */
  next(): boolean {
    if (this.#next >= this.#end) return false;
    const bytes = this.#bytes;
    const size = this.#end - this.#next;
    // The last entry ends in a NUL and a name, so the search for an earlier entry's NUL finds one.
    if (size < this.#rawSize + 3 || bytes[this.#end - this.#rawSize - 1] !== 0) {
      throw new ObjectRejected("too-short tree object");
    }
    this.entryAt = this.#next;
    this.nameAt = this.#readMode(bytes, this.#next);
    let at = this.nameAt;
    while (bytes[at] !== 0) at++;
    if (at === this.nameAt) throw new ObjectRejected("empty filename in tree entry");
    this.nameEnd = at;
    this.oidAt = at + 1;
    this.#next = this.oidAt + this.#rawSize;
    if (this.#next > this.#end) throw new ObjectRejected("too-short tree file");
    return true;
  }

  #readMode(bytes: Uint8Array, from: number): number {
    let at = from;
    let mode = 0;
    for (;;) {
      const byte = u8OrNul(bytes, at++);
      if (byte === 0x20 && at - 1 > from) break;
      if (byte < 0x30 || byte > 0x37) throw new ObjectRejected("malformed mode in tree entry");
      mode = (mode << 3) + (byte - 0x30);
    }
    // Git keeps sixteen bits of a mode.
    this.mode = mode & 0xffff;
    return at;
  }
}

/** Returns the type of the object that an entry of this mode names. */
export function typeOfMode(mode: number): ObjectType {
  if (isTree(mode)) return "tree";
  return isGitlink(mode) ? "commit" : "blob";
}
