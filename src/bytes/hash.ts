/**
 * The port to the platform's native hash functions: for pack trailers and index checksums, where speed counts and collisions
 * are nobody's attack. Objects are hashed by the kernel, which detects SHA-1 collisions.
 *
 * @packageDocumentation
 */

/** A hash in progress. */
export interface StreamingHash {
  /** Takes in bytes; they may change as soon as it returns. */
  update(bytes: Uint8Array): void;
  /** Gives the digest; call once, last. */
  digest(): Uint8Array<ArrayBuffer>;
}

/** Starts a hash of the named function. */
export type HashFactory = (name: "sha1" | "sha256") => StreamingHash;
