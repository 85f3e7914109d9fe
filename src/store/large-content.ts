/**
 * Streams the content of a stored object that is too large to be held, though it may be stored as a delta.
 *
 * Nothing is written. First the deltas of the chain are read once, to learn where each byte of the object comes from.
 * Then the object is put together in order, from data that is inflated on demand. Most deltas go through their base
 * from beginning to end, and then each source is inflated once. Where a delta goes back, data is inflated again from
 * the nearest resume point, within a bound.
 *
 * @packageDocumentation
 */
import { itemAt } from "../bytes/assert.ts";
import { CorruptStore, LimitExceeded, storedFault } from "../bytes/failure.ts";
import { DeltaStream } from "../format/delta-stream.ts";
import { type DeflatedEntry, InflateStream } from "./inflate-stream.ts";
import { InflatedBlocks, InflatedSource, sourceBytes } from "./inflated-source.ts";
import type { Inflating } from "./inflating.ts";
import type { ReadingMemory } from "./pack-place.ts";
import { BELOW, SegmentList } from "./segment-list.ts";

/**
 * The entries that make an object: its deltas, the uppermost first, and last the entry that is not a delta. All are of the pack of this
 * name.
 */
export type StoredChain = { readonly type: number; readonly pack: string; readonly entries: readonly DeflatedEntry[] };

/** Bounds on putting one object together. */
export type LargeContentLimits = {
  /** The most deltas in the chain. */
  readonly deltas: number;
  /** The most parts that the object, or one delta, may fall into. */
  readonly segments: number;
  /** Bytes that may be inflated per byte of the object and of its sources. */
  readonly work: number;
};

/**
 * The bounds in use. They allow 16 MB of memory, and some seconds of processor time for a blob of 100 MB whose deltas
 * keep going back.
 */
export const LARGE_CONTENT_LIMITS: LargeContentLimits = { deltas: 64, segments: 200_000, work: 4 };

/** Bytes of work that every object is granted. */
const FREE_WORK = 1024 * 1024 * 1024;
/** Blocks kept beyond one per source: 2 MiB. */
const SPARE_BLOCKS = 32;
/** Bytes that count for a source that is kept. */
const KEPT_BYTES = sourceBytes(SPARE_BLOCKS);

/**
 * The source of the entry that some object was made from last, below all deltas. The next object is often made from the same: then what was
 * inflated of it, and where inflating can go on, need not be found again.
 */
export class KeptBase {
  readonly #memory: ReadingMemory | undefined;
  #kept: { readonly key: string; readonly source: InflatedSource; readonly blocks: InflatedBlocks } | undefined;

  /** `memory` counts what is kept until it is forgotten. */
  constructor(memory?: ReadingMemory) {
    this.#memory = memory;
  }

  /** Returns the source of a chain's last entry, of which `work` bytes may be read or inflated from now on. */
  open(inflating: Inflating, { pack, entries }: StoredChain, work: number): InflatedSource {
    const entry = itemAt(entries, entries.length - 1);
    const key = `${pack} ${entry.at}`;
    if (this.#kept?.key !== key) {
      if (this.#kept === undefined) this.#memory?.hold(KEPT_BYTES);
      const blocks = new InflatedBlocks(SPARE_BLOCKS, work);
      this.#kept = { key, blocks, source: new InflatedSource(inflating, entry, { blocks, name: BELOW, noted: true }) };
    }
    this.#kept.blocks.grant(work);
    return this.#kept.source;
  }

  /** Forgets it: at the end, and after a failure, of which nobody knows how far it got. */
  forget(): void {
    if (this.#kept === undefined) return;
    this.#memory?.hold(-KEPT_BYTES);
    this.#kept = undefined;
  }
}

/** An object, whose pieces can be read once. */
export type LargeContent = {
  readonly type: number;
  readonly size: number;
  readonly pieces: AsyncGenerator<Uint8Array>;
};

/** How an object is put together. Objects that are made one after the other may share a `kept` base. */
export type LargeContentOptions = { readonly limits?: LargeContentLimits; readonly kept?: KeptBase };

/**
 * Opens the object that a chain makes. A piece is valid until the next one is asked for.
 *
 * @throws LimitExceeded or CorruptStore; reading the pieces may throw either, too.
 */
export async function openLargeContent(
  inflating: Inflating,
  chain: StoredChain,
  { limits = LARGE_CONTENT_LIMITS, kept = new KeptBase() }: LargeContentOptions = {},
): Promise<LargeContent> {
  const { entries, type } = chain;
  const deltas = entries.length - 1;
  if (deltas > limits.deltas) {
    throw new LimitExceeded(
      "delta-chain",
      limits.deltas,
      `large object is a chain of more than ${limits.deltas} deltas`,
    );
  }
  const segments = await segmentsOf(inflating, entries, limits.segments);
  const total = entries.reduce((sum, { size }) => sum + size, segments.size);
  const work = FREE_WORK + limits.work * total;
  const blocks = new InflatedBlocks(entries.length + SPARE_BLOCKS, work);
  const sources = entries
    .slice(0, deltas)
    .map((entry, name) => new InflatedSource(inflating, entry, { blocks, name, noted: false }));
  sources.push(kept.open(inflating, chain, work));
  return { type, size: segments.size, pieces: piecesOf(segments, sources, kept) };
}

/** Returns the object that a chain makes: `size` bytes, the caller's. @throws LimitExceeded, CorruptStore */
export async function readLargeContent(
  inflating: Inflating,
  chain: StoredChain,
  size: number,
  kept: KeptBase,
): Promise<Uint8Array> {
  const bytes = new Uint8Array(size);
  let at = 0;
  for await (const piece of (await openLargeContent(inflating, chain, { kept })).pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}

async function* piecesOf(
  segments: SegmentList,
  sources: readonly InflatedSource[],
  kept: KeptBase,
): AsyncGenerator<Uint8Array> {
  for (let i = 0; i < segments.count; i++) {
    const { source, offset, length } = segments.at(i);
    const from = sources[source === BELOW ? sources.length - 1 : source];
    if (from === undefined) throw new CorruptStore("an object is made from nothing");
    for (let done = 0; done < length;) {
      const piece = await pieceOf(from, [offset + done, length - done], kept);
      yield piece;
      done += piece.length;
    }
  }
}

async function pieceOf(
  from: InflatedSource,
  [offset, length]: readonly [number, number],
  kept: KeptBase,
): Promise<Uint8Array> {
  try {
    return await from.read(offset, length);
  } catch (error) {
    kept.forget();
    throw storedFault(error);
  }
}

/**
 * Returns where each byte of the object comes from: a delta, by its number, or {@link BELOW}, the entry below all
 * deltas.
 */
async function segmentsOf(inflating: Inflating, entries: readonly DeflatedEntry[], most: number): Promise<SegmentList> {
  const last = entries.length - 1;
  const whole = new SegmentList(most);
  if (last === 0) {
    whole.push(BELOW, 0, itemAt(entries, 0).size);
    return whole;
  }
  let laid: SegmentList | undefined;
  let baseSize = 0;
  for (const [number, entry] of entries.slice(0, last).entries()) {
    const delta = await asStored(readDelta(new InflateStream(inflating, entry), number, most));
    if (laid !== undefined && delta.segments.size !== baseSize)
      throw new CorruptStore("a stored delta is of another base");
    ({ baseSize } = delta);
    laid = laid === undefined ? delta.segments : laid.over(delta.segments);
  }
  if (laid === undefined || baseSize !== entries[last]?.size)
    throw new CorruptStore("a stored delta is of another base");
  return laid;
}

async function readDelta(
  stream: InflateStream,
  number: number,
  most: number,
): Promise<{ readonly segments: SegmentList; readonly baseSize: number }> {
  const delta = new DeltaStream();
  const segments = new SegmentList(most);
  let sizes = { baseSize: 0, resultSize: -1 };
  for (let piece = await stream.next(); piece !== undefined; piece = await stream.next()) {
    for (const step of delta.read(piece)) {
      if (step.kind === "insert") segments.push(number, step.at, step.bytes.length);
      else if (step.kind === "sizes") sizes = step;
      else if (step.offset + step.length <= sizes.baseSize) segments.push(BELOW, step.offset, step.length);
      else throw new CorruptStore("a stored delta copies from behind its base");
    }
  }
  delta.end();
  if (segments.size !== sizes.resultSize) throw new CorruptStore("a stored delta makes an object of another size");
  return { segments, baseSize: sizes.baseSize };
}

/** Turns a rejection into {@link CorruptStore}, because damage in stored data is not the client's fault. */
async function asStored<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw storedFault(error);
  }
}
