/**
 * A ring of inflated objects in the kernel's memory. Space is reserved in order, and what was reserved longest ago is
 * overwritten first. So the ring needs no free list and no eviction bookkeeping. A *position* is a count of bytes
 * reserved since the start and always rises; it tells by itself whether its bytes are still there.
 *
 * @packageDocumentation
 */

/** Hands out contiguous space in one region of kernel memory. */
export class ObjectRing {
  #base: number;
  #capacity: number;
  #head = 0;
  /** Bytes from this position on must not be overwritten before `#beforeLoss` has run. */
  #neededFrom = Number.POSITIVE_INFINITY;
  #beforeLoss: () => void = () => undefined;

  /** `base` is the region's address in kernel memory, and `capacity` its size in bytes. */
  constructor(base: number, capacity: number) {
    this.#base = base;
    this.#capacity = capacity;
  }

  /** The size of the region in bytes. */
  get capacity(): number {
    return this.#capacity;
  }

  /**
   * Reserves `size` contiguous bytes, overwriting the oldest, and returns their position. `size` is at most the
   * capacity.
   */
  reserve(size: number): number {
    const position = this.#place(this.#head, size);
    if (position + size - this.#capacity > this.#neededFrom) {
      this.#neededFrom = Number.POSITIVE_INFINITY;
      this.#beforeLoss();
    }
    this.#head = position + size;
    return position;
  }

  /** Has `beforeLoss` called, once, before a byte at or after `position` is overwritten. It must not reserve space. */
  needFrom(position: number, beforeLoss: () => void): void {
    this.#neededFrom = position;
    this.#beforeLoss = beforeLoss;
  }

  /** Cancels {@link needFrom}: all bytes may be overwritten. */
  needNothing(): void {
    this.#neededFrom = Number.POSITIVE_INFINITY;
  }

  /** Forgets everything, because the region was used for something else. */
  clear(): void {
    this.#head += this.#capacity;
  }

  /** Forgets everything, and continues in another region. */
  move(base: number, capacity: number): void {
    this.#head += Math.max(this.#capacity, capacity);
    this.#base = base;
    this.#capacity = capacity;
  }

  /** Returns the address of a position's bytes. */
  pointer(position: number): number {
    return this.#base + (position % this.#capacity);
  }

  /** Whether the bytes at `position` are still there. */
  holds(position: number): boolean {
    return position >= this.#head - this.#capacity;
  }

  /** Whether the bytes at `position` will still be there after reserving `first` and then `second` bytes. */
  survives(position: number, first: number, second: number): boolean {
    const afterFirst = this.#place(this.#head, first) + first;
    const afterSecond = this.#place(afterFirst, second) + second;
    return position >= afterSecond - this.#capacity;
  }

  /**
   * Whether the bytes at `position` are among the older half, so that they are worth reserving anew when they are used
   * again.
   */
  isOld(position: number): boolean {
    return position < this.#head - this.#capacity / 2;
  }

  #place(head: number, size: number): number {
    const used = head % this.#capacity;
    return used + size > this.#capacity ? head + this.#capacity - used : head;
  }
}
