/**
 * Pointers of Git LFS: the small text that a repository has in place of a large file.
 *
 * @packageDocumentation
 * @see https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md
 */
import { textOf } from "./byte-text.ts";

/** Bytes that a pointer has at most: the client looks at no larger blob. */
export const LONGEST_POINTER = 1024;
/** Bytes that a pointer has at least: its three lines, with the shorter address of the specification. */
export const SHORTEST_POINTER = 124;
const BEGINNING = /^version https:\/\/(?:git-lfs\.github\.com\/spec|hawser\.github\.com\/spec)\/v1\n/;
const OID = /^oid sha256:([0-9a-f]{64})$/m;
const SIZE = /^size (\d{1,15})$/m;
/** The first bytes of every pointer, to tell at once that most blobs are none. */
const FIRST = "version https://";

/** The object that a pointer names: the SHA-256 of its bytes, in hexadecimal, and their number. */
export type LfsPointer = { readonly oid: string; readonly size: number };

/** Returns the object that a blob is the pointer of; `undefined` if it is no pointer. */
export function lfsPointerIn(blob: Uint8Array): LfsPointer | undefined {
  if (blob.length >= LONGEST_POINTER || blob.length < FIRST.length) return undefined;
  for (let at = 0; at < FIRST.length; at++) if (blob[at] !== FIRST.charCodeAt(at)) return undefined;
  const text = textOf(blob);
  const [, oid] = OID.exec(text) ?? [];
  const [, size] = SIZE.exec(text) ?? [];
  if (!BEGINNING.test(text) || oid === undefined || size === undefined) return undefined;
  return { oid, size: Number(size) };
}
