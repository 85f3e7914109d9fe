/**
 * Adler-32 (RFC 1950): two sums modulo 65521, the second of the first.
 */

const BASE: u32 = 65521;
/** Bytes after which the sums have to be reduced so as not to overflow (zlib's NMAX, rounded down to whole vectors). */
const RUN: usize = 5536;

/** Continues the checksum `adler` (1 to begin with) over `length` bytes. */
export function adler32(adler: u32, at: usize, length: usize): u32 {
  let low = adler & 0xffff;
  let high = adler >> 16;
  const end = at + length;
  while (end - at >= 16) {
    const runEnd = at + (min(end - at, RUN) & ~15);
    const blocks = <u32>((runEnd - at) >> 4);
    // Per vector: `high` grows by 16 times the sum so far and by each byte times its distance from the vector's end.
    let sums = i32x4(0, 0, 0, 0);
    let earlier = i32x4(0, 0, 0, 0);
    let weighted = i32x4(0, 0, 0, 0);
    do {
      const bytes = v128.load(at);
      earlier = i32x4.add(earlier, sums);
      sums = i32x4.add(sums, i32x4.extadd_pairwise_i16x8_u(i16x8.extadd_pairwise_i8x16_u(bytes)));
      weighted = i32x4.add(
        weighted,
        i32x4.dot_i16x8_s(i16x8.extend_low_i8x16_u(bytes), i16x8(16, 15, 14, 13, 12, 11, 10, 9)),
      );
      weighted = i32x4.add(
        weighted,
        i32x4.dot_i16x8_s(i16x8.extend_high_i8x16_u(bytes), i16x8(8, 7, 6, 5, 4, 3, 2, 1)),
      );
      at += 16;
    } while (at < runEnd);
    high += 16 * (low * blocks + addLanes(earlier)) + addLanes(weighted);
    low += addLanes(sums);
    low %= BASE;
    high %= BASE;
  }
  while (at < end) {
    low += load<u8>(at++);
    high += low;
  }
  low %= BASE;
  high %= BASE;
  return (high << 16) | low;
}

function addLanes(lanes: v128): u32 {
  return (
    i32x4.extract_lane(lanes, 0) +
    i32x4.extract_lane(lanes, 1) +
    i32x4.extract_lane(lanes, 2) +
    i32x4.extract_lane(lanes, 3)
  );
}
