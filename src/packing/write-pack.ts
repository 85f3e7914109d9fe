/**
 * Writes a new pack of a repository into the bucket, with the files beside it: the frame around the entries, which the caller copies.
 *
 * @packageDocumentation
 */
import { toHex } from "../bytes/hex.ts";
import type { PackRecord } from "../catalog/pack-record.ts";
import type { PackTables } from "../format/pack-index-encoder.ts";
import { objectFormat } from "../object/object-id.ts";
import type { RepositoryRecord } from "../refs/ref-store.ts";
import type { Repository } from "../repository/repository.ts";
import { PartBuffers } from "../store/ingest/part-buffers.ts";
import { writeIndexFiles } from "../store/ingest/pack-index-writer.ts";
import { StagedFile } from "../store/ingest/staged-file.ts";
import { PackOutput } from "./pack-output.ts";

/** Where a pack is written. */
export type NewPack = {
  readonly repository: Pick<Repository, "storage" | "pacer" | "hash" | "now">;
  readonly record: Pick<RepositoryRecord, "id" | "objectFormat">;
  /** The stem of the keys to write. */
  readonly packName: string;
  /** The bytes of a part of an upload. */
  readonly partBytes: number;
};

/** What the index of a pack is written from: its columns, and the types of its objects. */
export type IndexColumns = {
  readonly columns: Omit<PackTables, "format" | "packChecksum">;
  readonly types: Uint8Array;
};

/** The files beside a pack, as its record tells of them. */
type Described = Awaited<ReturnType<typeof writeIndexFiles>>;

/** The entries of a pack. */
export type NewEntries = {
  /** Writes the pack's header and all entries. */
  readonly copy: (output: PackOutput) => Promise<Pick<PackRecord, "objects" | "ownObjects" | "ownBytes">>;
  /** Makes the columns once the pack is written, and has them written. */
  readonly describe: (write: (index: IndexColumns) => Promise<Described>) => Promise<Described>;
};

/**
 * Writes a pack, and returns its record. It is in no catalog yet: if none comes to name it, the caller deletes its keys. Its mark is not
 * set; the store of the catalog knows whether it may be.
 */
export async function writePack(
  { repository, record, packName, partBytes }: NewPack,
  { copy, describe }: NewEntries,
): Promise<PackRecord> {
  const { hash, pacer } = repository;
  const format = objectFormat(record.objectFormat);
  const storage = repository.storage(record.id);
  const buffers = new PartBuffers(partBytes);
  const file = new StagedFile(storage, { pack: packName, extension: "pack" }, buffers);
  let checksum = new Uint8Array(0);
  const output = new PackOutput(async (bytes) => {
    checksum = bytes.slice(-format.rawSize);
    await file.append(bytes);
  }, hash(format.name));
  try {
    const counts = await copy(output);
    await output.end();
    await file.finish();
    file.release();
    const beside = await describe(async ({ columns, types }) => {
      const tables = { format, packChecksum: checksum, ...columns };
      return await writeIndexFiles({ storage, pack: packName, tables, types, hash, buffers, pacer });
    });
    return {
      name: packName,
      checksum: toHex(checksum),
      ...counts,
      packBytes: file.length,
      ...beside,
      marked: false,
      source: "repack",
      createdAt: repository.now(),
    };
  } catch (error) {
    await file.abort();
    throw error;
  } finally {
    buffers.release();
  }
}
