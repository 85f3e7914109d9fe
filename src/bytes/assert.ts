/**
 * Assertions, and checked access to arrays: an index out of bounds is an error and not a zero.
 *
 * Each type of array has an accessor of its own. So each accessor sees a single type, and stays as fast as unchecked
 * access.
 *
 * @packageDocumentation
 */

/** A fault in this program: an invariant that does not hold. It is logged and answered like any internal error. */
export class Bug extends Error {
  override readonly name = "Bug";
}

/**
 * Asserts an invariant.
 *
 * @param why - The invariant, as a sentence.
 * @throws Bug if it does not hold.
 */
export function assert(condition: boolean, why: string): asserts condition {
  if (!condition) throw new Bug(why);
}

/** Throws the {@link Bug} of an index out of bounds. It is a function of its own so that the accessors are inlined. */
function outOfBounds(index: number, length: number): never {
  throw new Bug(`index ${index} of ${length}`);
}

/**
 * Returns a value that must not be `undefined`.
 *
 * @param what - The name of the value, for the message.
 * @throws Bug if it is `undefined`.
 */
export function present<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Bug(`${what} is missing`);
  return value;
}

/** Returns the item at an index of a list. @throws Bug if the index is out of bounds. */
export function itemAt<T>(list: readonly T[], index: number): T {
  const item = list[index];
  return item === undefined ? outOfBounds(index, list.length) : item;
}

/** Returns the byte at an index. @throws Bug if the index is out of bounds. */
export function u8At(bytes: Uint8Array, index: number): number {
  const value = bytes[index];
  return value === undefined ? outOfBounds(index, bytes.length) : value;
}

/** Returns the signed byte at an index. @throws Bug if the index is out of bounds. */
export function i8At(numbers: Int8Array, index: number): number {
  const value = numbers[index];
  return value === undefined ? outOfBounds(index, numbers.length) : value;
}

/** Returns the unsigned 32-bit number at an index. @throws Bug if the index is out of bounds. */
export function u32At(numbers: Uint32Array, index: number): number {
  const value = numbers[index];
  return value === undefined ? outOfBounds(index, numbers.length) : value;
}

/** Returns the signed 32-bit number at an index. @throws Bug if the index is out of bounds. */
export function i32At(numbers: Int32Array, index: number): number {
  const value = numbers[index];
  return value === undefined ? outOfBounds(index, numbers.length) : value;
}

/** Returns the floating-point number at an index. @throws Bug if the index is out of bounds. */
export function f64At(numbers: Float64Array, index: number): number {
  const value = numbers[index];
  return value === undefined ? outOfBounds(index, numbers.length) : value;
}

/** Returns the unsigned 16-bit number at an index. @throws Bug if the index is out of bounds. */
export function u16At(numbers: Uint16Array, index: number): number {
  const value = numbers[index];
  return value === undefined ? outOfBounds(index, numbers.length) : value;
}

/**
 * Returns the number at an index of an array of any type. For callers that get several types.
 *
 * @throws Bug out of bounds.
 */
export function numberAt(numbers: ArrayLike<number>, index: number): number {
  const value = numbers[index];
  return value === undefined ? outOfBounds(index, numbers.length) : value;
}

/**
 * Returns the byte at an index, or 0 past the end. For rules that look ahead, as C code does into the NUL that ends a
 * string, and for tables that leave out trailing zeros.
 */
export function u8OrNul(bytes: Uint8Array, index: number): number {
  return bytes[index] ?? 0; // An index past the end is intended here.
}
