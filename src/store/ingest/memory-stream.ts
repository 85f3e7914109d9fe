/**
 * Bytes that are at hand, read like those of a stored file.
 *
 * @packageDocumentation
 */
import type { PackByteStream } from "../../catalog/pack-storage.ts";

/** Gives a stream over bytes, which stay unchanged while it is read. */
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
