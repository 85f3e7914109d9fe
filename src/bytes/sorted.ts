/**
 * Looking up in sorted numbers, wherever they are kept.
 *
 * @packageDocumentation
 */

/** Gives the rank of `wanted` among `count` ascending numbers, of which `valueAt` gives each by its rank; -1 where it is not there. */
export function findSorted(count: number, wanted: number, valueAt: (rank: number) => number): number {
  let low = 0;
  let high = count - 1;
  while (low <= high) {
    const middle = (low + high) >>> 1;
    const value = valueAt(middle);
    if (value === wanted) return middle;
    if (value < wanted) low = middle + 1;
    else high = middle - 1;
  }
  return -1;
}
