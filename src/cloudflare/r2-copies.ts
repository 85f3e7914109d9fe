/**
 * `BucketCopies` on an R2 bucket. Bytes pass from and to the client without our code.
 *
 * @packageDocumentation
 */
import type { BucketCopies } from "../access/bucket-copies.ts";
import type { RequestCounters } from "./request-counters.ts";

/** What the bucket says of bytes that have another checksum than they should. */
const WRONG_CHECKSUM = /\(10037\)/;

/** Opens the bucket. */
export function r2Copies(bucket: R2Bucket, counters: RequestCounters): BucketCopies {
  return {
    list: async (prefix, cursor, limit) => {
      const page = await counters.run("r2r", () =>
        bucket.list({ prefix, limit, ...(cursor === undefined ? {} : { cursor }) }),
      );
      const files = page.objects.map(({ key, size, etag }) => ({ key, size, etag }));
      return page.truncated ? { files, cursor: page.cursor } : { files };
    },
    open: async (key, range, etag) => {
      const object = await counters.run("r2r", () =>
        bucket.get(key, {
          ...(range === undefined ? {} : { range }),
          ...(etag === undefined ? {} : { onlyIf: { etagMatches: etag } }),
        }),
      );
      if (object === null) return undefined;
      if (!("body" in object)) return "changed";
      counters.addBytesRead(range?.length ?? object.size);
      return { size: object.size, etag: object.etag, body: object.body };
    },
    write: async (key, body, sha256) => {
      try {
        await counters.run("r2w", () => bucket.put(key, body ?? new Uint8Array(0), { sha256 }));
        return true;
      } catch (error) {
        if (WRONG_CHECKSUM.test(String(error))) return false;
        throw error;
      }
    },
    beginUpload: async (key) => {
      const { uploadId } = await counters.run("r2w", () => bucket.createMultipartUpload(key));
      return uploadId;
    },
    writePart: async ({ key, upload }, number, body) => {
      const { etag } = await counters.run("r2w", () =>
        bucket.resumeMultipartUpload(key, upload).uploadPart(number, body),
      );
      return etag;
    },
    endUpload: async ({ key, upload }, parts) => {
      const ended = parts.map(({ number, etag }) => ({ partNumber: number, etag }));
      const { size } = await counters.run("r2w", () => bucket.resumeMultipartUpload(key, upload).complete(ended));
      return size;
    },
    delete: async (key) => {
      await counters.run("r2w", () => bucket.delete(key));
    },
  };
}
