/**
 * Bytes as hexadecimal text and back: object names on the wire, in commits, tags and refs.
 *
 * @packageDocumentation
 */
import { u8At } from "./assert.ts";

/** The two characters of each byte. */
const PAIRS: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

/** The value of each character code below 128; -1 where it is no digit. */
const VALUES = new Int8Array(128).fill(-1);
for (let value = 0; value < 16; value++) {
  const digit = value.toString(16);
  VALUES[digit.charCodeAt(0)] = value;
  VALUES[digit.toUpperCase().charCodeAt(0)] = value;
}

/**
 * Gives the lower-case hexadecimal of `bytes` from `start` up to `end` (not included).
 *
 * @example toHex(new Uint8Array([0, 255])) === "00ff"
 */
export function toHex(bytes: Uint8Array, start = 0, end: number = bytes.length): string {
  let text = "";
  for (let at = start; at < end; at++) text += PAIRS[u8At(bytes, at)] ?? outOfBounds(at);
  return text;
}

/**
 * Gives the bytes that hexadecimal `text` stands for, digits of either case, as git reads them; `undefined` where it is not
 * hexadecimal or has an odd length.
 */
export function fromHex(text: string): Uint8Array<ArrayBuffer> | undefined {
  if ((text.length & 1) !== 0) return undefined;
  const bytes = new Uint8Array(text.length >>> 1);
  return fromHexInto(text, bytes, 0) ? bytes : undefined;
}

/**
 * Writes the bytes that hexadecimal `text` stands for into `into` from `at`. `false` where it is not hexadecimal or has an odd
 * length; `into` may then hold a part of it.
 *
 * @throws RangeError where the bytes do not fit.
 */
export function fromHexInto(text: string, into: Uint8Array, at: number): boolean {
  if ((text.length & 1) !== 0) return false;
  if (!(at >= 0 && at + (text.length >>> 1) <= into.length)) {
    throw new RangeError(`${text.length} digits do not fit ${into.length} bytes from ${at}`);
  }
  let to = at;
  for (let from = 0; from < text.length; from += 2) {
    const byte = (digitAt(text, from) << 4) | digitAt(text, from + 1);
    // -1 in either half leaves the sign bit set.
    if (byte < 0) return false;
    into[to++] = byte;
  }
  return true;
}

function digitAt(text: string, at: number): number {
  return VALUES[text.charCodeAt(at)] ?? -1; // A character past the table is no digit.
}

function outOfBounds(at: number): never {
  throw new RangeError(`no byte at ${at}`);
}
