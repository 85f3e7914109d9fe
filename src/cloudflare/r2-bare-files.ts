/**
 * `BareFiles` on an R2 bucket.
 *
 * @packageDocumentation
 */
import type { BareFiles } from "../maintenance/bare-files.ts";
import { repositoryPrefix } from "../catalog/pack-keys.ts";
import { createR2Upload, PART_BYTES } from "./r2-upload.ts";
import type { RequestCounters } from "./request-counters.ts";

/** Opens the prefix of the repository with this id. */
export function r2BareFiles(bucket: R2Bucket, counters: RequestCounters, id: string): BareFiles {
  const prefix = repositoryPrefix(id);
  return {
    write: (name, pieces) => writePieces(bucket, counters, prefix + name, pieces),
    copy: async (from, to) => {
      const object = await counters.run("r2r", () => bucket.get(prefix + from));
      if (object === null) return false;
      counters.addBytesRead(object.size);
      await counters.run("r2w", () => bucket.put(prefix + to, object.body));
      return true;
    },
    list: async (cursor) => {
      const page = await counters.run("r2r", () =>
        bucket.list({ prefix, ...(cursor === undefined ? {} : { cursor }) }),
      );
      const files = page.objects.map(({ key, size }) => ({ name: key.slice(prefix.length), size }));
      return page.truncated ? { files, cursor: page.cursor } : { files };
    },
    open: async (name) => {
      const object = await counters.run("r2r", () => bucket.get(prefix + name));
      if (object === null) return undefined;
      counters.addBytesRead(object.size);
      return { size: object.size, body: object.body };
    },
    delete: async (names) => {
      await counters.run("r2w", () => bucket.delete(names.map((name) => prefix + name)));
    },
  };
}

/** Writes content that fits a part in one operation, and larger content as an upload in equal parts. */
async function writePieces(
  bucket: R2Bucket,
  counters: RequestCounters,
  key: string,
  pieces: Iterable<Uint8Array>,
): Promise<void> {
  let waiting: Uint8Array[] = [];
  let size = 0;
  const iterator = pieces[Symbol.iterator]();
  let next = iterator.next();
  for (; next.done !== true && size + next.value.length <= PART_BYTES; next = iterator.next()) {
    waiting.push(next.value);
    size += next.value.length;
  }
  if (next.done === true) {
    const whole = joined(waiting, size);
    await counters.run("r2w", () => bucket.put(key, whole));
    return;
  }
  const upload = await createR2Upload(bucket, counters, key);
  try {
    for (; next.done !== true; next = iterator.next()) {
      waiting.push(next.value);
      size += next.value.length;
      if (size < PART_BYTES) continue;
      const bytes = joined(waiting, size);
      await upload.writePart(bytes.subarray(0, PART_BYTES));
      waiting = [bytes.subarray(PART_BYTES)];
      size -= PART_BYTES;
    }
    if (size > 0) await upload.writePart(joined(waiting, size));
    await upload.complete();
  } catch (error) {
    await upload.abort();
    throw error;
  }
}

function joined(pieces: readonly Uint8Array[], size: number): Uint8Array {
  const whole = new Uint8Array(size);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
