/**
 * SHA-1 (FIPS 180-4) of whole blocks, each tested for being part of a collision attack.
 *
 * The message expansion runs four words at a time: beyond word 32 through the equivalent recurrence over distances 6, 16, 28 and
 * 32, which has no dependency inside a vector (Max Locktyukhin, "Improving the performance of the Secure Hash Algorithm", 2010).
 */
import { possibleVectors } from "./sha1-conditions";
import { isCollision } from "./sha1-collision";

/** The 80 words of the expanded block. */
const words: usize = memory.data(80 * 4, 16);
/** The state before step 60, for the search for collisions. */
const middle: usize = memory.data(5 * 4, 16);

const K1: u32 = 0x5a827999;
const K2: u32 = 0x6ed9eba1;
const K3: u32 = 0x8f1bbcdc;
const K4: u32 = 0xca62c1d6;

/** Writes the initial chaining value: five words at `chain`. */
export function sha1Initial(chain: usize): void {
  storeFive(chain, 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0);
}

/** Takes `count` blocks of 64 bytes into the chaining value at `chain`; true where one belongs to a collision attack. */
export function sha1Blocks(chain: usize, at: usize, count: usize): bool {
  let found = false;
  let h0 = load<u32>(chain);
  let h1 = load<u32>(chain, 4);
  let h2 = load<u32>(chain, 8);
  let h3 = load<u32>(chain, 12);
  let h4 = load<u32>(chain, 16);
  for (const end = at + (count << 6); at < end; at += 64) {
    expand(at);
    let a = h0;
    let b = h1;
    let c = h2;
    let d = h3;
    let e = h4;
    let w = words;
    do {
      e += rotl<u32>(a, 5) + (d ^ (b & (c ^ d))) + K1 + load<u32>(w);
      b = rotl<u32>(b, 30);
      d += rotl<u32>(e, 5) + (c ^ (a & (b ^ c))) + K1 + load<u32>(w, 4);
      a = rotl<u32>(a, 30);
      c += rotl<u32>(d, 5) + (b ^ (e & (a ^ b))) + K1 + load<u32>(w, 8);
      e = rotl<u32>(e, 30);
      b += rotl<u32>(c, 5) + (a ^ (d & (e ^ a))) + K1 + load<u32>(w, 12);
      d = rotl<u32>(d, 30);
      a += rotl<u32>(b, 5) + (e ^ (c & (d ^ e))) + K1 + load<u32>(w, 16);
      c = rotl<u32>(c, 30);
      w += 20;
    } while (w < words + 80);
    do {
      e += rotl<u32>(a, 5) + (b ^ c ^ d) + K2 + load<u32>(w);
      b = rotl<u32>(b, 30);
      d += rotl<u32>(e, 5) + (a ^ b ^ c) + K2 + load<u32>(w, 4);
      a = rotl<u32>(a, 30);
      c += rotl<u32>(d, 5) + (e ^ a ^ b) + K2 + load<u32>(w, 8);
      e = rotl<u32>(e, 30);
      b += rotl<u32>(c, 5) + (d ^ e ^ a) + K2 + load<u32>(w, 12);
      d = rotl<u32>(d, 30);
      a += rotl<u32>(b, 5) + (c ^ d ^ e) + K2 + load<u32>(w, 16);
      c = rotl<u32>(c, 30);
      w += 20;
    } while (w < words + 160);
    do {
      e += rotl<u32>(a, 5) + (b & c) + (d & (b ^ c)) + K3 + load<u32>(w);
      b = rotl<u32>(b, 30);
      d += rotl<u32>(e, 5) + (a & b) + (c & (a ^ b)) + K3 + load<u32>(w, 4);
      a = rotl<u32>(a, 30);
      c += rotl<u32>(d, 5) + (e & a) + (b & (e ^ a)) + K3 + load<u32>(w, 8);
      e = rotl<u32>(e, 30);
      b += rotl<u32>(c, 5) + (d & e) + (a & (d ^ e)) + K3 + load<u32>(w, 12);
      d = rotl<u32>(d, 30);
      a += rotl<u32>(b, 5) + (c & d) + (e & (c ^ d)) + K3 + load<u32>(w, 16);
      c = rotl<u32>(c, 30);
      w += 20;
    } while (w < words + 240);
    const a60 = a;
    const b60 = b;
    const c60 = c;
    const d60 = d;
    const e60 = e;
    do {
      e += rotl<u32>(a, 5) + (b ^ c ^ d) + K4 + load<u32>(w);
      b = rotl<u32>(b, 30);
      d += rotl<u32>(e, 5) + (a ^ b ^ c) + K4 + load<u32>(w, 4);
      a = rotl<u32>(a, 30);
      c += rotl<u32>(d, 5) + (e ^ a ^ b) + K4 + load<u32>(w, 8);
      e = rotl<u32>(e, 30);
      b += rotl<u32>(c, 5) + (d ^ e ^ a) + K4 + load<u32>(w, 12);
      d = rotl<u32>(d, 30);
      a += rotl<u32>(b, 5) + (c ^ d ^ e) + K4 + load<u32>(w, 16);
      c = rotl<u32>(c, 30);
      w += 20;
    } while (w < words + 320);
    h0 += a;
    h1 += b;
    h2 += c;
    h3 += d;
    h4 += e;
    const suspects = possibleVectors(words);
    if (suspects != 0) {
      storeFive(chain, h0, h1, h2, h3, h4);
      storeFive(middle, a60, b60, c60, d60, e60);
      found = isCollision(chain, words, middle, suspects) || found;
    }
  }
  storeFive(chain, h0, h1, h2, h3, h4);
  return found;
}

function storeFive(at: usize, first: u32, second: u32, third: u32, fourth: u32, fifth: u32): void {
  store<u32>(at, first);
  store<u32>(at, second, 4);
  store<u32>(at, third, 8);
  store<u32>(at, fourth, 12);
  store<u32>(at, fifth, 16);
}

function expand(at: usize): void {
  let v0 = loadWords(at);
  let v1 = loadWords(at + 16);
  let v2 = loadWords(at + 32);
  let v3 = loadWords(at + 48);
  v128.store(words, v0);
  v128.store(words, v1, 16);
  v128.store(words, v2, 32);
  v128.store(words, v3, 48);
  let v4 = near(v0, v1, v2, v3);
  v128.store(words, v4, 64);
  let v5 = near(v1, v2, v3, v4);
  v128.store(words, v5, 80);
  let v6 = near(v2, v3, v4, v5);
  v128.store(words, v6, 96);
  let v7 = near(v3, v4, v5, v6);
  v128.store(words, v7, 112);
  v0 = far(v0, v1, v4, v6, v7);
  v128.store(words, v0, 128);
  v1 = far(v1, v2, v5, v7, v0);
  v128.store(words, v1, 144);
  v2 = far(v2, v3, v6, v0, v1);
  v128.store(words, v2, 160);
  v3 = far(v3, v4, v7, v1, v2);
  v128.store(words, v3, 176);
  v4 = far(v4, v5, v0, v2, v3);
  v128.store(words, v4, 192);
  v5 = far(v5, v6, v1, v3, v4);
  v128.store(words, v5, 208);
  v6 = far(v6, v7, v2, v4, v5);
  v128.store(words, v6, 224);
  v7 = far(v7, v0, v3, v5, v6);
  v128.store(words, v7, 240);
  v0 = far(v0, v1, v4, v6, v7);
  v128.store(words, v0, 256);
  v1 = far(v1, v2, v5, v7, v0);
  v128.store(words, v1, 272);
  v2 = far(v2, v3, v6, v0, v1);
  v128.store(words, v2, 288);
  v3 = far(v3, v4, v7, v1, v2);
  v128.store(words, v3, 304);
}

function loadWords(at: usize): v128 {
  const bytes = v128.load(at);
  return v128.shuffle<u8>(bytes, bytes, 3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12);
}

/** The next four words by the defining recurrence, from the 16 before; the last of them depends on the first. */
function near(back16: v128, back12: v128, back8: v128, back4: v128): v128 {
  const none = i32x4(0, 0, 0, 0);
  const back14 = v128.shuffle<u32>(back16, back12, 2, 3, 4, 5);
  const back3 = v128.shuffle<u32>(back4, none, 1, 2, 3, 4);
  const mixed = v128.xor(v128.xor(back16, back14), v128.xor(back8, back3));
  const rotated = v128.or(i32x4.shl(mixed, 1), i32x4.shr_u(mixed, 31));
  const first = v128.shuffle<u32>(none, rotated, 0, 1, 2, 4);
  return v128.xor(rotated, v128.or(i32x4.shl(first, 1), i32x4.shr_u(first, 31)));
}

/** The next four words by the recurrence over 32 words. */
function far(back32: v128, back28: v128, back16: v128, back8: v128, back4: v128): v128 {
  const back6 = v128.shuffle<u32>(back8, back4, 2, 3, 4, 5);
  const mixed = v128.xor(v128.xor(back32, back28), v128.xor(back16, back6));
  return v128.or(i32x4.shl(mixed, 2), i32x4.shr_u(mixed, 30));
}
