/**
 * Reads objects out of stored packs. It follows a delta chain down and applies the deltas upwards, and keeps the
 * results in the ring as bases for later reads. A reader serves one request, and reads one object at a time.
 *
 * @packageDocumentation
 */
import { i32At, itemAt, u32At } from "../bytes/assert.ts";
import { CorruptStore, LimitExceeded, MissingObject, storedFault, unlessTooLarge } from "../bytes/failure.ts";
import { toHex } from "../bytes/hex.ts";
import { EntryHeader, MAX_ENTRY_HEADER_BYTES } from "../format/pack-entry.ts";
import { OFS_DELTA, REF_DELTA, typeOfNumber } from "../object/object-type.ts";
import { HeldObjects, type ReadObject } from "./held-objects.ts";
import type { DeflatedEntry } from "./inflate-stream.ts";
import { type Held, type Inflating, type Inflation, tooLargeToHold } from "./inflating.ts";
import type { ObjectDatabase } from "./object-database.ts";
import type { PackHandle } from "./pack-handle.ts";
import { KeptBase, readLargeContent, type StoredChain } from "./large-content.ts";
import { storedObjectSize } from "./object-size.ts";
import { READ_STEPS, ReaderAtHand } from "./reader-at-hand.ts";

/** An object outside the ring, with its type number. */
export type ObjectCopy = { readonly type: number; readonly bytes: Uint8Array };

/** The steps charged to the pacer for each delta below an object. */
const CHAIN_STEPS = 20;
/** The most bytes of entries too large to be held that one request reads for the sake of objects that are small themselves. */
const MOST_BELOW_BYTES = 1024 * 1024 * 1024;

/** Bytes of a run up to which it is read in blocks that are kept: deltas of small objects lie near each other. */
const SHORT_RUN_BYTES = 4096;

/** Reads objects into an {@link Inflating}'s ring. */
export class ObjectReader {
  readonly #database: ObjectDatabase;
  readonly #inflating: Inflating;
  readonly #header = new EntryHeader();
  readonly #held: HeldObjects;
  readonly #atHand: ReaderAtHand;
  #belowBytes = MOST_BELOW_BYTES;
  /** What the object that was too large to be held, or built from one, was made from last. */
  readonly keptBase: KeptBase;

  constructor(database: ObjectDatabase, inflating: Inflating) {
    this.#database = database;
    this.#inflating = inflating;
    this.#held = new HeldObjects(inflating.ring);
    this.#atHand = new ReaderAtHand(database, inflating, this.#held);
    this.keptBase = new KeptBase(database.context.memory);
  }

  /** Frees the table of held objects, and what large ones were made from. The reader must not be used afterwards. */
  close(): void {
    this.keptBase.forget();
    this.#held.free();
  }

  /**
   * Reads an object by raw name. It stays in the ring until later reads overwrite it.
   *
   * @throws MissingObject, CorruptStore, LimitExceeded
   */
  async read(name: Uint8Array): Promise<ReadObject> {
    const { pack, offset } = this.#database.offsetAtHand(name) ?? (await this.#database.offsetOf(name));
    return await this.readAt(pack, offset);
  }

  /** As {@link ReaderAtHand.read}: it is synchronous, and returns `undefined` where only {@link read} can tell more. */
  readAtHand(name: Uint8Array): ReadObject | undefined {
    return this.#atHand.read(name);
  }

  /**
   * Reads an object by raw name and returns a copy of it, also where the object is small enough to be held and an entry that it is
   * built from is not.
   *
   * @throws MissingObject, CorruptStore, LimitExceeded
   */
  async readCopy(name: Uint8Array): Promise<ObjectCopy> {
    try {
      const { type, held } = await this.read(name);
      return { type, bytes: this.#inflating.bytes(held).slice() };
    } catch (error) {
      const copy = error instanceof LimitExceeded ? await this.#copyFromLarge(name) : undefined;
      if (copy === undefined) throw error;
      return copy;
    }
  }

  /**
   * Makes an object that is built from entries too large to be held, piece by piece; `undefined` if it is too large itself, or if the
   * request has done so too often.
   */
  async #copyFromLarge(name: Uint8Array): Promise<ObjectCopy | undefined> {
    const size = await this.sizeOf(name);
    if (size > this.#inflating.wholeBytes) return undefined;
    const chain = await this.chainOf(name);
    const below = chain.entries.reduce((sum, entry) => sum + entry.size, 0);
    if (below > this.#belowBytes) return undefined;
    this.#belowBytes -= below;
    return { type: chain.type, bytes: await readLargeContent(this.#inflating, chain, size, this.keptBase) };
  }

  /** Returns an object's type number, and reads as little as possible for that. @throws MissingObject, CorruptStore */
  async typeOf(name: Uint8Array): Promise<number> {
    const { packs, positions } = await this.#database.locate(name);
    const type = await this.#typeAt(i32At(packs, 0), u32At(positions, 0));
    if (type === 0) throw new MissingObject(toHex(name));
    return type;
  }

  /** Returns the type number of the object at a position of a pack's index; 0 if there is no such pack. */
  async #typeAt(pack: number, position: number): Promise<number> {
    const handle = this.#database.packs[pack];
    if (handle === undefined) return 0;
    const [type] = handle.typesAtHand ? await handle.types([position]) : [];
    if (type !== undefined) return type;
    // Most callers read the object next: the entries tell its type, and no other file is needed.
    const [offset = 0] = await handle.offsets([position]);
    const { at } = await this.#chainBelow(pack, handle, offset);
    const held = this.#heldAt(pack, at);
    if (held !== undefined) return held.type;
    await this.#readHeader(handle, at);
    return this.#header.type;
  }

  /**
   * Returns the type number of each raw name, 0 for those that are nowhere, from the entries themselves. It suits a few
   * names that are going to be read anyway; `ObjectDatabase.typesOf` suits many.
   */
  async typesOfFew(names: Uint8Array): Promise<Uint8Array> {
    await this.prefetch(names);
    const { packs, positions } = await this.#database.locate(names);
    const types = new Uint8Array(packs.length);
    for (const [i, pack] of packs.entries()) types[i] = await this.#typeAt(pack, u32At(positions, i));
    return types;
  }

  /**
   * Reads ahead the beginnings of the entries of these raw names (one after the other), all at once. Names that are
   * nowhere are skipped.
   */
  async prefetch(names: Uint8Array): Promise<void> {
    const { packs, positions } = await this.#database.locate(names);
    const byPack = new Map<number, number[]>();
    for (const [i, pack] of packs.entries()) {
      const list = byPack.get(pack);
      if (list === undefined) byPack.set(pack, [u32At(positions, i)]);
      else list.push(u32At(positions, i));
    }
    await Promise.all(
      [...byPack].map(async ([pack, found]) => {
        const handle = this.#database.packs[pack];
        if (handle !== undefined) await handle.prefetch(await handle.offsets(found));
      }),
    );
  }

  /**
   * As {@link readCopy}, but returns `undefined` if the object is too large to be held.
   *
   * @throws MissingObject, CorruptStore
   */
  async copyIfHeld(name: Uint8Array): Promise<ObjectCopy | undefined> {
    return await unlessTooLarge(this.readCopy(name));
  }

  /**
   * Reads the object whose entry begins at `offset` of a pack; `undefined` if it, or an entry that it is built from, is too large to
   * be held.
   *
   * @throws CorruptStore
   */
  async readAtIfHeld(pack: number, offset: number): Promise<ReadObject | undefined> {
    return await unlessTooLarge(this.readAt(pack, offset));
  }

  /** Returns the entries that make an object. @throws MissingObject, CorruptStore */
  async chainOf(name: Uint8Array): Promise<StoredChain> {
    const { pack, offset } = await this.#database.offsetOf(name);
    return await this.chainAt(pack, offset);
  }

  /**
   * Returns the entries that make the object whose entry begins at `offset` of the pack with this number.
   *
   * @throws CorruptStore
   */
  async chainAt(pack: number, offset: number): Promise<StoredChain> {
    const handle = this.#packAt(pack);
    const entries: DeflatedEntry[] = [];
    const seen = new Set<number>();
    for (let at: number | undefined = offset; at !== undefined; at = await this.#baseOf(handle, at)) {
      if (seen.has(at)) throw new CorruptStore("delta cycle", { pack: handle.record.name, offset: at });
      seen.add(at);
      await this.#readHeader(handle, at);
      const { size, headerBytes } = this.#header;
      entries.push({
        read: async (from, length) => await this.#run(handle, from, length),
        at: at + headerBytes,
        end: handle.record.packBytes - this.#database.context.format.rawSize,
        size,
      });
    }
    return { type: this.#header.type, pack: handle.record.name, entries };
  }

  /**
   * Returns an object's size in bytes, and reads no more than its entry's beginning for that.
   *
   * @throws MissingObject, CorruptStore
   */
  async sizeOf(name: Uint8Array): Promise<number> {
    const { pack, offset } = await this.#database.offsetOf(name);
    const handle = this.#packAt(pack);
    const held = this.#heldAt(pack, offset);
    if (held !== undefined) return held.held.size;
    const { rawSize } = this.#database.context.format;
    return await storedObjectSize({ handle, rawSize, inflating: this.#inflating }, offset);
  }

  /**
   * Reads the object whose entry begins at `offset` of the pack with this number. It yields to other requests when the
   * pacer says so.
   */
  async readAt(pack: number, offset: number): Promise<ReadObject> {
    const handle = this.#packAt(pack);
    try {
      const object = await this.#readAt(handle, pack, offset);
      const { pacer } = this.#database.context;
      pacer.add(READ_STEPS);
      if (pacer.isDue) await pacer.pace();
      return object;
    } catch (error) {
      throw storedFault(error, { pack: handle.record.name, offset });
    }
  }

  #packAt(pack: number): PackHandle {
    return itemAt(this.#database.packs, pack);
  }

  async #readAt(handle: PackHandle, pack: number, offset: number): Promise<ReadObject> {
    try {
      return await this.#make(handle, pack, offset);
    } catch (error) {
      if (!(error instanceof LimitExceeded)) throw error;
      // The entry at fault may be a delta or a base; the message names the size of the object.
      const { rawSize } = this.#database.context.format;
      const size = await storedObjectSize({ handle, rawSize, inflating: this.#inflating }, offset);
      const { wholeBytes } = this.#inflating;
      throw size > wholeBytes ? tooLargeToHold("stored object", size, wholeBytes) : error;
    }
  }

  async #make(handle: PackHandle, pack: number, offset: number): Promise<ReadObject> {
    const { chain, at } = await this.#chainBelow(pack, handle, offset);
    let base = this.#heldAt(pack, at);
    if (base === undefined) {
      await this.#readHeader(handle, at);
      base = this.#keep(pack, at, this.#header.type, await this.#inflate(handle, at));
    }
    const { pacer } = this.#database.context;
    for (let entry = chain.pop(); entry !== undefined; entry = chain.pop()) {
      // Some bytes of delta make as many megabytes as can be held, and a chain may have any number of them.
      if (pacer.isDue) await pacer.pace();
      await this.#readHeader(handle, entry);
      const held = this.#inflating.ring.isOld(base.held.position) ? this.#inflating.refresh(base.held) : base.held;
      const delta = await this.#inflate(handle, entry);
      base = this.#keep(pack, entry, base.type, this.#inflating.applyDelta(held, delta));
    }
    return base;
  }

  /** Whether the object whose entry begins at `offset` of the pack with this number is in the ring. */
  isHeld(pack: number, offset: number): boolean {
    return this.#held.has(pack, offset);
  }

  /**
   * Returns the offset at which the entry that begins at `offset` ends, by inflating it; `undefined` if it is too large
   * for that.
   */
  async entryEnd(pack: number, offset: number): Promise<number | undefined> {
    const handle = this.#packAt(pack);
    await this.#readHeader(handle, offset);
    const { headerBytes, size } = this.#header;
    if (size > this.#inflating.wholeBytes) return undefined;
    return offset + headerBytes + (await this.#inflateEntry(handle, offset)).consumed;
  }

  /**
   * Follows an entry's bases down to the first that is held or is not a delta (`at`). `chain` holds the offsets of the
   * deltas above it, the uppermost first.
   */
  async #chainBelow(pack: number, handle: PackHandle, offset: number): Promise<{ chain: number[]; at: number }> {
    const chain: number[] = [];
    const seen = new Set<number>();
    const { pacer } = this.#database.context;
    let at = offset;
    while (!this.#held.has(pack, at)) {
      pacer.add(CHAIN_STEPS);
      if (pacer.isDue) await pacer.pace();
      await this.#readHeader(handle, at);
      const next = await this.#baseOf(handle, at);
      if (next === undefined) break;
      chain.push(at);
      seen.add(at);
      if (seen.has(next)) throw new CorruptStore("delta cycle", { pack: handle.record.name, offset: next });
      at = next;
      // A base in the ring needs no byte of the pack. The rest of a chain usually lies nearby.
      if (!this.#held.has(pack, at) && handle.bytesAtHand(at) === undefined) await handle.loadAround(at);
    }
    return { chain, at };
  }

  #heldAt(pack: number, offset: number): ReadObject | undefined {
    const object = this.#held.find(pack, offset);
    if (object === undefined) return undefined;
    if (!this.#inflating.ring.isOld(object.held.position)) return object;
    return this.#keep(pack, offset, object.type, this.#inflating.refresh(object.held));
  }

  #keep(pack: number, offset: number, type: number, held: Held): ReadObject {
    const object = { type, held };
    // The object was made from another one or moved: either way its bytes were passed over once.
    this.#database.context.pacer.add(held.size >> 1);
    this.#held.keep(pack, offset, object);
    return object;
  }

  async #readHeader(handle: PackHandle, offset: number): Promise<void> {
    const rawSize = this.#database.context.format.rawSize;
    const bytes = handle.bytesAtHand(offset) ?? (await handle.bytesFrom(offset));
    if (this.#header.decode(bytes, 0, bytes.length, rawSize) === "ok") return;
    const joined = await this.#joined(handle, offset, bytes, MAX_ENTRY_HEADER_BYTES);
    if (this.#header.decode(joined, 0, joined.length, rawSize) === "short") {
      throw new CorruptStore("the pack ends within an entry", { pack: handle.record.name, offset });
    }
  }

  async #joined(handle: PackHandle, offset: number, first: Uint8Array, length: number): Promise<Uint8Array> {
    const begun = first.slice(0, length);
    const rest = await handle.bytesFrom(offset + begun.length);
    const joined = new Uint8Array(Math.min(length, begun.length + rest.length));
    joined.set(begun);
    joined.set(rest.subarray(0, joined.length - begun.length), begun.length);
    return joined;
  }

  /** Returns the offset of the base of the entry whose header was read last; `undefined` if it is not a delta. */
  async #baseOf(handle: PackHandle, offset: number): Promise<number | undefined> {
    const header = this.#header;
    if (header.type === OFS_DELTA) return offset - header.distance;
    if (header.type !== REF_DELTA) {
      if (typeOfNumber(header.type) === undefined)
        throw new CorruptStore(`entry of unknown type ${header.type}`, { pack: handle.record.name, offset });
      return undefined;
    }
    const rawSize = this.#database.context.format.rawSize;
    const bytes = await this.#bytesOf(handle, offset, header.headerBytes);
    const name = bytes.slice(header.baseAt, header.baseAt + rawSize);
    // A stored pack stands alone: the base of a ref-delta is in the same pack.
    const [position] = await handle.find(name, Uint32Array.of(0));
    if (position === undefined || position < 0)
      throw new CorruptStore("the base of a delta is not in its pack", { pack: handle.record.name, offset });
    const [base] = await handle.offsets([position]);
    return base;
  }

  async #run(handle: PackHandle, offset: number, length: number): Promise<Uint8Array> {
    if (length > SHORT_RUN_BYTES) return await handle.readRun(offset, length);
    return (await this.#bytesOf(handle, offset, length)).slice(0, length);
  }

  async #bytesOf(handle: PackHandle, offset: number, length: number): Promise<Uint8Array> {
    const bytes = await handle.bytesFrom(offset);
    return bytes.length >= length ? bytes : await this.#joined(handle, offset, bytes, length);
  }

  /** Inflates the entry whose header was read last. */
  async #inflate(handle: PackHandle, offset: number): Promise<Held> {
    return (await this.#inflateEntry(handle, offset)).held;
  }

  async #inflateEntry(handle: PackHandle, offset: number): Promise<Inflation> {
    const inflating = this.#inflating;
    const { size, headerBytes } = this.#header;
    if (size > inflating.wholeBytes) throw tooLargeToHold("stored object", size, inflating.wholeBytes);
    let at = offset + headerBytes;
    const whole = handle.bytesAtHand(offset) ?? (await handle.bytesFrom(offset));
    let bytes = whole.length > headerBytes ? whole.subarray(headerBytes) : await handle.bytesFrom(at);
    const inflation = inflating.startInflating(size);
    this.#database.context.pacer.add(size);
    while (!inflating.inflateMore(inflation, bytes)) {
      at += bytes.length;
      bytes = handle.bytesAtHand(at) ?? (await handle.bytesFrom(at));
    }
    return inflation;
  }
}
