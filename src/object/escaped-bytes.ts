/**
 * Bytes as text that people can read and that loses nothing. Git's names are bytes, and need not be UTF-8. JSON,
 * SQLite and URLs only take text that is well formed.
 *
 * ```text
 * escaped := *( UTF-8 character except "\" | "\%" two upper-case hexadecimal digits )
 * ```
 *
 * A byte that is not part of a well-formed UTF-8 character is written as `\%E9`, and so is the backslash itself
 * (`\%5C`). No two byte strings have the same escaped text. Text without backslashes is its own escaped form. No ref
 * name contains a backslash, so the escaped name of one ref is never the name of another.
 *
 * @packageDocumentation
 * @see git-check-ref-format(1)
 */
import { itemAt, u8At } from "../bytes/assert.ts";
import { bytesOf, textOf } from "./byte-text.ts";

const BACKSLASH = 0x5c;
/** Text that is not its own byte text: see {@link byteTextOf}. */
const NOT_BYTE_TEXT = /[\\\u0080-\uffff]/;
/** Byte text that is not its own escaped form: see {@link escapedOf}. */
const NOT_ESCAPED = /[\\\u0080-\u00ff]/;

const encoder = new TextEncoder();
const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** First bytes of characters, with the bytes of the character and the bounds of its second byte. */
type Lead = { readonly upTo: number; readonly length: number; readonly least: number; readonly most: number };

const CONTINUES = { least: 0x80, most: 0xbf };
/**
 * The ranges of first bytes, in order. The narrow second bytes keep out overlong forms, surrogates, and what is past the
 * last character.
 *
 * @see The Unicode Standard, table 3-7
 */
const LEADS: readonly Lead[] = [
  { upTo: 0x7f, length: 1, ...CONTINUES },
  { upTo: 0xc1, length: 0, ...CONTINUES },
  { upTo: 0xdf, length: 2, ...CONTINUES },
  { upTo: 0xe0, length: 3, least: 0xa0, most: 0xbf },
  { upTo: 0xec, length: 3, ...CONTINUES },
  { upTo: 0xed, length: 3, least: 0x80, most: 0x9f },
  { upTo: 0xef, length: 3, ...CONTINUES },
  { upTo: 0xf0, length: 4, least: 0x90, most: 0xbf },
  { upTo: 0xf3, length: 4, ...CONTINUES },
  { upTo: 0xf4, length: 4, least: 0x80, most: 0x8f },
];

/** The range of each first byte. A search for it would take most of the time of a name that is no text. */
const LEAD_OF = Array.from({ length: 256 }, (_, first) => LEADS.find(({ upTo }) => first <= upTo));

/** Returns the number of bytes of the well-formed character at `at`; 0 if there is none. */
export function characterBytes(bytes: Uint8Array, at: number): number {
  const lead = LEAD_OF[u8At(bytes, at)];
  if (lead === undefined) return 0;
  for (let index = 1; index < lead.length; index++) {
    const { least, most } = index === 1 ? lead : CONTINUES;
    const byte = bytes[at + index];
    if (byte === undefined || byte < least || byte > most) return 0;
  }
  return lead.length;
}

/** The escape of each byte, as bytes. */
const ESCAPES = Array.from({ length: 256 }, (_, byte) =>
  bytesOf(`\\%${byte.toString(16).toUpperCase().padStart(2, "0")}`),
);
const ESCAPE_BYTES = 4;

/** Decodes once at the end: to decode the text between two escapes takes longer than to copy it. */
function escapeEach(bytes: Uint8Array): string {
  const escaped = new Uint8Array(bytes.length * ESCAPE_BYTES);
  let end = 0;
  for (let at = 0; at < bytes.length;) {
    const length = characterBytes(bytes, at);
    if (length > 0 && bytes[at] !== BACKSLASH) {
      for (const next = at + length; at < next; at++) escaped[end++] = u8At(bytes, at);
      continue;
    }
    escaped.set(itemAt(ESCAPES, u8At(bytes, at++)), end);
    end += ESCAPE_BYTES;
  }
  return strict.decode(escaped.subarray(0, end));
}

/** Returns the escaped text of bytes. */
export function escapedText(bytes: Uint8Array): string {
  if (bytes.includes(BACKSLASH)) return escapeEach(bytes);
  try {
    return strict.decode(bytes);
  } catch {
    return escapeEach(bytes);
  }
}

const PERCENT = 0x25;
const ASCII_0 = 0x30;
const ASCII_9 = 0x39;
const ASCII_A = 0x41;
const ASCII_F = 0x46;

/** Returns the value of a hexadecimal digit as escapes have them; -1 for anything else. */
function digitOf(byte: number | undefined): number {
  if (byte === undefined) return -1;
  if (byte >= ASCII_0 && byte <= ASCII_9) return byte - ASCII_0;
  return byte >= ASCII_A && byte <= ASCII_F ? byte - ASCII_A + 10 : -1;
}

/**
 * Returns the bytes that escaped text stands for. A backslash that begins no escape stands for itself. It is one pass: a name
 * may be of escapes alone.
 */
export function bytesOfEscaped(text: string): Uint8Array {
  const bytes = encoder.encode(text);
  let at = bytes.indexOf(BACKSLASH);
  if (at < 0) return bytes;
  // No byte of another character is a backslash. What is written never overtakes what is read.
  let end = at;
  while (at < bytes.length) {
    const byte = u8At(bytes, at);
    if (byte === BACKSLASH && bytes[at + 1] === PERCENT) {
      const [high, low] = [digitOf(bytes[at + 2]), digitOf(bytes[at + 3])];
      if (high >= 0 && low >= 0) {
        bytes[end++] = high * 16 + low;
        at += ESCAPE_BYTES;
        continue;
      }
    }
    bytes[end++] = byte;
    at++;
  }
  return bytes.slice(0, end);
}

/** Returns escaped text as text with one character per byte, in which order and prefixes are those of the bytes. */
export function byteTextOf(escaped: string): string {
  return NOT_BYTE_TEXT.test(escaped) ? textOf(bytesOfEscaped(escaped)) : escaped;
}

/**
 * Returns the escaped text of a name that a caller wrote, one character per byte. The caller may have escaped some of
 * its bytes already, as they are in a name that this host has shown.
 */
export function readEscapes(byteText: string): string {
  const bytes = byteText.replaceAll(/\\%([0-9A-F]{2})/gi, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 16)),
  );
  return escapedOf(bytes);
}

/** Returns the escaped text of text that has one character per byte. */
export function escapedOf(byteText: string): string {
  return NOT_ESCAPED.test(byteText) ? escapedText(bytesOf(byteText)) : byteText;
}
