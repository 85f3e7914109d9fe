/**
 * Integers in network byte order, which every binary format of git uses. Every access is checked: a read past the end
 * is an error and not an `undefined`, which would become 0 in arithmetic.
 *
 * @packageDocumentation
 */
import { u8At } from "./assert.ts";

const TWO_32 = 2 ** 32;

/** Reads the unsigned 16-bit integer at `at`. @throws RangeError past the end. */
export function u16(bytes: Uint8Array, at: number): number {
  checkBounds(bytes, at, 2);
  return (u8At(bytes, at) << 8) | u8At(bytes, at + 1);
}

/** Reads the unsigned 32-bit integer at `at`. @throws RangeError past the end. */
export function u32(bytes: Uint8Array, at: number): number {
  checkBounds(bytes, at, 4);
  return (
    ((u8At(bytes, at) << 24) | (u8At(bytes, at + 1) << 16) | (u8At(bytes, at + 2) << 8) | u8At(bytes, at + 3)) >>> 0
  );
}

/** Reads the unsigned 64-bit integer at `at`. @throws RangeError past the end, and for a value of 2^53 or more. */
export function u64(bytes: Uint8Array, at: number): number {
  checkBounds(bytes, at, 8);
  const value = u32(bytes, at) * TWO_32 + u32(bytes, at + 4);
  if (value > Number.MAX_SAFE_INTEGER) throw new RangeError(`a 64-bit value at ${at} is 2^53 or more`);
  return value;
}

/**
 * Writes `value` at `at` as an unsigned 16-bit integer.
 *
 * @throws RangeError past the end, and for a value that does not fit.
 */
export function putU16(bytes: Uint8Array, at: number, value: number): void {
  checkBounds(bytes, at, 2);
  checkValue(value, 0xffff);
  bytes[at] = value >>> 8;
  bytes[at + 1] = value;
}

/**
 * Writes `value` at `at` as an unsigned 32-bit integer.
 *
 * @throws RangeError past the end, and for a value that does not fit.
 */
export function putU32(bytes: Uint8Array, at: number, value: number): void {
  checkBounds(bytes, at, 4);
  checkValue(value, TWO_32 - 1);
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}

/**
 * Writes `value`, an integer below 2^53, at `at` as 64 bits.
 *
 * @throws RangeError past the end, and for any other value.
 */
export function putU64(bytes: Uint8Array, at: number, value: number): void {
  checkBounds(bytes, at, 8);
  checkValue(value, Number.MAX_SAFE_INTEGER);
  putU32(bytes, at, Math.floor(value / TWO_32));
  putU32(bytes, at + 4, value % TWO_32);
}

function checkBounds(bytes: Uint8Array, at: number, size: number): void {
  if (!(at >= 0 && at + size <= bytes.length)) throw new RangeError(`no ${size} bytes at ${at} of ${bytes.length}`);
}

function checkValue(value: number, max: number): void {
  if (!(Number.isInteger(value) && value >= 0 && value <= max)) throw new RangeError(`${value} is not in 0…${max}`);
}
