/**
 * The conditions of `sha1-conditions.ts` that come in rows, for the blocks of four messages at once: there a vector holds four
 * words of one block, here one word of four.
 */
import { ROWS } from "./sha1-conditions";

/** Gives for each lane the vectors, a bit each, of which a condition of the rows is not met by the wide expanded block at `wide`. */
export function impossibleVectors(wide: usize): v128 {
  let out = i32x4.splat(0);
  let row = ROWS;
  let w = wide + 37 * 16;
  do {
    out = v128.or(out, takenOut(bit4AgainstBit29(w), row));
    out = v128.or(out, takenOut(bit4AgainstBit29(w + 16), row + 4));
    out = v128.or(out, takenOut(bit4AgainstBit29(w + 32), row + 8));
    out = v128.or(out, takenOut(bit4AgainstBit29(w + 48), row + 12));
    w += 64;
    row += 16;
  } while (w < wide + 57 * 16);
  w = wide + 40 * 16;
  do {
    out = v128.or(out, takenOut(bit29AgainstNext(w), row));
    out = v128.or(out, takenOut(bit29AgainstNext(w + 16), row + 4));
    out = v128.or(out, takenOut(bit29AgainstNext(w + 32), row + 8));
    out = v128.or(out, takenOut(bit29AgainstNext(w + 48), row + 12));
    w += 64;
    row += 16;
  } while (w < wide + 60 * 16);
  w = wide + 40 * 16;
  do {
    out = v128.or(out, takenOut(bit6AgainstSecond(w), row));
    out = v128.or(out, takenOut(bit6AgainstSecond(w + 16), row + 4));
    out = v128.or(out, takenOut(bit6AgainstSecond(w + 32), row + 8));
    out = v128.or(out, takenOut(bit6AgainstSecond(w + 48), row + 12));
    w += 64;
    row += 16;
  } while (w < wide + 56 * 16);
  w = wide + 40 * 16;
  do {
    out = v128.or(out, takenOut(bit6AgainstBit1(w), row));
    out = v128.or(out, takenOut(bit6AgainstBit1(w + 16), row + 4));
    out = v128.or(out, takenOut(bit6AgainstBit1(w + 32), row + 8));
    out = v128.or(out, takenOut(bit6AgainstBit1(w + 48), row + 12));
    w += 64;
    row += 16;
  } while (w < wide + 56 * 16);
  w = wide + 35 * 16;
  do {
    out = v128.or(out, takenOutUnless(bit1AsBit6(w), row));
    out = v128.or(out, takenOutUnless(bit1AsBit6(w + 16), row + 4));
    out = v128.or(out, takenOutUnless(bit1AsBit6(w + 32), row + 8));
    out = v128.or(out, takenOutUnless(bit1AsBit6(w + 48), row + 12));
    w += 64;
    row += 16;
  } while (w < wide + 47 * 16);
  for (let i: usize = 0; i < 8; i++, row += 4) {
    out = v128.or(out, takenOutUnless(bit29AsSecond(wide + ((44 + i) << 4)), row));
  }
  for (let i: usize = 0; i < 8; i++, row += 4) {
    out = v128.or(out, takenOutUnless(bit1AsFourth(wide + ((47 + i) << 4)), row));
  }
  return out;
}

// As in `sha1-conditions.ts`; the bits to compare are moved to the sign.

// @ts-ignore: decorator
@inline
function bit4AgainstBit29(at: usize): v128 {
  return v128.xor(i32x4.shl(v128.load(at), 27), i32x4.shl(v128.load(at, 48), 2));
}

// @ts-ignore: decorator
@inline
function bit29AgainstNext(at: usize): v128 {
  return i32x4.shl(v128.xor(v128.load(at), v128.load(at, 16)), 2);
}

// @ts-ignore: decorator
@inline
function bit6AgainstSecond(at: usize): v128 {
  return i32x4.shl(v128.xor(v128.load(at), v128.load(at, 32)), 25);
}

// @ts-ignore: decorator
@inline
function bit6AgainstBit1(at: usize): v128 {
  return v128.xor(i32x4.shl(v128.load(at), 25), i32x4.shl(v128.load(at, 16), 30));
}

// @ts-ignore: decorator
@inline
function bit1AsBit6(at: usize): v128 {
  return v128.xor(i32x4.shl(v128.load(at), 30), i32x4.shl(v128.load(at, 16), 25));
}

// @ts-ignore: decorator
@inline
function bit29AsSecond(at: usize): v128 {
  return i32x4.shl(v128.xor(v128.load(at), v128.load(at, 32)), 2);
}

// @ts-ignore: decorator
@inline
function bit1AsFourth(at: usize): v128 {
  return i32x4.shl(v128.xor(v128.load(at), v128.load(at, 64)), 30);
}

// @ts-ignore: decorator
@inline
function takenOut(differences: v128, row: usize): v128 {
  return v128.and(i32x4.shr_s(differences, 31), v128.load32_splat(row));
}

// @ts-ignore: decorator
@inline
function takenOutUnless(differences: v128, row: usize): v128 {
  return v128.andnot(v128.load32_splat(row), i32x4.shr_s(differences, 31));
}
