/**
 * Numbers in the forms that C git accepts from a client.
 *
 * @packageDocumentation
 * @see parse.c `git_parse_unsigned()`, strtoumax(3)
 */

/** The forms that strtoumax accepts with base 0: decimal, octal with a leading zero, and hexadecimal. */
const NUMBER = /^(?:0x[0-9a-f]+|0[0-7]*|[1-9][0-9]*)$/i;
const UNITS: ReadonlyMap<string, number> = new Map([
  ["k", 1024],
  ["m", 1024 ** 2],
  ["g", 1024 ** 3],
]);

/** The largest number that C git can hold. */
const UNSIGNED_MAX = 2n ** 64n - 1n;

/** Parses an unsigned number. Returns `NaN` if the text is not a number or has more than 64 bits. */
export function parseUnsigned(text: string): number {
  if (!NUMBER.test(text)) return Number.NaN;
  const number = BigInt(/^0[0-7]/.test(text) ? `0o${text.slice(1)}` : text);
  return number > UNSIGNED_MAX ? Number.NaN : Number(number);
}

/**
 * Parses an unsigned number with an optional unit: `k`, `m` or `g`, powers of 1024. Returns `NaN` as
 * {@link parseUnsigned} does.
 */
export function parseUnsignedWithUnit(text: string): number {
  const unit = UNITS.get(text.slice(-1).toLowerCase());
  if (unit === undefined) return parseUnsigned(text);
  const number = parseUnsigned(text.slice(0, -1)) * unit;
  return number > Number(UNSIGNED_MAX - 1024n) ? Number.NaN : number;
}
