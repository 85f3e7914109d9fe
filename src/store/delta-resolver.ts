/**
 * Resolves the deltas whose base was not at hand when they passed by: evicted from the ring, later in the pack, or not in the
 * pack at all (a thin pack). Memory stays bounded whatever the pack's size: deltas are taken in batches of a few megabytes of
 * deflated bytes, families together and bases first; each batch is read back from the bucket in few large reads.
 *
 * @packageDocumentation
 */
import { CorruptStore, LimitExceeded, ObjectRejected } from "../bytes/failure.ts";
import { KIND_NUMBER, REF_DELTA } from "../object/object-kind.ts";
import { EntryHeader, MAX_ENTRY_HEADER_BYTES, badEntry } from "../format/pack-entry.ts";
import { type BaseLookup, baseNode, resolvableOrder, unresolvedEntries } from "./delta-forest.ts";
import { EntryBatch } from "./entry-batch.ts";
import type { EntryTable } from "./entry-table.ts";
import type { Held, Inflating } from "./inflating.ts";
import type { DeflatedEntry, LargeDeltas } from "./large-deltas.ts";
import type { ObjectIntake } from "./object-intake.ts";

/** Reads `[offset, offset + length)` of the pack as it was staged. */
export type PackBytes = (offset: number, length: number) => Promise<Uint8Array>;

/** Finds bases outside the pack. */
export interface OutsideBases {
  /** Says of each raw name (one after the other) which type number the catalog has for it; 0 where it has none. */
  kindsOf(names: Uint8Array): Promise<Uint8Array>;
  read(name: Uint8Array): Promise<{ readonly kind: number; readonly bytes: Uint8Array }>;
}

/** A base that the pack does not bring. */
export type OutsideBase = {
  readonly name: Uint8Array;
  readonly index: number;
  readonly kind: number;
  held: Held | undefined;
};

/** What resolving needs of the pack being taken in. */
export type ResolverInput = {
  readonly entries: EntryTable;
  readonly inflating: Inflating;
  readonly intake: ObjectIntake;
  readonly rawSize: number;
  /** Where the entries end in the staged pack. */
  readonly packEnd: number;
  readonly packBytes: PackBytes;
  readonly outside: OutsideBases;
  readonly large: LargeDeltas;
  /** Told how many deltas are resolved so far, of how many. */
  readonly progress: (done: number, total: number) => Promise<void>;
};

/** Resolves what the first pass left; see {@link DeltaResolver.run}. */
export class DeltaResolver {
  readonly #input: ResolverInput;
  readonly #outside: OutsideBase[] = [];
  readonly #outsideByIndex = new Map<number, number>();
  readonly #header = new EntryHeader();
  readonly #lookup: BaseLookup;

  constructor(input: ResolverInput) {
    this.#input = input;
    this.#lookup = { nodeOfName: (name) => this.#nodeOfName(name) };
  }

  /** The bases outside the pack that were used, in the order found: what completes a thin pack. */
  get outsideBases(): readonly OutsideBase[] {
    return this.#outside;
  }

  /** Resolves everything. @throws ObjectRejected where a base is nowhere to be found, in git's words. */
  async run(): Promise<void> {
    const { entries, progress } = this.#input;
    const total = unresolvedEntries(entries).length;
    for (;;) {
      const unresolved = unresolvedEntries(entries);
      if (unresolved.length === 0) return;
      await progress(total - unresolved.length, total);
      const order = resolvableOrder(entries, unresolved, this.#lookup);
      if (order.length > 0) await this.#resolve(order);
      else if ((await this.#findOutside(unresolved)) === 0) {
        throw new ObjectRejected(`pack has ${unresolved.length} unresolved delta${unresolved.length === 1 ? "" : "s"}`);
      }
    }
  }

  /** Gives the content of a resolved entry, reading back whatever it takes. */
  async content(number: number): Promise<Held> {
    const batch = new EntryBatch(this.#input.entries, this.#input.packEnd);
    this.#addWithBases(batch, number);
    await batch.load(this.#input.packBytes);
    return this.#hold(batch, number);
  }

  #nodeOfName(name: number): number {
    const value = this.#input.inflating.kernel.valueOf(name);
    if (value !== 0) return value - 1;
    const outside = this.#outsideByIndex.get(name);
    return outside === undefined ? -1 : this.#input.entries.count + outside;
  }

  async #findOutside(unresolved: Uint32Array): Promise<number> {
    const { entries, inflating, rawSize, outside } = this.#input;
    const indexes = new Set<number>();
    for (const number of unresolved) {
      if (entries.packKindOf(number) !== REF_DELTA) continue;
      if (this.#nodeOfName(entries.baseOf(number)) === -1) indexes.add(entries.baseOf(number));
    }
    const names = new Uint8Array(indexes.size * rawSize);
    let used = 0;
    for (const index of indexes) {
      const at = inflating.kernel.oidAt(index);
      names.set(inflating.kernel.memory.subarray(at, at + rawSize), rawSize * used++);
    }
    const kinds = await outside.kindsOf(names);
    let found = 0;
    let i = 0;
    for (const index of indexes) {
      const kind = kinds[i] ?? 0;
      const name = names.slice(i * rawSize, (i + 1) * rawSize);
      i++;
      if (kind === 0) continue;
      found++;
      this.#outsideByIndex.set(index, this.#outside.length);
      this.#outside.push({ name, index, kind, held: undefined });
    }
    return found;
  }

  async #resolve(order: Uint32Array): Promise<void> {
    let next = 0;
    while (next < order.length) {
      const batch = new EntryBatch(this.#input.entries, this.#input.packEnd);
      const first = next;
      while (next < order.length && (next === first || !batch.full)) this.#addWithBases(batch, order[next++] ?? 0);
      await batch.load(this.#input.packBytes);
      for (let i = first; i < next; i++) {
        const number = order[i] ?? 0;
        const base = baseNode(this.#input.entries, number, this.#lookup);
        await this.#loadOutside(base);
        if (!this.#resolveOne(batch, number, base)) await this.#resolveLarge(batch, number, base);
      }
    }
  }

  /** Adds an entry and, below it, every base that may have to be made again, to what the batch reads. */
  #addWithBases(batch: EntryBatch, number: number): void {
    const { entries } = this.#input;
    let node = number;
    while (node >= 0 && node < entries.count && !this.#isTooLarge(node) && batch.add(node)) {
      if (!entries.isDelta(node)) return;
      node = baseNode(entries, node, this.#lookup);
    }
  }

  /** What an entry inflates to cannot be held; its content, if that is another's base, is in a scratch file. */
  #isTooLarge(number: number): boolean {
    const { entries, inflating, large } = this.#input;
    if (large.has(number)) return true;
    const inflates = !entries.isDelta(number) || entries.kindOf(number) === 0;
    return inflates && entries.sizeOf(number) > inflating.wholeBytes;
  }

  async #resolveLarge(batch: EntryBatch, number: number, base: number): Promise<void> {
    const { entries, intake, inflating, large } = this.#input;
    if (!large.has(base)) {
      const isBlob = base < entries.count && !entries.isDelta(base) && entries.sizeOf(base) > inflating.wholeBytes;
      if (isBlob) await large.unpack(base, await this.#deflated(base));
      else await large.keep(base, inflating.bytes(this.#hold(batch, base)).slice());
    }
    const kind = base < entries.count ? entries.kindOf(base) : (this.#outside[base - entries.count]?.kind ?? 0);
    if (kind !== KIND_NUMBER.blob) {
      throw new LimitExceeded(
        "wholeObjectBytes",
        inflating.wholeBytes,
        `an object that is no blob exceeds ${inflating.wholeBytes} bytes`,
      );
    }
    const { size, collision } = await large.apply(number, base, await this.#deflated(number));
    const name = intake.acceptPassedBlob(collision, size);
    entries.resolve(number, kind, size, name);
    inflating.kernel.setValue(name, number + 1);
  }

  /** Where the deflated data of an entry is. */
  async #deflated(number: number): Promise<DeflatedEntry> {
    const { entries, packBytes, packEnd, rawSize } = this.#input;
    const offset = entries.offsetOf(number);
    const end = number + 1 < entries.count ? entries.offsetOf(number + 1) : packEnd;
    const bytes = await packBytes(offset, Math.min(MAX_ENTRY_HEADER_BYTES, end - offset));
    if (this.#header.decode(bytes, 0, bytes.length, rawSize) === "short") throw badEntry(offset, "header is cut short");
    return { at: offset + this.#header.headerBytes, end, size: this.#header.size };
  }

  async #loadOutside(node: number): Promise<void> {
    const { entries, inflating, outside } = this.#input;
    // the chain below an entry of the pack may end outside
    let at = node;
    while (at >= 0 && at < entries.count) {
      if (this.#heldEntry(at) !== undefined || !entries.isDelta(at)) return;
      at = baseNode(entries, at, this.#lookup);
    }
    const base = this.#outside[at - entries.count];
    if (base === undefined || (base.held !== undefined && inflating.ring.holds(base.held.position))) return;
    const { bytes } = await outside.read(base.name);
    base.held = inflating.hold(bytes);
  }

  #heldEntry(number: number): Held | undefined {
    const { entries, inflating } = this.#input;
    const position = entries.ringOf(number);
    if (position < 0 || !inflating.ring.holds(position)) return undefined;
    return { position, size: entries.sizeOf(number) };
  }

  /** Resolves an entry in memory; false where it, its base or its result is too large for that. */
  #resolveOne(batch: EntryBatch, number: number, base: number): boolean {
    const { entries, inflating, intake } = this.#input;
    if (this.#isTooLarge(number) || (base < entries.count && this.#isTooLarge(base))) return false;
    let held = this.#hold(batch, base);
    if (inflating.ring.isOld(held.position)) held = this.#keep(base, inflating.refresh(held));
    const kind = base < entries.count ? entries.kindOf(base) : (this.#outside[base - entries.count]?.kind ?? 0);
    const delta = this.#inflate(batch, number);
    if (!inflating.fits(delta)) return false;
    const result = inflating.applyDelta(held, delta);
    const still = this.#heldNode(base);
    const name = intake.accept(
      kind,
      inflating.pointer(result),
      result.size,
      still === undefined ? undefined : { at: inflating.pointer(still), size: still.size },
    );
    entries.resolve(number, kind, result.size, name);
    entries.setRing(number, result.position);
    inflating.kernel.setValue(name, number + 1);
    return true;
  }

  #heldNode(node: number): Held | undefined {
    const { entries, inflating } = this.#input;
    if (node < entries.count) return this.#heldEntry(node);
    const held = this.#outside[node - entries.count]?.held;
    return held !== undefined && inflating.ring.holds(held.position) ? held : undefined;
  }

  #keep(node: number, held: Held): Held {
    const { entries } = this.#input;
    if (node < entries.count) entries.setRing(node, held.position);
    else {
      const base = this.#outside[node - entries.count];
      if (base !== undefined) base.held = held;
    }
    return held;
  }

  /** Makes a resolved node's content again, from the nearest base that is still held. Needs its chain in the batch. */
  #hold(batch: EntryBatch, node: number): Held {
    const { entries, inflating } = this.#input;
    const chain: number[] = [];
    let at = node;
    let held = this.#heldNode(at);
    while (held === undefined && at < entries.count && entries.isDelta(at)) {
      chain.push(at);
      at = baseNode(entries, at, this.#lookup);
      held = this.#heldNode(at);
    }
    if (held === undefined) {
      if (at >= entries.count) throw new CorruptStore("a base outside the pack was not loaded");
      held = this.#keep(at, this.#inflate(batch, at));
    }
    for (let number = chain.pop(); number !== undefined; number = chain.pop()) {
      if (inflating.ring.isOld(held.position)) held = inflating.refresh(held);
      held = this.#keep(number, inflating.applyDelta(held, this.#inflate(batch, number)));
    }
    return held;
  }

  #inflate(batch: EntryBatch, number: number): Held {
    const { inflating, rawSize, entries } = this.#input;
    const bytes = batch.bytesOf(number);
    if (this.#header.decode(bytes, 0, bytes.length, rawSize) === "short")
      throw badEntry(entries.offsetOf(number), "header is cut short");
    const inflation = inflating.startInflating(this.#header.size);
    if (!inflating.inflateMore(inflation, bytes.subarray(this.#header.headerBytes))) {
      throw badEntry(entries.offsetOf(number), "inflate returned -5");
    }
    return inflation.held;
  }
}
