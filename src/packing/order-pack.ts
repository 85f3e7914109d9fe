/**
 * Writes a pack anew in the order of its history, in which what an earlier state of a branch reaches lies together. Entries are copied as they are, and
 * each is checked against the CRC-32 of its index; only distances to bases change.
 *
 * The new pack is made window by window. The entries of a window lie all over the old pack, and are read in the order in which
 * they lie there. How much that will be is known before: where it is too much, nothing is written.
 *
 * @packageDocumentation
 * @see git-pack-objects(1)
 */
import { f64At, i32At, present, u32At } from "../bytes/assert.ts";
import { CorruptStore } from "../bytes/failure.ts";
import { freeMemory } from "../bytes/free-memory.ts";
import { fromHex } from "../bytes/hex.ts";
import { ORDERING, type Ordering } from "../catalog/order-plan.ts";
import type { PackRecord } from "../catalog/pack-record.ts";
import { type BitmapTable, parsePackBitmap } from "../format/pack-bitmap.ts";
import { EntryHeader, MAX_ENTRY_HEADER_BYTES, encodeOfsDelta } from "../format/pack-entry.ts";
import { PackIndex } from "../format/pack-index.ts";
import { typeAtPosition } from "../format/pack-types.ts";
import { type ObjectFormat, objectFormat } from "../object/object-id.ts";
import { OFS_DELTA } from "../object/object-type.ts";
import type { RepositoryRecord } from "../refs/ref-store.ts";
import { openObjects, type ReadRepository } from "../repository/open-objects.ts";
import type { Repository } from "../repository/repository.ts";
import type { PackHandle } from "../store/pack-handle.ts";
import { assertSound } from "../store/whole-file.ts";
import { partBytesFor } from "./combining-memory.ts";
import { historyOrder } from "./history-order.ts";
import { PackEntries } from "./pack-entries.ts";
import { isWithin, OrderWindow, windowsOf } from "./order-windows.ts";
import type { PackOutput } from "./pack-output.ts";
import { SIDE_BAND_PIECE_BYTES, streamRun } from "./stored-run.ts";
import { type NewEntries, writePack } from "./write-pack.ts";

/** The bytes of memory for each entry while it is copied; and more for its names, when the index is written. */
const ENTRY_BYTES = 32;
const INDEX_BYTES = 24;
/** Bitmaps that are larger than this are not read. */
const MOST_BITMAP_BYTES = 16 * 1024 * 1024;
/** The steps charged to the pacer for an entry, beside its bytes. */
const ENTRY_STEPS = 200;

/** The input of ordering a pack. */
export type OrderInput = {
  readonly repository: Pick<Repository, "crc32" | "limits" | "now"> & ReadRepository;
  readonly record: Pick<RepositoryRecord, "id" | "objectFormat">;
  /** The pack. It has bitmaps. */
  readonly pack: PackRecord;
  /** The stem of the keys to write. */
  readonly packName: string;
  readonly ordering?: Ordering;
};

type WriteIndex = Parameters<NewEntries["describe"]>[0];

/** What is known of the pack that is ordered. */
type Known = {
  readonly handle: PackHandle;
  readonly format: ObjectFormat;
  readonly entries: PackEntries;
  readonly bases: Int32Array<ArrayBuffer>;
  /** The ranks of the entries in the order in which they are written. */
  readonly order: Uint32Array<ArrayBuffer>;
};

/** Writes the entries. */
class Copying {
  readonly #input: OrderInput;
  readonly #known: Known;
  readonly #output: PackOutput;
  readonly #ordering: Ordering;
  readonly #header = new EntryHeader();
  readonly #newHeader = new Uint8Array(MAX_ENTRY_HEADER_BYTES);
  /** By rank: where the entry begins in the new pack. */
  readonly #placed: Float64Array<ArrayBuffer>;

  constructor(input: OrderInput, known: Known, output: PackOutput, ordering: Ordering) {
    this.#input = input;
    this.#known = known;
    this.#output = output;
    this.#ordering = ordering;
    this.#placed = new Float64Array(known.entries.count);
  }

  /** Writes all entries. Between two windows their memory is free for those who wait for some. */
  async run(): Promise<void> {
    const { memory, pacer } = this.#input.repository;
    const { handle, entries, order } = this.#known;
    await this.#output.begin(entries.count);
    for (const range of windowsOf(order, entries, this.#ordering)) {
      await memory.claim({ bytes: range.bytes });
      const window = new OrderWindow(order, entries, range, this.#ordering);
      try {
        await window.load(handle, pacer);
        for (let at = range.from; at < range.to; at++) {
          const rank = u32At(order, at);
          const bytes = window.entryAt(rank);
          if (bytes === undefined) await this.#copyLarge(rank);
          else if (this.#output.hasRoom(bytes.length + MAX_ENTRY_HEADER_BYTES)) this.#copyNow(rank, bytes);
          else await this.#copyWaiting(rank, bytes);
          pacer.add(ENTRY_STEPS + 2 * entries.lengthAt(rank));
          if (pacer.isDue) await pacer.pace();
        }
      } finally {
        window.free();
        memory.giveBack(range.bytes);
      }
    }
  }

  /** Returns where the entries begin in the new pack, in its order. */
  placesInOrder(): Float64Array<ArrayBuffer> {
    return Float64Array.from(this.#known.order, (rank) => f64At(this.#placed, rank));
  }

  async #copyWaiting(rank: number, bytes: Uint8Array): Promise<void> {
    await this.#output.flush();
    if (this.#output.hasRoom(bytes.length + MAX_ENTRY_HEADER_BYTES)) this.#copyNow(rank, bytes);
    else await this.#output.append(this.#begin(rank, bytes, true));
  }

  #copyNow(rank: number, bytes: Uint8Array): void {
    this.#output.appendNow(this.#begin(rank, bytes, true));
  }

  /** Copies an entry that no window holds. */
  async #copyLarge(rank: number): Promise<void> {
    const { crc32 } = this.#input.repository;
    const { handle, entries } = this.#known;
    const [offset, length] = [entries.offsetAt(rank), entries.lengthAt(rank)];
    await this.#output.flush();
    const head = await handle.readRun(offset, Math.min(MAX_ENTRY_HEADER_BYTES, length));
    const replaced = head.length - this.#begin(rank, head, false).length;
    let old = crc32(0, head.subarray(0, replaced));
    let crc = crc32(0, this.#newHeader.subarray(0, this.#headerBytes));
    await streamRun(handle, { offset: offset + replaced, length: length - replaced }, async (piece) => {
      old = crc32(old, piece);
      crc = crc32(crc, piece);
      await this.#output.append(piece);
    });
    this.#check(rank, old);
    entries.crcs[rank] = crc;
  }

  /** The bytes of the header that was written for the entry at hand; none if the old one stays. */
  #headerBytes = 0;

  /**
   * Begins an entry: writes its header where that changes, for which there must be room. Returns the bytes that are to follow as they are.
   * Where the bytes are the whole entry, its CRC-32 is checked, and that of the new one noted.
   */
  #begin(rank: number, bytes: Uint8Array, isWhole: boolean): Uint8Array {
    const { handle, entries, bases, format } = this.#known;
    const { crc32 } = this.#input.repository;
    const header = this.#header;
    if (isWhole) this.#check(rank, crc32(0, bytes));
    this.#placed[rank] = this.#output.offset;
    this.#headerBytes = 0;
    if (header.decode(bytes, 0, Math.min(bytes.length, MAX_ENTRY_HEADER_BYTES), format.rawSize) === "short") {
      const offset = entries.offsetAt(rank);
      throw new CorruptStore("the pack ends within an entry", { pack: handle.record.name, offset });
    }
    if (header.type !== OFS_DELTA) return bytes;
    const distance = this.#output.offset - f64At(this.#placed, i32At(bases, rank));
    if (distance === header.distance) return bytes;
    this.#headerBytes = encodeOfsDelta(header.size, distance, this.#newHeader);
    const written = this.#newHeader.subarray(0, this.#headerBytes);
    const rest = bytes.subarray(header.headerBytes);
    if (isWhole) entries.crcs[rank] = crc32(crc32(0, written), rest);
    this.#output.appendNow(written);
    return rest;
  }

  #check(rank: number, crc: number): void {
    const { handle, entries } = this.#known;
    if (crc === u32At(entries.crcs, rank)) return;
    const offset = entries.offsetAt(rank);
    throw new CorruptStore("the entry's CRC-32 is wrong", { pack: handle.record.name, offset });
  }

  free(): void {
    freeMemory(this.#placed);
  }
}

/** Reads the bitmaps. Damaged ones are noted, and made anew before the pack is ordered. @throws CorruptStore */
async function readBitmaps(
  { repository, record, pack: { name, bitmap, checksum } }: OrderInput,
  handle: PackHandle,
  format: ObjectFormat,
): Promise<{ readonly bitmaps: Uint8Array<ArrayBuffer>; readonly table: BitmapTable }> {
  const file = { pack: name, extension: "bitmap" } as const;
  try {
    const bitmaps = await repository.storage(record.id).read(file, 0, bitmap?.bytes ?? 0); // It was planned for: it has some.
    assertSound(bitmaps, { format, hash: repository.hash });
    return { bitmaps, table: parsePackBitmap(bitmaps, format, fromHex(checksum) ?? new Uint8Array(0)) };
  } catch (error) {
    if (error instanceof CorruptStore) handle.noteDamage("bitmap");
    throw error;
  }
}

/** Reads what the order is made of, and makes it. */
async function know(input: OrderInput): Promise<Known> {
  const { repository, record, pack } = input;
  const { pacer, memory } = repository;
  const format = objectFormat(record.objectFormat);
  const storage = repository.storage(record.id);
  const [handle] = openObjects(repository, record, [pack]).packs;
  if (handle === undefined || pack.bitmap === undefined) throw new CorruptStore("no bitmaps", { pack: pack.name });
  const read = pack.indexBytes + pack.bitmap.bytes;
  memory.hold(read);
  try {
    const entries = await PackEntries.load(storage, handle, format);
    const bases = await entries.readBases(handle, format, pacer);
    const types = await handle.allTypes();
    const { bitmaps, table } = await readBitmaps(input, handle, format);
    const typeAt = (rank: number): number => typeAtPosition(types, u32At(entries.positions, rank));
    const order = await historyOrder({ count: entries.count, typeAt, bases, bitmaps, table, pacer });
    freeMemory(bitmaps);
    return { handle, format, entries, bases, order };
  } finally {
    memory.hold(-read);
  }
}

/** Makes the columns of the new pack's index, and has them written. */
async function describe(
  { repository, record, pack }: OrderInput,
  { handle, format, entries, order }: Known,
  { offsets, write }: { readonly offsets: Float64Array; readonly write: WriteIndex },
): ReturnType<WriteIndex> {
  const { rawSize } = format;
  const { count } = entries;
  const idx = await repository.storage(record.id).read({ pack: pack.name, extension: "idx" }, 0, pack.indexBytes);
  const index = new PackIndex(idx, format);
  const names = new Uint8Array(count * rawSize);
  const byName = new Uint32Array(count);
  for (let at = 0; at < count; at++) {
    const position = u32At(entries.positions, u32At(order, at));
    byName[position] = at;
    names.set(index.nameAt(position), at * rawSize);
  }
  freeMemory(idx);
  const crcs = Uint32Array.from(order, (rank) => u32At(entries.crcs, rank));
  const columns = { count, order: byName, names, stride: rawSize, crcs, offsets };
  try {
    return await write({ columns, types: await handle.allTypes() });
  } finally {
    for (const list of [names, byName, crcs]) freeMemory(list);
  }
}

async function writeOrdered(input: OrderInput, known: Known, partBytes: number): Promise<PackRecord> {
  const { repository, record, pack, packName, ordering = ORDERING } = input;
  const { memory } = repository;
  const { count } = known.entries;
  const indexHeld = pack.indexBytes + count * INDEX_BYTES;
  let copying: Copying | undefined;
  try {
    return await writePack(
      { repository, record, packName, partBytes },
      {
        copy: async (output) => {
          copying = new Copying(input, known, output, ordering);
          await copying.run();
          return { objects: count, ownObjects: count, ownBytes: output.offset };
        },
        describe: async (writeIndex) => {
          const offsets = present(copying, "what was copied").placesInOrder();
          memory.hold(indexHeld);
          return await describe(input, known, { offsets, write: writeIndex }).finally(() => memory.hold(-indexHeld));
        },
      },
    );
  } finally {
    copying?.free();
  }
}

/**
 * Writes a pack in the order of its history; returns `undefined`, and has written nothing, if that would read too much, or the pack has
 * objects that completion appended. It is in no catalog yet: if none comes to name it, the caller deletes its keys.
 *
 * @throws CorruptStore if the pack or a file beside it is damaged.
 * @throws HostBusy if the isolate has no room for it.
 */
export async function orderPack(input: OrderInput): Promise<PackRecord | undefined> {
  const { repository, record, pack, ordering = ORDERING } = input;
  const { memory, limits } = repository;
  if (pack.ownObjects !== pack.objects || pack.bitmap === undefined || pack.bitmap.bytes > MOST_BITMAP_BYTES)
    return undefined;
  const partBytes = partBytesFor([pack], objectFormat(record.objectFormat).rawSize, limits.memoryPackBytes);
  const held = pack.objects * ENTRY_BYTES + 3 * partBytes + 3 * SIDE_BAND_PIECE_BYTES;
  await memory.claim({ bytes: held });
  let known: Known | undefined;
  try {
    known = await know(input);
    if (!(await isWithin(known.order, known.entries, { ...ordering, packBytes: pack.packBytes }, repository.pacer)))
      return undefined;
    return await writeOrdered(input, known, partBytes);
  } finally {
    known?.entries.free();
    if (known !== undefined) for (const list of [known.bases, known.order]) freeMemory(list);
    memory.giveBack(held);
  }
}
