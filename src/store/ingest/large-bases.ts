/**
 * Handles bases of a thin pack that are too large to be held. They are put together in scratch files from the entries
 * that the catalog has of them. The pack gets their deflated data as it is stored or, if they are stored as deltas, in
 * blocks that are not compressed.
 *
 * @packageDocumentation
 */
import { itemAt } from "../../bytes/assert.ts";
import { concat } from "../../bytes/chunk.ts";
import { CorruptStore } from "../../bytes/failure.ts";
import { type DeflatedEntry, InflateStream } from "../inflate-stream.ts";
import type { Inflating } from "../inflating.ts";
import type { LargeDeltas, Made } from "./large-deltas.ts";
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

/** An object of the catalog of which some entry is too large to be held: its content, or where that lies if it is too large itself. */
type Unpacked = { readonly kind: "whole"; readonly bytes: Uint8Array } | ({ readonly kind: "large" } & LargeBase);

/**
 * Puts an object together from its chain. What is too large to be held goes to a scratch file, once for all chains that go through it, and
 * is that of `node`, too, if it is the object itself.
 */
export async function unpackBase(
  { large, inflating }: { readonly large: LargeDeltas; readonly inflating: Inflating },
  node: number,
  { pack, entries }: StoredChain,
): Promise<Unpacked> {
  const last = entries.length - 1;
  const base = entries[last];
  if (base === undefined) throw new CorruptStore("an object is made from nothing");
  const bottom = await large.unpackStored(keyOf(pack, base), base);
  let made: Made = bottom;
  for (let step = last - 1; step >= 0; step--) {
    const entry = itemAt(entries, step);
    const inMemory: Made | undefined = await appliedInMemory(inflating, made, entry);
    made = inMemory ?? (await large.applyStored(keyOf(pack, entry), made, entry));
  }
  if ("bytes" in made) return { kind: "whole", bytes: made.bytes };
  large.share(node, made.node);
  return { kind: "large", node, deflated: last === 0 ? { ...base, end: base.at + bottom.length } : undefined };
}

function keyOf(pack: string, { at }: DeflatedEntry): string {
  return `${pack} ${at}`;
}

/** Applies a stored delta to what is in memory. Returns `undefined` if that, the delta or its result is too large for it. */
async function appliedInMemory(inflating: Inflating, below: Made, entry: DeflatedEntry): Promise<Made | undefined> {
  if (!("bytes" in below) || entry.size > inflating.wholeBytes) return undefined;
  const stream = new InflateStream(inflating, entry);
  const pieces: Uint8Array[] = [];
  for (let piece = await stream.next(); piece !== undefined; piece = await stream.next()) pieces.push(piece);
  const base = inflating.hold(below.bytes);
  const delta = inflating.hold(concat(pieces));
  if (inflating.resultSize(delta) > inflating.wholeBytes) return undefined;
  return { bytes: inflating.bytes(inflating.applyDelta(base, delta)).slice() };
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
