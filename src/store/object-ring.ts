/**
 * A ring of inflated objects in the kernel's memory. Space is reserved in order and what was reserved longest ago is overwritten
 * first, so the ring needs no free list and no eviction bookkeeping: a *position* (a count of bytes reserved since the start,
 * always rising) tells by itself whether its bytes are still there.
 *
 * @packageDocumentation
 */

/** Hands out contiguous space in one region of kernel memory. */
export class ObjectRing {
  readonly #base: number;
  readonly #capacity: number;
  #head = 0;
  /** What lies from here on is still needed by who is called before it is overwritten. */
  #neededFrom = Number.POSITIVE_INFINITY;
  #beforeLoss: () => void = () => undefined;

  /** `base` is the region's address in kernel memory, `capacity` its bytes. */
  constructor(base: number, capacity: number) {
    this.#base = base;
    this.#capacity = capacity;
  }

  /** Bytes of the region. */
  get capacity(): number {
    return this.#capacity;
  }

  /** Reserves `size` contiguous bytes, overwriting the oldest. `size` is at most the capacity. */
  reserve(size: number): number {
    const position = this.#place(this.#head, size);
    if (position + size - this.#capacity > this.#neededFrom) {
      this.#neededFrom = Number.POSITIVE_INFINITY;
      this.#beforeLoss();
    }
    this.#head = position + size;
    return position;
  }

  /** Has `beforeLoss` called, once, before anything at or behind `position` is overwritten. It must not reserve. */
  needFrom(position: number, beforeLoss: () => void): void {
    this.#neededFrom = position;
    this.#beforeLoss = beforeLoss;
  }

  /** Says that nothing is needed any more. */
  needNothing(): void {
    this.#neededFrom = Number.POSITIVE_INFINITY;
  }

  /** Forgets everything: the region was used for something else. */
  clear(): void {
    this.#head += this.#capacity;
  }

  /** The address of a position's bytes. */
  pointer(position: number): number {
    return this.#base + (position % this.#capacity);
  }

  /** Says whether the bytes at `position` are still there. */
  holds(position: number): boolean {
    return position >= this.#head - this.#capacity;
  }

  /** Says whether they still will be after reserving `first` and then `second` bytes. */
  survives(position: number, first: number, second: number): boolean {
    const afterFirst = this.#place(this.#head, first) + first;
    const afterSecond = this.#place(afterFirst, second) + second;
    return position >= afterSecond - this.#capacity;
  }

  /** Whether the bytes at `position` are among the older half: worth reserving anew when they are used again. */
  isOld(position: number): boolean {
    return position < this.#head - this.#capacity / 2;
  }

  #place(head: number, size: number): number {
    const used = head % this.#capacity;
    return used + size > this.#capacity ? head + this.#capacity - used : head;
  }
}
