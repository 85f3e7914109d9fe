/**
 * Resolves the deltas whose base was not in memory when they passed: evicted from the ring, later in the pack, or not
 * in the pack at all (a thin pack). Memory stays bounded whatever the pack's size. Deltas are taken in batches of a few
 * megabytes of deflated bytes, families together and bases first. Each batch is read back from the bucket in few large
 * reads.
 *
 * A *node* is an entry's number. Numbers from the count of entries that the pack came with are bases outside the pack,
 * in the order in which they were found. A name that was found outside keeps that node here, even if an entry turns out
 * to have it, too. So no chain of bases ever changes while it is used.
 *
 * @packageDocumentation
 */
import { itemAt, u32At, u8At } from "../../bytes/assert.ts";
import { CorruptStore, ObjectRejected } from "../../bytes/failure.ts";
import type { Pacer } from "../../bytes/pacer.ts";
import { EntryHeader, MAX_ENTRY_HEADER_BYTES, badEntry } from "../../format/pack-entry.ts";
import { TYPE_NUMBER, OFS_DELTA } from "../../object/object-type.ts";
import { ENTRY_BEGINNING_BYTES, tooLargeEntry } from "../object-size.ts";
import { DeltaForest, hasCycle } from "./delta-forest.ts";
import { EntryBatch, type OpenPackBytes } from "./entry-batch.ts";
import type { EntryTable } from "./entry-table.ts";
import { type Held, type Inflating, tooLargeToHold } from "../inflating.ts";
import { unpackBase } from "./large-bases.ts";
import type { OutsideBase, OutsideBases } from "./outside-bases.ts";
import type { DeflatedEntry } from "../inflate-stream.ts";
import type { LargeDeltas } from "./large-deltas.ts";
import type { ObjectBudget } from "./object-budget.ts";
import { PartBuffers } from "./part-buffers.ts";
import type { ObjectIntake } from "./object-intake.ts";

/** Reads `[offset, offset + length)` of the staged pack. */
export type PackBytes = (offset: number, length: number) => Promise<Uint8Array>;

/** The input of resolving, from the pack being taken in. */
export type ResolverInput = {
  readonly entries: EntryTable;
  readonly inflating: Inflating;
  readonly intake: ObjectIntake;
  readonly budget: ObjectBudget;
  readonly rawSize: number;
  /** The offset at which the entries end in the staged pack. */
  readonly packEnd: number;
  readonly packBytes: PackBytes;
  readonly openPackBytes: OpenPackBytes;
  readonly buffers: PartBuffers;
  readonly outside: OutsideBases;
  readonly large: LargeDeltas;
  readonly pacer: Pacer;
  /** Reports how many deltas are resolved so far, and of how many. */
  readonly progress: (done: number, total: number) => Promise<void>;
};

const READ_BYTES = 1024 * 1024;
/** The longest chain of bases that is read with each entry. `pack.depth` is 50; old `gc --aggressive` used 250. */
const USUAL_DEPTH = 256;
/** The size in bytes of the pieces in which a run is read. */
const PIECE_BYTES = 256 * 1024;
/** The number of deltas after which progress is reported again. */
const PROGRESS_STEP = 500;

/** Resolves the deltas that the first pass left; see {@link DeltaResolver.run}. */
export class DeltaResolver {
  readonly #input: ResolverInput;
  /** The number of entries that the pack came with. Bases that completion appends are not counted. */
  readonly #count: number;
  readonly #outside: OutsideBase[] = [];
  readonly #outsideByName = new Map<number, number>();
  readonly #header = new EntryHeader();
  #total = 0;
  #done = 0;

  readonly #pieces = new PartBuffers(PIECE_BYTES);
  #batchBytes: Uint8Array<ArrayBuffer> | undefined;

  constructor(input: ResolverInput) {
    this.#input = input;
    this.#count = input.entries.count;
  }

  /** Resolves all deltas. @throws ObjectRejected, in git's words, if a base is nowhere to be found. */
  async run(): Promise<void> {
    const { entries, progress, intake } = this.#input;
    intake.settle();
    const forest = new DeltaForest(entries, intake.names);
    this.#total = forest.left;
    if (this.#total > 0) await progress(0, this.#total);
    intake.onNamed = (name) => forest.nameIsKnown(name);
    const asked = new Set<number>();
    while (forest.left > 0) {
      const order = await forest.takeReady((number) => this.#baseOf(number), this.#input.pacer);
      if (order.length > 0) await this.#resolve(order);
      else if (!(await this.#findOutside(forest, asked))) {
        throw new ObjectRejected(`pack has ${forest.left} unresolved delta${forest.left === 1 ? "" : "s"}`);
      }
    }
    intake.onNamed = () => undefined;
    forest.release();
  }

  /** Returns the batch's buffer to its pool, so that the index, which is written next, can use it. */
  rest(): void {
    const { buffers } = this.#input;
    if (this.#batchBytes?.length === buffers.size) buffers.give(this.#batchBytes);
    this.#batchBytes = undefined;
  }

  /** Returns a resolved entry's content, reading back whatever that takes. @throws LimitExceeded if it is too large. */
  async content(number: number): Promise<Held> {
    const batch = this.#batch();
    this.#addWithBases(batch, number);
    await batch.load(this.#input.openPackBytes);
    await this.#loadOutside(number);
    return await this.#hold(batch, number);
  }

  /** Returns a copy of the content of a base outside the pack that can be held. */
  async outsideContent({ node }: OutsideBase): Promise<Uint8Array> {
    await this.#loadOutside(node);
    const held = this.#heldNode(node);
    if (held === undefined) throw new CorruptStore("a base outside the pack was not loaded");
    return this.#input.inflating.bytes(held).slice();
  }

  /**
   * Returns the bases that a thin pack left out and that completing it has to append.
   *
   * @throws ObjectRejected if an entry has the name of a base found outside, and builds on itself because of that.
   */
  missingBases(): readonly OutsideBase[] {
    const { entries } = this.#input;
    const { names } = this.#input.intake;
    const brought = this.#outside.find(({ index }) => names.isBrought(index));
    if (brought === undefined) return this.#outside;
    // A reader of the stored pack takes the base that is in the pack.
    const storedBase = (number: number): number => {
      const base = entries.baseOf(number);
      return entries.packTypeOf(number) === OFS_DELTA ? base : names.entryOf(base);
    };
    if (hasCycle(entries, this.#count, storedBase)) {
      throw new ObjectRejected(`The same object ${names.hex(brought.index)} appears twice in the pack`);
    }
    return this.#outside.filter(({ index }) => !names.isBrought(index));
  }

  #batch(): EntryBatch {
    const { buffers, packEnd } = this.#input;
    this.#batchBytes ??= packEnd < buffers.size ? new Uint8Array(packEnd) : buffers.take();
    return new EntryBatch(this.#input.entries, (number) => this.#endOf(number), {
      bytes: this.#batchBytes,
      pieces: this.#pieces,
    });
  }

  #endOf(number: number): number {
    return number + 1 < this.#count ? this.#input.entries.offsetOf(number + 1) : this.#input.packEnd;
  }

  /** Returns the node that a delta builds on; -1 if it is not known yet. */
  #baseOf(number: number): number {
    const { entries, intake } = this.#input;
    const base = entries.baseOf(number);
    if (entries.packTypeOf(number) === OFS_DELTA) return base;
    const outside = this.#outsideByName.get(base);
    return outside === undefined ? intake.names.entryOf(base) : this.#count + outside;
  }

  /** Looks in the catalog for names that deltas wait for. Returns false if it has none not looked for before. */
  async #findOutside(forest: DeltaForest, asked: Set<number>): Promise<boolean> {
    const { intake, outside } = this.#input;
    const waited = forest.waitedFor().filter((name) => !asked.has(name));
    if (waited.length === 0) return false;
    for (const name of waited) asked.add(name);
    const names = intake.names.copyAll(waited);
    const types = await outside.typesOf(names);
    let found = false;
    for (const [i, index] of waited.entries()) {
      const type = u8At(types, i);
      if (type === 0) continue;
      found = true;
      this.#outsideByName.set(index, this.#outside.length);
      const node = this.#count + this.#outside.length;
      this.#outside.push({ node, index, type, held: undefined, large: undefined });
      forest.nameIsKnown(index);
    }
    if (found) await outside.prefetch(names);
    return found;
  }

  async #resolve(order: Uint32Array): Promise<void> {
    for (let next = 0; next < order.length;) {
      const batch = this.#batch();
      const first = next;
      while (next < order.length && !batch.full) {
        this.#addWithBases(batch, u32At(order, next));
        // An entry whose bases found no room waits for the next batch, which has room for all of them.
        if (!batch.full || next === first) next++;
      }
      await batch.load(this.#input.openPackBytes);
      for (let i = first; i < next; i++) {
        const number = u32At(order, i);
        const base = this.#baseOf(number);
        await this.#input.pacer.pace();
        if (!(await this.#resolveHeld(batch, number, base))) await this.#resolveLarge(batch, number, base);
        if (++this.#done % PROGRESS_STEP === 0 || this.#done === this.#total) {
          await this.#input.progress(this.#done, this.#total);
        }
      }
    }
    this.#input.intake.settle();
  }

  /** Adds an entry to what the batch reads, and every base below it that will probably have to be made again. */
  #addWithBases(batch: EntryBatch, number: number): void {
    const { entries, inflating } = this.#input;
    let node = number;
    for (let depth = 0; node < this.#count && !this.#isTooLarge(node) && batch.add(node); depth++) {
      if (!entries.isDelta(node)) return;
      // A base that is held now is trusted to stay, or each batch would read such a long chain again.
      const base = depth < USUAL_DEPTH ? undefined : this.#heldNode(this.#baseOf(node));
      if (base !== undefined && !inflating.ring.isOld(base.position)) return;
      node = this.#baseOf(node);
    }
  }

  /** Whether the data of an entry is too large to be held. The content of such a base is in a scratch file. */
  #isTooLarge(node: number): boolean {
    const { entries, inflating, large } = this.#input;
    if (large.has(node)) return true;
    if (node >= this.#count) return false;
    const inflates = !entries.isDelta(node) || entries.typeOf(node) === 0;
    return inflates && entries.sizeOf(node) > inflating.wholeBytes;
  }

  #typeOf(node: number): number {
    return node < this.#count ? this.#input.entries.typeOf(node) : itemAt(this.#outside, node - this.#count).type;
  }

  /** Resolves an entry whose delta, base or result is too large to be held. */
  async #resolveLarge(batch: EntryBatch, number: number, base: number): Promise<void> {
    const { entries, intake, inflating, large, packBytes, rawSize } = this.#input;
    if (this.#typeOf(base) !== TYPE_NUMBER.blob) {
      const at = entries.offsetOf(number);
      const length = Math.min(ENTRY_BEGINNING_BYTES, this.#endOf(number) - at);
      throw tooLargeEntry(await packBytes(at, length), rawSize, inflating);
    }
    if (!large.has(base) && this.#isTooLarge(base)) await large.unpack(base, await this.#deflated(base));
    else if (!large.has(base)) await large.keep(base, await this.#copy(batch, base));
    const result = await large.apply(number, base, await this.#deflated(number));
    if (result.kind === "held") intake.accept(number, TYPE_NUMBER.blob, result.held, undefined);
    else intake.acceptPassedBlob(number, result.size, result.collision);
  }

  async #copy(batch: EntryBatch, node: number): Promise<Uint8Array> {
    await this.#loadOutside(node);
    return this.#input.inflating.bytes(await this.#hold(batch, node)).slice();
  }

  /** Returns where the deflated data of an entry is. */
  async #deflated(number: number): Promise<DeflatedEntry> {
    const { entries, packBytes, rawSize } = this.#input;
    const offset = entries.offsetOf(number);
    const end = this.#endOf(number);
    const bytes = await packBytes(offset, Math.min(MAX_ENTRY_HEADER_BYTES, end - offset));
    if (this.#header.decode(bytes, 0, bytes.length, rawSize) === "short") throw badEntry(offset, "header is cut short");
    return { read: packBytes, at: offset + this.#header.headerBytes, end, size: this.#header.size };
  }

  /** Loads the base outside the pack in which a node's chain ends, if the chain has to be made again. */
  async #loadOutside(node: number): Promise<void> {
    const { entries, inflating, intake, outside, large } = this.#input;
    let at = node;
    while (at < this.#count) {
      if (this.#heldNode(at) !== undefined || !entries.isDelta(at)) return;
      at = this.#baseOf(at);
    }
    const base = this.#outside[at - this.#count];
    if (base === undefined || base.large !== undefined || this.#heldNode(at) !== undefined) return;
    const name = intake.names.copy(base.index);
    const object = await outside.read(name);
    if (object !== undefined) {
      base.held = inflating.hold(object.bytes);
      return;
    }
    const unpacked = await unpackBase({ large, inflating }, at, await outside.chainOf(name));
    if (unpacked.kind === "large") base.large = unpacked;
    else base.held = inflating.hold(unpacked.bytes);
  }

  /** Resolves an entry in memory. Returns false if it, its base or its result is too large for that. */
  async #resolveHeld(batch: EntryBatch, number: number, base: number): Promise<boolean> {
    const { inflating, intake, budget } = this.#input;
    if (this.#heldNode(base) === undefined) await this.#loadOutside(base);
    if (this.#isTooLarge(number) || this.#isTooLarge(base)) return false;
    let held = this.#heldNode(base) ?? (await this.#hold(batch, base));
    if (inflating.ring.isOld(held.position)) held = this.#keep(base, inflating.refresh(held));
    const delta = this.#inflate(batch, number) ?? (await this.#inflateUnread(number));
    const size = inflating.resultSize(delta);
    if (size > inflating.wholeBytes) return false;
    budget.take(size);
    const result = inflating.applyDelta(held, delta);
    const kept = this.#heldNode(base);
    intake.accept(number, this.#typeOf(base), result, kept && { held: kept, isOfPack: base < this.#count });
    return true;
  }

  #heldNode(node: number): Held | undefined {
    const { entries, inflating } = this.#input;
    if (node < this.#count) {
      const position = entries.ringOf(node);
      if (position < 0 || !inflating.ring.holds(position)) return undefined;
      return { position, size: entries.sizeOf(node) };
    }
    const held = this.#outside[node - this.#count]?.held;
    return held !== undefined && inflating.ring.holds(held.position) ? held : undefined;
  }

  #keep(node: number, held: Held): Held {
    if (node < this.#count) {
      this.#input.entries.setRing(node, held.position);
    } else {
      const base = this.#outside[node - this.#count];
      if (base !== undefined) base.held = held;
    }
    return held;
  }

  /** Makes a resolved node's content again, from the nearest base that is still held. */
  async #hold(batch: EntryBatch, node: number): Promise<Held> {
    const { entries, inflating, large } = this.#input;
    const chain: number[] = [];
    let at = node;
    let held = this.#heldNode(at);
    while (held === undefined && at < this.#count && entries.isDelta(at)) {
      const base = this.#baseOf(at);
      if (large.has(base)) held = this.#keep(at, await this.#heldOfLarge(at, base));
      else {
        chain.push(at);
        at = base;
        held = this.#heldNode(at);
      }
    }
    if (held === undefined) {
      if (at >= this.#count) throw new CorruptStore("a base outside the pack was not loaded");
      held = this.#keep(at, this.#inflate(batch, at) ?? (await this.#inflateUnread(at)));
    }
    const { pacer } = this.#input;
    for (let number = chain.pop(); number !== undefined; number = chain.pop()) {
      pacer.add(held.size);
      if (pacer.isDue) await pacer.pace();
      if (inflating.ring.isOld(held.position)) held = inflating.refresh(held);
      const delta = this.#inflate(batch, number) ?? (await this.#inflateUnread(number));
      held = this.#keep(number, inflating.applyDelta(held, delta));
    }
    return held;
  }

  /** Makes the content of a node again that builds on a large one, and is none itself. */
  async #heldOfLarge(number: number, base: number): Promise<Held> {
    const result = await this.#input.large.apply(number, base, await this.#deflated(number));
    if (result.kind !== "held") throw new CorruptStore("an object that was held is too large for that");
    return result.held;
  }

  /** Inflates an entry that the batch has read; `undefined` if the batch does not have it. */
  #inflate(batch: EntryBatch, number: number): Held | undefined {
    const { inflating, rawSize, entries } = this.#input;
    const bytes = batch.bytesOf(number);
    if (bytes === undefined) return undefined;
    if (this.#header.decode(bytes, 0, bytes.length, rawSize) === "short")
      throw badEntry(entries.offsetOf(number), "header is cut short");
    const inflation = inflating.startInflating(this.#header.size);
    if (!inflating.inflateMore(inflation, bytes.subarray(this.#header.headerBytes))) {
      throw badEntry(entries.offsetOf(number), "inflated data is cut short");
    }
    return inflation.held;
  }

  /** Inflates an entry that found no room in the batch, in pieces. */
  async #inflateUnread(number: number): Promise<Held> {
    const { inflating, packBytes } = this.#input;
    const { at, end, size } = await this.#deflated(number);
    if (size > inflating.wholeBytes) throw tooLargeToHold("object", size, inflating.wholeBytes);
    const inflation = inflating.startInflating(size);
    for (let from = at; from < end; from += READ_BYTES) {
      if (inflating.inflateMore(inflation, await packBytes(from, Math.min(READ_BYTES, end - from))))
        return inflation.held;
    }
    throw badEntry(this.#input.entries.offsetOf(number), "inflated data is cut short");
  }
}
