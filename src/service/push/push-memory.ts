/**
 * The memory of the isolate that a push holds: a kernel, and the beginning of its pack. A client may send slowly. The
 * kernel is therefore lent only after the first {@link START_BYTES} of the pack have arrived, which is all of most
 * packs.
 *
 * @packageDocumentation
 */
import type { ByteSource } from "../../bytes/byte-stream.ts";
import { freeMemory } from "../../bytes/free-memory.ts";
import type { Kernel } from "../../kernel/kernel.ts";
import type { Repository } from "../../repository/repository.ts";
import type { PackEnd } from "./pack-end.ts";

/** The bytes of a pack that must arrive before a kernel is lent. Most packs are no larger. */
const START_BYTES = 1024 * 1024;
/** How long the beginning of a pack is waited for without a kernel, once its client pauses. Milliseconds. */
const LONGEST_PAUSE = 5000;
const FIRST_READ = 65_536;
const READ = 262_144;

/** The memory of one push. Call {@link PushMemory.end} when the push is over. */
export class PushMemory {
  readonly #repository: Repository;
  readonly #rawSize: number;
  #kernel: Kernel | undefined;
  #heldBytes = 0;

  constructor(repository: Repository, rawSize: number) {
    this.#repository = repository;
    this.#rawSize = rawSize;
  }

  /** Lends the push its one kernel; the first call takes it from the pool. @throws HostBusy */
  readonly kernel = async (): Promise<Kernel> => {
    this.#kernel ??= await this.#repository.kernels.lend(this.#rawSize);
    return this.#kernel;
  };

  /** Returns the kernel to its pool if one was lent. The rest of the push needs none. */
  release(): void {
    if (this.#kernel !== undefined) this.#repository.kernels.giveBack(this.#kernel);
    this.#kernel = undefined;
  }

  /**
   * Reads the beginning of a pack, or the whole of a small one, and returns a source of the whole pack. `end` is given
   * for a source that stays open behind the pack: nothing is awaited there.
   */
  async start(source: ByteSource, end?: PackEnd): Promise<ByteSource> {
    const pieces: Uint8Array<ArrayBuffer>[] = [];
    let pending: Promise<Uint8Array<ArrayBuffer>> | undefined;
    let next = new Uint8Array(FIRST_READ);
    for (let length = 0; length < START_BYTES;) {
      if (end?.isReached === true) break;
      const reading = source.read(next);
      if (end !== undefined && !(await this.#repository.memory.endsWithin(reading, LONGEST_PAUSE))) {
        pending = reading;
        break;
      }
      const piece = await reading;
      if (piece.length === 0) break;
      end?.add(piece);
      length += piece.length;
      // By SSH some KB come at a time. Each in a buffer of its own would hold many times what has come.
      const isSmall = 2 * piece.length < piece.buffer.byteLength;
      const kept = isSmall ? piece.slice() : piece;
      next = isSmall ? new Uint8Array(piece.buffer) : new Uint8Array(READ);
      pieces.push(kept);
      this.#hold(kept.buffer.byteLength);
    }
    const readOn = async (buffer: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> => {
      if (pending === undefined) return await source.read(buffer);
      const piece = await pending;
      pending = undefined;
      if (piece.length === 0) return buffer.subarray(0, 0);
      const length = Math.min(piece.length, buffer.length);
      buffer.set(piece.subarray(0, length));
      if (length < piece.length) pieces.push(piece.subarray(length));
      this.#hold(piece.buffer.byteLength);
      if (length === piece.length) this.#free(piece);
      return buffer.subarray(0, length);
    };
    return {
      read: async (buffer) => {
        const [piece] = pieces;
        if (piece === undefined) return await readOn(buffer);
        const length = Math.min(piece.length, buffer.length);
        buffer.set(piece.subarray(0, length));
        if (length < piece.length) pieces[0] = piece.subarray(length);
        else this.#free(pieces.shift());
        return buffer.subarray(0, length);
      },
    };
  }

  /** Releases everything that the push holds. */
  end(): void {
    this.release();
    this.#hold(-this.#heldBytes);
  }

  #free(piece: Uint8Array<ArrayBuffer> | undefined): void {
    if (piece === undefined) return;
    this.#hold(-piece.buffer.byteLength);
    freeMemory(piece);
  }

  #hold(bytes: number): void {
    this.#heldBytes += bytes;
    this.#repository.memory.hold(bytes);
  }
}
