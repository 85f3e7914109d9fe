/**
 * Writes a file of unknown length into the bucket as its bytes come: what fits one part is kept in memory and written in one
 * operation, what does not is uploaded in equal parts while it arrives. Two part buffers, used in turn, are all it holds.
 *
 * @packageDocumentation
 */
import type { PackFile, PackStorage, PackUpload } from "./pack-storage.ts";

const FIRST_BUFFER_BYTES = 65_536;

/** A file being written; see {@link StagedFile.finish} and {@link StagedFile.abort}. */
export class StagedFile {
  readonly #storage: PackStorage;
  readonly #file: PackFile;
  readonly #memoryBytes: number;
  readonly #replaces: boolean;
  #upload: PackUpload | undefined;
  #buffer: Uint8Array<ArrayBuffer>;
  #spare: Uint8Array<ArrayBuffer> | undefined;
  #used = 0;
  #length = 0;
  #inFlight: Promise<void> = Promise.resolve();

  /**
   * `memoryBytes` is the length up to which the file is kept in memory. With `replaces`, a file of that name is there, readable
   * until this one is finished: it is deleted then.
   */
  constructor(storage: PackStorage, file: PackFile, memoryBytes: number, replaces = false) {
    this.#storage = storage;
    this.#file = file;
    this.#memoryBytes = memoryBytes;
    this.#replaces = replaces;
    this.#buffer = new Uint8Array(Math.min(FIRST_BUFFER_BYTES, memoryBytes));
  }

  /** Bytes appended so far. */
  get length(): number {
    return this.#length;
  }

  /** The bytes so far while they all are in memory; a view, valid until the next append. `undefined` once parts are uploaded. */
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
    if (this.#upload === undefined && this.#buffer.length < this.#memoryBytes) {
      const grown = new Uint8Array(Math.min(this.#memoryBytes, Math.max(this.#buffer.length * 2, this.#used + wanted)));
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
    const free = this.#spare ?? new Uint8Array(upload.partSize);
    this.#inFlight = upload.writePart(full);
    // awaited before the next part or in finish; until then a failure must not count as unhandled
    this.#inFlight.catch(() => undefined);
    this.#spare = this.#buffer;
    this.#buffer = free;
    this.#used = 0;
  }

  /** Makes the file appear. */
  async finish(): Promise<void> {
    if (this.#upload === undefined) {
      if (this.#replaces) await this.#storage.delete([this.#file]);
      await this.#storage.write(this.#file, this.#buffer.subarray(0, this.#used));
      return;
    }
    if (this.#used > 0) await this.#sendPart();
    await this.#inFlight;
    if (this.#replaces) await this.#storage.delete([this.#file]);
    await this.#upload.complete();
  }

  /** Gives up what was uploaded so far; never throws. */
  async abort(): Promise<void> {
    await this.#inFlight.catch(() => undefined);
    await this.#upload?.abort();
  }
}
