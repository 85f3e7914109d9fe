/**
 * Writes a file of unknown length in parts.
 *
 * @packageDocumentation
 */
import type { PackUpload } from "../catalog/pack-storage.ts";

/** Collects bytes up to the size of a part, which it holds. */
export class PartWriter {
  readonly #upload: PackUpload;
  readonly #part: Uint8Array;
  #used = 0;
  /** The bytes so far. */
  bytes = 0;

  constructor(upload: PackUpload) {
    this.#upload = upload;
    this.#part = new Uint8Array(upload.partSize);
  }

  /** Adds bytes. They may change as soon as it has returned. */
  async append(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      const piece = bytes.subarray(at, at + this.#part.length - this.#used);
      this.#part.set(piece, this.#used);
      this.#used += piece.length;
      at += piece.length;
      if (this.#used === this.#part.length) await this.#flush();
    }
    this.bytes += bytes.length;
  }

  /** Makes the file appear. It is the last call. */
  async end(): Promise<void> {
    if (this.#used > 0) await this.#flush();
    await this.#upload.complete();
  }

  async #flush(): Promise<void> {
    await this.#upload.writePart(this.#part.subarray(0, this.#used));
    this.#used = 0;
  }
}
