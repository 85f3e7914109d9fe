/**
 * What an instance of the kernel is made with.
 *
 * @packageDocumentation
 */
import type { HashFactory } from "../bytes/hash.ts";

/** How an instance's memory is divided, and how its names are hashed. */
export type KernelLayout = {
  readonly windowBytes: number;
  readonly ringBytes: number;
  /** Bytes of a raw object name: 20 makes it SHA-1, 32 SHA-256. */
  readonly rawSize: number;
  /**
   * Random bits that key the table of names, two of 32. Whoever knows them can choose names that make the table slow, so they
   * must not be the same for everyone.
   */
  readonly seed: readonly [number, number];
  /** The size past which the memory does not grow; 4 GiB where not given. */
  readonly maxBytes?: number;
  /** The platform's hashes: SHA-256 of what is not short is theirs, where they are given. They know processors that the module does not. */
  readonly hash?: HashFactory;
};
