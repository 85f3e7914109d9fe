/**
 * Binary search in sorted numbers, wherever they are kept.
 *
 * @packageDocumentation
 */

/**
 * Returns the rank of `wanted` among `count` ascending numbers, which `valueAt` returns by rank; -1 if it is not there.
 */
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
