/**
 * Turns escaped text into its bytes, in pieces of bounded size.
 *
 * @packageDocumentation
 */
import { bytesOfEscaped } from "../object/escaped-bytes.ts";

/** The number of characters at which a piece is yielded. */
const PIECE = 65_536;

/**
 * Joins lines, which are escaped text and include their line ends, into pieces of about 64 KB. So a file of 100,000 lines is never held
 * whole.
 */
export function* textPieces(lines: Iterable<string>): Generator<Uint8Array> {
  let piece = "";
  for (const line of lines) {
    piece += line;
    if (piece.length >= PIECE) {
      yield bytesOfEscaped(piece);
      piece = "";
    }
  }
  if (piece !== "") yield bytesOfEscaped(piece);
}
