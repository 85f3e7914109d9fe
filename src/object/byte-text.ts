/**
 * Bytes as text with one character for each: for what git handles byte by byte and need not be UTF-8, but wants to be compared,
 * searched or used as a key.
 *
 * @packageDocumentation
 */

/** Fewer than any runtime allows as arguments of a call. */
const PIECE = 4096;

/** Up to here a loop is faster than a call with so many arguments. */
const FEW = 16;

/** Gives text with one character for each byte. */
export function textOf(bytes: Uint8Array): string {
  let text = "";
  if (bytes.length <= FEW) {
    for (const byte of bytes) text += String.fromCharCode(byte);
    return text;
  }
  for (let at = 0; at < bytes.length; at += PIECE) {
    // spread, they would go through an iterator one by one
    const piece: string = Reflect.apply(String.fromCharCode, undefined, bytes.subarray(at, at + PIECE));
    text += piece;
  }
  return text;
}

/** Gives the bytes of text that has one character for each. */
export function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(text, (c) => c.charCodeAt(0));
}
