/**
 * Encodes text to bytes in pieces of bounded size.
 *
 * @packageDocumentation
 */

const encoder = new TextEncoder();

/** The number of characters at which a piece is yielded. */
const PIECE = 65_536;

/**
 * Joins lines, which include their line ends, into pieces of about 64 KB. So a file of 100,000 lines is never held
 * whole.
 */
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
