/**
 * The unavoidable bit conditions of SHA-1 collision attacks: which disturbance vectors a message block may belong to.
 *
 * Each condition says that a bit of one word of the expanded block equals, or differs from, a bit of another; a block that does
 * not meet it cannot belong to certain vectors. The conditions are those of `ubc_check.c` in sha1collisiondetection, by Marc
 * Stevens and Dan Shumow ("Speeding up detection of SHA-1 collision attacks using unavoidable attack conditions", USENIX Security
 * 2017), under this licence:
 *
 *     MIT License
 *
 *     Copyright (c) 2017:
 *         Marc Stevens
 *         Cryptology Group
 *         Centrum Wiskunde & Informatica
 *         P.O. Box 94079, 1090 GB Amsterdam, Netherlands
 *         marc@marc-stevens.nl
 *
 *         Dan Shumow
 *         Microsoft Research
 *         danshu@microsoft.com
 *
 *     Permission is hereby granted, free of charge, to any person obtaining a copy
 *     of this software and associated documentation files (the "Software"), to deal
 *     in the Software without restriction, including without limitation the rights
 *     to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
 *     copies of the Software, and to permit persons to whom the Software is
 *     furnished to do so, subject to the following conditions:
 *
 *     The above copyright notice and this permission notice shall be included in all
 *     copies or substantial portions of the Software.
 *
 *     THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
 *     IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
 *     FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
 *     AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
 *     LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
 *     OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE
 *     SOFTWARE.
 *
 * Changes: since each condition only takes vectors out, their order does not matter. Those that come for a row of consecutive
 * words are tested four at a time and leave few blocks; the rest is a table for these, looked up by the vectors left.
 */

// The bit of each disturbance vector: type, K, b.
const I_43_0: u32 = 1 << 0;
const I_44_0: u32 = 1 << 1;
const I_45_0: u32 = 1 << 2;
const I_46_0: u32 = 1 << 3;
const I_46_2: u32 = 1 << 4;
const I_47_0: u32 = 1 << 5;
const I_47_2: u32 = 1 << 6;
const I_48_0: u32 = 1 << 7;
const I_48_2: u32 = 1 << 8;
const I_49_0: u32 = 1 << 9;
const I_49_2: u32 = 1 << 10;
const I_50_0: u32 = 1 << 11;
const I_50_2: u32 = 1 << 12;
const I_51_0: u32 = 1 << 13;
const I_51_2: u32 = 1 << 14;
const I_52_0: u32 = 1 << 15;
const II_45_0: u32 = 1 << 16;
const II_46_0: u32 = 1 << 17;
const II_46_2: u32 = 1 << 18;
const II_47_0: u32 = 1 << 19;
const II_48_0: u32 = 1 << 20;
const II_49_0: u32 = 1 << 21;
const II_49_2: u32 = 1 << 22;
const II_50_0: u32 = 1 << 23;
const II_50_2: u32 = 1 << 24;
const II_51_0: u32 = 1 << 25;
const II_51_2: u32 = 1 << 26;
const II_52_0: u32 = 1 << 27;
const II_53_0: u32 = 1 << 28;
const II_54_0: u32 = 1 << 29;
const II_55_0: u32 = 1 << 30;
const II_56_0: u32 = 1 << 31;

/** For each kind of condition the vectors that it takes out, word after word. */
export const ROWS: usize = memory.data<u32>(
  [
    // bit4AgainstBit29, from word 37
    I_43_0 | I_47_0 | II_46_0 | II_53_0 | II_55_0,
    I_44_0 | I_48_0 | II_47_0 | II_54_0 | II_56_0,
    I_43_0 | I_45_0 | I_49_0 | II_48_0 | II_55_0,
    I_44_0 | I_46_0 | I_50_0 | II_49_0 | II_56_0,
    I_43_0 | I_45_0 | I_47_0 | I_51_0 | II_45_0 | II_50_0,
    I_44_0 | I_46_0 | I_48_0 | I_52_0 | II_46_0 | II_51_0,
    I_43_0 | I_45_0 | I_47_0 | I_49_0 | II_47_0 | II_52_0,
    I_44_0 | I_46_0 | I_48_0 | I_50_0 | II_48_0 | II_53_0,
    I_45_0 | I_47_0 | I_49_0 | I_51_0 | II_49_0 | II_54_0,
    I_46_0 | I_48_0 | I_50_0 | I_52_0 | II_50_0 | II_55_0,
    I_47_0 | I_49_0 | I_51_0 | II_45_0 | II_51_0 | II_56_0,
    I_48_0 | I_50_0 | I_52_0 | II_46_0 | II_52_0,
    I_49_0 | I_51_0 | II_45_0 | II_47_0 | II_53_0,
    I_50_0 | I_52_0 | II_46_0 | II_48_0 | II_54_0,
    I_51_0 | II_47_0 | II_49_0 | II_55_0,
    I_52_0 | II_48_0 | II_50_0 | II_56_0,
    II_49_0 | II_51_0,
    II_50_0 | II_52_0,
    II_51_0 | II_53_0,
    II_52_0 | II_54_0,
    // bit29AgainstNext, from word 40
    I_44_0 | I_47_0 | I_48_0 | II_46_0 | II_47_0 | II_56_0,
    I_45_0 | I_48_0 | I_49_0 | II_47_0 | II_48_0,
    I_46_0 | I_49_0 | I_50_0 | II_48_0 | II_49_0,
    I_47_0 | I_50_0 | I_51_0 | II_45_0 | II_49_0 | II_50_0,
    I_48_0 | I_51_0 | I_52_0 | II_45_0 | II_46_0 | II_50_0 | II_51_0,
    I_49_0 | I_52_0 | II_46_0 | II_47_0 | II_51_0 | II_52_0,
    I_43_0 | I_50_0 | II_47_0 | II_48_0 | II_52_0 | II_53_0,
    I_44_0 | I_51_0 | II_48_0 | II_49_0 | II_53_0 | II_54_0,
    I_45_0 | I_52_0 | II_49_0 | II_50_0 | II_54_0 | II_55_0,
    I_46_0 | II_45_0 | II_50_0 | II_51_0 | II_55_0 | II_56_0,
    I_47_0 | II_46_0 | II_51_0 | II_52_0 | II_56_0,
    I_48_0 | II_47_0 | II_52_0 | II_53_0,
    I_49_0 | II_45_0 | II_48_0 | II_53_0 | II_54_0,
    I_50_0 | II_46_0 | II_49_0 | II_54_0 | II_55_0,
    I_51_0 | II_47_0 | II_50_0 | II_55_0 | II_56_0,
    I_52_0 | II_48_0 | II_51_0 | II_56_0,
    II_49_0 | II_52_0,
    II_50_0 | II_53_0,
    II_51_0 | II_54_0,
    II_52_0,
    // bit6AgainstSecond, from word 40
    I_46_2,
    I_47_2,
    I_46_2 | I_48_2,
    I_47_2 | I_49_2,
    I_46_2 | I_48_2 | I_50_2,
    I_47_2 | I_49_2 | I_51_2,
    I_48_2 | I_50_2,
    I_49_2 | I_51_2,
    I_50_2 | II_46_2,
    I_51_2,
    0,
    II_49_2,
    II_50_2,
    II_51_2,
    0,
    0,
    // bit6AgainstBit1, from word 40
    I_50_2 | II_49_2,
    I_51_2 | II_50_2,
    II_46_2 | II_51_2,
    0,
    0,
    II_49_2,
    I_46_2 | II_50_2,
    I_47_2 | II_51_2,
    I_48_2,
    I_49_2,
    I_50_2 | II_46_2,
    I_51_2,
    0,
    II_49_2,
    II_50_2,
    II_51_2,
    // bit1AsBit6, from word 35
    I_46_2 | I_49_2,
    I_47_2 | I_50_2 | II_46_2,
    I_48_2 | I_51_2,
    0,
    I_46_2 | I_50_2 | II_49_2,
    I_47_2 | I_51_2 | II_50_2,
    I_48_2 | II_46_2 | II_51_2,
    0,
    0,
    I_51_2 | II_49_2,
    0,
    0,
    // bit29AsSecond, from word 44
    I_43_0 | I_45_0 | I_47_0,
    I_44_0 | I_46_0 | I_48_0,
    I_45_0 | I_47_0 | I_49_0,
    I_46_0 | I_48_0 | I_50_0,
    I_47_0 | I_49_0 | I_51_0,
    I_48_0 | I_50_0 | I_52_0,
    I_49_0 | I_51_0 | II_45_0,
    0,
    // bit1AsFourth, from word 47
    II_46_2,
    0,
    0,
    II_49_2,
    II_50_2,
    II_51_2,
    0,
    0,
  ],
  16,
);

/** Word, bit, other word, its bit: and whether the two bits must differ. */
const PLACES: usize = memory.data<u8>([
  61, 2, 62, 7, 1,
  42, 1, 50, 1, 1,
  39, 4, 41, 4, 1,
  62, 2, 63, 7, 1,
  63, 2, 64, 7, 1,
  39, 6, 40, 1, 0,
  45, 1, 47, 1, 1,
  46, 1, 48, 1, 1,
  40, 4, 42, 4, 1,
  37, 4, 39, 4, 1,
  38, 1, 40, 1, 1,
  43, 1, 51, 1, 1,
  37, 5, 41, 30, 0,
  38, 5, 42, 30, 0,
  39, 5, 43, 30, 0,
  36, 4, 40, 29, 0,
  38, 4, 40, 4, 1,
  63, 1, 64, 6, 1,
  61, 1, 62, 6, 1,
  37, 1, 37, 6, 0,
  36, 0, 41, 30, 1,
  37, 0, 42, 30, 1,
  38, 0, 43, 30, 1,
  51, 29, 54, 29, 1,
  53, 29, 56, 29, 1,
  61, 0, 62, 5, 1,
  60, 0, 61, 5, 1,
  56, 29, 59, 29, 1,
  59, 5, 63, 30, 0,
  62, 1, 63, 6, 1,
  35, 5, 39, 30, 0,
  38, 4, 42, 29, 0,
  36, 4, 38, 4, 1,
  35, 4, 39, 29, 0,
  39, 4, 43, 29, 0,
  58, 0, 63, 30, 1,
  60, 5, 64, 30, 0,
  58, 29, 61, 29, 1,
  59, 4, 63, 29, 0,
  62, 0, 63, 5, 1,
  37, 4, 41, 29, 0,
  48, 29, 55, 29, 1,
  59, 0, 64, 30, 1,
  55, 29, 58, 29, 1,
  57, 4, 61, 29, 0,
  58, 4, 62, 29, 0,
  57, 4, 59, 29, 0,
  60, 4, 64, 29, 0,
  63, 0, 64, 5, 1,
  35, 3, 39, 28, 0,
  37, 3, 41, 28, 0,
  38, 3, 42, 28, 0,
  39, 3, 43, 28, 0,
  40, 3, 44, 28, 0,
  41, 3, 45, 28, 0,
  42, 3, 46, 28, 0,
  43, 3, 47, 28, 0,
  44, 3, 48, 28, 0,
  36, 4, 37, 4, 1,
  38, 4, 39, 4, 1,
  36, 3, 40, 28, 0,
  36, 30, 41, 28, 1,
  37, 30, 42, 28, 1,
  38, 30, 43, 28, 1,
  40, 4, 44, 29, 0,
  41, 4, 45, 29, 0,
  42, 4, 46, 29, 0,
  43, 4, 47, 29, 0,
  44, 4, 48, 29, 0,
  37, 4, 38, 4, 1,
  35, 30, 40, 28, 1,
  39, 30, 44, 28, 1,
]);
/** The vectors that each of these takes out. */
const VECTORS: usize = memory.data<u32>([
  I_46_2 | II_46_2,
  I_49_2,
  I_43_0 | I_45_0 | II_55_0,
  I_47_2,
  I_48_2,
  I_49_2,
  II_50_2,
  II_51_2,
  I_44_0 | I_46_0 | II_56_0,
  I_43_0 | II_53_0 | II_55_0,
  I_49_2,
  I_50_2,
  II_49_2,
  II_50_2,
  II_51_2,
  I_46_0 | I_49_0 | II_45_0 | II_48_0,
  I_44_0 | II_54_0 | II_56_0,
  I_45_0 | II_45_0,
  I_43_0,
  I_51_2,
  II_49_2,
  II_50_2,
  II_51_2,
  I_50_0 | II_46_0 | II_47_0,
  I_52_0 | II_48_0 | II_49_0,
  I_46_0 | II_46_0,
  I_45_0 | II_45_0,
  II_51_0 | II_52_0,
  I_43_0,
  I_44_0,
  I_51_2,
  I_51_0 | II_50_0,
  II_52_0 | II_54_0,
  I_45_0 | I_48_0 | II_47_0,
  I_52_0 | II_51_0,
  I_43_0,
  I_44_0,
  II_53_0,
  II_55_0,
  I_47_0 | II_47_0,
  I_50_0 | II_49_0,
  I_51_0 | I_52_0,
  I_44_0,
  II_50_0,
  II_53_0,
  II_54_0,
  II_55_0,
  II_56_0,
  I_48_0 | II_48_0,
  I_51_0 | II_47_0,
  II_49_0,
  II_50_0,
  II_51_0,
  II_52_0,
  II_53_0,
  II_54_0,
  II_55_0,
  II_56_0,
  I_50_0,
  I_52_0,
  II_48_0,
  II_49_0,
  II_50_0,
  II_51_0,
  II_52_0,
  II_53_0,
  II_54_0,
  II_55_0,
  II_56_0,
  I_51_0,
  II_48_0,
  II_52_0,
]);
const TABLE_LENGTH: usize = 72;
/** For each vector the conditions of the table that may take it out: how many, and which. None has more than six. */
const LISTS: usize = memory.data(32 * 8, 8);
let listed: bool = false;

/** Gives the vectors, a bit each, whose conditions the expanded block at `words` (80 words) meets. */
export function possibleVectors(words: usize): u32 {
  let out = bit4AgainstBit29(words + 37 * 4, ROWS + 0);
  out = v128.or(out, bit4AgainstBit29(words + 41 * 4, ROWS + 16));
  out = v128.or(out, bit4AgainstBit29(words + 45 * 4, ROWS + 32));
  out = v128.or(out, bit4AgainstBit29(words + 49 * 4, ROWS + 48));
  out = v128.or(out, bit4AgainstBit29(words + 53 * 4, ROWS + 64));
  out = v128.or(out, bit29AgainstNext(words + 40 * 4, ROWS + 80));
  out = v128.or(out, bit29AgainstNext(words + 44 * 4, ROWS + 96));
  out = v128.or(out, bit29AgainstNext(words + 48 * 4, ROWS + 112));
  out = v128.or(out, bit29AgainstNext(words + 52 * 4, ROWS + 128));
  out = v128.or(out, bit29AgainstNext(words + 56 * 4, ROWS + 144));
  out = v128.or(out, bit6AgainstSecond(words + 40 * 4, ROWS + 160));
  out = v128.or(out, bit6AgainstSecond(words + 44 * 4, ROWS + 176));
  out = v128.or(out, bit6AgainstSecond(words + 48 * 4, ROWS + 192));
  out = v128.or(out, bit6AgainstSecond(words + 52 * 4, ROWS + 208));
  out = v128.or(out, bit6AgainstBit1(words + 40 * 4, ROWS + 224));
  out = v128.or(out, bit6AgainstBit1(words + 44 * 4, ROWS + 240));
  out = v128.or(out, bit6AgainstBit1(words + 48 * 4, ROWS + 256));
  out = v128.or(out, bit6AgainstBit1(words + 52 * 4, ROWS + 272));
  out = v128.or(out, bit1AsBit6(words + 35 * 4, ROWS + 288));
  out = v128.or(out, bit1AsBit6(words + 39 * 4, ROWS + 304));
  out = v128.or(out, bit1AsBit6(words + 43 * 4, ROWS + 320));
  out = v128.or(out, bit29AsSecond(words + 44 * 4, ROWS + 336));
  out = v128.or(out, bit29AsSecond(words + 48 * 4, ROWS + 352));
  out = v128.or(out, bit1AsFourth(words + 47 * 4, ROWS + 368));
  out = v128.or(out, bit1AsFourth(words + 51 * 4, ROWS + 384));
  out = v128.or(out, v128.shuffle<u64>(out, out, 1, 0));
  const left = ~(i32x4.extract_lane(out, 0) | i32x4.extract_lane(out, 1));
  return left == 0 ? 0 : checkTable(words, 2, left);
}

/**
 * Gives those of the vectors `possible` whose conditions of the table are met too. Word i of the block is at `words`, plus i
 * shifted by `shift`. A vector or two are left of a block by then, and the first condition rules out every second of them: so each
 * has a list of its own.
 */
export function checkTable(words: usize, shift: usize, possible: u32): u32 {
  if (!listed) listConditions();
  let left = possible;
  for (let rest = possible; rest != 0; rest &= rest - 1) {
    const vector = ctz<u32>(rest);
    const list = LISTS + (<usize>vector << 3);
    for (let at = list + load<u8>(list); at > list; at--) {
      const place = PLACES + <usize>load<u8>(at) * 5;
      const one = load<u32>(words + (<usize>load<u8>(place) << shift)) >> load<u8>(place, 1);
      const other = load<u32>(words + (<usize>load<u8>(place, 2) << shift)) >> load<u8>(place, 3);
      if (((one ^ other) & 1) != load<u8>(place, 4)) {
        left ^= <u32>1 << vector;
        break;
      }
    }
  }
  return left;
}

function listConditions(): void {
  for (let i: usize = 0; i < TABLE_LENGTH; i++) {
    for (let rest = load<u32>(VECTORS + (i << 2)); rest != 0; rest &= rest - 1) {
      const list = LISTS + (<usize>ctz<u32>(rest) << 3);
      const length = <usize>load<u8>(list) + 1;
      store<u8>(list, length);
      store<u8>(list + length, i);
    }
  }
  listed = true;
}

// Four conditions each, for the word at `at` and the three behind it: the vectors taken out. The bits are moved to the sign.

/** Bit 4 must be bit 29 of the third word on. */
function bit4AgainstBit29(at: usize, row: usize): v128 {
  return takenOut(v128.xor(i32x4.shl(v128.load(at), 27), i32x4.shl(v128.load(at, 12), 2)), row);
}

/** Bit 29 must be that of the next word. */
function bit29AgainstNext(at: usize, row: usize): v128 {
  return takenOut(i32x4.shl(v128.xor(v128.load(at), v128.load(at, 4)), 2), row);
}

/** Bit 6 must be that of the second word on. */
function bit6AgainstSecond(at: usize, row: usize): v128 {
  return takenOut(i32x4.shl(v128.xor(v128.load(at), v128.load(at, 8)), 25), row);
}

/** Bit 6 must be bit 1 of the next word. */
function bit6AgainstBit1(at: usize, row: usize): v128 {
  return takenOut(v128.xor(i32x4.shl(v128.load(at), 25), i32x4.shl(v128.load(at, 4), 30)), row);
}

/** Bit 1 must not be bit 6 of the next word. */
function bit1AsBit6(at: usize, row: usize): v128 {
  return takenOutUnless(v128.xor(i32x4.shl(v128.load(at), 30), i32x4.shl(v128.load(at, 4), 25)), row);
}

/** Bit 29 must not be that of the second word on. */
function bit29AsSecond(at: usize, row: usize): v128 {
  return takenOutUnless(i32x4.shl(v128.xor(v128.load(at), v128.load(at, 8)), 2), row);
}

/** Bit 1 must not be that of the fourth word on. */
function bit1AsFourth(at: usize, row: usize): v128 {
  return takenOutUnless(i32x4.shl(v128.xor(v128.load(at), v128.load(at, 16)), 30), row);
}

function takenOut(differences: v128, row: usize): v128 {
  return v128.and(i32x4.shr_s(differences, 31), v128.load(row));
}

function takenOutUnless(differences: v128, row: usize): v128 {
  return v128.andnot(v128.load(row), i32x4.shr_s(differences, 31));
}
