/**
 * What is wrong with bytes that the kernel refuses.
 *
 * @packageDocumentation
 */

/** What is wrong with a stream, by the negative status of `Kernel.inflate`; in zlib's words. */
export const INFLATE_FAULTS: Readonly<Record<number, string>> = {
  [-1]: "incorrect header check",
  [-2]: "needs dictionary",
  [-3]: "invalid block type",
  [-4]: "invalid stored block lengths",
  [-5]: "invalid code lengths set",
  [-6]: "invalid code",
  [-7]: "invalid distance too far back",
  [-8]: "incorrect data check",
};

/** What is wrong with a delta, by the negative code of `Kernel.applyDelta` and `Kernel.deltaSizes`. */
export const DELTA_FAULTS: Readonly<Record<number, string>> = {
  [-1]: "delta is truncated",
  [-2]: "delta is for a base of another size",
  [-3]: "delta makes an object of another size",
  [-4]: "delta copies out of bounds",
  [-5]: "delta inserts out of bounds",
  [-6]: "delta has a reserved instruction",
  [-7]: "delta states an impossible size",
};
