/**
 * Reads a pack whose record carries its bytes, as if it lay in a bucket. Its index and types are in its record, too, so that
 * nothing else of it is ever read.
 *
 * @packageDocumentation
 */
import { Bug } from "../bytes/assert.ts";
import type { PackStorage } from "../catalog/pack-storage.ts";
import type { TailPack } from "../catalog/tail.ts";
import { bytesInMemory } from "./ingest/memory-stream.ts";

function refuse(): never {
  throw new Bug("a pack of the tail is only read");
}

/** Opens a pack of the tail for reading. */
export function tailStorage({ tail }: Pick<TailPack, "tail">): PackStorage {
  return {
    read: async ({ extension }, offset, length) => {
      if (extension !== "pack") refuse();
      return tail.slice(offset, offset + length);
    },
    openStream: async ({ extension }, offset, length) => {
      if (extension !== "pack") refuse();
      return bytesInMemory(tail.subarray(offset, offset + length));
    },
    write: async () => refuse(),
    createUpload: async () => refuse(),
    delete: async () => refuse(),
    deletePack: async () => refuse(),
  };
}
