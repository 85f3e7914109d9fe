/**
 * Reads scattered entries of a pack, and their bases, in few reads. It goes from the pack's end to its beginning: the
 * base of an ofs-delta lies before it, so a base found to be needed is usually still to come, in a run that is read
 * anyway.
 *
 * The result is a hint: entries that were not gathered are read one by one.
 *
 * @packageDocumentation
 */
import { f64At, itemAt, numberAt } from "../bytes/assert.ts";
import { CorruptStore } from "../bytes/failure.ts";
import { freeMemory } from "../bytes/free-memory.ts";
import { EntryHeader } from "../format/pack-entry.ts";
import { PACK_HEADER_BYTES } from "../format/pack-header.ts";
import { OFS_DELTA, REF_DELTA } from "../object/object-type.ts";
import type { PackHandle } from "../store/pack-handle.ts";
import type { PackOrder } from "../store/pack-order.ts";

/** The bounds of a sweep. */
export type SweepLimits = {
  /** The number of reads to aim for, as far as runs of {@link SweepLimits.runBytes} allow. */
  readonly reads: number;
  /** The most bytes that one read takes. */
  readonly runBytes: number;
  /** The bytes of entries at which gathering stops. */
  readonly heldBytes: number;
};

/** The entries to gather. */
export type SweepRequest = {
  readonly handle: PackHandle;
  readonly order: PackOrder;
  /** The ranks of the entries, ascending. */
  readonly ranks: ArrayLike<number>;
  /** Whether a selected delta on the entry of this rank must be re-encoded, because that base will not be sent. */
  readonly needsBase: (rank: number) => boolean;
  readonly rawSize: number;
};

/** The least size in bytes of the memory that gathered entries are put into. */
const SLAB_BYTES = 256 * 1024;
/** Entries no more than this many bytes apart are always read together. */
const LEAST_GAP = 32 * 1024;
/** The factors by which the gap that is read over adapts, because bases lie where nothing was known to be wanted. */
const WIDEN = 2;
const NARROW = 0.8;

/** The entries gathered. */
export type Gathered = {
  /** The bytes of entries by their offset in the pack. */
  readonly entries: ReadonlyMap<number, Uint8Array>;
  /** Bytes of memory that they take. */
  readonly byteLength: number;
  /** Frees the entries' memory at once. Nobody may use them afterwards. */
  free(): void;
};

/** Gathers entries, as copies. */
export async function sweepPack(request: SweepRequest, limits: SweepLimits): Promise<Gathered> {
  const sweep = new Sweep(request, limits);
  try {
    await sweep.run();
  } finally {
    sweep.rest();
  }
  return sweep;
}

type Run = { readonly ranks: readonly number[]; readonly offset: number; readonly length: number };

class Sweep implements Gathered {
  readonly entries = new Map<number, Uint8Array>();
  /** The memory that holds the entries, one after the other. */
  readonly #slabs: Uint8Array<ArrayBuffer>[] = [];
  #slabUsed = 0;
  readonly #request: SweepRequest;
  readonly #limits: SweepLimits;
  readonly #firstGap: number;
  #gap: number;
  #reads = 0;
  /** The offsets at which the wanted entries end and begin. */
  readonly #end: number;
  readonly #start: number;
  readonly #header = new EntryHeader();
  /** The ranks still to be read, the last of the pack on top. */
  readonly #waiting = new RankHeap();
  readonly #seen = new Set<number>();
  readonly #asked: ReadonlySet<number>;
  #heldBytes = 0;
  #buffer = new Uint8Array(0);

  constructor(request: SweepRequest, limits: SweepLimits) {
    this.#request = request;
    this.#limits = limits;
    this.#firstGap = gapFor(request, limits.reads);
    this.#gap = this.#firstGap;
    const { order, ranks } = request;
    this.#start = order.offsetAt(numberAt(ranks, 0));
    this.#end = order.offsetAt(numberAt(ranks, ranks.length - 1) + 1);
    this.#asked = new Set(Array.from(request.ranks));
    for (const rank of this.#asked) this.#want(rank);
  }

  get byteLength(): number {
    return this.#slabs.reduce((bytes, { byteLength }) => bytes + byteLength, 0);
  }

  #want(rank: number): boolean {
    if (this.#seen.has(rank)) return false;
    this.#seen.add(rank);
    this.#waiting.push(rank);
    return true;
  }

  /** Reads one run after the other: the bases found in one usually lie just before it, and join the next. */
  async run(): Promise<void> {
    for (let run = this.#nextRun(); run !== undefined; run = this.#nextRun()) {
      await this.#lookThrough(run);
      if (this.#heldBytes >= this.#limits.heldBytes) return;
      this.#reads++;
      this.#steer(run.offset);
    }
  }

  /** Widens the gap when the read budget is being spent faster than the pack is covered, else narrows it. */
  #steer(offset: number): void {
    const way = (this.#end - offset) / (this.#end - this.#start);
    const used = this.#reads / this.#limits.reads;
    if (used > way) this.#gap = Math.min(this.#gap * WIDEN, this.#limits.runBytes);
    else this.#gap = Math.max(this.#gap * NARROW, this.#firstGap);
  }

  /** Takes the last entries that wait, as many as one read should bring. */
  #nextRun(): Run | undefined {
    const { order } = this.#request;
    const last = this.#waiting.pop();
    if (last === undefined) return undefined;
    const ranks = [last];
    const end = order.offsetAt(last + 1);
    let offset = order.offsetAt(last);
    for (let next = this.#waiting.top; next !== undefined; next = this.#waiting.top) {
      const at = order.offsetAt(next);
      if (offset - order.offsetAt(next + 1) > this.#gap || end - at > this.#limits.runBytes) break;
      ranks.push(next);
      offset = at;
      this.#waiting.pop();
    }
    // An entry that is too large for a run is left to be streamed.
    if (end - offset > this.#limits.runBytes) return { ranks, offset, length: 0 };
    // The bases of a run's first entries usually lie just before it.
    const start = Math.max(offset - LEAST_GAP, PACK_HEADER_BYTES);
    return { ranks, offset: start, length: end - start };
  }

  async #lookThrough(run: Run): Promise<void> {
    if (run.length === 0) return;
    const bytes = await this.#read(run);
    const here = new RankHeap(run.ranks);
    for (let rank = here.pop(); rank !== undefined; rank = here.pop()) {
      const base = this.#take(rank, bytes, run.offset);
      if (base === undefined || this.#seen.has(base)) continue;
      if (this.#request.order.offsetAt(base) < run.offset || base > rank) {
        this.#want(base);
      } else {
        this.#seen.add(base);
        here.push(base);
      }
    }
  }

  /** Reads a run, always into the same memory: garbage of each read would count until it is collected. */
  async #read({ offset, length }: Run): Promise<Uint8Array> {
    if (this.#buffer.length < length) {
      freeMemory(this.#buffer);
      this.#buffer = new Uint8Array(Math.max(length, this.#limits.runBytes / 4));
    }
    const stream = await this.#request.handle.openRun(offset, length);
    try {
      const bytes = await stream.read(this.#buffer.subarray(0, length));
      this.#buffer = new Uint8Array(bytes.buffer);
      if (bytes.length < length)
        throw new CorruptStore("the pack is cut short", { pack: this.#request.handle.record.name, offset });
      return bytes;
    } finally {
      await stream.cancel();
    }
  }

  /** Keeps an entry. Returns the rank of its base if that is needed. */
  #take(rank: number, run: Uint8Array, runOffset: number): number | undefined {
    const { order, rawSize } = this.#request;
    const offset = order.offsetAt(rank);
    const entry = this.#keep(run.subarray(offset - runOffset, order.offsetAt(rank + 1) - runOffset));
    this.entries.set(offset, entry);
    this.#heldBytes += entry.length;
    if (this.#header.decode(entry, 0, entry.length, rawSize) !== "ok") return undefined;
    const base = this.#baseOf(entry, offset);
    if (base === undefined) return undefined;
    return this.#asked.has(rank) && !this.#request.needsBase(base) ? undefined : base;
  }

  #keep(bytes: Uint8Array): Uint8Array {
    let slab = this.#slabs.at(-1);
    if (slab === undefined || slab.length - this.#slabUsed < bytes.length) {
      slab = new Uint8Array(Math.max(SLAB_BYTES, bytes.length));
      this.#slabs.push(slab);
      this.#slabUsed = 0;
    }
    const kept = slab.subarray(this.#slabUsed, this.#slabUsed + bytes.length);
    kept.set(bytes);
    this.#slabUsed += bytes.length;
    return kept;
  }

  /** Frees the buffer of the reads. */
  rest(): void {
    freeMemory(this.#buffer);
  }

  free(): void {
    this.entries.clear();
    for (const slab of this.#slabs.splice(0)) freeMemory(slab);
  }

  #baseOf(entry: Uint8Array, offset: number): number | undefined {
    const { order, rawSize } = this.#request;
    const header = this.#header;
    if (header.type === OFS_DELTA) return order.rankOf(offset - header.distance);
    if (header.type !== REF_DELTA) return undefined;
    const position = order.index.find(entry.subarray(header.baseAt, header.baseAt + rawSize));
    return position < 0 ? undefined : order.rankOf(order.index.offsetAt(position));
  }
}

/**
 * Returns the gap up to which entries are read together, so that about `reads` reads suffice: the widest gaps stay
 * unread.
 */
function gapFor({ order, ranks }: SweepRequest, reads: number): number {
  const gaps = new Float64Array(Math.max(ranks.length - 1, 0));
  for (let i = 1; i < ranks.length; i++) {
    gaps[i - 1] = order.offsetAt(numberAt(ranks, i)) - order.offsetAt(numberAt(ranks, i - 1) + 1);
  }
  gaps.sort();
  // Fewer gaps than reads: each entry may have a read of its own.
  return gaps.length < reads ? LEAST_GAP : Math.max(LEAST_GAP, f64At(gaps, gaps.length - reads));
}

/** A heap of ranks, the highest on top. */
class RankHeap {
  readonly #ranks: number[] = [];

  constructor(ranks: readonly number[] = []) {
    for (const rank of ranks) this.push(rank);
  }

  get top(): number | undefined {
    return this.#ranks[0];
  }

  push(rank: number): void {
    const ranks = this.#ranks;
    let at = ranks.length;
    ranks.push(rank);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (itemAt(ranks, parent) >= rank) break;
      ranks[at] = itemAt(ranks, parent);
      at = parent;
    }
    ranks[at] = rank;
  }

  pop(): number | undefined {
    const ranks = this.#ranks;
    const top = ranks[0];
    const last = ranks.pop();
    if (top === undefined || last === undefined || ranks.length === 0) return top;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= ranks.length) break;
      if (child + 1 < ranks.length && itemAt(ranks, child + 1) > itemAt(ranks, child)) child++;
      if (itemAt(ranks, child) <= last) break;
      ranks[at] = itemAt(ranks, child);
      at = child;
    }
    ranks[at] = last;
    return top;
  }
}
