/**
 * Writes a file of unknown length into the bucket as its bytes come. A file that fits one part is kept in memory and
 * written in one operation. A longer one is uploaded in equal parts while it arrives. It holds no more than two part
 * buffers, used in turn.
 *
 * @packageDocumentation
 */
import type { PartBuffers } from "./part-buffers.ts";
import type { PackFile, PackStorage, PackUpload } from "../../catalog/pack-storage.ts";

/** The size in bytes of the first buffer, which grows up to a part. */
const FIRST_BUFFER_BYTES = 65_536;

/** A file being written; see {@link StagedFile.finish} and {@link StagedFile.abort}. */
export class StagedFile {
  readonly #storage: PackStorage;
  readonly #file: PackFile;
  readonly #buffers: PartBuffers;
  readonly #replaces: boolean;
  #upload: PackUpload | undefined;
  #buffer: Uint8Array<ArrayBuffer>;
  #spare: Uint8Array<ArrayBuffer> | undefined;
  #used = 0;
  #length = 0;
  #inFlight: Promise<void> = Promise.resolve();

  /**
   * A file no longer than one of `buffers` is kept in memory. With `replaces`, a file of that name exists, and stays
   * readable until this one is finished; then it is deleted.
   */
  constructor(storage: PackStorage, file: PackFile, buffers: PartBuffers, replaces = false) {
    this.#storage = storage;
    this.#file = file;
    this.#buffers = buffers;
    this.#replaces = replaces;
    this.#buffer = new Uint8Array(Math.min(FIRST_BUFFER_BYTES, buffers.size));
  }

  /** The number of bytes appended so far. */
  get length(): number {
    return this.#length;
  }

  /** Bytes of memory that it takes beside the buffers that it shares. */
  get ownBytes(): number {
    return this.#buffer.length === this.#buffers.size ? 0 : this.#buffer.length;
  }

  /**
   * The bytes so far while all of them are in memory: a view, valid until the next append. `undefined` once parts are
   * uploaded.
   */
  get inMemory(): Uint8Array<ArrayBuffer> | undefined {
    return this.#upload === undefined ? this.#buffer.subarray(0, this.#used) : undefined;
  }

  /** Appends `bytes`, which the caller may reuse once the promise settles. */
  async append(bytes: Uint8Array): Promise<void> {
    let at = 0;
    this.#length += bytes.length;
    while (at < bytes.length) {
      if (this.#used === this.#buffer.length) await this.#makeRoom(bytes.length - at);
      const length = Math.min(bytes.length - at, this.#buffer.length - this.#used);
      this.#buffer.set(bytes.subarray(at, at + length), this.#used);
      this.#used += length;
      at += length;
    }
  }

  async #makeRoom(wanted: number): Promise<void> {
    if (this.#upload === undefined && this.#buffer.length < this.#buffers.size) {
      const size = Math.max(this.#buffer.length * 4, this.#used + wanted);
      const grown = size < this.#buffers.size / 2 ? new Uint8Array(size) : this.#buffers.take();
      grown.set(this.#buffer.subarray(0, this.#used));
      this.#buffer = grown;
      return;
    }
    this.#upload ??= await this.#storage.createUpload(this.#file);
    if (this.#buffer.length !== this.#upload.partSize) throw new RangeError("the memory bound must be the part size");
    await this.#sendPart();
  }

  async #sendPart(): Promise<void> {
    const upload = this.#upload;
    if (upload === undefined) return;
    const full = this.#buffer.subarray(0, this.#used);
    await this.#inFlight;
    const free = this.#spare ?? this.#buffers.take();
    this.#inFlight = upload.writePart(full);
    // Awaited before the next part or in finish; until then a failure must not count as unhandled.
    this.#inFlight.catch(() => undefined);
    this.#spare = this.#buffer;
    this.#buffer = free;
    this.#used = 0;
  }

  /** Writes the rest of the file, and makes it appear in the bucket. */
  async finish(): Promise<void> {
    if (this.#upload === undefined) {
      if (this.#replaces) await this.#storage.delete([this.#file]);
      await this.#storage.write(this.#file, this.#buffer.subarray(0, this.#used));
      return;
    }
    if (this.#used > 0) await this.#sendPart();
    await this.#inFlight;
    this.#giveBack();
    if (this.#replaces) await this.#storage.delete([this.#file]);
    await this.#upload.complete();
  }

  /**
   * Returns the buffers to their pool once nothing is in flight. The buffer of a file in memory is its content, so that
   * is lost.
   */
  #giveBack(): void {
    for (const buffer of [this.#buffer, this.#spare])
      if (buffer?.length === this.#buffers.size) this.#buffers.give(buffer);
    this.#buffer = new Uint8Array(0);
    this.#spare = undefined;
    this.#used = 0;
  }

  /** Frees the content of a finished file that was kept in memory and is not needed any more. */
  release(): void {
    if (this.#upload === undefined) this.#giveBack();
  }

  /** Discards what was uploaded so far; never throws. */
  async abort(): Promise<void> {
    await this.#inFlight.catch(() => undefined);
    this.#giveBack();
    await this.#upload?.abort();
  }
}
