/**
 * Decodes base64, strictly: no spaces, whole groups, the padding that belongs there.
 *
 * @packageDocumentation
 * @see RFC 4648, section 4
 */
import { u8At } from "./assert.ts";

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const NO_DIGIT = 0xff;
const GROUP = 4;

/** The value of each character code below 128. */
const VALUES = new Uint8Array(128).fill(NO_DIGIT);
for (let value = 0; value < ALPHABET.length; value++) VALUES[ALPHABET.charCodeAt(value)] = value;

/** Returns the bytes; `undefined` if the text is not base64. */
export function decodeBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  if (text.length % GROUP !== 0) return undefined;
  const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
  const digits = text.length - padding;
  const bytes = new Uint8Array((text.length / GROUP) * 3 - padding);
  let [held, bits, used] = [0, 0, 0];
  for (let at = 0; at < digits; at++) {
    const code = text.charCodeAt(at);
    const value = code < VALUES.length ? u8At(VALUES, code) : NO_DIGIT;
    if (value === NO_DIGIT) return undefined;
    held = ((held << 6) | value) & 0xffff;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes[used++] = (held >> bits) & 0xff;
  }
  // Bits that belong to no byte are zero.
  return (held & ((1 << bits) - 1)) === 0 ? bytes : undefined;
}
