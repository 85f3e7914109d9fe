/**
 * Bytes as text with one character for each: for what git handles byte by byte and need not be UTF-8, but wants to be compared,
 * searched or used as a key.
 *
 * @packageDocumentation
 */

/** Fewer than any runtime allows as arguments of a call. */
const PIECE = 4096;

/** Gives text with one character for each byte. */
export function textOf(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += PIECE) text += String.fromCharCode(...bytes.subarray(at, at + PIECE));
  return text;
}

/** Gives the bytes of text that has one character for each. */
export function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(text, (c) => c.charCodeAt(0));
}
