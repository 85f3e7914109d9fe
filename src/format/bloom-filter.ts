/**
 * The changed-path filter of a commit: a Bloom filter of the paths at which the commit differs from its first parent, and of all
 * directories that lead to them. It tells that a path was not changed, or that it may have been.
 *
 * @packageDocumentation
 * @see gitformat-commit-graph(5), "Bloom Filter Data"; bloom.c in git's sources
 */
import { u8At } from "../bytes/assert.ts";

/** The version of the hash function: 2 takes bytes as unsigned, as murmur3 is defined. */
export const BLOOM_HASH_VERSION = 2;
/** The number of bits that each path sets. */
export const BLOOM_HASHES = 7;
/** The bits of a filter per path. */
export const BLOOM_BITS_PER_ENTRY = 10;
/** A commit that changes more paths, or more paths and directories, has a filter that matches every path. */
export const BLOOM_MOST_PATHS = 512;

const FIRST_SEED = 0x293ae76f;
const SECOND_SEED = 0x7e646e2c;

/** The filter of a commit that changes nothing. */
const EMPTY_FILTER = Uint8Array.of(0x00);
/** The filter of a commit that changes too much. */
const FULL_FILTER = Uint8Array.of(0xff);

function rotated(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}

function scrambled(block: number): number {
  return Math.imul(rotated(Math.imul(block, 0xcc9e2d51), 15), 0x1b873593);
}

/** Returns the 32-bit murmur3 hash of a text of one character per byte. */
export function murmur3(seed: number, text: string): number {
  const { length } = text;
  const end = length - (length % 4);
  let hash = seed;
  for (let at = 0; at < end; at += 4) {
    const block =
      text.charCodeAt(at) |
      (text.charCodeAt(at + 1) << 8) |
      (text.charCodeAt(at + 2) << 16) |
      (text.charCodeAt(at + 3) << 24);
    hash = (Math.imul(rotated(hash ^ scrambled(block), 13), 5) + 0xe6546b64) | 0;
  }
  let rest = 0;
  for (let at = length - 1; at >= end; at--) rest = (rest << 8) | text.charCodeAt(at);
  if (end < length) hash ^= scrambled(rest);
  hash ^= length;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** The hashes of one path: which bits it sets depends on the length of the filter. */
export type BloomKey = readonly number[];

/** Returns the hashes of a path of one character per byte, without slashes at its ends. */
export function bloomKey(path: string): BloomKey {
  const first = murmur3(FIRST_SEED, path);
  const second = murmur3(SECOND_SEED, path);
  return Array.from({ length: BLOOM_HASHES }, (_, i) => (first + Math.imul(i, second)) >>> 0);
}

/** Returns the path and all directories that lead to it: `a/b/c`, `a/b`, `a`. */
export function pathAndParents(path: string): string[] {
  const paths = [path];
  for (let slash = path.lastIndexOf("/"); slash > 0; slash = path.lastIndexOf("/", slash - 1))
    paths.push(path.slice(0, slash));
  return paths;
}

/** Returns the hashes of a path and of all directories that lead to it. A filter of a change of the path has all of them. */
export function bloomKeys(path: string): BloomKey[] {
  return pathAndParents(path).map((each) => bloomKey(each));
}

/** Encodes the filter of a commit that changes these files; `undefined` for one that changes too much. */
export function encodeBloomFilter(changed: readonly string[] | undefined): Uint8Array {
  if (changed === undefined || changed.length > BLOOM_MOST_PATHS) return FULL_FILTER;
  const paths = new Set(changed.flatMap((path) => pathAndParents(path)));
  if (paths.size > BLOOM_MOST_PATHS) return FULL_FILTER;
  if (paths.size === 0) return EMPTY_FILTER;
  const filter = new Uint8Array(Math.ceil((paths.size * BLOOM_BITS_PER_ENTRY) / 8));
  for (const path of paths) {
    for (const hash of bloomKey(path)) {
      const bit = hash % (filter.length * 8);
      filter[bit >>> 3] = u8At(filter, bit >>> 3) | (1 << (bit & 7));
    }
  }
  return filter;
}

function hasKey(filter: Uint8Array, key: BloomKey): boolean {
  const bits = filter.length * 8;
  return key.every((hash) => {
    const bit = hash % bits;
    return (u8At(filter, bit >>> 3) & (1 << (bit & 7))) !== 0;
  });
}

/**
 * Whether a commit with this filter may have changed the path that the keys of {@link bloomKeys} belong to. A filter without bytes was
 * not computed, and tells nothing.
 */
export function mayHaveChanged(filter: Uint8Array, keys: readonly BloomKey[]): boolean {
  return filter.length === 0 || keys.every((key) => hasKey(filter, key));
}
