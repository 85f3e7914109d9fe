/**
 * Makes one object of the parts of an upload, all in the bucket. No byte passes through our code: the platform pipes the
 * parts, one after the other.
 *
 * @packageDocumentation
 */
import { CorruptStore } from "../bytes/failure.ts";
import { toHex } from "../bytes/hex.ts";
import { packKey } from "../catalog/pack-keys.ts";
import type { StoredUpload } from "../lfs/lfs-files.ts";
import type { LfsObject } from "../refs/lfs-store.ts";
import type { RequestCounters } from "./request-counters.ts";

/** Bytes that the bucket takes in one operation, which checks the SHA-256 of all of them. */
const MOST_PUT_BYTES = 5_000_000_000;

/** The bucket, and the upload whose parts lie in it. */
export type AssembledFrom = {
  readonly bucket: R2Bucket;
  readonly counters: RequestCounters;
  readonly repositoryId: string;
  readonly upload: StoredUpload;
};

/** Opens a part; with the tag of what was read before, that and nothing that was uploaded since. */
async function openPart(
  { bucket, counters, repositoryId, upload }: AssembledFrom,
  number: number,
  etag?: string,
): Promise<R2ObjectBody> {
  const key = packKey(repositoryId, { pack: upload.name, extension: `part-${number}` });
  const part = await counters.run("r2r", () =>
    bucket.get(key, etag === undefined ? {} : { onlyIf: { etagMatches: etag } }),
  );
  if (part === null || !("body" in part)) throw new CorruptStore(`${key} is missing, or is another`);
  counters.addBytesRead(part.size);
  return part;
}

/** Pipes all parts into a stream. Returns their tags. */
async function pipeParts(from: AssembledFrom, writable: WritableStream): Promise<string[]> {
  const tags: string[] = [];
  for (const { number } of from.upload.parts) {
    const { body, etag } = await openPart(from, number);
    tags.push(etag);
    await body.pipeTo(writable, { preventClose: true });
  }
  await writable.close();
  return tags;
}

/** Writes the object in one operation, in which the bucket checks its SHA-256. @throws if it is another. */
async function writeAtOnce(from: AssembledFrom, key: string, { oid, size }: LfsObject): Promise<void> {
  const { readable, writable } = new FixedLengthStream(size);
  const piped = pipeParts(from, writable).catch((error: unknown) => {
    writable.abort(error).catch(() => undefined);
    throw error;
  });
  const put = from.counters.run("r2w", () => from.bucket.put(key, readable, { sha256: oid }));
  // Where a part ends early, the bucket may wait for the rest for ever: nobody waits for it then.
  await Promise.all([put, piped]);
}

/**
 * Writes an object that is too large for that. Its SHA-256 is computed first, and then it is written of the very parts
 * that were read for that: nothing is at its key before it is whole. Returns whether it had that SHA-256.
 */
async function writeInParts(from: AssembledFrom, key: string, { oid }: LfsObject): Promise<boolean> {
  const digest = new crypto.DigestStream("SHA-256");
  const tags = await pipeParts(from, digest);
  if (toHex(new Uint8Array(await digest.digest)) !== oid) return false;
  const { bucket, counters, upload } = from;
  const written = await counters.run("r2w", () => bucket.createMultipartUpload(key));
  try {
    const uploaded: R2UploadedPart[] = [];
    for (const [at, { number }] of upload.parts.entries()) {
      const { body } = await openPart(from, number, tags[at]);
      uploaded.push(await counters.run("r2w", () => written.uploadPart(at + 1, body)));
    }
    await counters.run("r2w", () => written.complete(uploaded));
    return true;
  } catch (error) {
    await counters.run("r2w", () => written.abort());
    throw error;
  }
}

/** Writes an object to `key`. Returns whether the parts have its SHA-256. @throws CorruptStore, and what the bucket throws. */
export async function assembleParts(
  from: AssembledFrom,
  key: string,
  object: LfsObject,
  mostBytes = MOST_PUT_BYTES,
): Promise<boolean> {
  if (object.size > mostBytes) return await writeInParts(from, key, object);
  await writeAtOnce(from, key, object);
  return true;
}
