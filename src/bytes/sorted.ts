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

/**
 * As {@link findSorted}, for a number that is probably among the last ones: it takes steps that grow from the end back.
 */
export function findFromEnd(count: number, wanted: number, valueAt: (rank: number) => number): number {
  let high = count - 1;
  let low = high;
  for (let step = 1; low > 0 && valueAt(low) > wanted; step *= 2) {
    high = low;
    low = Math.max(0, low - step);
  }
  if (low < 0) return -1;
  const found = findSorted(high - low + 1, wanted, (rank) => valueAt(low + rank));
  return found < 0 ? -1 : low + found;
}
