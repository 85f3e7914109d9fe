/**
 * Bytes as text with one character per byte. Git handles such bytes one by one, and they need not be UTF-8, but they
 * are compared, searched or used as keys.
 *
 * @packageDocumentation
 */

/** The bytes of one call: fewer than the most arguments that any runtime allows. */
const PIECE = 4096;

/** Up to this many bytes a loop is faster than a call with that many arguments. */
const FEW = 16;

/** Returns text with one character per byte. */
export function textOf(bytes: Uint8Array): string {
  let text = "";
  if (bytes.length <= FEW) {
    for (const byte of bytes) text += String.fromCharCode(byte);
    return text;
  }
  for (let at = 0; at < bytes.length; at += PIECE) {
    // Spread arguments would go through an iterator one by one.
    const piece: string = Reflect.apply(String.fromCharCode, undefined, bytes.subarray(at, at + PIECE));
    text += piece;
  }
  return text;
}

/** Returns the bytes of text that has one character per byte. */
export function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  // `from` would go through an iterator, and call a function for each character: some thirty times slower.
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at++) bytes[at] = text.charCodeAt(at);
  return bytes;
}
