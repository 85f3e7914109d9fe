/**
 * Makes an object's entry anew without a base, for a pack in which its delta's base does not lie.
 *
 * @packageDocumentation
 */
import { MAX_ENTRY_HEADER_BYTES, encodeEntry, encodeEntryHeader } from "../format/pack-entry.ts";
import { type Adler32, sumOver, undeflated } from "../format/stored-zlib.ts";
import type { Inflating } from "../store/inflating.ts";
import { openLargeContent } from "../store/large-content.ts";
import type { ObjectReader } from "../store/object-reader.ts";

/** What entries are made with. */
export type WholeEntryTools = {
  readonly reader: ObjectReader;
  readonly inflating: Inflating;
  readonly deflate: (bytes: Uint8Array) => Uint8Array;
};

/**
 * Yields the entry of the object that begins at `offset` of the pack with this number in the reader's database. A view
 * is valid until the next one is requested. An object that is too large to be held is not deflated.
 *
 * @throws CorruptStore, LimitExceeded
 */
export async function* wholeEntry(
  { reader, inflating, deflate }: WholeEntryTools,
  pack: number,
  offset: number,
): AsyncGenerator<Uint8Array> {
  const object = await reader.readAtIfHeld(pack, offset);
  if (object !== undefined) {
    yield encodeEntry(object.type, inflating.bytes(object.held), deflate);
    return;
  }
  const kept = reader.keptBase;
  const { type, size, pieces } = await openLargeContent(inflating, await reader.chainAt(pack, offset), { kept });
  const header = new Uint8Array(MAX_ENTRY_HEADER_BYTES);
  yield header.subarray(0, encodeEntryHeader(type, size, header, 0));
  // The kernel may be another one after each piece.
  const adler32: Adler32 = (adler, bytes) => {
    const { kernel } = inflating;
    return sumOver(kernel, bytes, adler, (value, at, length) => kernel.adler32(value, at, length));
  };
  yield* undeflated(pieces, size, adler32);
}
