/**
 * The order of refs, which is the order of their names' bytes.
 *
 * @packageDocumentation
 */

import { byteTextOf } from "../object/escaped-bytes.ts";

/**
 * Compares names, which are escaped text, as their bytes compare. UTF-8 compares by code point, and JavaScript's own
 * comparison is by UTF-16 unit.
 */
export function compareRefNames(a: string, b: string): number {
  if (a.includes("\\") || b.includes("\\")) {
    const [left, right] = [byteTextOf(a), byteTextOf(b)];
    return left < right ? -1 : Number(left > right);
  }
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at++) {
    const x = a.charCodeAt(at);
    const y = b.charCodeAt(at);
    if (x !== y) {
      const xIsSurrogate = x >= 0xd800 && x < 0xe000;
      const yIsSurrogate = y >= 0xd800 && y < 0xe000;
      if (xIsSurrogate !== yIsSurrogate) return xIsSurrogate ? 1 : -1;
      return x - y;
    }
  }
  return a.length - b.length;
}

/** Whether the bytes of a name, or of a prefix, begin with those of `prefix`. A prefix may end inside a character. */
export function hasRefPrefix(name: string, prefix: string): boolean {
  if (name.startsWith(prefix)) return true;
  return prefix.includes("\\") && byteTextOf(name).startsWith(byteTextOf(prefix));
}
