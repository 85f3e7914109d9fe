/**
 * Numbers as C git takes them from a client.
 *
 * @packageDocumentation
 * @see parse.c `git_parse_unsigned()`, strtoumax(3)
 */

/** As strtoumax takes them with base 0: decimal, octal with a leading zero, hexadecimal. */
const NUMBER = /^(?:0x[0-9a-f]+|0[0-7]*|[1-9][0-9]*)$/i;
const UNITS: ReadonlyMap<string, number> = new Map([
  ["k", 1024],
  ["m", 1024 ** 2],
  ["g", 1024 ** 3],
]);

/** Parses an unsigned number; `NaN` where it is none. */
export function parseUnsigned(text: string): number {
  if (!NUMBER.test(text)) return Number.NaN;
  return Number.parseInt(text, /^0x/i.test(text) ? 16 : text.startsWith("0") ? 8 : 10);
}

/** Parses an unsigned number that may end in a unit, `k`, `m` or `g` of 1024; `NaN` where it is none. */
export function parseUnsignedWithUnit(text: string): number {
  const unit = UNITS.get(text.slice(-1).toLowerCase());
  return unit === undefined ? parseUnsigned(text) : parseUnsigned(text.slice(0, -1)) * unit;
}
