/**
 * Copies entries of stored packs into a pack for a client. Deflated bytes stay as they are, deltas are kept, and only
 * headers change. An entry is re-encoded only if its base is neither sent before it nor at the client.
 *
 * @packageDocumentation
 * @see gitformat-pack(5)
 */
import { PENDING } from "../kernel/object-flags.ts";
import { f64At } from "../bytes/assert.ts";
import { freeMemory } from "../bytes/free-memory.ts";
import { CorruptStore } from "../bytes/failure.ts";
import { findSorted } from "../bytes/sorted.ts";
import {
  EntryHeader,
  MAX_ENTRY_HEADER_BYTES,
  encodeEntry,
  encodeEntryHeader,
  encodeOfsDistance,
} from "../format/pack-entry.ts";
import type { PackSelection } from "./pack-selection.ts";
import { OFS_DELTA, REF_DELTA } from "../object/object-kind.ts";
import { type PackOrder, loadPackOrder } from "../store/pack-order.ts";
import { openLargeContent } from "../store/large-content.ts";
import { COPYING } from "./copy-policy.ts";
import { type Gathered, sweepPack } from "./pack-sweep.ts";
import { type Adler32, sumOver, undeflated } from "../format/stored-zlib.ts";
import type { PackOutput } from "./pack-output.ts";
import type { FetchSession } from "./pack-session.ts";
import { streamRun } from "./stored-run.ts";

/** The options that decide how a delta is sent. */
export type CopyOptions = {
  readonly ofsDelta: boolean;
  /** Whether an object is in the pack already, in the selection at hand, or at a client that takes thin packs. */
  readonly mayBuildOn: (name: Uint8Array) => boolean;
  readonly deflate: (bytes: Uint8Array) => Uint8Array;
  /** Whether to save memory at the price of more reads. */
  readonly isFrugal: boolean;
};

type Run = { readonly first: number; readonly last: number; readonly offset: number; readonly length: number };

/** Copies the entries of one selection. */
export class PackCopy {
  readonly #session: FetchSession;
  readonly #selection: PackSelection;
  readonly #options: CopyOptions;
  readonly #output: PackOutput;
  readonly #header = new EntryHeader();
  readonly #newHeader = new Uint8Array(MAX_ENTRY_HEADER_BYTES);
  /** The offset of each entry in the output. */
  readonly #placed: Float64Array<ArrayBuffer>;
  #order: PackOrder | undefined;
  /** The runs being read ahead, and the number of the next run to read. */
  #ahead: Promise<Uint8Array<ArrayBuffer>>[] = [];
  #nextRun = 0;

  constructor(session: FetchSession, selection: PackSelection, options: CopyOptions, output: PackOutput) {
    this.#session = session;
    this.#selection = selection;
    this.#options = options;
    this.#output = output;
    this.#placed = new Float64Array(selection.offsets.length);
    this.#order = selection.order;
  }

  /** Copies all entries, in the order of the pack, reading ahead. */
  async run(): Promise<void> {
    const { handle, nodes } = this.#selection;
    if (!this.#session.isResting) for (const node of nodes) this.#session.graph.unmark(node, PENDING);
    const gathered = await this.#gather();
    handle.hold(gathered?.entries);
    try {
      await this.#copyRuns();
    } finally {
      handle.hold(undefined);
      gathered?.free();
      freeMemory(this.#placed);
    }
  }

  /** Gathers the selected entries and their bases, if they are few and scattered over a large pack. */
  async #gather(): Promise<Gathered | undefined> {
    const { handle, offsets, ends } = this.#selection;
    const { length } = offsets;
    if (length <= COPYING.veryFewEntries || handle.record.packBytes < COPYING.runBytes) return undefined;
    let bytes = 0;
    for (let i = 0; i < length; i++) bytes += f64At(ends, i) - f64At(offsets, i);
    const isMuch = length > COPYING.fewEntries || bytes > COPYING.fewBytes;
    // The blocks of a walk that is over make room for what is read now.
    if (isMuch || bytes > COPYING.someBytes) this.#session.database.context.cache.trimBlocks(COPYING.leftBlockBytes);
    if (isMuch) return undefined;
    const { format } = this.#session.graph;
    const order = await this.#orderOfPack();
    const isSelected = (rank: number): boolean =>
      findSorted(length, order.offsetAt(rank), (at) => f64At(offsets, at)) >= 0;
    const needsBase = (rank: number): boolean =>
      !isSelected(rank) && !this.#options.mayBuildOn(order.index.nameAt(order.positionAt(rank)));
    const ranks = Uint32Array.from(offsets, (offset) => order.rankOf(offset));
    const isFrugal = this.#options.isFrugal || this.#session.isResting;
    const limits = isFrugal ? COPYING.smallSweep : COPYING.sweep;
    return await sweepPack({ handle, order, ranks, needsBase, rawSize: format.rawSize }, limits);
  }

  async #orderOfPack(): Promise<PackOrder> {
    this.#order ??= await loadPackOrder(this.#selection.handle, this.#session.graph.format);
    return this.#order;
  }

  async #copyRuns(): Promise<void> {
    const runs = this.#runs();
    for (const [number, run] of runs.entries()) {
      this.#nextRun = Math.max(this.#nextRun, number);
      const most = this.#session.isResting ? 1 : COPYING.runsAhead;
      while (this.#nextRun < runs.length && this.#ahead.length < most)
        this.#ahead.push(this.#read(runs[this.#nextRun++]));
      const bytes = await this.#ahead.shift();
      if (bytes === undefined) return;
      if (bytes.length < run.length) await this.#streamEntry(run, bytes);
      else for (let i = run.first; i <= run.last; i++) await this.#copyEntry(i, bytes, run.offset);
      freeMemory(bytes);
    }
  }

  /** Drops the runs that were read ahead. They are read again when they are needed. */
  letGo(): void {
    for (const reading of this.#ahead.splice(0)) {
      this.#nextRun--;
      reading.then(
        (bytes) => freeMemory(bytes),
        () => undefined,
      );
    }
  }

  async #read(run: Run | undefined): Promise<Uint8Array<ArrayBuffer>> {
    if (run === undefined) return new Uint8Array(0);
    const reading = this.#readRun(run);
    // Awaited in its turn; a failure before that must not count as unhandled.
    reading.catch(() => undefined);
    return await reading;
  }

  /** Reads a run into memory of its own. Of a single entry that is too large for a run, it reads the header only. */
  async #readRun({ offset, length }: Run): Promise<Uint8Array<ArrayBuffer>> {
    const { handle } = this.#selection;
    const wanted = length > COPYING.runBytes ? Math.min(length, MAX_ENTRY_HEADER_BYTES) : length;
    const atHand = handle.bytesAtHand(offset);
    if (atHand !== undefined && atHand.length >= wanted) return atHand.slice(0, wanted);
    return await handle.readRun(offset, wanted);
  }

  #runs(): Run[] {
    const { handle, offsets, ends } = this.#selection;
    const runs: Run[] = [];
    let first = 0;
    for (let i = 1; i <= offsets.length; i++) {
      const start = f64At(offsets, first);
      const end = f64At(ends, i - 1);
      const goesOn =
        i < offsets.length &&
        !handle.holds(start) &&
        !handle.holds(f64At(offsets, i)) &&
        f64At(offsets, i) - end <= COPYING.gapBytes &&
        f64At(ends, i) - start <= COPYING.runBytes;
      if (goesOn) continue;
      runs.push({ first, last: i - 1, offset: start, length: end - start });
      first = i;
    }
    return offsets.length === 0 ? [] : runs;
  }

  async #copyEntry(i: number, run: Uint8Array, runOffset: number): Promise<void> {
    const { offsets, ends } = this.#selection;
    const offset = f64At(offsets, i);
    const bytes = run.subarray(offset - runOffset, f64At(ends, i) - runOffset);
    const replaced = await this.#writeHeader(i, offset, bytes);
    if (replaced !== undefined) await this.#append(bytes.subarray(replaced));
  }

  async #streamEntry({ first, offset, length }: Run, start: Uint8Array): Promise<void> {
    const replaced = await this.#writeHeader(first, offset, start);
    if (replaced === undefined) return;
    const rest = { offset: offset + replaced, length: length - replaced };
    await streamRun(this.#selection.handle, rest, async (bytes) => await this.#output.append(bytes));
  }

  async #append(bytes: Uint8Array): Promise<void> {
    if (this.#output.hasRoom(bytes.length)) this.#output.appendNow(bytes);
    else await this.#output.append(bytes);
  }

  /**
   * Writes the header of an entry, or the part of it that changes. Returns the number of stored bytes that this
   * replaces; the rest is to be copied. Returns `undefined` if the entry was re-encoded whole.
   */
  async #writeHeader(i: number, offset: number, bytes: Uint8Array): Promise<number | undefined> {
    const { rawSize } = this.#session.graph.format;
    const header = this.#header;
    this.#placed[i] = this.#output.offset;
    if (header.decode(bytes, 0, bytes.length, rawSize) === "short")
      throw new CorruptStore("the pack ends within an entry", { pack: this.#selection.handle.record.name, offset });
    if (header.kind === OFS_DELTA) return await this.#writeOfsDelta(offset);
    if (header.kind !== REF_DELTA) return 0;
    if (this.#options.mayBuildOn(bytes.subarray(header.baseAt, header.baseAt + rawSize))) return 0;
    return await this.#copyWhole(offset);
  }

  async #writeOfsDelta(offset: number): Promise<number | undefined> {
    const { size, headerBytes, distance } = this.#header;
    const baseOffset = offset - distance;
    const { offsets } = this.#selection;
    const base = findSorted(offsets.length, baseOffset, (rank) => f64At(offsets, rank));
    const into = this.#newHeader;
    if (base >= 0 && this.#options.ofsDelta) {
      const moved = this.#output.offset - f64At(this.#placed, base);
      if (moved === distance) return 0;
      const end = encodeOfsDistance(moved, into, encodeEntryHeader(OFS_DELTA, size, into, 0));
      await this.#append(into.subarray(0, end));
      return headerBytes;
    }
    const name = await this.#nameAt(baseOffset);
    if (base < 0 && !this.#options.mayBuildOn(name)) return await this.#copyWhole(offset);
    const at = encodeEntryHeader(REF_DELTA, size, into, 0);
    into.set(name, at);
    await this.#append(into.subarray(0, at + name.length));
    return headerBytes;
  }

  async #nameAt(offset: number): Promise<Uint8Array> {
    const order = await this.#orderOfPack();
    return order.index.nameAt(order.positionAt(order.rankOf(offset)));
  }

  /** Re-encodes an entry without a base. */
  async #copyWhole(offset: number): Promise<undefined> {
    await this.#session.awake();
    const { reader, inflating } = this.#session.graph;
    const object = await reader.readAtIfHeld(this.#selection.pack, offset);
    if (object === undefined) await this.#streamWhole(offset);
    else await this.#append(encodeEntry(object.kind, inflating.bytes(object.held), this.#options.deflate));
    return undefined;
  }

  /** Re-encodes an object that is too large to be held, or has such a base. */
  async #streamWhole(offset: number): Promise<void> {
    const { reader, inflating } = this.#session.graph;
    const chain = await reader.chainAt(this.#selection.pack, offset);
    const { kind, size, pieces } = await openLargeContent(inflating, chain);
    const end = encodeEntryHeader(kind, size, this.#newHeader, 0);
    await this.#append(this.#newHeader.subarray(0, end));
    const adler32: Adler32 = (adler, bytes) => {
      const { kernel } = inflating;
      return sumOver(kernel, bytes, adler, (value, at, length) => kernel.adler32(value, at, length));
    };
    // The copy may have waited for the client meanwhile.
    await this.#session.awake();
    for await (const bytes of undeflated(pieces, size, adler32)) {
      await this.#append(bytes);
      await this.#session.awake();
    }
  }
}
