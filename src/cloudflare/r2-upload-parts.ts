/**
 * `UploadParts` on an R2 bucket, with a file per part. Its name is that of the pack's other unfinished files, so that
 * the same sweep finds it.
 *
 * @packageDocumentation
 */
import type { UploadPart, UploadParts } from "../refs/upload-store.ts";
import { packKey, packPrefix } from "../catalog/pack-keys.ts";
import { r2PackStorage } from "./r2-pack-storage.ts";
import type { RequestCounters } from "./request-counters.ts";

/** Opens the prefix of the repository with this id. */
export function r2UploadParts(bucket: R2Bucket, counters: RequestCounters, id: string): UploadParts {
  return {
    write: async (name, { number }, body) => {
      const key = packKey(id, { pack: name, extension: `part-${number}` });
      await counters.run("r2w", () => bucket.put(key, body));
    },
    list: async (name) => {
      const prefix = `${packPrefix(id, name)}part-`;
      const { objects } = await counters.run("r2r", () => bucket.list({ prefix }));
      const parts = objects.map(({ key, size }): UploadPart => ({
        number: Number(key.slice(prefix.length)),
        bytes: size,
      }));
      return parts.toSorted((one, other) => one.number - other.number);
    },
    clear: (name) => r2PackStorage(bucket, counters, id).deletePack(name),
  };
}
