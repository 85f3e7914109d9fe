/**
 * Makes the entry of a new object, piece by piece: to deflate some megabytes in one call would keep all others waiting.
 *
 * @packageDocumentation
 * @see gitformat-pack(5); RFC 1950
 */
import { RunningAdler32 } from "../bytes/adler32.ts";
import { concat } from "../bytes/chunk.ts";
import { encodeEntry, encodeEntryHeader, entryHeaderBytes } from "../format/pack-entry.ts";
import { type ObjectType, TYPE_NUMBER } from "../object/object-type.ts";
import type { Repository } from "../repository/repository.ts";

/** Bytes that are deflated at once, which takes some milliseconds. */
export const PIECE_BYTES = 262_144;
/** The header of a zlib stream: deflate, a window of 32 KiB. */
export const ZLIB_HEADER: Uint8Array = Uint8Array.of(0x78, 0x9c);
/** Steps of making an entry, however small: zlib makes its tables anew for each. Steps per byte that is deflated and summed. */
export const ENTRY_STEPS = 2000;
const BYTE_STEPS = 8;

/** What entries are made with. */
export type DeflatingTools = Pick<Repository, "deflate" | "deflatePiece" | "pacer">;

/** Returns the entry of an object that is no delta. It pauses in between, so `content` must not change meanwhile. */
export async function deflatedEntry(
  type: ObjectType,
  content: Uint8Array,
  { deflate, deflatePiece, pacer }: DeflatingTools,
): Promise<Uint8Array> {
  pacer.add(ENTRY_STEPS);
  if (content.length <= PIECE_BYTES) {
    pacer.add(content.length * BYTE_STEPS);
    if (pacer.isDue) await pacer.pace();
    return encodeEntry(TYPE_NUMBER[type], content, deflate);
  }
  const head = new Uint8Array(entryHeaderBytes(content.length));
  encodeEntryHeader(TYPE_NUMBER[type], content.length, head, 0);
  const pieces: Uint8Array[] = [head, ZLIB_HEADER];
  const sum = new RunningAdler32();
  for (let at = 0; at < content.length; at += PIECE_BYTES) {
    const piece = content.subarray(at, at + PIECE_BYTES);
    sum.update(piece);
    pieces.push(deflatePiece(piece, at + PIECE_BYTES >= content.length));
    pacer.add(piece.length * BYTE_STEPS);
    if (pacer.isDue) await pacer.pace();
  }
  pieces.push(sum.digest());
  return concat(pieces);
}
