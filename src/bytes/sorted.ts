/**
 * Binary search in sorted numbers, wherever they are kept.
 *
 * @packageDocumentation
 */
import { f64At } from "./assert.ts";

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
 * As {@link findSorted}, among the first `count` of ascending numbers, for one that is probably among the last of these: it
 * takes steps that grow from the end back. It looks into the array itself, since it is called for each delta that is sent.
 */
export function findFromEnd(numbers: Float64Array, count: number, wanted: number): number {
  let high = count - 1;
  let low = high;
  for (let step = 1; low > 0 && f64At(numbers, low) > wanted; step *= 2) {
    high = low;
    low = Math.max(0, low - step);
  }
  while (low <= high && low >= 0) {
    const middle = (low + high) >>> 1;
    const value = f64At(numbers, middle);
    if (value === wanted) return middle;
    if (value < wanted) low = middle + 1;
    else high = middle - 1;
  }
  return -1;
}
