/**
 * What a push may add to a repository: asked before its pack is taken in, as far as its header tells, while it comes, and when it is
 * there. What only deletes, or brings nothing, is never refused.
 *
 * @packageDocumentation
 * @see git-config(1) `receive.maxInputSize`
 */
import type { ByteSource } from "../bytes/byte-stream.ts";
import { LimitExceeded } from "../bytes/failure.ts";
import type { Limits } from "../repository/limits.ts";
import type { PackRecord } from "../store/catalog.ts";

/** The most that a repository may have; what is absent is without bound. */
export type PushQuota = {
  /** Bytes of all packs and indexes. */
  readonly bytes?: number;
  readonly objects?: number;
  /** Bytes of the largest object. */
  readonly blobBytes?: number;
};

/** What a repository has. */
export type Used = { readonly sizeBytes: number; readonly packs: readonly Pick<PackRecord, "objects">[] };

/** Where a pack's header says how many objects it has. */
const COUNT_AT = 8;

function overBytes(quota: number, { sizeBytes }: Used): LimitExceeded {
  return new LimitExceeded(
    "quotaBytes",
    quota,
    `over quota: a repository may have ${quota} bytes here, this one has ${sizeBytes}, and the push brings more than fits`,
  );
}

/**
 * Refuses a pack that is too much already by its header; `head` is its beginning.
 *
 * @throws LimitExceeded
 */
export function checkPackHeader(quota: PushQuota, used: Used, head: Uint8Array): void {
  if (quota.bytes !== undefined && used.sizeBytes + head.length > quota.bytes) throw overBytes(quota.bytes, used);
  if (quota.objects === undefined) return;
  const brought = new DataView(head.buffer, head.byteOffset).getUint32(COUNT_AT);
  const had = used.packs.reduce((sum, { objects }) => sum + objects, 0);
  if (had + brought <= quota.objects) return;
  throw new LimitExceeded(
    "quotaObjects",
    quota.objects,
    `over quota: a repository may have ${quota.objects} objects here, this one has ${had}, and the push brings ${brought}`,
  );
}

/** Gives the rest of a pack, of which `head` was read, as far as there is room for it: the read that goes past throws LimitExceeded. */
export function boundedSource(source: ByteSource, quota: PushQuota, used: Used, head: Uint8Array): ByteSource {
  const { bytes } = quota;
  if (bytes === undefined) return source;
  let left = bytes - used.sizeBytes - head.length;
  return {
    read: async (buffer) => {
      const chunk = await source.read(buffer);
      left -= chunk.length;
      if (left < 0) throw overBytes(bytes, used);
      return chunk;
    },
  };
}

/** Refuses a pack that has become too much with its index, and with the bases that completed it. @throws LimitExceeded */
export function checkStoredPack(
  quota: PushQuota,
  used: Used,
  { packBytes, indexBytes }: Pick<PackRecord, "packBytes" | "indexBytes">,
): void {
  if (quota.bytes !== undefined && used.sizeBytes + packBytes + indexBytes > quota.bytes) {
    throw overBytes(quota.bytes, used);
  }
}

/** Gives the limits of a push with a quota. */
export function limitsWith(quota: PushQuota, limits: Limits): Limits {
  const { blobBytes = Number.POSITIVE_INFINITY } = quota;
  return { ...limits, objectBytes: Math.min(limits.objectBytes, blobBytes) };
}
