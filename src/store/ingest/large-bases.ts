/**
 * Handles bases of a thin pack that are too large to be held. They are put together in scratch files from the entries
 * that the catalog has of them. The pack gets their deflated data as it is stored or, if they are stored as deltas, in
 * blocks that are not compressed.
 *
 * @packageDocumentation
 */
import { CorruptStore } from "../../bytes/failure.ts";
import type { DeflatedEntry } from "../inflate-stream.ts";
import type { LargeDeltas } from "./large-deltas.ts";
import type { StoredChain } from "../large-content.ts";
import { type Adler32, undeflated } from "../../format/stored-zlib.ts";

/** A large base, unpacked. */
export type LargeBase = {
  /** The node of its scratch file. */
  readonly node: number;
  /** Its deflated data in a stored pack; `undefined` if that pack has it as a delta. */
  readonly deflated: DeflatedEntry | undefined;
};

/** The size in bytes of the pieces in which stored data and scratch files are read. */
const PIECE_BYTES = 1024 * 1024;

/** Puts an object together from its chain, in the scratch file of `node`. */
export async function unpackLargeBase(large: LargeDeltas, node: number, chain: StoredChain): Promise<LargeBase> {
  const last = chain.entries.length - 1;
  const base = chain.entries[last];
  if (base === undefined) throw new CorruptStore("an object is made from nothing");
  // The intermediate results get temporary nodes.
  const nodeOf = (step: number): number => (step === 0 ? node : large.temporaryNode());
  let below = nodeOf(last);
  const length = await large.unpack(below, base);
  for (let step = last - 1; step >= 0; step--) {
    const entry = chain.entries[step];
    if (entry === undefined) continue;
    const above = nodeOf(step);
    await large.apply(above, below, entry, true);
    below = above;
  }
  return { node, deflated: last === 0 ? { ...base, end: base.at + length } : undefined };
}

/** Yields the deflated data of a large base, piece by piece. */
export async function* largeBaseData(
  large: LargeDeltas,
  base: LargeBase,
  adler32: Adler32,
): AsyncGenerator<Uint8Array> {
  const { node, deflated } = base;
  if (deflated !== undefined) {
    for (let at = deflated.at; at < deflated.end; at += PIECE_BYTES) {
      yield await deflated.read(at, Math.min(PIECE_BYTES, deflated.end - at));
    }
    return;
  }
  yield* undeflated(scratchPieces(large, node), large.sizeOf(node), adler32);
}

async function* scratchPieces(large: LargeDeltas, node: number): AsyncGenerator<Uint8Array> {
  const size = large.sizeOf(node);
  for (let at = 0; at < size; at += PIECE_BYTES) yield await large.read(node, at, Math.min(PIECE_BYTES, size - at));
}
