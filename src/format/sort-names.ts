/**
 * Sorts the names of a pack's objects. Names are hashes, so their first four bytes nearly always decide. A radix sort
 * orders by those bytes, and then the few neighbours that tie are sorted by the whole name.
 *
 * @packageDocumentation
 */
import { u32At, u8At } from "../bytes/assert.ts";

const DIGIT_BITS = 16;
const DIGITS = 1 << DIGIT_BITS;
/** Names up to which comparing them takes less than one pass over all digits. */
const FEW_NAMES = 1024;

/** Raw names in one buffer; the name of entry i begins at `i × stride`. */
export type NameTable = { readonly names: Uint8Array; readonly stride: number; readonly rawSize: number };

function compareNames(table: NameTable, a: number, b: number): number {
  const { names, stride, rawSize } = table;
  const atA = a * stride;
  const atB = b * stride;
  for (let i = 0; i < rawSize; i++) {
    const difference = u8At(names, atA + i) - u8At(names, atB + i);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Does one stable pass of a counting sort on 16 bits of the keys. */
function pass(keys: Uint32Array, from: Uint32Array, to: Uint32Array, shift: number): void {
  const starts = new Uint32Array(DIGITS + 1);
  for (const entry of from) {
    const slot = ((u32At(keys, entry) >>> shift) & (DIGITS - 1)) + 1;
    starts[slot] = u32At(starts, slot) + 1;
  }
  for (let digit = 1; digit < DIGITS; digit++) starts[digit] = u32At(starts, digit) + u32At(starts, digit - 1);
  for (const entry of from) {
    const digit = (u32At(keys, entry) >>> shift) & (DIGITS - 1);
    const place = u32At(starts, digit);
    to[place] = entry;
    starts[digit] = place + 1;
  }
}

/**
 * Sorts each run of equal keys. An attacker chooses the names, and so the run length: an insertion sort would be
 * quadratic.
 */
function settleTies(table: NameTable, keys: Uint32Array, order: Uint32Array): void {
  const keyAt = (i: number): number => u32At(keys, u32At(order, i));
  for (let first = 0; first < order.length;) {
    let last = first + 1;
    while (last < order.length && keyAt(last) === keyAt(first)) last++;
    if (last - first > 1) order.subarray(first, last).sort((a, b) => compareNames(table, a, b) || a - b);
    first = last;
  }
}

/**
 * Returns the entries `0 … count - 1` in the order of their names. Equal names keep the order of their entries.
 * It takes about 20 bytes of memory per entry while it runs.
 */
export function sortNames(table: NameTable, count: number): Uint32Array<ArrayBuffer> {
  const { names, stride } = table;
  if (count <= FEW_NAMES)
    return Uint32Array.from({ length: count }, (_, i) => i).sort((a, b) => compareNames(table, a, b) || a - b);
  const keys = new Uint32Array(count);
  const order = new Uint32Array(count);
  for (let entry = 0, at = 0; entry < count; entry++, at += stride) {
    keys[entry] =
      (u8At(names, at) << 24) | (u8At(names, at + 1) << 16) | (u8At(names, at + 2) << 8) | u8At(names, at + 3);
    order[entry] = entry;
  }
  const scratch = new Uint32Array(count);
  pass(keys, order, scratch, 0);
  pass(keys, scratch, order, DIGIT_BITS);
  settleTies(table, keys, order);
  return order;
}
