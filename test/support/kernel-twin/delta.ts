/**
 * Delta application as gitformat-pack(5) says it: the oracle for the kernel's.
 *
 * @packageDocumentation
 */

/** Bytes in order; past the end zeros, which {@link Cursor.isPast} tells. */
class Cursor {
  readonly #bytes: Uint8Array;
  #at = 0;
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get isPast(): boolean {
    return this.#at > this.#bytes.length;
  }

  get hasMore(): boolean {
    return this.#at < this.#bytes.length;
  }

  byte(): number {
    return this.#bytes[this.#at++] ?? 0;
  }

  /** The bytes that the low `count` bits of `present` announce, lowest first. */
  number(present: number, count: number): number {
    let value = 0;
    for (let i = 0; i < count; i++) if ((present & (1 << i)) !== 0) value += this.byte() * 256 ** i;
    return value;
  }

  size(): number {
    const byte = this.byte();
    return byte < 128 ? byte : byte - 128 + 128 * this.size();
  }
}

/** Builds the object that `delta` makes of `base`; `undefined` where git's patch_delta() would refuse it. */
export function applyDeltaTwin(base: Uint8Array, delta: Uint8Array): Uint8Array<ArrayBuffer> | undefined {
  const from = new Cursor(delta);
  if (delta.length < 4 || from.size() !== base.length) return undefined;
  const size = from.size();
  const result: number[] = [];
  while (from.hasMore) {
    const instruction = from.byte();
    if (instruction === 0) return undefined;
    if (instruction < 128) {
      for (let i = 0; i < instruction; i++) result.push(from.byte());
    } else {
      const offset = from.number(instruction, 4);
      const length = from.number(instruction >> 4, 3) || 0x10000;
      if (offset + length > base.length) return undefined;
      for (const byte of base.subarray(offset, offset + length)) result.push(byte);
    }
  }
  return from.isPast || result.length !== size ? undefined : Uint8Array.from(result);
}
