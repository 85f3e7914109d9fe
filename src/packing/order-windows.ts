/**
 * The windows in which a pack is put into another order: as many of the entries that come next as there is memory for. Those of a window are read in the
 * order in which they lie, near ones together, and are then at hand in the new one.
 *
 * @packageDocumentation
 */
import { u32At } from "../bytes/assert.ts";
import { freeMemory } from "../bytes/free-memory.ts";
import type { Pacer } from "../bytes/pacer.ts";
import { findSorted } from "../bytes/sorted.ts";
import type { Ordering } from "../catalog/order-plan.ts";
import type { PackHandle } from "../store/pack-handle.ts";
import type { PackEntries } from "./pack-entries.ts";
import { type StoredRun, streamRun } from "./stored-run.ts";

/** The steps charged to the pacer for an entry of a window that is planned or read: its entries are sorted. */
const ENTRY_STEPS = 60;

/** The bytes of memory for each entry of a window, beside its own. */
const PLACE_BYTES = 8;

/** The numbers of the order from `from` up to `to`, and the bytes of memory that such a window takes. */
export type WindowRange = { readonly from: number; readonly to: number; readonly bytes: number };

type Bounds = Pick<Ordering, "windowBytes" | "heldBytes" | "gapBytes">;

/** Yields the windows of an order. */
export function* windowsOf(order: Uint32Array, entries: PackEntries, bounds: Bounds): Generator<WindowRange> {
  let [from, bytes] = [0, 0];
  for (let at = 0; at < order.length; at++) {
    const length = entries.lengthAt(u32At(order, at));
    const held = PLACE_BYTES + (length > bounds.heldBytes ? 0 : length);
    if (bytes + held > bounds.windowBytes) {
      yield { from, to: at, bytes };
      [from, bytes] = [at, 0];
    }
    bytes += held;
  }
  if (from < order.length) yield { from, to: order.length, bytes };
}

/** Returns the ranks of the entries that a window holds, as they lie in the pack. */
function heldRanks(
  order: Uint32Array,
  entries: PackEntries,
  { from, to }: WindowRange,
  { heldBytes }: Bounds,
): Uint32Array<ArrayBuffer> {
  return order
    .slice(from, to)
    .filter((rank) => entries.lengthAt(rank) <= heldBytes)
    .sort();
}

/** Yields the runs of a pack that have the entries of some ranks, which ascend; near ones are in one run. */
function* runsOf(ranks: Uint32Array, entries: PackEntries, gapBytes: number): Generator<StoredRun> {
  let [offset, end] = [-1, -1];
  for (const rank of ranks) {
    const begin = entries.offsetAt(rank);
    if (offset >= 0 && begin - end > gapBytes) {
      yield { offset, length: end - offset };
      offset = begin;
    }
    if (offset < 0) offset = begin;
    end = entries.offsetAt(rank + 1);
  }
  if (offset >= 0) yield { offset, length: end - offset };
}

/** Whether all windows of an order can be read within the bounds. */
export async function isWithin(
  order: Uint32Array,
  entries: PackEntries,
  bounds: Ordering & { readonly packBytes: number },
  pacer: Pacer,
): Promise<boolean> {
  let [reads, bytes] = [0, 0];
  for (const range of windowsOf(order, entries, bounds)) {
    const ranks = heldRanks(order, entries, range, bounds);
    for (const { length } of runsOf(ranks, entries, bounds.gapBytes)) {
      reads++;
      bytes += length;
    }
    // Of each other entry the beginning is read, and then the rest.
    reads += 2 * (range.to - range.from - ranks.length);
    freeMemory(ranks);
    if (reads > bounds.mostReads || bytes > bounds.mostRead * bounds.packBytes) return false;
    pacer.add((range.to - range.from) * ENTRY_STEPS);
    if (pacer.isDue) await pacer.pace();
  }
  return true;
}

/** The entries of one window, in one buffer, as they lie in the pack. */
export class OrderWindow {
  readonly #entries: PackEntries;
  readonly #gapBytes: number;
  readonly #ranks: Uint32Array<ArrayBuffer>;
  /** By place among the ranks: where the entry begins in the buffer. */
  readonly #starts: Uint32Array<ArrayBuffer>;
  readonly #bytes: Uint8Array<ArrayBuffer>;

  constructor(order: Uint32Array, entries: PackEntries, range: WindowRange, bounds: Bounds) {
    this.#entries = entries;
    this.#gapBytes = bounds.gapBytes;
    this.#ranks = heldRanks(order, entries, range, bounds);
    this.#starts = new Uint32Array(this.#ranks.length);
    let used = 0;
    for (const [place, rank] of this.#ranks.entries()) {
      this.#starts[place] = used;
      used += entries.lengthAt(rank);
    }
    this.#bytes = new Uint8Array(used);
  }

  /** Reads the entries. */
  async load(handle: PackHandle, pacer: Pacer): Promise<void> {
    const ranks = this.#ranks;
    pacer.add(ranks.length * ENTRY_STEPS);
    let [next, used] = [0, 0];
    for (const run of runsOf(ranks, this.#entries, this.#gapBytes)) {
      let at = run.offset;
      await streamRun(handle, run, async (piece) => {
        const end = at + piece.length;
        for (; next < ranks.length; next++) {
          const rank = u32At(ranks, next);
          const [begin, entryEnd] = [this.#entries.offsetAt(rank), this.#entries.offsetAt(rank + 1)];
          if (begin >= end) break;
          const part = piece.subarray(Math.max(0, begin - at), Math.min(entryEnd, end) - at);
          this.#bytes.set(part, used);
          used += part.length;
          if (entryEnd > end) break;
        }
        at = end;
        pacer.add(piece.length);
        if (pacer.isDue) await pacer.pace();
      });
    }
  }

  /** Returns the bytes of an entry, as a view; `undefined` if it is none of this window, or too large to be held. */
  entryAt(rank: number): Uint8Array | undefined {
    const place = findSorted(this.#ranks.length, rank, (each) => u32At(this.#ranks, each));
    if (place < 0) return undefined;
    const start = u32At(this.#starts, place);
    return this.#bytes.subarray(start, start + this.#entries.lengthAt(rank));
  }

  /** Frees the memory. It must be the last call. */
  free(): void {
    for (const list of [this.#ranks, this.#starts, this.#bytes]) freeMemory(list);
  }
}
