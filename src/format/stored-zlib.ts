/**
 * A zlib stream of content as it is, for what is too large to be deflated in one call.
 *
 * @packageDocumentation
 * @see RFC 1950; RFC 1951, section 3.2.4: non-compressed blocks
 */
import { putU32 } from "../bytes/big-endian.ts";
import type { Kernel } from "../kernel/kernel.ts";

/** Continues an Adler-32 (1 to begin with) over bytes. */
export type Adler32 = (adler: number, bytes: Uint8Array) => number;

const MOST_IN_BLOCK = 0xffff;
/** Deflate, a window of 32 KiB, fastest. */
const ZLIB_HEADER = Uint8Array.of(0x78, 0x01);

/** Gives the stream of a content of `size` bytes, which comes in pieces; what is given is valid until the next is asked for. */
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

/** Continues a checksum of the kernel's over bytes outside its memory, by the window. */
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
