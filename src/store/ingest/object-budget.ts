/**
 * Bounds on what the objects of one pack may be, checked before the work is done: a few bytes can inflate to gigabytes, and a
 * few bytes of delta can copy as much.
 *
 * @packageDocumentation
 */
import { LimitExceeded } from "../../bytes/failure.ts";

/** Bounds on the objects of a pack. Bytes. */
export type ObjectLimits = {
  /** The largest object. */
  readonly objectBytes: number;
  /** All that is inflated and all that deltas make, together. */
  readonly inflatedBytes: number;
};

/** What a pack has used of its bounds. */
export class ObjectBudget {
  readonly #limits: ObjectLimits;
  #inflated = 0;

  constructor(limits: ObjectLimits) {
    this.#limits = limits;
  }

  /** Accounts for an object or delta of `size` bytes that is about to be made. @throws LimitExceeded */
  take(size: number): void {
    const { objectBytes, inflatedBytes } = this.#limits;
    if (size > objectBytes) {
      throw new LimitExceeded(
        "objectBytes",
        objectBytes,
        `object of ${size} bytes exceeds the limit of ${objectBytes} bytes`,
      );
    }
    this.#inflated += size;
    if (this.#inflated > inflatedBytes) {
      throw new LimitExceeded("inflatedBytes", inflatedBytes, `pack inflates to more than ${inflatedBytes} bytes`);
    }
  }
}

/** The fault for an object that has to be held whole and is too large for that. */
export function tooLargeToHold(what: string, size: number, wholeBytes: number): LimitExceeded {
  return new LimitExceeded(
    "wholeObjectBytes",
    wholeBytes,
    `${what} of ${size} bytes exceeds the limit of ${wholeBytes} bytes`,
  );
}
