/**
 * The order of refs, which is the order of their names' bytes.
 *
 * @packageDocumentation
 */

/** Compares names as their UTF-8 bytes compare, by code point. JavaScript's own comparison is by UTF-16 unit. */
export function compareRefNames(a: string, b: string): number {
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
