/**
 * Invariants that speak: what must hold is asserted, and an index that is out of bounds is an error rather than a zero.
 *
 * Each kind of array has an accessor of its own, so that every one of them sees a single kind and stays as fast as the bare access.
 *
 * @packageDocumentation
 */

/** A fault in this program: an invariant that does not hold. It is logged, and answered like any fault of ours. */
export class Bug extends Error {
  override readonly name = "Bug";
}

/**
 * Asserts an invariant.
 *
 * @param why - What must hold, as a sentence.
 * @throws Bug where it does not hold.
 */
export function assert(condition: boolean, why: string): asserts condition {
  if (!condition) throw new Bug(why);
}

/** Throws the {@link Bug} of an index that is out of bounds; apart, so that the accessors are small enough to be inlined. */
function outOfBounds(index: number, length: number): never {
  throw new Bug(`index ${index} of ${length}`);
}

/**
 * Returns a value that must be there.
 *
 * @param what - What is missing where it is not there.
 * @throws Bug where it is `undefined`.
 */
export function present<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Bug(`${what} is missing`);
  return value;
}

/** Returns the item at an index of a list. @throws Bug where the index is out of bounds. */
export function itemAt<T>(list: readonly T[], index: number): T {
  const item = list[index];
  return item === undefined ? outOfBounds(index, list.length) : item;
}

/** Returns the byte at an index. @throws Bug where the index is out of bounds. */
export function u8At(bytes: Uint8Array, index: number): number {
  const value = bytes[index];
  return value === undefined ? outOfBounds(index, bytes.length) : value;
}

/** Returns the number at an index of a list of unsigned 32-bit numbers. @throws Bug where the index is out of bounds. */
export function u32At(numbers: Uint32Array, index: number): number {
  const value = numbers[index];
  return value === undefined ? outOfBounds(index, numbers.length) : value;
}

/** Returns the number at an index of a list of signed 32-bit numbers. @throws Bug where the index is out of bounds. */
export function i32At(numbers: Int32Array, index: number): number {
  const value = numbers[index];
  return value === undefined ? outOfBounds(index, numbers.length) : value;
}

/** Returns the number at an index of a list of floating-point numbers. @throws Bug where the index is out of bounds. */
export function f64At(numbers: Float64Array, index: number): number {
  const value = numbers[index];
  return value === undefined ? outOfBounds(index, numbers.length) : value;
}

/** Returns the number at an index of a list of unsigned 16-bit numbers. @throws Bug where the index is out of bounds. */
export function u16At(numbers: Uint16Array, index: number): number {
  const value = numbers[index];
  return value === undefined ? outOfBounds(index, numbers.length) : value;
}

/** Returns the number at an index of a list of any kind, where several kinds meet. @throws Bug where the index is out of bounds. */
export function numberAt(numbers: ArrayLike<number>, index: number): number {
  const value = numbers[index];
  return value === undefined ? outOfBounds(index, numbers.length) : value;
}

/**
 * Returns the byte at an index, or 0 past the end: for rules that look ahead, as into the NUL that ends a C string, and for tables
 * that end where only zeros follow.
 */
export function u8OrNul(bytes: Uint8Array, index: number): number {
  return bytes[index] ?? 0; // Past the end is meant.
}
