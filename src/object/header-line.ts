/**
 * The common form of commits and tags: lines of a keyword, a space and a value, in the order in which git writes them,
 * up to an empty line. The readers here examine bytes in place, because they run once for every object of a pack.
 *
 * @packageDocumentation
 */
import { i8At, u8OrNul } from "../bytes/assert.ts";
const LF = 10;

/** Whether `bytes` have the ASCII text `text` at `at`, before `end`. */
export function startsWithAt(bytes: Uint8Array, text: string, at: number, end: number): boolean {
  if (at + text.length > end) return false;
  for (let i = 0; i < text.length; i++) if (bytes[at + i] !== text.charCodeAt(i)) return false;
  return true;
}

/** Returns the position of the first line feed from `at`, or `end`. */
export function lineEnd(bytes: Uint8Array, at: number, end: number): number {
  let next = at;
  while (next < end && bytes[next] !== LF) next++;
  return next;
}

/** The value of each byte as a hexadecimal digit, of either case as in git; -1 for a byte that is none. */
const DIGITS = Int8Array.from({ length: 256 }, (_, byte) => {
  const value = Number.parseInt(String.fromCharCode(byte), 16);
  return Number.isNaN(value) ? -1 : value;
});

/** Returns the byte whose two hexadecimal digits are at `at`; negative if they are not digits. */
function hexByteAt(bytes: Uint8Array, at: number): number {
  // -1 in either half sets the sign bit.
  return (i8At(DIGITS, u8OrNul(bytes, at)) << 4) | i8At(DIGITS, u8OrNul(bytes, at + 1));
}

/** Whether `bytes` have, at `at` and before `end`, a full object name in hexadecimal and then a line feed. */
export function hasNameLine(bytes: Uint8Array, at: number, end: number, hexSize: number): boolean {
  if (at + hexSize >= end || bytes[at + hexSize] !== LF) return false;
  for (let i = 0; i < hexSize; i += 2) if (hexByteAt(bytes, at + i) < 0) return false;
  return true;
}

/**
 * Reads what {@link hasNameLine} looks for: writes the raw name to the beginning of `into`, whose length is that of a
 * raw name. Returns false if there is no such line; `into` may hold a part of it then.
 */
export function readNameLine(bytes: Uint8Array, at: number, end: number, into: Uint8Array): boolean {
  const hexSize = into.length * 2;
  if (at + hexSize >= end || bytes[at + hexSize] !== LF) return false;
  for (let i = 0; i < into.length; i++) {
    const byte = hexByteAt(bytes, at + 2 * i);
    if (byte < 0) return false;
    into[i] = byte;
  }
  return true;
}

/**
 * One header of a commit or tag. A value of several lines keeps its line feeds, without the space that begins each
 * further line.
 */
export type Header = { readonly name: string; readonly value: string };

/** A commit or tag cut into its headers and the bytes after the empty line. */
export type HeaderBlock = {
  readonly headers: readonly Header[];
  /** A view of the object's bytes. */
  readonly body: Uint8Array;
};

/** Cuts a commit or tag into headers and body. `decode` decodes the text of headers. */
export function splitHeaders(bytes: Uint8Array, decode: (bytes: Uint8Array) => string): HeaderBlock {
  const headers: { name: string; value: string }[] = [];
  let at = 0;
  while (at < bytes.length) {
    const end = lineEnd(bytes, at, bytes.length);
    if (end === at) return { headers, body: bytes.subarray(at + 1) };
    const line = decode(bytes.subarray(at, end));
    const last = headers.at(-1);
    if (line.startsWith(" ") && last) {
      last.value += `\n${line.slice(1)}`;
    } else {
      const space = line.indexOf(" ");
      headers.push(
        space < 0 ? { name: line, value: "" } : { name: line.slice(0, space), value: line.slice(space + 1) },
      );
    }
    at = end + 1;
  }
  return { headers, body: bytes.subarray(bytes.length) };
}

/** Nearly all commits are read by it: to make a decoder takes longer than to decode most of them. */
const utf8 = new TextDecoder();

/**
 * Returns the decoder for a commit's `encoding` header: UTF-8 if there is none, or one that this runtime does not know.
 */
export function textDecoder(encoding: string | undefined): TextDecoder {
  if (encoding === undefined) return utf8;
  try {
    return new TextDecoder(encoding);
  } catch {
    // The label is unknown: the text is then shown as UTF-8, as git shows it.
    return utf8;
  }
}
