/**
 * Reads a stream sequentially into the caller's buffers. Default readers return 4 KB pieces and cost ten times the CPU
 * of reading into a buffer of 256 KB, so nothing in the project uses them on a pack.
 *
 * @packageDocumentation
 */
import { BucketUnavailable, CorruptStore } from "../bytes/failure.ts";
import type { PackByteStream } from "../catalog/pack-storage.ts";

/** What is known of a body. */
export type R2Body = {
  /** What it is, in the words of an error. */
  readonly what: string;
  /** The bytes that it has to have. */
  readonly length: number;
  /** Called with the number of bytes that came each time. */
  readonly onBytes: (count: number) => void;
};

/** Reads `body`. @throws CorruptStore at its end, if it is shorter than it has to be: a reader would take what came for all. */
export function readR2Body(body: ReadableStream, { what, length, onBytes }: R2Body): PackByteStream {
  const reader = body.getReader({ mode: "byob" });
  let left = length;
  return {
    read: async (buffer) => {
      const size = buffer.byteLength;
      const { value } = await reader.readAtLeast(size, buffer).catch((cause: unknown) => {
        throw new BucketUnavailable("gives", what, { cause });
      });
      const bytes = value ?? new Uint8Array(size).subarray(0, 0);
      left -= bytes.byteLength;
      if (bytes.byteLength < size && left > 0) throw new CorruptStore(`${what} ends ${left} bytes early`);
      onBytes(bytes.byteLength);
      return bytes;
    },
    cancel: async () => {
      // The caller that gives up on a stream has its reason; a failure to cancel adds nothing.
      await reader.cancel().catch(() => undefined);
    },
  };
}
