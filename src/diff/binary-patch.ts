/**
 * Binary files in a patch: their deflated bytes in base 85.
 *
 * @packageDocumentation
 * @see gitformat-pack(5), git-diff(1), `--binary`; base85.c
 */
import { u8OrNul } from "../bytes/assert.ts";

const DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~";
const BASE = 85;
/** The bytes of a line. */
const LINE = 52;
/** The bytes that five digits stand for. */
const GROUP = 4;

/** Returns one side of a binary file. `size` is that of the content, of which `deflated` is the zlib stream. */
export function binaryLiteral(size: number, deflated: Uint8Array): string {
  const lines = [`literal ${size}\n`];
  for (let at = 0; at < deflated.length; at += LINE) {
    const length = Math.min(LINE, deflated.length - at);
    lines.push(lengthDigit(length));
    for (let group = 0; group < length; group += GROUP) lines.push(digits(deflated, at + group));
    lines.push("\n");
  }
  lines.push("\n");
  return lines.join("");
}

/** Returns a letter for the length of a line: A to Z are 1 to 26, a to z are 27 to 52. */
function lengthDigit(length: number): string {
  return String.fromCharCode(length <= 26 ? 64 + length : 70 + length);
}

/** Returns the five digits of four bytes. Bytes past the end count as 0. */
function digits(bytes: Uint8Array, at: number): string {
  let number = 0;
  for (let i = 0; i < GROUP; i++) number = number * 256 + u8OrNul(bytes, at + i);
  let text = "";
  for (let i = 0; i < GROUP + 1; i++) {
    text = DIGITS.charAt(number % BASE) + text;
    number = Math.floor(number / BASE);
  }
  return text;
}
