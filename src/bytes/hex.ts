/**
 * Converts bytes to hexadecimal text and back, as for object names on the wire, in commits, in tags and in refs.
 *
 * @packageDocumentation
 */

/** The two characters of each byte. */
const PAIRS: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

/** The digit value of each character code below 128; -1 for a character that is not a digit. */
const VALUES = new Int8Array(128).fill(-1);
for (let value = 0; value < 16; value++) {
  const digit = value.toString(16);
  VALUES[digit.charCodeAt(0)] = value;
  VALUES[digit.toUpperCase().charCodeAt(0)] = value;
}

/**
 * Returns the bytes from `start` up to, and without, `end` as lower-case hexadecimal text.
 *
 * @example toHex(new Uint8Array([0, 255])) === "00ff"
 */
export function toHex(bytes: Uint8Array, start = 0, end: number = bytes.length): string {
  let text = "";
  // No pair has the number of an index past the end.
  for (let at = start; at < end; at++) text += PAIRS[bytes[at] ?? -1] ?? outOfBounds(at);
  return text;
}

/**
 * Returns the bytes of a hexadecimal text. As in git, digits may be of either case. Returns `undefined` if the text is
 * not hexadecimal or has an odd length.
 */
export function fromHex(text: string): Uint8Array<ArrayBuffer> | undefined {
  if ((text.length & 1) !== 0) return undefined;
  const bytes = new Uint8Array(text.length >>> 1);
  return fromHexInto(text, bytes, 0) ? bytes : undefined;
}

/**
 * Writes the bytes of a hexadecimal text into `into` from `at`. Returns false if the text is not hexadecimal or has an
 * odd length; `into` may hold a part of the bytes then.
 *
 * @throws RangeError if the bytes do not fit.
 */
export function fromHexInto(text: string, into: Uint8Array, at: number): boolean {
  if ((text.length & 1) !== 0) return false;
  if (!(at >= 0 && at + (text.length >>> 1) <= into.length)) {
    throw new RangeError(`${text.length} digits do not fit ${into.length} bytes from ${at}`);
  }
  let to = at;
  for (let from = 0; from < text.length; from += 2) {
    const byte = (digitAt(text, from) << 4) | digitAt(text, from + 1);
    // -1 in either half sets the sign bit.
    if (byte < 0) return false;
    into[to++] = byte;
  }
  return true;
}

function digitAt(text: string, at: number): number {
  return VALUES[text.charCodeAt(at)] ?? -1; // A character beyond the table is not a digit.
}

function outOfBounds(at: number): never {
  throw new RangeError(`no byte at ${at}`);
}
