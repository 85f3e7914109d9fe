/**
 * Reads ranges of a pack that follow one another out of one storage operation. The body of that operation is read piece by piece, as the
 * ranges are asked for: a client that is slow makes the bucket wait, and nothing is read ahead that would have to be held.
 *
 * @packageDocumentation
 */
import { CorruptStore, isStorageFault } from "../bytes/failure.ts";
import { freeMemory } from "../bytes/free-memory.ts";
import type { PackByteStream } from "../catalog/pack-storage.ts";
import type { PackHandle } from "../store/pack-handle.ts";
import { SIDE_BAND_PIECE_BYTES } from "./stored-run.ts";

/** How often a stretch is opened again, in all. Each time is one operation of the bucket. */
export const MOST_REOPENINGS = 100;

/** A stretch of a pack that is open for reading. It has one buffer of {@link SIDE_BAND_PIECE_BYTES}. */
export class StretchReader {
  readonly #pack: PackHandle;
  /** Where the stretch ends. */
  readonly end: number;
  /** The next byte that the body gives. */
  #at: number;
  #stream: Promise<PackByteStream> | undefined;
  #buffer = new Uint8Array(SIDE_BAND_PIECE_BYTES);
  #isClosed = false;
  #reopenings = 0;

  /** Reads the bytes from `offset` up to `end`. The operation begins with the first range. */
  constructor(pack: PackHandle, offset: number, end: number) {
    this.#pack = pack;
    this.#at = offset;
    this.end = end;
  }

  /** Whether a range can still be read here. */
  has(offset: number, length: number): boolean {
    return offset >= this.#at && offset + length <= this.end;
  }

  /**
   * Reads a range of at most {@link SIDE_BAND_PIECE_BYTES} behind those that were read before. What lies between is read over. The bytes are
   * good until the next range is read.
   *
   * @throws CorruptStore if the pack ends before; CorruptStore or BucketUnavailable if the bucket fails twice at the same place, or too often
   *   in all ({@link MOST_REOPENINGS}).
   */
  async read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    while (this.#at < offset) await this.#take(Math.min(SIDE_BAND_PIECE_BYTES, offset - this.#at));
    return await this.#take(length);
  }

  /** Ends it. A read that is under way fails. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const stream = await this.#stream?.catch(() => undefined);
    await stream?.cancel();
    freeMemory(this.#buffer);
  }

  /** Takes the next bytes. A body that breaks off after it gave some is opened again: it may not last as long as a slow client. */
  async #take(length: number): Promise<Uint8Array<ArrayBuffer>> {
    const hadBegun = this.#stream !== undefined;
    try {
      return await this.#takeNow(length);
    } catch (error) {
      if (!hadBegun || this.#isClosed || !isStorageFault(error) || this.#reopenings >= MOST_REOPENINGS) throw error;
      this.#reopenings++;
      const broken = await this.#stream?.catch(() => undefined);
      this.#stream = undefined;
      await broken?.cancel();
      // Whoever closed it meanwhile found no stream to cancel: none may be opened after that.
      if (this.#isClosed) throw error;
      this.#buffer = new Uint8Array(SIDE_BAND_PIECE_BYTES);
      return await this.#takeNow(length);
    }
  }

  async #takeNow(length: number): Promise<Uint8Array<ArrayBuffer>> {
    this.#stream ??= this.#pack.openRun(this.#at, this.end - this.#at);
    const stream = await this.#stream;
    const bytes = await stream.read(this.#buffer.subarray(0, length));
    this.#buffer = new Uint8Array(bytes.buffer);
    if (bytes.length < length)
      throw new CorruptStore("a stored pack is too short", { pack: this.#pack.record.name, offset: this.#at });
    this.#at += length;
    return bytes;
  }
}
