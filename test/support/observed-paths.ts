/**
 * The paths that `test/worker/observed-entry.ts` answers besides the Worker's own.
 *
 * @packageDocumentation
 */

/** Answers once no request is under way. The Worker has nothing there, and what is asked below it is left out of counts. */
export const SETTLED_PATH = "/marks/settled";
/** Puts the clock forward by `milliseconds`. */
export const CLOCK_PATH = "/marks/clock";
/** Tells the bytes of all WebAssembly memories that were not collected: no inspector does. */
export const KERNELS_PATH = "/marks/kernels";
