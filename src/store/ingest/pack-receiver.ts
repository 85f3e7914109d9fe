/**
 * The first pass over a pack. It takes entries from the scanner as they arrive, and at once resolves each delta whose
 * base is still in the ring. The rest is left to the resolver.
 *
 * @packageDocumentation
 */
import { ObjectRejected } from "../../bytes/failure.ts";
import type { StreamingHash } from "../../bytes/hash.ts";
import type { PackEntryReceiver, ScannedEntry } from "../../format/pack-scanner.ts";
import { TYPE_NUMBER, OFS_DELTA, REF_DELTA, typeOfNumber } from "../../object/object-type.ts";
import type { EntryTable } from "./entry-table.ts";
import { type Held, type Inflating, tooLargeToHold } from "../inflating.ts";
import type { ObjectBudget } from "./object-budget.ts";
import type { ObjectIntake } from "./object-intake.ts";
import { NONE } from "./object-names.ts";

/** The tables that the first pass fills, and what it works with. */
export type ReceiverInput = {
  readonly entries: EntryTable;
  readonly inflating: Inflating;
  readonly intake: ObjectIntake;
  readonly packHash: StreamingHash;
  readonly budget: ObjectBudget;
};

/**
 * Bytes that deltas may make of what is fed at once, which some bytes of a pack can make by the gigabyte. What would be more is left to
 * the resolver, which makes pauses.
 */
const MADE_AT_ONCE = 8 * 1024 * 1024;

/** Receives a pack's entries. */
export class PackReceiver implements PackEntryReceiver {
  readonly #input: ReceiverInput;
  /** The number of entries that the pack's header promised. */
  declared = 0;
  /** Bytes that deltas have made of what is fed at present. */
  #made = 0;
  /** The entry being received, if it is held whole. */
  #held: Held | undefined;
  #base = NONE;

  constructor(input: ReceiverInput) {
    this.#input = input;
  }

  /** Returns what is fed next, as it is. Behind what was fed before there may be a pause, so that more may be made of it. */
  fed(piece: Uint8Array): Uint8Array {
    this.#made = 0;
    return piece;
  }

  header(count: number): void {
    this.declared = count;
  }

  consumed(at: number, length: number): void {
    this.#input.packHash.update(this.#input.inflating.kernel.memory.subarray(at, at + length));
  }

  begin(entry: ScannedEntry): number {
    const { entries, inflating, intake, budget } = this.#input;
    budget.take(entry.size);
    this.#base = this.#findBase(entry);
    entries.add(entry.offset, entry.type, entry.size);
    if (entry.type === OFS_DELTA) entries.setBase(entry.number, this.#base);
    else if (entry.type === REF_DELTA) entries.setBase(entry.number, intake.names.addAt(entry.baseAt));
    this.#held = undefined;
    const whole = entry.size <= inflating.wholeBytes;
    if (this.#isDelta(entry)) {
      // A delta whose base is not held is inflated only to be passed over, so that the ring keeps what is of use.
      if (!whole || !this.#baseIsHeld()) return -1;
    } else if (!whole) {
      this.#startPassing(entry);
      return -1;
    }
    const position = inflating.ring.reserve(entry.size);
    this.#held = { position, size: entry.size };
    return inflating.ring.pointer(position);
  }

  #isDelta(entry: ScannedEntry): boolean {
    return entry.type === OFS_DELTA || entry.type === REF_DELTA;
  }

  /** Returns the number of the base if the pack has brought it, resolved or not; else {@link NONE}. */
  #findBase(entry: ScannedEntry): number {
    const { entries, intake } = this.#input;
    if (entry.type === OFS_DELTA) {
      const base = entries.atOffset(entry.offset - entry.distance);
      if (base < 0) throw new ObjectRejected("delta base offset is out of bound");
      return base;
    }
    if (entry.type !== REF_DELTA) return NONE;
    const base = this.#findNamed(entry.baseAt);
    if (base !== NONE || intake.isSettled) return base;
    intake.settle();
    return this.#findNamed(entry.baseAt);
  }

  /** Returns the number of the entry whose object's raw name is at this address, or {@link NONE}. */
  #findNamed(nameAt: number): number {
    const { names } = this.#input.intake;
    const name = names.findAt(nameAt);
    return name === NONE ? NONE : names.entryOf(name);
  }

  #baseIsHeld(): boolean {
    const { entries, inflating } = this.#input;
    if (this.#base === NONE || entries.typeOf(this.#base) === 0) return false;
    const position = entries.ringOf(this.#base);
    return position >= 0 && inflating.ring.holds(position);
  }

  #startPassing(entry: ScannedEntry): void {
    const { inflating } = this.#input;
    if (entry.type !== TYPE_NUMBER.blob) {
      throw tooLargeToHold(typeOfNumber(entry.type) ?? "object", entry.size, inflating.wholeBytes);
    }
    inflating.kernel.hashStart(entry.type, entry.size);
  }

  piece(entry: ScannedEntry, at: number, length: number): void {
    if (!this.#isDelta(entry)) this.#input.inflating.kernel.hashUpdate(at, length);
  }

  end(entry: ScannedEntry): void {
    const { entries, inflating, intake } = this.#input;
    const { number } = entry;
    entries.setCrc(number, entry.crc);
    if (this.#isDelta(entry)) {
      if (this.#held !== undefined && this.#baseIsHeld()) this.#resolve(number, this.#held);
      return;
    }
    if (this.#held === undefined) {
      const collision = inflating.kernel.hashFinish(inflating.kernel.scratchAt);
      intake.acceptPassedBlob(number, entry.size, collision);
      return;
    }
    intake.accept(number, entry.type, this.#held, undefined);
  }

  #resolve(number: number, delta: Held): void {
    const { entries, inflating, intake, budget } = this.#input;
    const base = this.#base;
    let held: Held = { position: entries.ringOf(base), size: entries.sizeOf(base) };
    const size = inflating.resultSize(delta);
    // A result too large to be held is left to the resolver.
    if (size > inflating.wholeBytes || this.#made + size > MADE_AT_ONCE) return;
    this.#made += size;
    budget.take(size);
    if (inflating.ring.isOld(held.position) && inflating.ring.survives(delta.position, held.size, 0)) {
      held = inflating.refresh(held);
      entries.setRing(base, held.position);
    }
    const result = inflating.applyDelta(held, delta);
    const type = entries.typeOf(base);
    intake.accept(number, type, result, inflating.ring.holds(held.position) ? { held, isOfPack: true } : undefined);
  }
}
