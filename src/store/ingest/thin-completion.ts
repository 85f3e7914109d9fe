/**
 * Makes a thin pack stand alone: appends the bases it left out, and rewrites the header's count and the trailer to
 * match. A pack that went to the bucket already is copied there once more, because its header changes and with it the
 * hash of everything.
 *
 * @packageDocumentation
 * @see git-index-pack(1), `--fix-thin`
 */
import type { StreamingHash } from "../../bytes/hash.ts";
import { encodeEntryHeader, entryHeaderBytes } from "../../format/pack-entry.ts";
import { PACK_HEADER_BYTES, encodePackHeader } from "../../format/pack-header.ts";
import type { PackBytes } from "./delta-resolver.ts";
import type { EntryTable } from "./entry-table.ts";
import type { OutsideBase } from "./outside-bases.ts";
import type { StagedFile } from "./staged-file.ts";

/** The size in bytes of the pieces in which a pack is copied. */
const COPY_BYTES = 4 * 1024 * 1024;

/** A base to append: its size in bytes, and its deflated data piece by piece. */
export type BaseContent = { readonly size: number; readonly data: Iterable<Uint8Array> | AsyncIterable<Uint8Array> };

/** The input of completing a pack. */
export type ThinCompletion = {
  /** Reads the pack as it was received. */
  readonly received: PackBytes;
  /** The offset at which the received entries end. */
  readonly entriesEnd: number;
  /** Receives the completed pack. */
  readonly into: StagedFile;
  /** Receives an entry for each base. */
  readonly entries: EntryTable;
  readonly bases: readonly OutsideBase[];
  /** Opens the content of a base. */
  readonly open: (base: OutsideBase) => Promise<BaseContent>;
  /** Continues a CRC-32. */
  readonly crc32: (crc: number, bytes: Uint8Array) => number;
  readonly hash: StreamingHash;
  /** Receives the index of each base's name, and the number of the entry that now has it. */
  readonly recordName: (index: number, entry: number) => void;
};

/** Writes the completed pack and returns its trailer. */
export async function completeThinPack(completion: ThinCompletion): Promise<Uint8Array> {
  const { into, entries, bases, hash, entriesEnd, received } = completion;
  const append = async (bytes: Uint8Array): Promise<void> => {
    hash.update(bytes);
    await into.append(bytes);
  };
  await append(encodePackHeader(entries.count + bases.length));
  for (let at = PACK_HEADER_BYTES; at < entriesEnd; at += COPY_BYTES) {
    await append(await received(at, Math.min(COPY_BYTES, entriesEnd - at)));
  }
  for (const base of bases) {
    const { size, data } = await completion.open(base);
    const number = entries.add(into.length, base.type, size);
    entries.resolve(number, base.type, size);
    entries.setName(number, base.index);
    completion.recordName(base.index, number);
    const header = new Uint8Array(entryHeaderBytes(size));
    encodeEntryHeader(base.type, size, header, 0);
    let crc = completion.crc32(0, header);
    await append(header);
    for await (const bytes of data) {
      crc = completion.crc32(crc, bytes);
      await append(bytes);
    }
    entries.setCrc(number, crc);
  }
  const trailer = hash.digest();
  await into.append(trailer);
  await into.finish();
  return trailer;
}
