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

/** What each digit stands for, by its code; {@link MOST_GROUP} for what is no digit. */
const VALUES = new Float64Array(256).fill(2 ** 32 - 1);
for (let value = 0; value < BASE; value++) VALUES[DIGITS.charCodeAt(value)] = value;
/** The most that four bytes can be. */
const MOST_GROUP = 2 ** 32 - 1;

/** Returns the bytes that a line of base 85 stands for; `undefined` if it is no such line. */
export function binaryLineBytes(line: string): Uint8Array | undefined {
  const length = lengthOf(line.charCodeAt(0));
  const groups = Math.ceil(length / GROUP);
  if (length === 0 || line.length !== 1 + groups * (GROUP + 1)) return undefined;
  const bytes = new Uint8Array(groups * GROUP);
  const view = new DataView(bytes.buffer);
  for (let group = 0; group < groups; group++) {
    const number = numberOf(line, 1 + group * (GROUP + 1));
    if (number > MOST_GROUP) return undefined;
    view.setUint32(group * GROUP, number);
  }
  return bytes.subarray(0, length);
}

/** The other way about as {@link lengthDigit}; 0 for what is no such letter. */
function lengthOf(code: number): number {
  if (code > 64 && code <= 90) return code - 64;
  return code > 96 && code <= 122 ? code - 70 : 0;
}

/** Returns what five digits stand for, or more than is possible. */
function numberOf(line: string, at: number): number {
  let number = 0;
  for (let i = 0; i < GROUP + 1; i++) number = number * BASE + (VALUES[line.charCodeAt(at + i)] ?? MOST_GROUP); // No digit.
  return number;
}
