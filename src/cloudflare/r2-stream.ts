/**
 * Reads a stream sequentially into the caller's buffers. Default readers return 4 KB pieces and cost ten times the CPU
 * of reading into a buffer of 256 KB, so nothing in the project uses them on a pack.
 *
 * @packageDocumentation
 */
import type { PackByteStream } from "../catalog/pack-storage.ts";

/** Reads `body`, and calls `onBytes` with the number of bytes that came each time. */
export function readR2Body(body: ReadableStream, onBytes: (count: number) => void): PackByteStream {
  const reader = body.getReader({ mode: "byob" });
  return {
    read: async (buffer) => {
      const size = buffer.byteLength;
      const { value } = await reader.readAtLeast(size, buffer);
      if (value === undefined) return new Uint8Array(size).subarray(0, 0);
      onBytes(value.byteLength);
      return value;
    },
    cancel: async () => {
      // The caller that gives up on a stream has its reason; a failure to cancel adds nothing.
      await reader.cancel().catch(() => undefined);
    },
  };
}
