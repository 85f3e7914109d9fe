/**
 * Compares bytes at once in `toEqual` and its like. Vitest compares them one by one, in seconds per megabyte. Bytes that differ are
 * left to it, because it shows where.
 *
 * @packageDocumentation
 */
import { expect } from "vitest";

/** Returns whether two byte arrays of one class are equal; `undefined` for all else, which Vitest then compares. */
function sameBytes(left: unknown, right: unknown): true | undefined {
  if (!(left instanceof Uint8Array) || !(right instanceof Uint8Array)) return undefined;
  return left.constructor === right.constructor && Buffer.compare(left, right) === 0 ? true : undefined;
}

// This runs before each file, and Vitest keeps a process's testers.
const ADDED = Symbol.for("thinpack.byte-equality");
if (!Reflect.has(globalThis, ADDED)) {
  Reflect.set(globalThis, ADDED, true);
  expect.addEqualityTesters([sameBytes]);
}
