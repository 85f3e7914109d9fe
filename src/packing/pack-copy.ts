/**
 * Copies entries of stored packs into a pack for a client. Deflated bytes stay as they are, deltas are kept, and only
 * headers change. An entry is re-encoded only if its base is neither sent before it nor at the client.
 *
 * @packageDocumentation
 * @see gitformat-pack(5)
 */
import { PENDING } from "../kernel/object-flags.ts";
import { f64At, u8At } from "../bytes/assert.ts";
import { freeMemory } from "../bytes/free-memory.ts";
import { CorruptStore } from "../bytes/failure.ts";
import { findFromEnd, findSorted } from "../bytes/sorted.ts";
import { EntryHeader, MAX_ENTRY_HEADER_BYTES, encodeEntryHeader, encodeOfsDelta } from "../format/pack-entry.ts";
import { PACK_HEADER_BYTES } from "../format/pack-header.ts";
import type { PackSelection } from "./pack-selection.ts";
import { OFS_DELTA, REF_DELTA, TYPE_NUMBER } from "../object/object-type.ts";
import { type PackOrder, loadPackOrder } from "../store/pack-order.ts";
import { COPYING } from "./copy-policy.ts";
import { type Gathered, sweepPack } from "./pack-sweep.ts";
import type { PackOutput } from "./pack-output.ts";
import type { FetchSession } from "./pack-session.ts";
import { type RunAtHand, RunReader } from "./run-reader.ts";
import { wholeEntry } from "./whole-entry.ts";

/** By type number: 1 for an entry that names no other, so that it means the same wherever all before it has gone along. */
const STAYS = new Uint8Array(8);
for (const type of [...Object.values(TYPE_NUMBER), OFS_DELTA]) STAYS[type] = 1;

/** The options that decide how a delta is sent. */
export type CopyOptions = {
  readonly ofsDelta: boolean;
  /** Whether an object is in the pack already, in the selection at hand, or at a client that takes thin packs. */
  readonly mayBuildOn: (name: Uint8Array) => boolean;
  readonly deflate: (bytes: Uint8Array) => Uint8Array;
  /** Whether to save memory at the price of more reads. */
  readonly isFrugal: boolean;
};

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
  readonly #runs: RunReader;
  /** From the first of these offsets to the second, nothing was left out, and what is behind the first lies as far apart as before. */
  #evenFrom = 0;
  #evenEnd = 0;
  #gathered: Gathered | undefined;

  constructor(session: FetchSession, selection: PackSelection, options: CopyOptions, output: PackOutput) {
    this.#session = session;
    this.#selection = selection;
    this.#options = options;
    this.#output = output;
    this.#placed = new Float64Array(selection.offsets.length);
    this.#order = selection.order;
    this.#runs = new RunReader(session, selection);
  }

  /** Copies all entries, in the order of the pack, reading ahead. */
  async run(): Promise<void> {
    const { handle, nodes } = this.#selection;
    if (this.#session.hasNodes) for (const node of nodes) this.#session.graph.unmark(node, PENDING);
    this.#gathered = await this.#gather();
    handle.hold(this.#gathered?.entries);
    this.#session.repository.memory.hold(this.#gatheredBytes);
    try {
      await this.#copyRuns();
    } finally {
      this.#runs.close();
      this.#freeGathered();
      freeMemory(this.#placed);
    }
  }

  get #gatheredBytes(): number {
    return this.#gathered === undefined ? 0 : this.#gathered.byteLength;
  }

  #freeGathered(): void {
    this.#session.repository.memory.hold(-this.#gatheredBytes);
    this.#selection.handle.hold(undefined);
    this.#gathered?.free();
    this.#gathered = undefined;
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
    const { memory } = this.#session.repository;
    const isFrugal = this.#options.isFrugal || this.#session.isResting;
    const limits =
      isFrugal || !memory.hasRoom(COPYING.sweep.runBytes + COPYING.sweep.heldBytes)
        ? COPYING.smallSweep
        : COPYING.sweep;
    const most = limits.runBytes + Math.min(limits.heldBytes, bytes);
    memory.hold(most);
    try {
      return await sweepPack({ handle, order, ranks, needsBase, rawSize: format.rawSize }, limits);
    } finally {
      memory.hold(-most);
    }
  }

  async #orderOfPack(): Promise<PackOrder> {
    this.#order ??= await loadPackOrder(this.#selection.handle, this.#session.graph.format);
    return this.#order;
  }

  async #copyRuns(): Promise<void> {
    for (let run = await this.#runs.next(); run !== undefined; run = await this.#runs.next()) {
      if (run.isStreamed) await this.#streamEntry(run);
      else await this.#copyEntries(run);
    }
  }

  /** Copies the entries of a run. Where that is let go of meanwhile, the entries after the one at hand are read again. */
  async #copyEntries(run: RunAtHand): Promise<void> {
    for (let i = run.first; i <= run.last;) {
      const next = this.#copyNow(i, run);
      if (next > run.last) return;
      // An entry for which there is no room any more is copied as its neighbours are, once what was appended is written.
      const isFull = next > i && !this.#output.hasRoom(this.#bytesOf(next) + MAX_ENTRY_HEADER_BYTES);
      if (isFull) await this.#output.flush();
      else await this.#copyEntry(next, run);
      i = isFull ? next : next + 1;
      if (this.#runs.atHand !== undefined) continue;
      this.#runs.goOnFrom(i);
      return;
    }
  }

  #bytesOf(i: number): number {
    const { offsets, ends } = this.#selection;
    return f64At(ends, i) - f64At(offsets, i);
  }

  /** Drops what was read and can be read again. */
  letGo(): void {
    this.#runs.letGo();
    if (this.#gathered !== undefined && this.#isDense()) this.#freeGathered();
  }

  /** Whether what is left can be read in few runs, so that nothing need be kept of what was gathered. */
  #isDense(): boolean {
    const { handle } = this.#selection;
    handle.hold(undefined);
    const isDense = this.#runs.isDense();
    handle.hold(this.#gathered?.entries);
    return isDense;
  }

  /**
   * Copies entries without waiting, which takes longer than all the rest of it: from `first` on, as far as there is room and they
   * can be. Neighbours that go out as they lie are copied together. Returns the first that was not copied.
   */
  #copyNow(first: number, run: RunAtHand): number {
    const { bytes, offset: start, last } = run;
    const { offsets, ends, made } = this.#selection;
    const { rawSize } = this.#session.graph.format;
    const [header, output] = [this.#header, this.#output];
    const [place, room] = [output.offset, output.room];
    let i = this.#passPrefix(first, run);
    // The bytes of the run that are still to be copied, as they lie, and how many were appended.
    let [from, to, appended] = [0, 0, 0];
    if (i > first) [from, to] = [f64At(offsets, first) - start, f64At(ends, i - 1) - start];
    for (; i <= last; i++) {
      const offset = f64At(offsets, i);
      const at = offset - start;
      const end = f64At(ends, i) - start;
      const used = appended + to - from;
      if (used + end - at + MAX_ENTRY_HEADER_BYTES > room || made?.has(offset) === true) break;
      if (header.decode(bytes, at, end, rawSize) === "short") break;
      const distance = this.#distanceFrom(i, offset, place + used);
      if (distance < 0) break;
      this.#placed[i] = place + used;
      const isMoved = distance !== 0 && distance !== header.distance;
      if (isMoved || at !== to) {
        output.appendNow(bytes.subarray(from, to));
        appended = used;
        from = at;
      }
      if (isMoved) {
        const moved = this.#movedHeader(distance);
        output.appendNow(moved);
        appended += moved.length;
        from = at + header.headerBytes;
        if (moved.length !== header.headerBytes) this.#evenFrom = offset + end - at;
      }
      to = end;
      this.#evenEnd = offset + end - at;
    }
    output.appendNow(bytes.subarray(from, to));
    return i;
  }

  /**
   * Passes over entries as long as all of the pack before them has gone out as it lies: then what they build on is as far before them as
   * it was. Only their types are looked at, since a base that is named may lie behind. Returns the first entry that is none of these, or for
   * which there is no room.
   */
  #passPrefix(first: number, { bytes, offset: start, last }: RunAtHand): number {
    const { offsets, ends, made } = this.#selection;
    const begin = f64At(offsets, first);
    if (first === 0) [this.#evenFrom, this.#evenEnd] = [begin, begin];
    if (made !== undefined || !this.#options.ofsDelta || this.#evenFrom !== PACK_HEADER_BYTES) return first;
    const moved = this.#output.offset - begin;
    const most = begin + this.#output.room - MAX_ENTRY_HEADER_BYTES;
    let [i, at] = [first, this.#evenEnd];
    for (; i <= last && f64At(offsets, i) === at; i++) {
      const end = f64At(ends, i);
      if (end > most || u8At(STAYS, (u8At(bytes, at - start) >> 4) & 7) === 0) break;
      this.#placed[i] = at + moved;
      at = end;
    }
    this.#evenEnd = at;
    return i;
  }

  /**
   * Returns the distance from the entry at hand, which lies at `offset` and is to begin at `place`, to its base in the output: 0 for
   * one that is no delta, and -1 where it takes more than another distance.
   */
  #distanceFrom(i: number, offset: number, place: number): number {
    const { type, distance } = this.#header;
    if (offset !== this.#evenEnd) this.#evenFrom = offset;
    if (type !== OFS_DELTA) return type === REF_DELTA ? -1 : 0;
    if (!this.#options.ofsDelta) return -1;
    if (offset - distance >= this.#evenFrom) return distance;
    const base = findFromEnd(this.#selection.offsets, i, offset - distance);
    return base < 0 ? -1 : place - f64At(this.#placed, base);
  }

  async #copyEntry(i: number, { bytes: run, offset: runOffset }: RunAtHand): Promise<void> {
    const { offsets, ends } = this.#selection;
    const offset = f64At(offsets, i);
    const end = f64At(ends, i);
    if (await this.#copyMade(i, offset)) return;
    const replaced = await this.#writeHeader(i, offset, run.subarray(offset - runOffset, end - runOffset));
    if (replaced !== undefined) await this.#copyBytes(offset + replaced, end);
    if (replaced === 0) this.#noteEven(offset, end);
  }

  /** Notes that an entry went out as it lies. */
  #noteEven(offset: number, end: number): void {
    if (offset !== this.#evenEnd) this.#evenFrom = offset;
    this.#evenEnd = end;
  }

  /** Copies bytes of the pack out of the run at hand or, where that was let go of, out of the bucket. */
  async #copyBytes(offset: number, end: number): Promise<void> {
    for (let at = offset; at < end;) {
      const run = this.#runs.atHand;
      if (run === undefined) return await this.#runs.streamBytes(at, end - at, this.#takePiece);
      const to = Math.min(end, at + this.#output.room);
      this.#output.appendNow(run.bytes.subarray(at - run.offset, to - run.offset));
      if (to < end) await this.#output.flush();
      at = to;
    }
  }

  /** Writes the entry that was made in place of a stored one. Returns whether there is one. */
  async #copyMade(i: number, offset: number): Promise<boolean> {
    const made = this.#selection.made?.get(offset);
    if (made === undefined) return false;
    this.#placed[i] = this.#output.offset;
    await this.#append(made);
    return true;
  }

  async #streamEntry(run: RunAtHand): Promise<void> {
    const { first, offset, bytes } = run;
    if (await this.#copyMade(first, offset)) return;
    const replaced = await this.#writeHeader(first, offset, bytes);
    if (replaced !== undefined) await this.#runs.stream(run, replaced, this.#takePiece);
    if (replaced === 0) this.#noteEven(offset, offset + run.length);
  }

  readonly #takePiece = async (bytes: Uint8Array): Promise<void> => await this.#output.append(bytes);

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
    if (header.type === OFS_DELTA) return await this.#writeOfsDelta(offset);
    if (header.type !== REF_DELTA) return 0;
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
      await this.#append(this.#movedHeader(moved));
      return headerBytes;
    }
    const name = await this.#nameAt(baseOffset);
    if (base < 0 && !this.#options.mayBuildOn(name)) return await this.#copyWhole(offset);
    const at = encodeEntryHeader(REF_DELTA, size, into, 0);
    into.set(name, at);
    await this.#append(into.subarray(0, at + name.length));
    return headerBytes;
  }

  /** Returns the header of the delta at hand with this distance to its base. It is good until the next one. */
  #movedHeader(distance: number): Uint8Array {
    return this.#newHeader.subarray(0, encodeOfsDelta(this.#header.size, distance, this.#newHeader));
  }

  async #nameAt(offset: number): Promise<Uint8Array> {
    const order = await this.#orderOfPack();
    return order.index.nameAt(order.positionAt(order.rankOf(offset)));
  }

  /** Re-encodes an entry without a base. */
  async #copyWhole(offset: number): Promise<undefined> {
    await this.#session.awake();
    const { reader, inflating } = this.#session.graph;
    const tools = { reader, inflating, deflate: this.#options.deflate };
    for await (const bytes of wholeEntry(tools, this.#selection.pack, offset)) {
      await this.#append(bytes);
      // The copy may have waited for the client meanwhile.
      await this.#session.awake();
    }
    return undefined;
  }
}
