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
/** Arms the faults of `test/worker/faults-entry.ts` with a POST, and tells with a GET what was counted since. */
export const FAULTS_PATH = "/marks/faults";
/** Has alarms and jobs at `test/worker/faults-entry.ts` run that are due `within` milliseconds. */
export const TURNS_PATH = "/marks/turns";
/** Lists the keys of that Worker's bucket below `prefix`, or gives the content of `key`. */
export const BUCKET_PATH = "/marks/bucket";
/** The header of requests to that Worker that no fault may befall, and that are not counted. */
export const UNFAULTED_HEADER = "X-Unfaulted";
/** POST has a job held at the `at`-th storage operation of its `step`; all methods tell what was seen: see `HeldState`. */
export const HELD_PATH = "/marks/held";
/** In the place of a statement: an object's alarm went off, it was asked by another object, or a queue delivered a message. */
export const ASKED = "asked";
/** Tells the statements of Durable Objects that `test/worker/rows-entry.ts` has counted since it was last asked. */
export const ROWS_PATH = "/marks/rows";
/** Tells what the clock of `test/worker/past-entry.ts` shows. */
export const NOW_PATH = "/marks/now";
