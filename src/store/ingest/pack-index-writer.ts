/**
 * Writes the files that go with a staged pack: `.rev`, `.kinds` (unless the types are small enough for the catalog)
 * and, last, `.idx`.
 *
 * @packageDocumentation
 */
import { u32At } from "../../bytes/assert.ts";
import type { HashFactory } from "../../bytes/hash.ts";
import type { Pacer } from "../../bytes/pacer.ts";
import type { Kernel } from "../../kernel/kernel.ts";
import { type PackTables, encodePackIndex, encodedIndexBytes } from "../../format/pack-index-encoder.ts";
import { INDEX_HEAD_BYTES } from "../../format/pack-index.ts";
import { encodePackTypes } from "../../format/pack-types.ts";
import { encodeReverseIndex } from "../../format/reverse-index.ts";
import { sortNames } from "../../format/sort-names.ts";
import type { ObjectFormat } from "../../object/object-id.ts";
import type { EntryTable } from "./entry-table.ts";
import type { ObjectNames } from "./object-names.ts";
import type { PartBuffers } from "./part-buffers.ts";
import type { PackExtension, PackStorage } from "../../catalog/pack-storage.ts";
import { StagedFile } from "./staged-file.ts";

/** An index of up to this many bytes goes into the catalog whole, so that looking into a small pack reads nothing. */
const INLINE_INDEX_BYTES = 32 * 1024;
/** Types of up to this many bytes go into the catalog, too. */
const INLINE_TYPES_BYTES = 16 * 1024;

/** The input of writing an index. */
export type IndexInput = {
  readonly storage: PackStorage;
  readonly pack: string;
  readonly entries: EntryTable;
  readonly names: ObjectNames;
  readonly kernel: Kernel;
  readonly format: ObjectFormat;
  readonly checksum: Uint8Array;
  readonly hash: HashFactory;
  readonly buffers: PartBuffers;
  readonly pacer: Pacer;
};

/** The steps charged to the pacer for an entry that is gathered or encoded, and for a byte that is written and hashed. */
const ENTRY_STEPS = 10;
const BYTE_STEPS = 1;

/** The part of the written files that the catalog keeps. */
export type WrittenIndex = { readonly indexBytes: number; readonly indexHead: Uint8Array; readonly kinds?: Uint8Array };

/** The columns that an index is written from, by entry number. */
type Columns = { readonly names: Uint8Array; readonly offset: Float64Array; readonly crc: Uint32Array };

/**
 * Returns room for the columns. Nothing is inflated any more, so the kernel's ring takes them, for all but the largest
 * packs. Outside it, they would become garbage.
 */
function roomForColumns(input: IndexInput): Columns {
  const { entries, kernel, format } = input;
  const offsetAt = Math.ceil(kernel.ringAt / 8) * 8;
  const crcAt = offsetAt + entries.count * Float64Array.BYTES_PER_ELEMENT;
  const namesAt = crcAt + entries.count * Uint32Array.BYTES_PER_ELEMENT;
  const end = namesAt + entries.count * format.rawSize;
  const fits = end <= kernel.ringAt + kernel.ringBytes;
  const [buffer, base] = fits ? [kernel.memory.buffer, 0] : [new ArrayBuffer(end - offsetAt), offsetAt];
  return {
    offset: new Float64Array(buffer, offsetAt - base, entries.count),
    crc: new Uint32Array(buffer, crcAt - base, entries.count),
    names: new Uint8Array(buffer, namesAt - base, entries.count * format.rawSize),
  };
}

async function gatherColumns(input: IndexInput): Promise<Columns> {
  const { entries, names, format, pacer } = input;
  const columns = roomForColumns(input);
  await pacer.forEach(entries.count, ENTRY_STEPS, (number) => {
    columns.names.set(names.view(entries.nameOf(number)), number * format.rawSize);
  });
  entries.copyIndexColumns(columns.offset, columns.crc);
  return columns;
}

async function writeChunks(
  input: Pick<IndexInput, "storage" | "pack" | "buffers" | "pacer">,
  extension: PackExtension,
  chunks: Iterable<Uint8Array>,
): Promise<void> {
  const file = new StagedFile(input.storage, { pack: input.pack, extension }, input.buffers);
  try {
    for (const chunk of chunks) {
      input.pacer.add(chunk.length * BYTE_STEPS);
      await file.append(chunk);
      if (input.pacer.isDue) await input.pacer.pace();
    }
    await file.finish();
    file.release();
  } catch (error) {
    await file.abort();
    throw error;
  }
}

/** Writes the files; the `.idx` appears last. The contents of the kernel's ring are overwritten. */
export async function writePackIndex(input: IndexInput): Promise<WrittenIndex> {
  const { entries, format, storage, pack, hash, buffers, pacer } = input;
  const columns = await gatherColumns(input);
  const { names } = columns;
  const order = await pacer.finish(
    sortNames({ names, stride: format.rawSize, rawSize: format.rawSize }, entries.count),
  );
  const tables: PackTables = {
    format,
    count: entries.count,
    order,
    names,
    stride: format.rawSize,
    crcs: columns.crc,
    offsets: columns.offset,
    packChecksum: input.checksum,
  };
  const types = encodePackTypes(entries.count, {
    typeAt: (position) => entries.typeOf(u32At(order, position)),
    sizeAt: (position) => entries.sizeOf(u32At(order, position)),
  });
  pacer.add(entries.count * ENTRY_STEPS);
  await pacer.pace();
  return await writeIndexFiles({ storage, pack, tables, types, hash, buffers, pacer });
}

/** The input of writing the files that go with a pack. */
export type IndexFiles = Pick<IndexInput, "storage" | "pack" | "hash" | "buffers" | "pacer"> & {
  readonly tables: PackTables;
  /** The types and sizes of the objects, in the order of the index; see `format/pack-types.ts`. */
  readonly types: Uint8Array;
};

/** Writes the files that go with a pack; the `.idx` appears last. */
export async function writeIndexFiles(input: IndexFiles): Promise<WrittenIndex> {
  const { tables, types, hash } = input;
  const { name } = tables.format;
  const inlineTypes = types.length <= INLINE_TYPES_BYTES;
  await Promise.all([
    writeChunks(input, "rev", encodeReverseIndex(tables, hash(name))),
    inlineTypes ? undefined : writeChunks(input, "kinds", [types]),
  ]);
  const indexBytes = encodedIndexBytes(tables);
  const headBytes = indexBytes <= INLINE_INDEX_BYTES ? indexBytes : INDEX_HEAD_BYTES;
  const indexHead = new Uint8Array(headBytes);
  await writeChunks(input, "idx", keepHead(encodePackIndex(tables, hash(name)), indexHead));
  return { indexBytes, indexHead, ...(inlineTypes ? { kinds: types } : {}) };
}

/** Passes chunks on, and copies their first bytes into `head`. */
function* keepHead(chunks: Iterable<Uint8Array>, head: Uint8Array): Generator<Uint8Array> {
  let at = 0;
  for (const chunk of chunks) {
    if (at < head.length) head.set(chunk.subarray(0, head.length - at), at);
    at += chunk.length;
    yield chunk;
  }
}
