/**
 * Inflates entries into the ring and applies deltas there, both for taking a pack in and for reading one back.
 *
 * @packageDocumentation
 */
import { present } from "../bytes/assert.ts";
import { CorruptStore, LimitExceeded, ObjectRejected } from "../bytes/failure.ts";
import type { Pacer } from "../bytes/pacer.ts";
import { INFLATE_DONE, INFLATE_NEED_INPUT, INFLATE_NEED_OUTPUT, type Kernel } from "../kernel/kernel.ts";
import type { ObjectRing } from "./object-ring.ts";

/** An object or delta in the ring. */
export type Held = { readonly position: number; readonly size: number };

/** A stream being inflated, with the numbers of bytes produced and consumed so far. */
export type Inflation = { readonly held: Held; produced: number; consumed: number };

/**
 * Returns the most bytes that data of this size deflates to, headers and trailer included, unless the stream was made
 * long on purpose.
 */
export function deflatedBytes(size: number): number {
  return size + (size >>> 8) + 64;
}

/** The kernel and its ring, with the operations that fill the ring. */
export class Inflating {
  #kernel: Kernel | undefined;
  readonly ring: ObjectRing;
  readonly #pacer: Pacer;

  /** `pacer` is charged for what is inflated in pieces. */
  constructor(kernel: Kernel, ring: ObjectRing, pacer: Pacer) {
    this.#kernel = kernel;
    this.ring = ring;
    this.#pacer = pacer;
  }

  /** Counts bytes that a stream has inflated, and pauses where that is due. */
  async pace(bytes: number): Promise<void> {
    this.#pacer.add(bytes);
    if (this.#pacer.isDue) await this.#pacer.pace();
  }

  /**
   * The size of the largest object, base or delta that may be held: a quarter of the ring, so that a delta, its base
   * and its result fit together.
   */
  get wholeBytes(): number {
    return Math.floor(this.ring.capacity / 4);
  }

  /** The kernel in use. */
  get kernel(): Kernel {
    return present(this.#kernel, "the kernel");
  }

  /** Lets go of the kernel, and returns it. Nothing is held any more. */
  letGo(): Kernel {
    const { kernel } = this;
    this.#kernel = undefined;
    return kernel;
  }

  /** Continues with another kernel. Nothing is held any more. */
  replace(kernel: Kernel): void {
    this.#kernel = kernel;
    this.ring.move(kernel.ringAt, kernel.ringBytes);
  }

  /** Returns the address of a held object. */
  pointer(held: Held): number {
    return this.ring.pointer(held.position);
  }

  /** Returns a view of a held object, valid until the next call that grows or fills kernel memory. */
  bytes(held: Held): Uint8Array {
    const at = this.pointer(held);
    return this.kernel.memory.subarray(at, at + held.size);
  }

  /** Copies bytes into the ring. */
  hold(bytes: Uint8Array): Held {
    const position = this.ring.reserve(bytes.length);
    this.kernel.memory.set(bytes, this.ring.pointer(position));
    return { position, size: bytes.length };
  }

  /** Copies a held object to the ring's head, which makes it the youngest. */
  refresh(held: Held): Held {
    const from = this.pointer(held);
    const position = this.ring.reserve(held.size);
    this.kernel.memory.copyWithin(this.ring.pointer(position), from, from + held.size);
    return { position, size: held.size };
  }

  /**
   * Starts inflating a zlib stream to exactly `size` bytes. Its data then goes to {@link inflateMore}, piece by piece.
   * Only one stream may be under way at a time.
   */
  startInflating(size: number): Inflation {
    this.kernel.inflateStart();
    return { held: { position: this.ring.reserve(size), size }, produced: 0, consumed: 0 };
  }

  /**
   * Inflates the next piece of the stream; the piece may extend beyond the stream's end. Returns true once the stream
   * is whole, and `consumed` is then its length.
   *
   * @throws CorruptStore if the stream is damaged or does not inflate to the size that it should.
   */
  inflateMore(inflation: Inflation, deflated: Uint8Array): boolean {
    const { kernel } = this;
    const target = this.pointer(inflation.held);
    const { size } = inflation.held;
    for (let at = 0; at < deflated.length;) {
      // The caller may pass a whole block for an object of a few bytes: copy no more than its stream should take.
      const piece = deflated.subarray(at, at + Math.min(kernel.windowBytes, deflatedBytes(size - inflation.produced)));
      kernel.memory.set(piece, kernel.windowAt);
      const out = target + inflation.produced;
      const status = kernel.inflate(kernel.windowAt, kernel.windowAt + piece.length, target, out, target + size);
      at += kernel.inflateConsumed;
      inflation.consumed += kernel.inflateConsumed;
      inflation.produced += kernel.inflateProduced;
      if (status === INFLATE_DONE && inflation.produced === size) return true;
      if (status !== INFLATE_NEED_INPUT)
        throw new CorruptStore(`stored entry does not inflate to its ${size} bytes (${status})`);
    }
    return false;
  }

  /**
   * Inflates a stream of which the beginning is in `deflated`, and what follows may be, too. Returns `undefined` if the
   * stream is not whole there, damaged or very long for its content.
   */
  inflateAtOnce(deflated: Uint8Array, size: number): Held | undefined {
    const { kernel } = this;
    const position = this.ring.reserve(size);
    const length = Math.min(deflated.length, kernel.windowBytes, deflatedBytes(size));
    kernel.memory.set(deflated.subarray(0, length), kernel.windowAt);
    const used = kernel.inflateWhole(kernel.windowAt, kernel.windowAt + length, this.ring.pointer(position), size);
    return used < 0 ? undefined : { position, size };
  }

  /**
   * Returns a copy of the first `size` bytes that a zlib stream inflates to.
   *
   * @throws CorruptStore if the stream is damaged or too short.
   */
  inflateHead(deflated: Uint8Array, size: number): Uint8Array {
    const { kernel } = this;
    const at = this.ring.pointer(this.ring.reserve(size));
    kernel.inflateStart();
    const piece = deflated.subarray(0, kernel.windowBytes);
    kernel.memory.set(piece, kernel.windowAt);
    const status = kernel.inflate(kernel.windowAt, kernel.windowAt + piece.length, at, at, at + size);
    const isWhole = status === INFLATE_DONE || status === INFLATE_NEED_OUTPUT || status === INFLATE_NEED_INPUT;
    if (!isWhole || kernel.inflateProduced < size) throw new CorruptStore(`stored entry does not inflate (${status})`);
    return kernel.memory.slice(at, at + size);
  }

  /** Returns the size of the result of a held delta. @throws ObjectRejected if it is not a delta. */
  resultSize(delta: Held): number {
    if (this.kernel.deltaSizes(this.pointer(delta), delta.size) < 0) throw new ObjectRejected("failed to apply delta");
    return this.kernel.deltaResultSize;
  }

  /**
   * Applies a held delta to a held base. Both may be overwritten by that; the result is the youngest in the ring.
   *
   * @throws ObjectRejected for a delta that git would refuse, and LimitExceeded for a result too large to be held.
   */
  applyDelta(base: Held, delta: Held): Held {
    const { kernel, ring } = this;
    const header = kernel.deltaSizes(this.pointer(delta), delta.size);
    if (header < 0 || kernel.deltaBaseSize !== base.size) throw new ObjectRejected("failed to apply delta");
    const size = kernel.deltaResultSize;
    if (size > this.wholeBytes) throw tooLargeToHold("object", size, this.wholeBytes);
    const kept = ring.survives(base.position, size, 0) ? base : this.refresh(base);
    if (!ring.survives(delta.position, size, 0))
      throw new RangeError("the ring is too small for a delta, its base and its result");
    const position = ring.reserve(size);
    const status = kernel.applyDelta(
      this.pointer(kept),
      base.size,
      this.pointer(delta),
      delta.size,
      ring.pointer(position),
      size,
    );
    if (status < 0) throw new ObjectRejected("failed to apply delta");
    return { position, size };
  }
}

/** Returns the error for an object that has to be held whole and is too large for that. */
export function tooLargeToHold(what: string, size: number, wholeBytes: number): LimitExceeded {
  return new LimitExceeded(
    "whole-object-bytes",
    wholeBytes,
    `${what} of ${size} bytes exceeds the limit of ${wholeBytes} bytes`,
  );
}
