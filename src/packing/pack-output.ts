/**
 * A pack on its way to a client: collected in large pieces, hashed, and closed with its trailer.
 *
 * @packageDocumentation
 */
import type { StreamingHash } from "../bytes/hash.ts";
import { encodePackHeader } from "../format/pack-header.ts";
import { SIDE_BAND_PIECE_BYTES } from "./stored-run.ts";

/** Writes one pack. */
export class PackOutput {
  readonly #write: (bytes: Uint8Array) => Promise<void>;
  readonly #hash: StreamingHash;
  readonly #buffer = new Uint8Array(SIDE_BAND_PIECE_BYTES);
  #used = 0;
  #offset = 0;

  /** `write` may reuse the bytes it receives once its promise settles. */
  constructor(write: (bytes: Uint8Array) => Promise<void>, hash: StreamingHash) {
    this.#write = write;
    this.#hash = hash;
  }

  /** The number of bytes of the pack so far, which is the offset of the next entry. */
  get offset(): number {
    return this.#offset;
  }

  /** Writes the header of a pack of `count` entries. */
  async begin(count: number): Promise<void> {
    await this.append(encodePackHeader(count));
  }

  /** Appends bytes, which the caller may reuse once the promise settles. */
  async append(bytes: Uint8Array): Promise<void> {
    if (this.#used + bytes.length > SIDE_BAND_PIECE_BYTES) await this.flush();
    this.#offset += bytes.length;
    if (bytes.length >= SIDE_BAND_PIECE_BYTES) {
      this.#hash.update(bytes);
      await this.#write(bytes);
      return;
    }
    this.#buffer.set(bytes, this.#used);
    this.#used += bytes.length;
  }

  /** How many bytes can be appended without waiting, by {@link appendNow}. */
  get room(): number {
    return SIDE_BAND_PIECE_BYTES - this.#used;
  }

  /** Whether {@link appendNow} can take this many bytes without waiting. */
  hasRoom(length: number): boolean {
    return this.#used + length <= SIDE_BAND_PIECE_BYTES;
  }

  /** Appends bytes for which there is room. */
  appendNow(bytes: Uint8Array): void {
    this.#offset += bytes.length;
    this.#buffer.set(bytes, this.#used);
    this.#used += bytes.length;
  }

  /** Writes what was appended so far, so that there is room again. */
  async flush(): Promise<void> {
    if (this.#used === 0) return;
    const bytes = this.#buffer.subarray(0, this.#used);
    this.#hash.update(bytes);
    await this.#write(bytes);
    this.#used = 0;
  }

  /** Writes the rest and the trailer. */
  async end(): Promise<void> {
    await this.flush();
    await this.#write(this.#hash.digest());
  }
}
