/**
 * What a push holds of the isolate's memory: a kernel, and the buffers of a pack that does not fit into memory. A client may send
 * slowly, so the kernel is lent when what most pushes bring has arrived.
 *
 * @packageDocumentation
 */
import type { ByteSource } from "../../bytes/byte-stream.ts";
import { concat } from "../../bytes/chunk.ts";
import type { Kernel } from "../../kernel/kernel.ts";
import type { Repository } from "../../repository/repository.ts";

/** Bytes of a pack that are waited for before a kernel is lent: most packs are no larger. */
const START_BYTES = 1024 * 1024;
const FIRST_READ = 65_536;
const READ = 262_144;

/** The memory of one push; {@link PushMemory.end} it. */
export class PushMemory {
  readonly #repository: Repository;
  readonly #rawSize: number;
  #kernel: Kernel | undefined;
  #heldBytes = 0;

  constructor(repository: Repository, rawSize: number) {
    this.#repository = repository;
    this.#rawSize = rawSize;
  }

  /** Lends the push its one kernel, at the first call. @throws HostBusy */
  readonly kernel = async (): Promise<Kernel> => {
    this.#kernel ??= await this.#repository.kernels.lend(this.#rawSize);
    return this.#kernel;
  };

  /** Gives the kernel back, where it was lent: what is still to do needs none. */
  release(): void {
    if (this.#kernel !== undefined) this.#repository.kernels.giveBack(this.#kernel);
    this.#kernel = undefined;
  }

  /** Reads what a pack begins with; all of a small one. */
  async start(source: ByteSource): Promise<Uint8Array> {
    const pieces: Uint8Array[] = [];
    let length = 0;
    while (length < START_BYTES) {
      const piece = await source.read(new Uint8Array(length === 0 ? FIRST_READ : READ));
      if (piece.length === 0) break;
      pieces.push(piece);
      length += piece.length;
      this.#hold(piece.length);
    }
    return pieces.length === 1 ? (pieces[0] ?? new Uint8Array(0)) : concat(pieces);
  }

  /** Accounts for the buffers that a pack takes, once more than its start has come. */
  watch(source: ByteSource): ByteSource {
    let isLarge = false;
    return {
      read: async (buffer) => {
        const piece = await source.read(buffer);
        if (piece.length > 0 && !isLarge) {
          isLarge = true;
          this.#hold(2 * this.#repository.limits.memoryPackBytes);
        }
        return piece;
      },
    };
  }

  /** Gives everything back. */
  end(): void {
    this.release();
    this.#hold(-this.#heldBytes);
  }

  #hold(bytes: number): void {
    this.#heldBytes += bytes;
    this.#repository.memory.hold(bytes);
  }
}
