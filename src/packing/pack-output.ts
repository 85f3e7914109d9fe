/**
 * A pack on its way to a client: gathered into large pieces, hashed, and closed with its trailer.
 *
 * @packageDocumentation
 */
import type { StreamingHash } from "../bytes/hash.ts";
import { encodePackHeader } from "../format/pack-header.ts";

/** Four packets of the side-band, filled. */
const BUFFER_BYTES = 4 * 65_515;

/** Writes one pack. */
export class PackOutput {
  readonly #write: (bytes: Uint8Array) => Promise<void>;
  readonly #hash: StreamingHash;
  readonly #buffer = new Uint8Array(BUFFER_BYTES);
  #used = 0;
  #offset = 0;

  /** `write` may reuse what it is given once its promise settles. */
  constructor(write: (bytes: Uint8Array) => Promise<void>, hash: StreamingHash) {
    this.#write = write;
    this.#hash = hash;
  }

  /** Bytes of the pack so far: where the next entry begins. */
  get offset(): number {
    return this.#offset;
  }

  /** Writes the header of a pack of `count` entries. */
  async begin(count: number): Promise<void> {
    await this.append(encodePackHeader(count));
  }

  /** Appends bytes. */
  async append(bytes: Uint8Array): Promise<void> {
    if (this.#used + bytes.length > BUFFER_BYTES) await this.#flush();
    this.#offset += bytes.length;
    if (bytes.length >= BUFFER_BYTES) {
      this.#hash.update(bytes);
      await this.#write(bytes);
      return;
    }
    this.#buffer.set(bytes, this.#used);
    this.#used += bytes.length;
  }

  /** Whether this many bytes can be appended without waiting, by {@link appendNow}. */
  hasRoom(length: number): boolean {
    return this.#used + length <= BUFFER_BYTES;
  }

  /** Appends bytes for which there is room. */
  appendNow(bytes: Uint8Array): void {
    this.#offset += bytes.length;
    this.#buffer.set(bytes, this.#used);
    this.#used += bytes.length;
  }

  async #flush(): Promise<void> {
    if (this.#used === 0) return;
    const bytes = this.#buffer.subarray(0, this.#used);
    this.#hash.update(bytes);
    await this.#write(bytes);
    this.#used = 0;
  }

  /** Writes what is left and the trailer. */
  async end(): Promise<void> {
    await this.#flush();
    await this.#write(this.#hash.digest());
  }
}
