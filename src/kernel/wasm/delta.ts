/**
 * Deltas as packs have them: two sizes, then copies from the base and literal bytes (gitformat-pack(5)). Every bound is checked;
 * what git's patch_delta() refuses is refused.
 */

const TRUNCATED: i32 = -1;
const BASE_SIZE_DIFFERS: i32 = -2;
const RESULT_SIZE_DIFFERS: i32 = -3;
const BAD_COPY: i32 = -4;
const BAD_LITERAL: i32 = -5;
const BAD_INSTRUCTION: i32 = -6;
const SIZE_TOO_LARGE: i32 = -7;

/** The shortest delta git takes (its DELTA_SIZE_MIN). */
const SHORTEST: usize = 4;
/** Copies up to this length go by vectors rather than by a call of the machine's memmove. */
const SHORT_COPY: usize = 128;

let baseSize: u64 = 0;
let resultSize: u64 = 0;
let cursor: usize = 0;

/** Sizes of the delta that {@link deltaSizes} or {@link applyDelta} read last. */
export function deltaBaseSize(): f64 {
  return <f64>baseSize;
}

export function deltaResultSize(): f64 {
  return <f64>resultSize;
}

/** Reads the two sizes a delta begins with; gives their length in bytes, or a negative code. */
export function deltaSizes(delta: usize, length: usize): i32 {
  const end = delta + length;
  cursor = delta;
  baseSize = readSize(end);
  if (failed < 0) return failed;
  resultSize = readSize(end);
  if (failed < 0) return failed;
  return <i32>(cursor - delta);
}

let failed: i32 = 0;

function readSize(end: usize): u64 {
  let size: u64 = 0;
  let shift: u64 = 0;
  failed = 0;
  while (cursor < end) {
    const byte = load<u8>(cursor++);
    const part = <u64>(byte & 127);
    // 2^53 and more would not be exact outside, and no object is that large.
    if (shift > 56 || (shift > 46 && part >> (53 - min<u64>(shift, 53)) != 0)) {
      failed = SIZE_TOO_LARGE;
      return 0;
    }
    size |= part << shift;
    if ((byte & 128) == 0) return size;
    shift += 7;
  }
  failed = TRUNCATED;
  return 0;
}

/** Builds the object a delta stands for into exactly `dstLength` bytes; 0, or a negative code. */
export function applyDelta(
  base: usize,
  baseLength: usize,
  delta: usize,
  deltaLength: usize,
  dst: usize,
  dstLength: usize,
): i32 {
  if (deltaLength < SHORTEST) return TRUNCATED;
  const header = deltaSizes(delta, deltaLength);
  if (header < 0) return header;
  if (baseSize != baseLength) return BASE_SIZE_DIFFERS;
  if (resultSize != dstLength) return RESULT_SIZE_DIFFERS;

  const end = delta + deltaLength;
  const dstEnd = dst + dstLength;
  let at = delta + header;
  while (at < end) {
    const instruction: usize = load<u8>(at++);
    if ((instruction & 128) != 0) {
      if (<usize>popcnt<u32>(<u32>instruction & 127) > end - at) return TRUNCATED;
      let offset: usize = 0;
      let length: usize = 0;
      if ((instruction & 1) != 0) offset = load<u8>(at++);
      if ((instruction & 2) != 0) offset |= <usize>load<u8>(at++) << 8;
      if ((instruction & 4) != 0) offset |= <usize>load<u8>(at++) << 16;
      if ((instruction & 8) != 0) offset |= <usize>load<u8>(at++) << 24;
      if ((instruction & 16) != 0) length = load<u8>(at++);
      if ((instruction & 32) != 0) length |= <usize>load<u8>(at++) << 8;
      if ((instruction & 64) != 0) length |= <usize>load<u8>(at++) << 16;
      if (length == 0) length = 0x10000;
      if (offset > baseLength || length > baseLength - offset || length > dstEnd - dst) return BAD_COPY;
      copy(dst, base + offset, length, dstEnd);
      dst += length;
    } else {
      if (instruction == 0) return BAD_INSTRUCTION;
      if (instruction > end - at || instruction > dstEnd - dst) return BAD_LITERAL;
      copy(dst, at, instruction, dstEnd);
      at += instruction;
      dst += instruction;
    }
  }
  return dst == dstEnd ? 0 : RESULT_SIZE_DIFFERS;
}

/** Copies `length` bytes; may write on up to `limit`, and reads at most 15 bytes further than asked, inside the memory. */
function copy(to: usize, from: usize, length: usize, limit: usize): void {
  if (length > SHORT_COPY || limit - to < ((length + 15) & ~15)) {
    memory.copy(to, from, length);
    return;
  }
  const end = to + length;
  do {
    v128.store(to, v128.load(from));
    to += 16;
    from += 16;
  } while (to < end);
}
