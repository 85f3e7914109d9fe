/**
 * The order of refs, which is the order of their names' bytes.
 *
 * @packageDocumentation
 */

import { byteTextOf } from "../object/escaped-bytes.ts";

/** Characters of an escape, which stands for one byte: see `escaped-bytes.ts`. */
const ESCAPE = 4;
/** Characters in which two names differ in their bytes if they differ at all: a character of UTF-8 has four bytes, and each may be an escape. */
const TELLING = 4 * ESCAPE;

/** See {@link comparingSteps}. */
const FIXED_STEPS = 10;
const CHARACTER_STEPS = 0.2;

/** Returns where the escape begins that a place lies in; -1 if it lies in none. */
function escapeAt(name: string, at: number): number {
  for (let start = at; start >= 0 && start > at - ESCAPE; start--) if (name[start] === "\\") return start;
  return -1;
}

/**
 * Compares names, which are escaped text, as their bytes compare. UTF-8 compares by code point, and JavaScript's own
 * comparison is by UTF-16 unit. Strangers choose the names, and how many are sorted: it looks at each character once, and
 * makes bytes of those alone in which the names differ.
 */
export function compareRefNames(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  let at = 0;
  while (at < length && a.charCodeAt(at) === b.charCodeAt(at)) at++;
  if (at === length) return a.length - b.length;
  const start = Math.max(escapeAt(a, at), escapeAt(b, at));
  if (start >= 0) {
    const left = byteTextOf(a.slice(start, start + TELLING));
    const right = byteTextOf(b.slice(start, start + TELLING));
    return left < right ? -1 : Number(left > right);
  }
  const x = a.charCodeAt(at);
  const y = b.charCodeAt(at);
  const xIsSurrogate = x >= 0xd800 && x < 0xe000;
  const yIsSurrogate = y >= 0xd800 && y < 0xe000;
  if (xIsSurrogate !== yIsSurrogate) return xIsSurrogate ? 1 : -1;
  return x - y;
}

/** Returns the steps of comparing a name with another one, at most. */
export function comparingSteps(name: string): number {
  return FIXED_STEPS + name.length * CHARACTER_STEPS;
}
