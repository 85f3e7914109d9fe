/**
 * The options with which an instance of the kernel is created.
 *
 * @packageDocumentation
 */
import type { HashFactory } from "../bytes/hash.ts";

/** The division of an instance's memory, and the hash function of its object names. */
export type KernelLayout = {
  readonly windowBytes: number;
  readonly ringBytes: number;
  /** Bytes of a raw object name: 20 selects SHA-1, 32 selects SHA-256. */
  readonly rawSize: number;
  /**
   * Two random 32-bit numbers that key the name table. An attacker who knows them could choose names that make the
   * table slow, so each instance needs its own.
   */
  readonly seed: readonly [number, number];
  /** Bytes beyond which the memory does not grow; 4 GiB by default. */
  readonly maxBytes?: number;
  /**
   * The platform's hash functions. If given, they do SHA-256 of long messages, with processor instructions that the
   * module lacks.
   */
  readonly hash?: HashFactory;
};
