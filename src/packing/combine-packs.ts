/**
 * Combines packs of one repository into one. Deflated bytes are copied as they are, and objects that several packs have
 * are kept once. They are not inflated: each entry is checked against the CRC-32 of its index, as git does when it reuses
 * entries. Where it is asked for, deltas are made where there are none, and written in place of whole entries.
 *
 * The new pack has commits and tags first, then trees, then blobs, each from the oldest pack to the youngest. So a base
 * comes before its deltas, which build on it by distance. What completion appended to the packs, and none of them has
 * otherwise, comes last, as in a pack that was pushed.
 *
 * @packageDocumentation
 * @see git-pack-objects(1)
 */
import { f64At, i32At, present, u32At, u8At } from "../bytes/assert.ts";
import { CorruptStore, HostBusy } from "../bytes/failure.ts";
import { freeMemory } from "../bytes/free-memory.ts";
import type { PackRecord } from "../catalog/pack-record.ts";
import { EntryHeader, MAX_ENTRY_HEADER_BYTES, encodeEntryHeader, encodeOfsDelta } from "../format/pack-entry.ts";
import type { PackTables } from "../format/pack-index-encoder.ts";
import { typeAtPosition } from "../format/pack-types.ts";
import { TYPE_NUMBER, OFS_DELTA, REF_DELTA } from "../object/object-type.ts";
import { type ObjectFormat, objectFormat } from "../object/object-id.ts";
import type { RepositoryRecord } from "../refs/ref-store.ts";
import { openObjects, type ReadRepository } from "../repository/open-objects.ts";
import type { Repository } from "../repository/repository.ts";
import { hasCycle } from "../store/ingest/delta-forest.ts";
import { CombinedEntries, type EntryChoice, type SourcePack } from "./combined-entries.ts";
import { type MadeDelta, searchMemory, SEEKING } from "./delta-search.ts";
import { findDeltas } from "./find-deltas.ts";
import { memoryFor, partBytesFor } from "./combining-memory.ts";
import { type EntryRange, EntryReader } from "./entry-reader.ts";
import type { PackOutput } from "./pack-output.ts";
import { streamRun } from "./stored-run.ts";
import { writePack } from "./write-pack.ts";

/** The longest chain of deltas that combining makes where it can choose: what `git repack` makes at most. */
const MOST_DEPTH = 50;

/** The types of objects in the order of their passes. */
const PASSES: readonly (readonly number[])[] = [
  [TYPE_NUMBER.commit, TYPE_NUMBER.tag],
  [TYPE_NUMBER.tree],
  [TYPE_NUMBER.blob],
];

/** The input of combining packs. */
export type CombineInput = {
  readonly repository: Pick<Repository, "crc32" | "limits" | "now" | "kernels" | "deflate"> & ReadRepository;
  readonly record: Pick<RepositoryRecord, "id" | "objectFormat">;
  /** The packs to combine, oldest first. */
  readonly packs: readonly PackRecord[];
  /** The stem of the keys to write. */
  readonly packName: string;
  /** Whether to look for deltas where the packs have none: see `delta-search.ts`. */
  readonly seeksDeltas?: boolean;
  /** Which of the objects are taken; all of them if absent. */
  readonly choice?: EntryChoice & {
    /**
     * Makes the entry anew that begins at `offset` of the pack at this place of `packs`, for a delta whose base is not
     * taken.
     */
    readonly whole: (pack: number, offset: number) => AsyncIterable<Uint8Array>;
  };
};

type MadeDeltas = ReadonlyMap<number, MadeDelta>;
const NONE_MADE: MadeDeltas = new Map();

/** Writes the new pack. */
class Combining {
  readonly #input: CombineInput;
  readonly #format: ObjectFormat;
  readonly #entries: CombinedEntries;
  readonly #output: PackOutput;
  /** By slot: where the object's entry begins in the new pack; 0 if it is not written yet. */
  readonly #placed: Float64Array<ArrayBuffer>;
  readonly #crcs: Uint32Array<ArrayBuffer>;
  readonly #depths: Uint8Array<ArrayBuffer>;
  /** By slot: the base of the delta that is written; -1 for a whole entry. */
  readonly #bases: Int32Array<ArrayBuffer>;
  readonly #header = new EntryHeader();
  readonly #newHeader = new Uint8Array(MAX_ENTRY_HEADER_BYTES);
  /** By slot: the deltas that are written in place of whole entries. */
  readonly #made: MadeDeltas;

  constructor(input: CombineInput, entries: CombinedEntries, output: PackOutput, made: MadeDeltas) {
    this.#input = input;
    this.#made = made;
    this.#format = objectFormat(input.record.objectFormat);
    this.#entries = entries;
    this.#output = output;
    this.#placed = new Float64Array(entries.count);
    this.#crcs = new Uint32Array(entries.count);
    this.#depths = new Uint8Array(entries.count);
    this.#bases = new Int32Array(entries.count).fill(-1);
  }

  /** Returns the columns that an index is written from, for the objects in these slots. */
  columns(slots: Uint32Array): Omit<PackTables, "format" | "packChecksum"> {
    const { rawSize } = this.#format;
    const names = new Uint8Array(slots.length * rawSize);
    for (const [i, slot] of slots.entries())
      names.set(this.#entries.names.subarray(slot * rawSize, (slot + 1) * rawSize), i * rawSize);
    return {
      count: slots.length,
      order: Uint32Array.from(slots, (_, i) => i),
      names,
      stride: rawSize,
      crcs: Uint32Array.from(slots, (slot) => u32At(this.#crcs, slot)),
      offsets: Float64Array.from(slots, (slot) => f64At(this.#placed, slot)),
    };
  }

  /** Writes all entries. Returns the number of those before the ones that completion appended, and where they end. */
  async run(): Promise<{ ownObjects: number; ownBytes: number }> {
    await this.#output.begin(this.#entries.kept);
    let ownObjects = 0;
    for (const types of PASSES) {
      for (const source of this.#entries.sources) {
        ownObjects += await this.#copyFrom(
          source,
          (rank) => rank < source.handle.record.ownObjects || !this.#isAppended(source, rank),
          types,
        );
      }
    }
    const ownBytes = this.#output.offset;
    for (const source of this.#entries.sources) await this.#copyFrom(source, () => true);
    this.#checkBases();
    return { ownObjects, ownBytes };
  }

  /** Checks that no object builds on itself: with such a pack in their place, the packs that are combined would be lost. */
  #checkBases(): void {
    const baseOf = (slot: number): number => i32At(this.#bases, slot);
    if (hasCycle({ isDelta: (slot) => baseOf(slot) >= 0 }, this.#entries.count, baseOf))
      throw new CorruptStore("an object builds on itself", { pack: this.#input.packName });
  }

  #isAppended({ first }: SourcePack, rank: number): boolean {
    return this.#entries.isAppended(this.#entries.slotOf(first + rank));
  }

  /** Copies the entries of a pack that are chosen, of these types, and not written yet. Returns how many there were. */
  async #copyFrom(source: SourcePack, isWanted: (rank: number) => boolean, types?: readonly number[]): Promise<number> {
    const { order, first, handle } = source;
    const ranks: number[] = [];
    const ranges: EntryRange[] = [];
    for (let rank = 0; rank < order.count; rank++) {
      const isOfType = types?.includes(typeAtPosition(source.types, order.positionAt(rank))) ?? true;
      if (!isOfType || !this.#isToCopy(first + rank) || !isWanted(rank)) continue;
      ranks.push(rank);
      ranges.push({ offset: order.offsetAt(rank), end: order.offsetAt(rank + 1) });
    }
    if (ranks.length === 0) return 0;
    const reader = new EntryReader(handle, ranges, this.#input.repository.pacer);
    let copied = 0;
    try {
      for (const [i, rank] of ranks.entries()) {
        await this.#input.repository.pacer.pace();
        const range = ranges[i];
        if (range !== undefined && (await this.#copyEntry(source, rank, range, reader))) copied++;
      }
    } finally {
      await reader.close();
    }
    return copied;
  }

  #isToCopy(entry: number): boolean {
    return this.#entries.isChosen(entry) && f64At(this.#placed, this.#entries.slotOf(entry)) === 0;
  }

  /** Copies an entry; not if the object is taken from another pack, where it is whole, because its chain is too long. */
  async #copyEntry(source: SourcePack, rank: number, range: EntryRange, reader: EntryReader): Promise<boolean> {
    const { handle, order, first } = source;
    const slot = this.#entries.slotOf(first + rank);
    const made = this.#made.get(slot);
    if (made !== undefined) return await this.#writeMade(slot, made);
    const isShort = EntryReader.isShort(range);
    const bytes = isShort
      ? await reader.read(range)
      : await handle.readRun(range.offset, Math.min(MAX_ENTRY_HEADER_BYTES, range.end - range.offset));
    const { rawSize } = this.#format;
    if (this.#header.decode(bytes, 0, bytes.length, rawSize) === "short")
      throw new CorruptStore("the pack ends within an entry", { pack: handle.record.name, offset: range.offset });
    const base = this.#baseOf(source, range.offset, bytes);
    if (base >= 0 && !this.#entries.isKept(base)) return await this.#writeWhole(slot, source, range.offset);
    const depth = base < 0 ? 0 : u8At(this.#depths, base) + 1;
    if (depth > MOST_DEPTH && this.#entries.takeWhole(slot)) return false;
    this.#depths[slot] = Math.min(depth, 255);
    this.#bases[slot] = base;
    this.#placed[slot] = this.#output.offset;
    const replaced = await this.#writeHeader(slot, base, bytes);
    const { crc32 } = this.#input.repository;
    let crc = crc32(0, bytes.subarray(0, replaced));
    const sum = async (piece: Uint8Array): Promise<void> => {
      crc = crc32(crc, piece);
      this.#crcs[slot] = crc32(u32At(this.#crcs, slot), piece);
      await this.#output.append(piece);
    };
    if (isShort) await sum(bytes.subarray(replaced));
    else await streamRun(handle, { offset: range.offset + replaced, length: range.end - range.offset - replaced }, sum);
    if (crc !== order.index.crcAt(order.positionAt(rank)))
      throw new CorruptStore("the entry's CRC-32 is wrong", { pack: handle.record.name, offset: range.offset });
    return true;
  }

  /** Writes a delta that was made anew. */
  async #writeMade(slot: number, { base, size, deflated }: MadeDelta): Promise<boolean> {
    this.#depths[slot] = Math.min(u8At(this.#depths, base) + 1, 255);
    this.#bases[slot] = base;
    this.#placed[slot] = this.#output.offset;
    const header = this.#newHeader.subarray(0, this.#writeBase(base, size));
    const { crc32 } = this.#input.repository;
    this.#crcs[slot] = crc32(crc32(0, header), deflated);
    await this.#output.append(header);
    await this.#output.append(deflated);
    return true;
  }

  /** Writes an entry without its base, which is not taken. */
  async #writeWhole(slot: number, { handle }: SourcePack, offset: number): Promise<boolean> {
    const { choice, packs, repository } = this.#input;
    const pack = packs.indexOf(handle.record);
    this.#placed[slot] = this.#output.offset;
    for await (const bytes of present(choice, "a choice").whole(pack, offset)) {
      this.#crcs[slot] = repository.crc32(u32At(this.#crcs, slot), bytes);
      await this.#output.append(bytes);
    }
    return true;
  }

  /** Returns the slot of the base of the entry whose header was decoded; -1 if it is no delta. */
  #baseOf({ order, first, handle }: SourcePack, offset: number, bytes: Uint8Array): number {
    const { type, distance, baseAt } = this.#header;
    if (type === OFS_DELTA) return this.#entries.slotOf(first + order.rankOf(offset - distance));
    if (type !== REF_DELTA) return -1;
    const slot = this.#entries.slotOfName(bytes.subarray(baseAt, baseAt + this.#format.rawSize));
    if (slot < 0) throw new CorruptStore("a delta's base is not in its pack", { pack: handle.record.name, offset });
    return slot;
  }

  /** Writes the header of an entry. Returns the number of bytes of the old header. */
  async #writeHeader(slot: number, base: number, bytes: Uint8Array): Promise<number> {
    const { type, size, headerBytes } = this.#header;
    const into = this.#newHeader;
    let end = encodeEntryHeader(type, size, into, 0);
    if (base >= 0) end = this.#writeBase(base, size);
    else if (end !== headerBytes) {
      // Another encoder may have written the size in more bytes than it takes.
      into.set(bytes.subarray(0, headerBytes));
      end = headerBytes;
    }
    const header = into.subarray(0, end);
    this.#crcs[slot] = this.#input.repository.crc32(0, header);
    await this.#output.append(header);
    return headerBytes;
  }

  /**
   * Encodes the header of a delta: by distance if its base is written already. A base that completion appended has to be
   * named, because clones send what comes before it without it.
   */
  #writeBase(base: number, size: number): number {
    const into = this.#newHeader;
    const placed = f64At(this.#placed, base);
    if (placed > 0 && !this.#entries.isAppended(base)) return encodeOfsDelta(size, this.#output.offset - placed, into);
    const at = encodeEntryHeader(REF_DELTA, size, into, 0);
    const { rawSize } = this.#format;
    into.set(this.#entries.names.subarray(base * rawSize, (base + 1) * rawSize), at);
    return at + rawSize;
  }

  free(): void {
    for (const list of [this.#placed, this.#crcs, this.#depths, this.#bases]) freeMemory(list);
  }
}

/**
 * Writes one pack with the objects of `packs` that are taken; returns `undefined` if none is. The pack is in no catalog
 * yet: if none comes to name it, the caller deletes its keys. Its mark is not set; the store of the catalog knows
 * whether it may be.
 *
 * @throws CorruptStore if a pack or its index is damaged.
 * @throws HostBusy if the isolate has no room for it.
 */
export async function combinePacks(input: CombineInput): Promise<PackRecord | undefined> {
  const { repository, record, packs } = input;
  const format = objectFormat(record.objectFormat);
  const partBytes = partBytesFor(packs, format.rawSize, repository.limits.memoryPackBytes);
  const held = memoryFor(packs, format.rawSize, partBytes);
  // It is waited for with nothing in hand: what is held while one waits keeps others from ending.
  await repository.memory.claim({ bytes: held });
  let entries: CombinedEntries | undefined;
  try {
    const database = openObjects(repository, record, packs);
    entries = await CombinedEntries.load(database.packs, format, repository.pacer, input.choice);
    if (entries.kept === 0) return undefined;
    const made = input.seeksDeltas === true ? await findIfRoom({ repository, database, entries }) : NONE_MADE;
    let bytes = 0;
    for (const { deflated } of made.values()) bytes += deflated.length;
    repository.memory.hold(bytes);
    try {
      return await writeCombined(input, entries, made, partBytes);
    } finally {
      repository.memory.hold(-bytes);
    }
  } finally {
    entries?.free();
    repository.memory.giveBack(held);
  }
}

/** Finds deltas; none where there are too many objects, or the isolate is full: packs are combined without. */
async function findIfRoom(input: Parameters<typeof findDeltas>[0]): Promise<MadeDeltas> {
  const { memory } = input.repository;
  if (input.entries.count > SEEKING.mostObjects) return NONE_MADE;
  const bytes = searchMemory(input.entries);
  if (memory.othersWait || !memory.hasRoom(bytes)) return NONE_MADE;
  memory.hold(bytes);
  try {
    return await findDeltas(input);
  } catch (error) {
    if (error instanceof HostBusy) return NONE_MADE;
    throw error;
  } finally {
    memory.hold(-bytes);
  }
}

async function writeCombined(
  input: CombineInput,
  entries: CombinedEntries,
  made: MadeDeltas,
  partBytes: number,
): Promise<PackRecord> {
  const { repository, record, packName } = input;
  let combining: Combining | undefined;
  try {
    return await writePack(
      { repository, record, packName, partBytes },
      {
        copy: async (output) => {
          combining = new Combining(input, entries, output, made);
          return { objects: entries.kept, ...(await combining.run()) };
        },
        describe: async (write) => {
          const slots = entries.keptSlots();
          const columns = present(combining, "what was combined").columns(slots);
          return await write({ columns, types: entries.typesOf(slots) });
        },
      },
    );
  } finally {
    combining?.free();
  }
}
