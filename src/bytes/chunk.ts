/**
 * Functions that join and compare byte arrays.
 *
 * @packageDocumentation
 */
import { u8At } from "./assert.ts";

/** Returns a new array with the bytes of all `chunks` in order. */
export function concat(chunks: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  let length = 0;
  for (const chunk of chunks) length += chunk.length;
  const joined = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    joined.set(chunk, at);
    at += chunk.length;
  }
  return joined;
}

/** Whether both arrays have the same bytes. Not for secrets, since it stops at the first difference. */
export function equal(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && compare(left, right) === 0;
}

/**
 * Compares bytewise, as memcmp(3) and git's sorted files do; a prefix comes first. Returns a negative number, 0 or a
 * positive one.
 */
export function compare(left: Uint8Array, right: Uint8Array): number {
  const length = Math.min(left.length, right.length);
  for (let at = 0; at < length; at++) {
    const difference = u8At(left, at) - u8At(right, at);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}
