/**
 * Ingests a pack within its tenant's allowance: the pack of a push, of a mirror's sync, or a tip pack. All three become
 * packs of a repository in the same way; they differ in the source of the bytes.
 *
 * @packageDocumentation
 */
import type { ByteSource } from "../bytes/byte-stream.ts";
import type { PackRecord } from "../catalog/pack-record.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { objectFormat } from "../object/object-id.ts";
import type { RepositoryRecord } from "../refs/ref-store.ts";
import { type IngestedPack, type IngestInput, ingestPack } from "../store/ingest/ingest-pack.ts";
import type { ObjectDatabase } from "../store/object-database.ts";
import { type Allowance, boundedSource, checkPackHeader, checkStoredPack, limitsWith } from "./allowance.ts";
import type { Repository } from "./repository.ts";

/** The repository that takes a pack in. */
export type PackTaker = {
  readonly repository: Pick<Repository, "storage" | "hash" | "deflate" | "limits" | "memory" | "now">;
  readonly record: Pick<RepositoryRecord, "id" | "objectFormat">;
  /** The present catalog. */
  readonly packs: readonly PackRecord[];
  /** The bytes of the tenant's allowance that the repository uses already. */
  readonly usedBytes: number;
  /** The objects of `packs`, in which thin bases and outside references are looked up. */
  readonly database: ObjectDatabase;
  readonly kernel: Kernel;
};

/** A pack that comes. */
export type ComingPack = Pick<
  IngestInput,
  "packName" | "packSource" | "tips" | "shallows" | "leniency" | "watch" | "progress" | "staysOpen"
> & {
  /** The bytes that were read already, before `source`. They include the header if `allowance` bounds objects. */
  readonly head: Uint8Array;
  readonly source: ByteSource;
  /** The tenant's allowance. None bounds a tip pack, because the host makes it. */
  readonly allowance: Allowance;
};

/**
 * Stores and checks a pack. The caller releases it, and deletes its keys if no catalog comes to name it.
 *
 * @throws LimitExceeded if it is more than the tenant or the host allows: before, while or after it comes.
 * @throws ObjectRejected, ProtocolError if its content is refused.
 */
export async function takeIn(taker: PackTaker, coming: ComingPack): Promise<IngestedPack> {
  const { repository, record, packs, usedBytes, database, kernel } = taker;
  const { allowance, source, ...pack } = coming;
  const own = { sizeBytes: usedBytes, packs };
  checkPackHeader(allowance, own, pack.head);
  const taken = await ingestPack({
    ...pack,
    source: boundedSource(source, allowance, own, pack.head),
    storage: repository.storage(record.id),
    database,
    kernel,
    format: objectFormat(record.objectFormat),
    hash: repository.hash,
    deflate: repository.deflate,
    limits: limitsWith(allowance, repository.limits),
    now: repository.now(),
    hold: (bytes) => repository.memory.hold(bytes),
  });
  try {
    checkStoredPack(allowance, own, taken.record);
    return taken;
  } catch (error) {
    taken.release();
    throw error;
  }
}
