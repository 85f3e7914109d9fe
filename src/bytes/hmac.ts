/**
 * HMAC with a hash function of 64-byte blocks, such as SHA-1 and SHA-256.
 *
 * @packageDocumentation
 * @see RFC 2104
 */
import { concat } from "./chunk.ts";
import type { HashFactory } from "./hash.ts";

const BLOCK_BYTES = 64;

/** Returns the authentication code of `text` under `key`, as raw bytes. */
export function hmac(
  hash: HashFactory,
  name: Parameters<HashFactory>[0],
  key: Uint8Array,
  text: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const digest = (...pieces: Uint8Array[]): Uint8Array<ArrayBuffer> => {
    const running = hash(name);
    running.update(concat(pieces));
    return running.digest();
  };
  const block = new Uint8Array(BLOCK_BYTES);
  block.set(key.length > BLOCK_BYTES ? digest(key) : key);
  const inner = digest(
    block.map((byte) => byte ^ 0x36),
    text,
  );
  return digest(
    block.map((byte) => byte ^ 0x5c),
    inner,
  );
}
