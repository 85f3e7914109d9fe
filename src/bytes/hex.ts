/**
 * Converts bytes to hexadecimal text and back, as for object names on the wire, in commits, in tags and in refs.
 *
 * @packageDocumentation
 */

import { itemAt } from "./assert.ts";

/** The character codes of the digits of each byte: those of the upper half of the byte, and of the lower half. */
const CODES: readonly number[] = Array.from({ length: 512 }, (_, at) => {
  const byte = at >>> 1;
  return ((at & 1) === 0 ? byte >>> 4 : byte & 15).toString(16).charCodeAt(0);
});
/** The bytes that are converted at once: any object name. */
const BLOCK_BYTES = 64;
/** The codes of one block. It is filled anew each time. */
const block: number[] = [];

/** The digit value of each character code below 128; -1 for a character that is not a digit. */
const VALUES = new Int8Array(128).fill(-1);
for (let value = 0; value < 16; value++) {
  const digit = value.toString(16);
  VALUES[digit.charCodeAt(0)] = value;
  VALUES[digit.toUpperCase().charCodeAt(0)] = value;
}

/**
 * Returns the bytes from `start` up to, and without, `end` as lower-case hexadecimal text. It is made of character codes, and not of pieces that are
 * appended: V8 keeps such pieces until the text is looked at, which takes eight times the memory of an object's name.
 *
 * @example toHex(new Uint8Array([0, 255])) === "00ff"
 */
export function toHex(bytes: Uint8Array, start = 0, end: number = bytes.length): string {
  let text = "";
  for (let from = start; from < end; from += BLOCK_BYTES) {
    const upTo = Math.min(from + BLOCK_BYTES, end);
    block.length = 2 * (upTo - from);
    for (let at = from, to = 0; at < upTo; at++) {
      const code = 2 * (bytes[at] ?? outOfBounds(at));
      block[to++] = itemAt(CODES, code);
      block[to++] = itemAt(CODES, code + 1);
    }
    text += String.fromCharCode(...block);
  }
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
