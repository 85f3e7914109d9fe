/**
 * The memory of the isolate that a push holds: a kernel, and the buffers of a pack that does not fit into memory. A
 * client may send slowly, so the kernel is lent only after the first {@link START_BYTES} of the pack have arrived,
 * which is all of most packs.
 *
 * @packageDocumentation
 */
import type { ByteSource } from "../../bytes/byte-stream.ts";
import { concat } from "../../bytes/chunk.ts";
import type { Kernel } from "../../kernel/kernel.ts";
import type { Repository } from "../../repository/repository.ts";

/** The bytes of a pack that must arrive before a kernel is lent. Most packs are no larger. */
const START_BYTES = 1024 * 1024;
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

  /** Reads the beginning of a pack, or the whole of a small one. */
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

  /** Accounts for a pack's buffers as soon as more than its beginning has arrived. */
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

  /** Releases everything that the push holds. */
  end(): void {
    this.release();
    this.#hold(-this.#heldBytes);
  }

  #hold(bytes: number): void {
    this.#heldBytes += bytes;
    this.#repository.memory.hold(bytes);
  }
}
