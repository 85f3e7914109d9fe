/**
 * The one handle that services, mirrors, maintenance and browsing receive: a repository's storage, refs, limits and
 * clock.
 *
 * @packageDocumentation
 */
import type { HashFactory } from "../bytes/hash.ts";
import type { RequestMemory } from "../bytes/memory-budget.ts";
import type { Pacer } from "../bytes/pacer.ts";
import type { Kernels } from "../kernel/kernel-pool.ts";
import type { BlockCache } from "../store/block-cache.ts";
import type { DamagedFile } from "../catalog/damaged-file.ts";
import type { PackStorage } from "../catalog/pack-storage.ts";
import type { RefStore } from "../refs/ref-store.ts";
import type { Limits } from "./limits.ts";

/** An open repository, for one request. */
export type Repository = {
  readonly refs: RefStore;
  /** Returns the bucket prefix of the repository with this id, which is known only once the refs are open. */
  storage(id: string): PackStorage;
  readonly limits: Limits;
  /** Lets the request give way to others: see {@link Pacer}. */
  readonly pacer: Pacer;
  /** The isolate's kernels, lent to this request. */
  readonly kernels: Kernels;
  /** The memory of the isolate that this request holds. */
  readonly memory: RequestMemory;
  /** The isolate's cache of pieces of stored files. Keys begin with the repository's id. */
  readonly cache: BlockCache;
  /** The platform's hash functions. */
  readonly hash: HashFactory;
  /** Deflates to a zlib stream, with the platform's deflate. */
  readonly deflate: (bytes: Uint8Array) => Uint8Array;
  /**
   * Deflates a piece of a raw stream by itself. Pieces can therefore be written one after the other, and never wait in
   * a compressor for a slow reader. The last one ends the stream.
   */
  readonly deflatePiece: (bytes: Uint8Array, isLast: boolean) => Uint8Array;
  /** Continues a CRC-32, which begins with 0, with the platform's function. */
  readonly crc32: (crc: number, bytes: Uint8Array) => number;
  /** Notes a file that only saves work and can't be used. The repository's object is told behind the answer. */
  noteDamage(file: DamagedFile): void;
  /** Returns milliseconds since the epoch. */
  now(): number;
  /** Returns fresh random bytes, for names. */
  random(length: number): Uint8Array;
};
