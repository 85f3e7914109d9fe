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

/** Entries after which the work so far is told. */
const PART = 65_536;
/** The steps of an entry in each of the loops over all. */
const ENTRY_STEPS = 4;
/** The steps of an entry that has to be compared with others. */
const TIE_STEPS = 100;

/** Yields the bounds of parts of all entries, and the steps of each part after it was visited. */
function* inParts(count: number, visit: (from: number, to: number) => void): Generator<number, undefined> {
  for (let from = 0; from < count; from += PART) {
    const to = Math.min(count, from + PART);
    visit(from, to);
    yield (to - from) * ENTRY_STEPS;
  }
}

/** Does one stable pass of a counting sort on 16 bits of the keys. Yields its steps. */
function* pass(keys: Uint32Array, from: Uint32Array, to: Uint32Array, shift: number): Generator<number, undefined> {
  const starts = new Uint32Array(DIGITS + 1);
  yield* inParts(from.length, (first, end) => {
    for (let i = first; i < end; i++) {
      const slot = ((u32At(keys, u32At(from, i)) >>> shift) & (DIGITS - 1)) + 1;
      starts[slot] = u32At(starts, slot) + 1;
    }
  });
  for (let digit = 1; digit < DIGITS; digit++) starts[digit] = u32At(starts, digit) + u32At(starts, digit - 1);
  yield* inParts(from.length, (first, end) => {
    for (let i = first; i < end; i++) {
      const entry = u32At(from, i);
      const digit = (u32At(keys, entry) >>> shift) & (DIGITS - 1);
      const place = u32At(starts, digit);
      to[place] = entry;
      starts[digit] = place + 1;
    }
  });
}

/**
 * Sorts each run of equal keys. An attacker chooses the names, and so the run length: an insertion sort would be
 * quadratic. Yields its steps.
 */
function* settleTies(table: NameTable, keys: Uint32Array, order: Uint32Array): Generator<number, undefined> {
  const keyAt = (i: number): number => u32At(keys, u32At(order, i));
  let steps = 0;
  for (let first = 0; first < order.length;) {
    let last = first + 1;
    while (last < order.length && keyAt(last) === keyAt(first)) last++;
    if (last - first > 1) order.subarray(first, last).sort((a, b) => compareNames(table, a, b) || a - b);
    steps += last - first > 1 ? (last - first) * TIE_STEPS : ENTRY_STEPS;
    if (steps >= PART * ENTRY_STEPS) {
      yield steps;
      steps = 0;
    }
    first = last;
  }
  yield steps;
}

/**
 * Returns the entries `0 … count - 1` in the order of their names, and yields the steps of it. Equal names keep the order of
 * their entries. It takes about 20 bytes of memory per entry while it runs. The names must not change meanwhile.
 */
export function* sortNames(table: NameTable, count: number): Generator<number, Uint32Array<ArrayBuffer>, undefined> {
  const { names, stride } = table;
  if (count <= FEW_NAMES) {
    yield count * TIE_STEPS;
    return Uint32Array.from({ length: count }, (_, i) => i).sort((a, b) => compareNames(table, a, b) || a - b);
  }
  const keys = new Uint32Array(count);
  const order = new Uint32Array(count);
  yield* inParts(count, (first, end) => {
    for (let entry = first, at = first * stride; entry < end; entry++, at += stride) {
      keys[entry] =
        (u8At(names, at) << 24) | (u8At(names, at + 1) << 16) | (u8At(names, at + 2) << 8) | u8At(names, at + 3);
      order[entry] = entry;
    }
  });
  const scratch = new Uint32Array(count);
  yield* pass(keys, order, scratch, 0);
  yield* pass(keys, scratch, order, DIGIT_BITS);
  yield* settleTies(table, keys, order);
  return order;
}
