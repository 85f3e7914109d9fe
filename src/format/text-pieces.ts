/**
 * Text as bytes, in pieces of bounded size.
 *
 * @packageDocumentation
 */

const encoder = new TextEncoder();

/** A piece is passed on when it has this many characters. */
const PIECE = 65_536;

/** Joins lines, which bring their own ends, into pieces of about 64 KB: a file of 100,000 lines is never there as a whole. */
export function* textPieces(lines: Iterable<string>): Generator<Uint8Array> {
  let piece = "";
  for (const line of lines) {
    piece += line;
    if (piece.length >= PIECE) {
      yield encoder.encode(piece);
      piece = "";
    }
  }
  if (piece !== "") yield encoder.encode(piece);
}
