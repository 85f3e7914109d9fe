/**
 * `PackStorage` on an R2 bucket.
 *
 * @packageDocumentation
 */
import { BucketUnavailable, CorruptStore } from "../bytes/failure.ts";
import { packKey, packPrefix } from "../catalog/pack-keys.ts";
import { MADE_FROM_PACKS, type PackFile, type PackStorage } from "../catalog/pack-storage.ts";
import { readR2Body } from "./r2-stream.ts";
import { createR2Upload } from "./r2-upload.ts";
import type { RequestCounters } from "./request-counters.ts";

/** Keys that R2 deletes in one operation. */
const DELETE_BATCH = 1000;

/** Bytes of a file. */
type Stretch = { readonly file: PackFile; readonly key: string; readonly offset: number; readonly length: number };

/** Opens the prefix of the repository with this id. */
export function r2PackStorage(bucket: R2Bucket, counters: RequestCounters, id: string): PackStorage {
  /** Finds out whether it is the file that a read fails of: the bucket gives nothing, too, that begins past the end of one. */
  const faultOf = async ({ file, key, offset, length }: Stretch, cause: unknown): Promise<Error> => {
    const found = await counters.run("r2r", () => bucket.head(key)).catch(() => undefined);
    if (found === undefined || (found !== null && offset + length <= found.size))
      return new BucketUnavailable("gives", key, { cause });
    return new CorruptStore(`${key}: can't read ${length} bytes at ${offset}`, { pack: file.pack, offset, cause });
  };
  const open = async (file: PackFile, offset: number, length: number): Promise<R2ObjectBody> => {
    const key = packKey(id, file);
    const object = await counters
      .run("r2r", () => bucket.get(key, { range: { offset, length } }))
      .catch(async (cause: unknown) => {
        throw await faultOf({ file, key, offset, length }, cause);
      });
    if (object === null) throw new CorruptStore(`${key} is missing`, { pack: file.pack });
    if (offset + length > object.size) {
      await object.body.cancel();
      throw new CorruptStore(`${key} ends at ${object.size}, not after ${offset + length}`, {
        pack: file.pack,
        offset,
      });
    }
    return object;
  };
  return {
    read: async (file, offset, length) => {
      if (length === 0) return new Uint8Array(0);
      const object = await open(file, offset, length);
      const body = await object.arrayBuffer().catch((cause: unknown) => {
        throw new BucketUnavailable("gives", object.key, { cause });
      });
      const bytes = new Uint8Array(body);
      counters.addBytesRead(bytes.length);
      if (bytes.length !== length)
        throw new CorruptStore(`${object.key}: ${bytes.length} bytes for ${length}`, { pack: file.pack, offset });
      return bytes;
    },
    openStream: async (file, offset, length) => {
      const object = await open(file, offset, length);
      return readR2Body(object.body, {
        what: object.key,
        length,
        onBytes: (count) => counters.addBytesRead(count),
      });
    },
    write: async (file, bytes) => {
      const key = packKey(id, file);
      const once = MADE_FROM_PACKS.has(file.extension) ? {} : { onlyIf: { etagDoesNotMatch: "*" } };
      const object = await counters
        .run("r2w", () => bucket.put(key, bytes, once))
        .catch((cause: unknown) => {
          throw new BucketUnavailable("takes", key, { cause });
        });
      if (object === null) throw new CorruptStore(`${key} exists`, { pack: file.pack });
    },
    createUpload: (file) => createR2Upload(bucket, counters, packKey(id, file)),
    delete: async (files) => {
      const keys = files.map((file) => packKey(id, file));
      for (let at = 0; at < keys.length; at += DELETE_BATCH) {
        await counters.run("r2w", () => bucket.delete(keys.slice(at, at + DELETE_BATCH)));
      }
    },
    deletePack: async (pack) => {
      for (let isMore = true; isMore;) {
        const page = await counters.run("r2r", () => bucket.list({ prefix: packPrefix(id, pack) }));
        const keys = page.objects.map(({ key }) => key);
        if (keys.length > 0) await counters.run("r2w", () => bucket.delete(keys));
        isMore = page.truncated;
      }
    },
  };
}
