/**
 * Bases of a thin pack that are too large to be held: put together in scratch files from what the catalog has of them, and added
 * to the pack as they lie there or, where they were deltas, undeflated.
 *
 * @packageDocumentation
 * @see RFC 1951, section 3.2.4: non-compressed blocks
 */
import { CorruptStore } from "../bytes/failure.ts";
import { putU32 } from "../bytes/big-endian.ts";
import type { DeflatedEntry, LargeDeltas } from "./large-deltas.ts";
import type { StoredChain } from "./object-reader.ts";

/** A large base, unpacked. */
export type LargeBase = {
  /** Of its scratch file. */
  readonly node: number;
  /** Its deflated data as it lies in a stored pack; `undefined` where that has it as a delta. */
  readonly deflated: DeflatedEntry | undefined;
};

const PIECE_BYTES = 1024 * 1024;
const MOST_IN_BLOCK = 0xffff;
/** A zlib header: deflate, a window of 32 KiB, fastest. */
const ZLIB_HEADER = Uint8Array.of(0x78, 0x01);

/** Puts an object together from its chain, into the scratch file of `node`. */
export async function unpackLargeBase(large: LargeDeltas, node: number, chain: StoredChain): Promise<LargeBase> {
  const last = chain.entries.length - 1;
  const base = chain.entries[last];
  if (base === undefined) throw new CorruptStore("an object is made from nothing");
  // the steps on the way are nobody's nodes
  const nodeOf = (step: number): number => (step === 0 ? node : large.temporaryNode());
  let below = nodeOf(last);
  const length = await large.unpack(below, base);
  for (let step = last - 1; step >= 0; step--) {
    const entry = chain.entries[step];
    if (entry === undefined) continue;
    const above = nodeOf(step);
    await large.apply(above, below, entry);
    below = above;
  }
  return { node, deflated: last === 0 ? { ...base, end: base.at + length } : undefined };
}

/** Gives the deflated data of a large base, piece by piece. `adler32` continues a checksum. */
export async function* largeBaseData(
  large: LargeDeltas,
  base: LargeBase,
  adler32: (adler: number, bytes: Uint8Array) => number,
): AsyncGenerator<Uint8Array> {
  const { node, deflated } = base;
  if (deflated !== undefined) {
    for (let at = deflated.at; at < deflated.end; at += PIECE_BYTES) {
      yield await deflated.read(at, Math.min(PIECE_BYTES, deflated.end - at));
    }
    return;
  }
  const size = large.sizeOf(node);
  let adler = 1;
  yield ZLIB_HEADER;
  for (let at = 0; at < size; at += PIECE_BYTES) {
    const piece = await large.read(node, at, Math.min(PIECE_BYTES, size - at));
    adler = adler32(adler, piece);
    for (let from = 0; from < piece.length; from += MOST_IN_BLOCK) {
      const bytes = piece.subarray(from, from + MOST_IN_BLOCK);
      yield blockHeader(bytes.length, at + from + bytes.length === size);
      yield bytes;
    }
  }
  const trailer = new Uint8Array(4);
  putU32(trailer, 0, adler);
  yield trailer;
}

function blockHeader(length: number, isLast: boolean): Uint8Array {
  const low = length & 0xff;
  const high = length >> 8;
  return Uint8Array.of(isLast ? 1 : 0, low, high, low ^ 0xff, high ^ 0xff);
}
