/**
 * Tells where a pack ends that comes on a connection which stays open behind it: its last bytes are the hash of all
 * before. That takes no kernel, so a push can be waited for without one.
 *
 * It is a hint. Bytes can be made that look like the end of a pack within it, and a damaged pack has no such end: the
 * scanner decides.
 *
 * @packageDocumentation
 * @see gitformat-pack(5)
 */
import { concat, equal } from "../../bytes/chunk.ts";
import type { HashFactory, StreamingHash } from "../../bytes/hash.ts";
import type { ObjectFormat } from "../../object/object-id.ts";

/** The end of one pack. */
export class PackEnd {
  readonly #hash: StreamingHash;
  readonly #rawSize: number;
  /** The last bytes so far, which may be the trailer and are not hashed yet. */
  #tail = new Uint8Array(0);

  constructor({ name, rawSize }: ObjectFormat, hash: HashFactory) {
    this.#hash = hash(name);
    this.#rawSize = rawSize;
  }

  /** Takes the next bytes of the pack. */
  add(bytes: Uint8Array): void {
    const joined = concat([this.#tail, bytes]);
    const end = Math.max(0, joined.length - this.#rawSize);
    this.#hash.update(joined.subarray(0, end));
    this.#tail = joined.slice(end);
  }

  /** Whether the pack may be whole. */
  get isReached(): boolean {
    return this.#tail.length === this.#rawSize && equal(this.#hash.peek(), this.#tail);
  }
}
