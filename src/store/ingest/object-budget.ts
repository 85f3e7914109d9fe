/**
 * Bounds the sizes of the objects of one pack, and checks them before the work is done. A few bytes can inflate to
 * gigabytes, and a few bytes of delta can copy as much.
 *
 * @packageDocumentation
 */
import { LimitExceeded } from "../../bytes/failure.ts";
import type { Pacer } from "../../bytes/pacer.ts";

/** Bounds on the objects of a pack, in bytes. */
export type ObjectLimits = {
  /** The size of the largest object. */
  readonly objectBytes: number;
  /** The sum of all that is inflated and all that deltas make. */
  readonly inflatedBytes: number;
};

/**
 * Bytes that deltas on bases in scratch files may read of these again: a fixed amount, and more for each byte that is inflated or made. Most
 * go through their base from its beginning to its end.
 */
const FREE_READ_BACK = 1024 * 1024 * 1024;
const READ_BACK_OF_BYTE = 4;
/** Bytes that are read again for one step: they are copied, and not looked at. */
const READ_BACK_OF_STEP = 8;

/** The steps charged for an object beside those of its bytes: its table entries, its check, its name. */
const OBJECT_STEPS = 300;

/** Counts what a pack has used of its bounds. */
export class ObjectBudget {
  readonly #limits: ObjectLimits;
  readonly #pacer: Pacer;
  #inflated = 0;
  #readBack = 0;

  /** `pacer` is charged for the work of each object. */
  constructor(limits: ObjectLimits, pacer: Pacer) {
    this.#limits = limits;
    this.#pacer = pacer;
  }

  /** Accounts for an object or delta of `size` bytes that is about to be made. @throws LimitExceeded */
  take(size: number): void {
    const { objectBytes, inflatedBytes } = this.#limits;
    this.#pacer.add(OBJECT_STEPS + size);
    if (size > objectBytes) {
      throw new LimitExceeded(
        "object-bytes",
        objectBytes,
        `object of ${size} bytes exceeds the limit of ${objectBytes} bytes`,
      );
    }
    this.#inflated += size;
    if (this.#inflated > inflatedBytes) {
      throw new LimitExceeded("inflated-bytes", inflatedBytes, `pack inflates to more than ${inflatedBytes} bytes`);
    }
  }

  /** Pauses if a pause is due. */
  async pace(): Promise<void> {
    await this.#pacer.pace();
  }

  /** Accounts for bytes of a base that are about to be read again. @throws LimitExceeded */
  readBack(bytes: number): void {
    this.#pacer.add(bytes / READ_BACK_OF_STEP);
    this.#readBack += bytes;
    const most = FREE_READ_BACK + READ_BACK_OF_BYTE * this.#inflated;
    if (this.#readBack > most)
      throw new LimitExceeded(
        "delta-work",
        most,
        "deltas go back and forth in their bases too often to be applied here",
      );
  }
}
