/**
 * Reads a staged file back. Small reads are served from cached blocks: deltas come back to the same places again and
 * again, and each read of the bucket is a round trip.
 *
 * @packageDocumentation
 */
import { ClockCache } from "../clock-cache.ts";
import type { PackFile, PackStorage } from "../../catalog/pack-storage.ts";

/** The most that is kept of what was read. */
export const STAGED_CACHE_BYTES = 4 * 1024 * 1024;

/** Reads staged files through a cache of blocks. */
export class StagedBytes {
  readonly #storage: PackStorage;
  /** The size in bytes of every block except a file's last. */
  readonly blockBytes: number;
  readonly #blocks = new ClockCache();
  readonly #charge: (bytes: number) => void;

  /**
   * `blockBytes` is the size of one read; the part of it that is not needed soon becomes garbage. `charge` is told of each block
   * before it is read, and may refuse.
   */
  constructor(storage: PackStorage, blockBytes: number, charge: (bytes: number) => void = () => undefined) {
    this.#storage = storage;
    this.blockBytes = blockBytes;
    this.#charge = charge;
  }

  /**
   * Reads `[offset, offset + length)` of a file of `size` bytes. The result may be a view of the cache and must not be
   * changed.
   */
  async read(
    file: PackFile,
    size: number,
    range: { readonly offset: number; readonly length: number },
  ): Promise<Uint8Array> {
    const { offset, length } = range;
    const first = Math.floor(offset / this.blockBytes);
    const last = Math.floor((offset + length - 1) / this.blockBytes);
    if (length >= this.blockBytes || first < last - 1) return await this.#storage.read(file, offset, length);
    const from = offset - first * this.blockBytes;
    const block = await this.block(file, size, first);
    if (first === last) return block.subarray(from, from + length);
    const joined = new Uint8Array(length);
    joined.set(block.subarray(from));
    const rest = await this.block(file, size, last);
    joined.set(rest.subarray(0, length - (block.length - from)), block.length - from);
    return joined;
  }

  /** Reads one block of a file of `size` bytes. The result is shared with the cache and must not be changed. */
  async block(file: PackFile, size: number, block: number): Promise<Uint8Array> {
    const key = `${file.pack}.${file.extension}#${block}`;
    const known = this.#blocks.find(key)?.bytes;
    if (known !== undefined) return known;
    const offset = block * this.blockBytes;
    const length = Math.min(this.blockBytes, size - offset);
    this.#charge(length);
    const bytes = await this.#storage.read(file, offset, length);
    this.#blocks.set(key, bytes);
    this.#blocks.shrink(STAGED_CACHE_BYTES);
    return bytes;
  }
}
