/**
 * The checksum of a zlib stream, for streams that are put together from pieces outside the kernel.
 *
 * @packageDocumentation
 * @see RFC 1950, section 9
 */
import { putU32 } from "./big-endian.ts";

/** The largest prime below 2^16. */
const MODULUS = 65_521;
/** Bytes after which the sums are reduced: fewer than would make one of them a number that is not exact. */
const RUN = 4096;

/** A running checksum. */
export class RunningAdler32 {
  #a = 1;
  #b = 0;

  /** Adds bytes. */
  update(bytes: Uint8Array): void {
    for (let from = 0; from < bytes.length; from += RUN) {
      for (const byte of bytes.subarray(from, from + RUN)) {
        this.#a += byte;
        this.#b += this.#a;
      }
      this.#a %= MODULUS;
      this.#b %= MODULUS;
    }
  }

  /** Returns the checksum, as it stands at the end of a stream. */
  digest(): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(4);
    putU32(bytes, 0, this.#b * 65_536 + this.#a);
    return bytes;
  }
}
