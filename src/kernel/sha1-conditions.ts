/**
 * The unavoidable bit conditions of SHA-1 collision attacks: which disturbance vectors a message block may belong to.
 *
 * From Marc Stevens and Dan Shumow, "Speeding up detection of SHA-1 collision attacks using unavoidable attack conditions"
 * (USENIX Security 2017), and transcribed from `ubc_check.c` of their sha1collisiondetection, under this licence:
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
 * Changes: the conditions that are tested for every block come first, and the rest is left out for the many blocks that no vector
 * survives until there. Each condition only clears bits, so their order does not matter.
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

/** Gives the vectors, a bit each, whose conditions the expanded block at `words` (80 words) meets. */
export function possibleVectors(words: usize): u32 {
  const w35 = load<u32>(words, 35 * 4);
  const w36 = load<u32>(words, 36 * 4);
  const w37 = load<u32>(words, 37 * 4);
  const w39 = load<u32>(words, 39 * 4);
  const w40 = load<u32>(words, 40 * 4);
  const w41 = load<u32>(words, 41 * 4);
  const w42 = load<u32>(words, 42 * 4);
  const w43 = load<u32>(words, 43 * 4);
  const w44 = load<u32>(words, 44 * 4);
  const w45 = load<u32>(words, 45 * 4);
  const w46 = load<u32>(words, 46 * 4);
  const w47 = load<u32>(words, 47 * 4);
  const w48 = load<u32>(words, 48 * 4);
  const w49 = load<u32>(words, 49 * 4);
  const w50 = load<u32>(words, 50 * 4);
  const w51 = load<u32>(words, 51 * 4);
  const w52 = load<u32>(words, 52 * 4);
  const w53 = load<u32>(words, 53 * 4);
  const w54 = load<u32>(words, 54 * 4);
  const w55 = load<u32>(words, 55 * 4);
  const w61 = load<u32>(words, 61 * 4);
  const w62 = load<u32>(words, 62 * 4);
  let mask: u32 = ~0;
  mask &= ((((w44^w45)>>29)&1)-1) | ~(I_48_0 | I_51_0 | I_52_0 | II_45_0 | II_46_0 | II_50_0 | II_51_0);
  mask &= ((((w49^w50)>>29)&1)-1) | ~(I_46_0 | II_45_0 | II_50_0 | II_51_0 | II_55_0 | II_56_0);
  mask &= ((((w48^w49)>>29)&1)-1) | ~(I_45_0 | I_52_0 | II_49_0 | II_50_0 | II_54_0 | II_55_0);
  mask &= (((w47^(w50>>25))&(1<<4))-(1<<4)) | ~(I_47_0 | I_49_0 | I_51_0 | II_45_0 | II_51_0 | II_56_0);
  mask &= ((((w47^w48)>>29)&1)-1) | ~(I_44_0 | I_51_0 | II_48_0 | II_49_0 | II_53_0 | II_54_0);
  mask &= ((((w46>>4)^(w49>>29))&1)-1) | ~(I_46_0 | I_48_0 | I_50_0 | I_52_0 | II_50_0 | II_55_0);
  mask &= ((((w46^w47)>>29)&1)-1) | ~(I_43_0 | I_50_0 | II_47_0 | II_48_0 | II_52_0 | II_53_0);
  mask &= ((((w45>>4)^(w48>>29))&1)-1) | ~(I_45_0 | I_47_0 | I_49_0 | I_51_0 | II_49_0 | II_54_0);
  mask &= ((((w45^w46)>>29)&1)-1) | ~(I_49_0 | I_52_0 | II_46_0 | II_47_0 | II_51_0 | II_52_0);
  mask &= ((((w44>>4)^(w47>>29))&1)-1) | ~(I_44_0 | I_46_0 | I_48_0 | I_50_0 | II_48_0 | II_53_0);
  mask &= ((((w43>>4)^(w46>>29))&1)-1) | ~(I_43_0 | I_45_0 | I_47_0 | I_49_0 | II_47_0 | II_52_0);
  mask &= ((((w43^w44)>>29)&1)-1) | ~(I_47_0 | I_50_0 | I_51_0 | II_45_0 | II_49_0 | II_50_0);
  mask &= ((((w42>>4)^(w45>>29))&1)-1) | ~(I_44_0 | I_46_0 | I_48_0 | I_52_0 | II_46_0 | II_51_0);
  mask &= ((((w41>>4)^(w44>>29))&1)-1) | ~(I_43_0 | I_45_0 | I_47_0 | I_51_0 | II_45_0 | II_50_0);
  mask &= ((((w40^w41)>>29)&1)-1) | ~(I_44_0 | I_47_0 | I_48_0 | II_46_0 | II_47_0 | II_56_0);
  mask &= ((((w54^w55)>>29)&1)-1) | ~(I_51_0 | II_47_0 | II_50_0 | II_55_0 | II_56_0);
  mask &= ((((w53^w54)>>29)&1)-1) | ~(I_50_0 | II_46_0 | II_49_0 | II_54_0 | II_55_0);
  mask &= ((((w52^w53)>>29)&1)-1) | ~(I_49_0 | II_45_0 | II_48_0 | II_53_0 | II_54_0);
  mask &= (((w50^(w53>>25))&(1<<4))-(1<<4)) | ~(I_50_0 | I_52_0 | II_46_0 | II_48_0 | II_54_0);
  mask &= ((((w50^w51)>>29)&1)-1) | ~(I_47_0 | II_46_0 | II_51_0 | II_52_0 | II_56_0);
  mask &= (((w49^(w52>>25))&(1<<4))-(1<<4)) | ~(I_49_0 | I_51_0 | II_45_0 | II_47_0 | II_53_0);
  mask &= (((w48^(w51>>25))&(1<<4))-(1<<4)) | ~(I_48_0 | I_50_0 | I_52_0 | II_46_0 | II_52_0);
  mask &= ((((w42^w43)>>29)&1)-1) | ~(I_46_0 | I_49_0 | I_50_0 | II_48_0 | II_49_0);
  mask &= ((((w41^w42)>>29)&1)-1) | ~(I_45_0 | I_48_0 | I_49_0 | II_47_0 | II_48_0);
  mask &= ((((w40>>4)^(w43>>29))&1)-1) | ~(I_44_0 | I_46_0 | I_50_0 | II_49_0 | II_56_0);
  mask &= ((((w39>>4)^(w42>>29))&1)-1) | ~(I_43_0 | I_45_0 | I_49_0 | II_48_0 | II_55_0);
  mask &= ((((w37>>4)^(w40>>29))&1)-1) | ~(I_43_0 | I_47_0 | II_46_0 | II_53_0 | II_55_0);
  mask &= (((w45^w47)&(1<<6))-(1<<6)) | ~(I_47_2 | I_49_2 | I_51_2);
  mask &= ((((w44^w46)>>6)&1)-1) | ~(I_46_2 | I_48_2 | I_50_2);
  mask &= (0 - ((w41^(w42>>5))&(1<<1))) | ~(I_48_2 | II_46_2 | II_51_2);
  mask &= (0 - ((w40^(w41>>5))&(1<<1))) | ~(I_47_2 | I_51_2 | II_50_2);
  mask &= (0 - ((w39^(w40>>5))&(1<<1))) | ~(I_46_2 | I_50_2 | II_49_2);
  mask &= (0 - ((w36^(w37>>5))&(1<<1))) | ~(I_47_2 | I_50_2 | II_46_2);
  mask &= (0 - ((w61^(w62>>5))&(1<<2))) | ~(I_46_2 | II_46_2);
  mask &= (((w51^(w50>>5))&(1<<1))-(1<<1)) | ~(I_50_2 | II_46_2);
  mask &= (((w48^w50)&(1<<6))-(1<<6)) | ~(I_50_2 | II_46_2);
  mask &= (((w47^w49)&(1<<6))-(1<<6)) | ~(I_49_2 | I_51_2);
  mask &= (((w48^(w47>>5))&(1<<1))-(1<<1)) | ~(I_47_2 | II_51_2);
  mask &= (((w46^w48)&(1<<6))-(1<<6)) | ~(I_48_2 | I_50_2);
  mask &= (((w47^(w46>>5))&(1<<1))-(1<<1)) | ~(I_46_2 | II_50_2);
  mask &= (0 - ((w44^(w45>>5))&(1<<1))) | ~(I_51_2 | II_49_2);
  mask &= (((w43^w45)&(1<<6))-(1<<6)) | ~(I_47_2 | I_49_2);
  mask &= ((((w42^w44)>>6)&1)-1) | ~(I_46_2 | I_48_2);
  mask &= (((w43^(w42>>5))&(1<<1))-(1<<1)) | ~(II_46_2 | II_51_2);
  mask &= (((w42^(w41>>5))&(1<<1))-(1<<1)) | ~(I_51_2 | II_50_2);
  mask &= (((w41^(w40>>5))&(1<<1))-(1<<1)) | ~(I_50_2 | II_49_2);
  mask &= (0 - ((w35^(w36>>5))&(1<<1))) | ~(I_46_2 | I_49_2);
  return mask == 0 ? 0 : checkFurther(words, mask);
}

function checkFurther(words: usize, passed: u32): u32 {
  let mask = passed;
  const w35 = load<u32>(words, 35 * 4);
  const w36 = load<u32>(words, 36 * 4);
  const w37 = load<u32>(words, 37 * 4);
  const w38 = load<u32>(words, 38 * 4);
  const w39 = load<u32>(words, 39 * 4);
  const w40 = load<u32>(words, 40 * 4);
  const w41 = load<u32>(words, 41 * 4);
  const w42 = load<u32>(words, 42 * 4);
  const w43 = load<u32>(words, 43 * 4);
  const w44 = load<u32>(words, 44 * 4);
  const w45 = load<u32>(words, 45 * 4);
  const w46 = load<u32>(words, 46 * 4);
  const w47 = load<u32>(words, 47 * 4);
  const w48 = load<u32>(words, 48 * 4);
  const w49 = load<u32>(words, 49 * 4);
  const w50 = load<u32>(words, 50 * 4);
  const w51 = load<u32>(words, 51 * 4);
  const w52 = load<u32>(words, 52 * 4);
  const w53 = load<u32>(words, 53 * 4);
  const w54 = load<u32>(words, 54 * 4);
  const w55 = load<u32>(words, 55 * 4);
  const w56 = load<u32>(words, 56 * 4);
  const w57 = load<u32>(words, 57 * 4);
  const w58 = load<u32>(words, 58 * 4);
  const w59 = load<u32>(words, 59 * 4);
  const w60 = load<u32>(words, 60 * 4);
  const w61 = load<u32>(words, 61 * 4);
  const w62 = load<u32>(words, 62 * 4);
  const w63 = load<u32>(words, 63 * 4);
  const w64 = load<u32>(words, 64 * 4);
  mask &= ((((w38>>4)^(w41>>29))&1)-1) | ~(I_44_0 | I_48_0 | II_47_0 | II_54_0 | II_56_0);
  mask &= ((((w55^w56)>>29)&1)-1) | ~(I_52_0 | II_48_0 | II_51_0 | II_56_0);
  mask &= (((w52^(w55>>25))&(1<<4))-(1<<4)) | ~(I_52_0 | II_48_0 | II_50_0 | II_56_0);
  mask &= (((w51^(w54>>25))&(1<<4))-(1<<4)) | ~(I_51_0 | II_47_0 | II_49_0 | II_55_0);
  mask &= ((((w51^w52)>>29)&1)-1) | ~(I_48_0 | II_47_0 | II_52_0 | II_53_0);
  mask &= ((((w36>>4)^(w40>>29))&1)-1) | ~(I_46_0 | I_49_0 | II_45_0 | II_48_0);
  mask &= (0 - (((w53^w56)>>29)&1)) | ~(I_52_0 | II_48_0 | II_49_0);
  mask &= (0 - (((w51^w54)>>29)&1)) | ~(I_50_0 | II_46_0 | II_47_0);
  mask &= (0 - (((w50^w52)>>29)&1)) | ~(I_49_0 | I_51_0 | II_45_0);
  mask &= (0 - (((w49^w51)>>29)&1)) | ~(I_48_0 | I_50_0 | I_52_0);
  mask &= (0 - (((w48^w50)>>29)&1)) | ~(I_47_0 | I_49_0 | I_51_0);
  mask &= (0 - (((w47^w49)>>29)&1)) | ~(I_46_0 | I_48_0 | I_50_0);
  mask &= (0 - (((w46^w48)>>29)&1)) | ~(I_45_0 | I_47_0 | I_49_0);
  mask &= (0 - (((w45^w47)>>29)&1)) | ~(I_44_0 | I_46_0 | I_48_0);
  mask &= (0 - (((w44^w46)>>29)&1)) | ~(I_43_0 | I_45_0 | I_47_0);
  mask &= (0 - (((w40^w42)>>4)&1)) | ~(I_44_0 | I_46_0 | II_56_0);
  mask &= (0 - (((w39^w41)>>4)&1)) | ~(I_43_0 | I_45_0 | II_55_0);
  mask &= (0 - (((w38^w40)>>4)&1)) | ~(I_44_0 | II_54_0 | II_56_0);
  mask &= (0 - (((w37^w39)>>4)&1)) | ~(I_43_0 | II_53_0 | II_55_0);
  mask &= ((((w35>>4)^(w39>>29))&1)-1) | ~(I_45_0 | I_48_0 | II_47_0);
  mask &= (0 - ((w63^(w64>>5))&(1<<0))) | ~(I_48_0 | II_48_0);
  mask &= (0 - ((w63^(w64>>5))&(1<<1))) | ~(I_45_0 | II_45_0);
  mask &= (0 - ((w62^(w63>>5))&(1<<0))) | ~(I_47_0 | II_47_0);
  mask &= (0 - ((w61^(w62>>5))&(1<<0))) | ~(I_46_0 | II_46_0);
  mask &= (0 - ((w60^(w61>>5))&(1<<0))) | ~(I_45_0 | II_45_0);
  mask &= ((((w58^w59)>>29)&1)-1) | ~(II_51_0 | II_54_0);
  mask &= ((((w57^w58)>>29)&1)-1) | ~(II_50_0 | II_53_0);
  mask &= (((w56^(w59>>25))&(1<<4))-(1<<4)) | ~(II_52_0 | II_54_0);
  mask &= (0 - (((w56^w59)>>29)&1)) | ~(II_51_0 | II_52_0);
  mask &= ((((w56^w57)>>29)&1)-1) | ~(II_49_0 | II_52_0);
  mask &= (((w55^(w58>>25))&(1<<4))-(1<<4)) | ~(II_51_0 | II_53_0);
  mask &= (((w54^(w57>>25))&(1<<4))-(1<<4)) | ~(II_50_0 | II_52_0);
  mask &= (((w53^(w56>>25))&(1<<4))-(1<<4)) | ~(II_49_0 | II_51_0);
  mask &= (0 - (((w48^w55)>>29)&1)) | ~(I_51_0 | I_52_0);
  mask &= (((w39^(w43>>25))&(1<<4))-(1<<4)) | ~(I_52_0 | II_51_0);
  mask &= (((w38^(w42>>25))&(1<<4))-(1<<4)) | ~(I_51_0 | II_50_0);
  mask &= (0 - ((w37^(w38>>5))&(1<<1))) | ~(I_48_2 | I_51_2);
  mask &= (((w37^(w41>>25))&(1<<4))-(1<<4)) | ~(I_50_0 | II_49_0);
  mask &= (0 - ((w36^w38)&(1<<4))) | ~(II_52_0 | II_54_0);
  mask &= (((w35^(w39>>25))&(1<<3))-(1<<3)) | ~(I_51_0 | II_47_0);
  return mask == 0 ? 0 : checkRest(words, mask);
}

function checkRest(words: usize, passed: u32): u32 {
  let mask = passed;
  const w35 = load<u32>(words, 35 * 4);
  const w36 = load<u32>(words, 36 * 4);
  const w37 = load<u32>(words, 37 * 4);
  const w38 = load<u32>(words, 38 * 4);
  const w39 = load<u32>(words, 39 * 4);
  const w40 = load<u32>(words, 40 * 4);
  const w41 = load<u32>(words, 41 * 4);
  const w42 = load<u32>(words, 42 * 4);
  const w43 = load<u32>(words, 43 * 4);
  const w44 = load<u32>(words, 44 * 4);
  const w45 = load<u32>(words, 45 * 4);
  const w46 = load<u32>(words, 46 * 4);
  const w47 = load<u32>(words, 47 * 4);
  const w48 = load<u32>(words, 48 * 4);
  const w49 = load<u32>(words, 49 * 4);
  const w50 = load<u32>(words, 50 * 4);
  const w51 = load<u32>(words, 51 * 4);
  const w52 = load<u32>(words, 52 * 4);
  const w53 = load<u32>(words, 53 * 4);
  const w54 = load<u32>(words, 54 * 4);
  const w55 = load<u32>(words, 55 * 4);
  const w56 = load<u32>(words, 56 * 4);
  const w57 = load<u32>(words, 57 * 4);
  const w58 = load<u32>(words, 58 * 4);
  const w59 = load<u32>(words, 59 * 4);
  const w60 = load<u32>(words, 60 * 4);
  const w61 = load<u32>(words, 61 * 4);
  const w62 = load<u32>(words, 62 * 4);
  const w63 = load<u32>(words, 63 * 4);
  const w64 = load<u32>(words, 64 * 4);
  if ((mask & I_43_0) != 0 && (((w61^(w62>>5)) & (1<<1)) == 0 || ((w59^(w63>>25)) & (1<<5)) != 0 || ((w58^(w63>>30)) & (1<<0)) == 0)) mask &= ~I_43_0;
  if ((mask & I_44_0) != 0 && (((w62^(w63>>5)) & (1<<1)) == 0 || ((w60^(w64>>25)) & (1<<5)) != 0 || ((w59^(w64>>30)) & (1<<0)) == 0)) mask &= ~I_44_0;
  if ((mask & I_46_2) != 0) mask &= (~((w40^w42)>>2)) | ~I_46_2;
  if ((mask & I_47_2) != 0 && (((w62^(w63>>5)) & (1<<2)) == 0 || ((w41^w43) & (1<<6)) != 0)) mask &= ~I_47_2;
  if ((mask & I_48_2) != 0 && (((w63^(w64>>5)) & (1<<2)) == 0 || ((w48^(w49<<5)) & (1<<6)) != 0)) mask &= ~I_48_2;
  if ((mask & I_49_2) != 0 && (((w49^(w50<<5)) & (1<<6)) != 0 || ((w42^w50) & (1<<1)) == 0 || ((w39^(w40<<5)) & (1<<6)) != 0 || ((w38^w40) & (1<<1)) == 0)) mask &= ~I_49_2;
  if ((mask & I_50_0) != 0) mask &= (((w36^w37)<<7)) | ~I_50_0;
  if ((mask & I_50_2) != 0) mask &= (((w43^w51)<<11)) | ~I_50_2;
  if ((mask & I_51_0) != 0) mask &= (((w37^w38)<<9)) | ~I_51_0;
  if ((mask & I_51_2) != 0 && (((w51^(w52<<5)) & (1<<6)) != 0 || ((w49^w51) & (1<<6)) != 0 || ((w37^(w37>>5)) & (1<<1)) != 0 || ((w35^(w39>>25)) & (1<<5)) != 0)) mask &= ~I_51_2;
  if ((mask & I_52_0) != 0) mask &= (((w38^w39)<<11)) | ~I_52_0;
  if ((mask & II_46_2) != 0) mask &= (((w47^w51)<<17)) | ~II_46_2;
  if ((mask & II_48_0) != 0 && (((w36^(w40>>25)) & (1<<3)) != 0 || ((w35^(w40<<2)) & (1<<30)) == 0)) mask &= ~II_48_0;
  if ((mask & II_49_0) != 0 && (((w37^(w41>>25)) & (1<<3)) != 0 || ((w36^(w41<<2)) & (1<<30)) == 0)) mask &= ~II_49_0;
  if ((mask & II_49_2) != 0 && (((w53^(w54<<5)) & (1<<6)) != 0 || ((w51^w53) & (1<<6)) != 0 || ((w50^w54) & (1<<1)) == 0 || ((w45^(w46<<5)) & (1<<6)) != 0 || ((w37^(w41>>25)) & (1<<5)) != 0 || ((w36^(w41>>30)) & (1<<0)) == 0)) mask &= ~II_49_2;
  if ((mask & II_50_0) != 0 && (((w55^w58) & (1<<29)) == 0 || ((w38^(w42>>25)) & (1<<3)) != 0 || ((w37^(w42<<2)) & (1<<30)) == 0)) mask &= ~II_50_0;
  if ((mask & II_50_2) != 0 && (((w54^(w55<<5)) & (1<<6)) != 0 || ((w52^w54) & (1<<6)) != 0 || ((w51^w55) & (1<<1)) == 0 || ((w45^w47) & (1<<1)) == 0 || ((w38^(w42>>25)) & (1<<5)) != 0 || ((w37^(w42>>30)) & (1<<0)) == 0)) mask &= ~II_50_2;
  if ((mask & II_51_0) != 0 && (((w39^(w43>>25)) & (1<<3)) != 0 || ((w38^(w43<<2)) & (1<<30)) == 0)) mask &= ~II_51_0;
  if ((mask & II_51_2) != 0 && (((w55^(w56<<5)) & (1<<6)) != 0 || ((w53^w55) & (1<<6)) != 0 || ((w52^w56) & (1<<1)) == 0 || ((w46^w48) & (1<<1)) == 0 || ((w39^(w43>>25)) & (1<<5)) != 0 || ((w38^(w43>>30)) & (1<<0)) == 0)) mask &= ~II_51_2;
  if ((mask & II_52_0) != 0 && (((w59^w60) & (1<<29)) != 0 || ((w40^(w44>>25)) & (1<<3)) != 0 || ((w40^(w44>>25)) & (1<<4)) != 0 || ((w39^(w44<<2)) & (1<<30)) == 0)) mask &= ~II_52_0;
  if ((mask & II_53_0) != 0 && (((w58^w61) & (1<<29)) == 0 || ((w57^(w61>>25)) & (1<<4)) != 0 || ((w41^(w45>>25)) & (1<<3)) != 0 || ((w41^(w45>>25)) & (1<<4)) != 0)) mask &= ~II_53_0;
  if ((mask & II_54_0) != 0 && (((w58^(w62>>25)) & (1<<4)) != 0 || ((w42^(w46>>25)) & (1<<3)) != 0 || ((w42^(w46>>25)) & (1<<4)) != 0)) mask &= ~II_54_0;
  if ((mask & II_55_0) != 0 && (((w59^(w63>>25)) & (1<<4)) != 0 || ((w57^(w59>>25)) & (1<<4)) != 0 || ((w43^(w47>>25)) & (1<<3)) != 0 || ((w43^(w47>>25)) & (1<<4)) != 0)) mask &= ~II_55_0;
  if ((mask & II_56_0) != 0 && (((w60^(w64>>25)) & (1<<4)) != 0 || ((w44^(w48>>25)) & (1<<3)) != 0 || ((w44^(w48>>25)) & (1<<4)) != 0)) mask &= ~II_56_0;
  return mask;
}
