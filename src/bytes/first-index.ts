/**
 * Binary search.
 *
 * @packageDocumentation
 */

/**
 * Returns the first index below `count` for which `holds`; `count` if there is none. It must hold for all that come after one for
 * which it holds.
 */
export function firstIndex(count: number, holds: (index: number) => boolean): number {
  let [low, high] = [0, count];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
