/**
 * A multipart upload to R2.
 *
 * @packageDocumentation
 * @see https://developers.cloudflare.com/r2/objects/multipart-objects/
 */
import { BucketUnavailable } from "../bytes/failure.ts";
import type { PackUpload } from "../catalog/pack-storage.ts";
import type { RequestCounters } from "./request-counters.ts";

/**
 * The size of a part: the least that R2 takes. With at most 10,000 parts this allows packs up to 52 GB. Beside its
 * tables, an ingest spends most memory on the two parts that it holds.
 */
export const PART_BYTES = 5 * 1024 * 1024;

/** What the bucket says of uploads that can't succeed: parts that are too small, of unequal size or not there, no such upload. */
const NO_UPLOAD = /\((?:10011|10024|10025|10048)\)/;

/** Starts an upload to `key`. */
export async function createR2Upload(bucket: R2Bucket, counters: RequestCounters, key: string): Promise<PackUpload> {
  const write = async <T>(operation: () => Promise<T>): Promise<T> =>
    await counters.run("r2w", operation).catch((cause: unknown) => {
      throw NO_UPLOAD.test(String(cause)) ? cause : new BucketUnavailable("takes", key, { cause });
    });
  const upload = await write(() => bucket.createMultipartUpload(key));
  const parts: R2UploadedPart[] = [];
  let count = 0;
  return {
    partSize: PART_BYTES,
    writePart: async (bytes) => {
      const index = count++;
      parts[index] = await write(() => upload.uploadPart(index + 1, bytes));
    },
    complete: async () => {
      await write(() => upload.complete(parts));
    },
    abort: async () => {
      // R2 itself drops an unfinished upload after seven days.
      await counters.run("r2w", () => upload.abort()).catch(() => undefined);
    },
  };
}
