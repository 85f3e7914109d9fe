/**
 * Reads bytes in memory like those of a stored file.
 *
 * @packageDocumentation
 */
import type { PackByteStream } from "../../catalog/pack-storage.ts";

/** Returns a stream over bytes, which must not change while it is read. */
export function bytesInMemory(bytes: Uint8Array): PackByteStream {
  let rest = bytes;
  return {
    read: async (buffer) => {
      const length = Math.min(buffer.length, rest.length);
      buffer.set(rest.subarray(0, length));
      rest = rest.subarray(length);
      return buffer.subarray(0, length);
    },
    cancel: async () => undefined,
  };
}
