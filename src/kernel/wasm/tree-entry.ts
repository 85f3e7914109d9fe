/**
 * What is common to all that walks a tree: where entries end, how they compare, and what of them is the same in another tree.
 */

export const TREE_MODE: u32 = 0x4000;
export const LINK_MODE: u32 = 0xe000;
/** Gives no mode: there is none that a tree may have. */
const NO_MODE: u32 = 0;

export let rawSize: usize = 20;

export function treeInitialise(size: usize): void {
  rawSize = size;
}

/** The first NUL from `at` on, or 0 where there is none before `end`. Looks up to 15 bytes past `end`. */
export function findNul(at: usize, end: usize): usize {
  const zero = i64x2(0, 0);
  while (at < end) {
    const found = i8x16.bitmask(i8x16.eq(v128.load(at), zero));
    if (found != 0) {
      const nul = at + ctz<i32>(found);
      return nul < end ? nul : 0;
    }
    at += 16;
  }
  return 0;
}

/** Whether `length` bytes, 16 at least, are the same in both places. */
export function sameBytes(left: usize, right: usize, length: usize): bool {
  const last = length - 16;
  for (let i: usize = 0; i < last; i += 16) {
    if (v128.any_true(v128.xor(v128.load(left + i), v128.load(right + i)))) return false;
  }
  return !v128.any_true(v128.xor(v128.load(left + last), v128.load(right + last)));
}

/** Behind the mode that {@link readMode} read: the name. */
export let nameAt: usize = 0;

/** The mode at `at`, in any number of octal digits; 0, which no entry has, where there is none before a space and `end`. */
export function readMode(at: usize, end: usize): u32 {
  let mode: u32 = 0;
  while (at < end) {
    const digit = <u32>load<u8>(at++) - 0x30;
    if (digit > 7) {
      nameAt = at;
      return digit == 0x20 - 0x30 ? mode : NO_MODE;
    }
    mode = (mode << 3) | digit;
  }
  return NO_MODE;
}

/** Whether the mode is of that type, git's S_IFMT. */
export function isType(mode: u32, type: u32): bool {
  return (mode & 0xf000) == type;
}

/** The first byte in which two names differ, NUL included; names that are the same give any number greater than both. */
export function firstDifference(left: usize, right: usize, shorter: usize): usize {
  let at: usize = 0;
  do {
    const difference = load<u64>(left + at) ^ load<u64>(right + at);
    if (difference != 0) return at + <usize>(ctz<u64>(difference) >> 3);
    at += 8;
  } while (at <= shorter);
  return at;
}

/** The other tree of a walk, from the entry that comes next. */
let base: usize = 0;
let baseEnd: usize = 0;

export function setBase(at: usize, length: usize): void {
  base = at;
  baseEnd = at + length;
}

/**
 * Whether the other tree has the same entry: its bytes `at`…`next`, name `name`…`nul`. Asked for each entry in order; goes on in
 * the other tree past all entries before this one. That the other tree is sorted is not relied on: of an unsorted one, less is
 * found to be the same.
 */
export function isInBase(at: usize, next: usize, name: usize, nul: usize, isTree: bool): bool {
  const length = next - at;
  while (base < baseEnd) {
    if (length <= baseEnd - base && sameBytes(base, at, length)) {
      base += length;
      return true;
    }
    const mode = readMode(base, baseEnd);
    const baseName = nameAt;
    const baseNul = mode == NO_MODE ? <usize>0 : findNul(baseName, baseEnd);
    const baseNext = baseNul + 1 + rawSize;
    if (baseNul == 0 || baseNext > baseEnd) {
      base = baseEnd;
      return false;
    }
    const order = compareNames(baseName, baseNul, isType(mode, TREE_MODE), name, nul, isTree);
    if (order > 0) return false;
    base = baseNext;
    if (order == 0) return false;
  }
  return false;
}

/** The order of two names in a tree: git's base_name_compare(). */
export function compareNames(
  left: usize,
  leftNul: usize,
  leftIsTree: bool,
  right: usize,
  rightNul: usize,
  rightIsTree: bool,
): i32 {
  const leftLength = leftNul - left;
  const rightLength = rightNul - right;
  const at = firstDifference(left, right, min(leftLength, rightLength));
  return <i32>orderByte(left, leftLength, leftIsTree, at) - <i32>orderByte(right, rightLength, rightIsTree, at);
}

/** The byte of a name that counts at `at`: behind the end a slash for trees, else 0. */
export function orderByte(name: usize, length: usize, isTree: bool, at: usize): u32 {
  if (at < length) return load<u8>(name + at);
  return at == length && isTree ? 0x2f : 0;
}
