/**
 * The bounds on additions to a tenant's repositories by a push or a mirror's sync. They are checked before a pack is
 * ingested, as far as its header tells, while it comes, and when it is stored. A push that only deletes, or brings
 * nothing, is never refused.
 *
 * Nothing is reserved for a push that is under way. Several at once may together exceed a bound, by as much as each was
 * allowed.
 *
 * @packageDocumentation
 * @see git-config(1) `receive.maxInputSize`
 */
import type { ByteSource } from "../bytes/byte-stream.ts";
import { LimitExceeded } from "../bytes/failure.ts";
import type { PackRecord } from "../catalog/pack-record.ts";
import type { Limits } from "./limits.ts";

/** The usage of the tenant's other repositories. */
type Elsewhere = { readonly bytes: number; readonly objects: number };

/** The most that a tenant may have, and its usage elsewhere. An absent bound does not apply. */
export type Allowance = {
  /** Bytes of all packs and indexes. */
  readonly bytes?: number;
  readonly objects?: number;
  /** Bytes of the largest object. */
  readonly blobBytes?: number;
  readonly elsewhere?: Elsewhere;
};

/** The usage of the repository itself. */
export type Own = { readonly sizeBytes: number; readonly packs: readonly Pick<PackRecord, "objects" | "loan">[] };

const NOTHING: Elsewhere = { bytes: 0, objects: 0 };

/**
 * The most objects of a pack that is taken in: tables take some 90 bytes for each, beside 50 MB, and an isolate has 128 MB.
 */
export const MOST_PACK_OBJECTS = 750_000;

/** The offset of the number of objects in a pack's header. */
const COUNT_AT = 8;
/** The bytes of that number. */
const COUNT_BYTES = 4;

function usedBytes({ elsewhere = NOTHING }: Allowance, { sizeBytes }: Own): number {
  return elsewhere.bytes + sizeBytes;
}

function overBytes(most: number, used: number): LimitExceeded {
  return new LimitExceeded(
    "quota-bytes",
    most,
    `over quota: the tenant's limit is ${most} bytes, ${used} are used, and this needs more`,
  );
}

function overObjects(brought: number): LimitExceeded {
  return new LimitExceeded(
    "pushed-objects",
    MOST_PACK_OBJECTS,
    `pack of ${brought} objects: at most ${MOST_PACK_OBJECTS} can be taken at once; push older commits first ` +
      "(git push REMOTE COMMIT:refs/heads/BRANCH), or have the repository mirrored",
  );
}

/**
 * Refuses a pack that exceeds the allowance, or what an isolate can take, by its header alone; `head` is its beginning.
 *
 * @throws LimitExceeded
 */
export function checkPackHeader(allowance: Allowance, own: Own, head: Uint8Array): void {
  const { bytes, objects, elsewhere = NOTHING } = allowance;
  const used = usedBytes(allowance, own);
  if (bytes !== undefined && used + head.length > bytes) throw overBytes(bytes, used);
  // The host makes a tip pack itself, without a head. A pack that is cut short is refused as it is read.
  if (head.length < COUNT_AT + COUNT_BYTES) return;
  const brought = new DataView(head.buffer, head.byteOffset, head.length).getUint32(COUNT_AT);
  if (brought > MOST_PACK_OBJECTS) throw overObjects(brought);
  if (objects === undefined) return;
  const counted = own.packs.filter(({ loan }) => loan === undefined || loan.state === "own");
  const had = counted.reduce((sum, pack) => sum + pack.objects, elsewhere.objects);
  if (had + brought <= objects) return;
  throw new LimitExceeded(
    "quota-objects",
    objects,
    `over quota: the tenant's limit is ${objects} objects, ${had} are used, and this brings ${brought}`,
  );
}

/** Returns the rest of a pack, of which `head` was read. A read beyond the allowance throws LimitExceeded. */
export function boundedSource(source: ByteSource, allowance: Allowance, own: Own, head: Uint8Array): ByteSource {
  const { bytes } = allowance;
  if (bytes === undefined) return source;
  const used = usedBytes(allowance, own);
  let left = bytes - used - head.length;
  return {
    read: async (buffer) => {
      const chunk = await source.read(buffer);
      left -= chunk.length;
      if (left < 0) throw overBytes(bytes, used);
      return chunk;
    },
  };
}

/**
 * Refuses a stored pack that exceeds the allowance with its index, and with the bases that completed it.
 *
 * @throws LimitExceeded
 */
export function checkStoredPack(
  allowance: Allowance,
  own: Own,
  { packBytes, indexBytes }: Pick<PackRecord, "packBytes" | "indexBytes">,
): void {
  const used = usedBytes(allowance, own);
  if (allowance.bytes !== undefined && used + packBytes + indexBytes > allowance.bytes) {
    throw overBytes(allowance.bytes, used);
  }
}

/** Returns the limits under this allowance. */
export function limitsWith({ blobBytes = Number.POSITIVE_INFINITY }: Allowance, limits: Limits): Limits {
  return { ...limits, objectBytes: Math.min(limits.objectBytes, blobBytes) };
}
