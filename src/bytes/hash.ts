/**
 * The port to the platform's native hash functions. They are for pack trailers and index checksums, where speed counts
 * and a collision gains an attacker nothing. The kernel hashes objects, since it detects SHA-1 collisions.
 *
 * @packageDocumentation
 */

/** A hash in progress. */
export interface StreamingHash {
  /** Adds bytes to the hash. They may change as soon as it returns. */
  update(bytes: Uint8Array): void;
  /** Returns the digest of what was added so far. More may follow. */
  peek(): Uint8Array<ArrayBuffer>;
  /** Returns the digest. It is the last call, and is made once. */
  digest(): Uint8Array<ArrayBuffer>;
}

/** Starts a hash of the named function. */
export type HashFactory = (name: "sha1" | "sha256") => StreamingHash;
