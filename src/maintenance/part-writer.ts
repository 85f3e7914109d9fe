/**
 * Writes a file of unknown length in parts.
 *
 * @packageDocumentation
 */
import { CollectedSink } from "../bytes/collected-sink.ts";
import type { PackUpload } from "../catalog/pack-storage.ts";

/** Collects bytes up to the size of a part, which it holds. */
export class PartWriter {
  readonly #upload: PackUpload;
  readonly #parts: CollectedSink;
  /** The bytes so far. */
  bytes = 0;

  constructor(upload: PackUpload) {
    this.#upload = upload;
    this.#parts = new CollectedSink({ write: async (part) => await upload.writePart(part) }, upload.partSize);
  }

  /** Adds bytes. They may change as soon as it has returned. */
  async append(bytes: Uint8Array): Promise<void> {
    await this.#parts.write(bytes);
    this.bytes += bytes.length;
  }

  /** Makes the file appear. It is the last call. */
  async end(): Promise<void> {
    await this.#parts.end();
    await this.#upload.complete();
  }
}
