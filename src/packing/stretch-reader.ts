/**
 * Reads ranges of a pack that follow one another out of one storage operation.
 *
 * @packageDocumentation
 */
import { CorruptStore } from "../bytes/failure.ts";
import type { PackByteStream } from "../catalog/pack-storage.ts";
import type { PackHandle } from "../store/pack-handle.ts";

/** A stretch of a pack that is open for reading. */
export class StretchReader {
  readonly #pack: PackHandle;
  readonly #stream: Promise<PackByteStream>;
  readonly #end: number;
  /** What was asked for so far ends here. */
  #asked: number;
  /** Settles when what was asked for has been read. */
  #last: Promise<unknown>;

  /** Opens the bytes from `offset` up to `end`. */
  constructor(pack: PackHandle, offset: number, end: number) {
    this.#pack = pack;
    this.#asked = offset;
    this.#end = end;
    this.#stream = pack.openRun(offset, end - offset);
    this.#last = this.#stream.catch(() => undefined);
  }

  /** Whether a range can still be read here. */
  has(offset: number, length: number): boolean {
    return offset >= this.#asked && offset + length <= this.#end;
  }

  /**
   * Reads a range behind those that were asked for before, which need not have been read yet. What lies between is read over.
   *
   * @throws CorruptStore if the pack ends before.
   */
  async read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    const gap = offset - this.#asked;
    this.#asked = offset + length;
    const before = this.#last;
    const reading = (async () => {
      await before;
      const stream = await this.#stream;
      if (gap > 0) await stream.read(new Uint8Array(gap));
      const bytes = await stream.read(new Uint8Array(length));
      if (bytes.length === length) return bytes;
      throw new CorruptStore("a stored pack is too short", { pack: this.#pack.record.name, offset });
    })();
    this.#last = reading.catch(() => undefined);
    return await reading;
  }

  /** Ends it. What was asked for may fail. */
  async close(): Promise<void> {
    const stream = await this.#stream.catch(() => undefined);
    await stream?.cancel();
  }
}
