/**
 * Zlib streams that store their content without compression, for contents that are too large to be deflated in one
 * call.
 *
 * @packageDocumentation
 * @see RFC 1950; RFC 1951, section 3.2.4: non-compressed blocks
 */
import { putU32 } from "../bytes/big-endian.ts";
import type { Kernel } from "../kernel/kernel.ts";

/** Continues an Adler-32 over bytes. The first call gets 1. */
export type Adler32 = (adler: number, bytes: Uint8Array) => number;

const MOST_IN_BLOCK = 0xffff;
/** The zlib header: deflate, a window of 32 KiB, fastest level. */
const ZLIB_HEADER = Uint8Array.of(0x78, 0x01);

/**
 * Yields the stream of a content of `size` bytes in pieces. A yielded view is valid until the next one is requested.
 */
export async function* undeflated(
  content: AsyncIterable<Uint8Array>,
  size: number,
  adler32: Adler32,
): AsyncGenerator<Uint8Array> {
  let adler = 1;
  let done = 0;
  yield ZLIB_HEADER;
  if (size === 0) yield blockHeader(0, true);
  for await (const piece of content) {
    adler = adler32(adler, piece);
    for (let from = 0; from < piece.length; from += MOST_IN_BLOCK) {
      const bytes = piece.subarray(from, from + MOST_IN_BLOCK);
      done += bytes.length;
      yield blockHeader(bytes.length, done === size);
      yield bytes;
    }
  }
  const trailer = new Uint8Array(4);
  putU32(trailer, 0, adler);
  yield trailer;
}

function blockHeader(length: number, isLast: boolean): Uint8Array {
  const low = length & 0xff;
  const high = length >> 8;
  return Uint8Array.of(isLast ? 1 : 0, low, high, low ^ 0xff, high ^ 0xff);
}

/** Continues a checksum of the kernel over bytes outside its memory, which are copied into its window. */
export function sumOver(
  kernel: Kernel,
  bytes: Uint8Array,
  start: number,
  update: (value: number, at: number, length: number) => number,
): number {
  let value = start;
  for (let at = 0; at < bytes.length; at += kernel.windowBytes) {
    const piece = bytes.subarray(at, at + kernel.windowBytes);
    kernel.memory.set(piece, kernel.windowAt);
    value = update(value, kernel.windowAt, piece.length);
  }
  return value;
}
