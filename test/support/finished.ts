/**
 * Work that is done in parts, done at once.
 *
 * @packageDocumentation
 */

/** Runs through all parts of `work`, and returns its result. */
export function finished<T>(work: Generator<unknown, T>): T {
  for (;;) {
    const part = work.next();
    if (part.done === true) return part.value;
  }
}

/** Returns how many parts `work` has: how often others may be served before it ends. */
export function partsOf(work: Generator<unknown, unknown>): number {
  let parts = 1;
  while (work.next().done !== true) parts++;
  return parts;
}
