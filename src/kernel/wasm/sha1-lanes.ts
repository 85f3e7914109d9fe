/**
 * SHA-1 (FIPS 180-4) with collision detection of four independent messages at once, each in a lane of the vectors: what one
 * message cannot use, since each step of SHA-1 waits for the one before.
 *
 * "Wide" data has four lanes a word: word i of lane l lies at 16 i + 4 l.
 */
import { isCollision } from "./sha1-collision";
import { checkTable } from "./sha1-conditions";
import { impossibleVectors } from "./sha1-lane-conditions";

/** The 80 words of the expanded blocks, wide, and one that nothing reads, wide. */
const wide: usize = memory.data(81 * 16, 64);
/** The state before step 60, wide. */
const wideMiddle: usize = memory.data(5 * 16, 16);

// What the search for collisions wants of one lane.
const words: usize = memory.data(80 * 4, 16);
const chain: usize = memory.data(5 * 4, 16);
const middle: usize = memory.data(5 * 4, 16);

/** Where the next block of each lane is: four addresses. {@link sha1Lanes} reads them, and moves none. */
export const lanesAt: usize = memory.data(16, 16);

/**
 * Takes `count` blocks of 64 bytes of each lane into the wide chaining value at `chains`. Gives a bit for each lane of which a
 * block belongs to a collision attack, among the lanes with a bit in `live`; the others hash for nothing, but read all the same.
 */
export function sha1Lanes(chains: usize, count: usize, live: u32): u32 {
  let found: u32 = 0;
  for (let offset: usize = 0; offset < count << 6; offset += 64) {
    gather(offset);
    takeBlocks(chains);
    const out = impossibleVectors(wide);
    if (!i32x4.all_true(i32x4.eq(out, i32x4.splat(-1)))) {
      const suspects = v128.not(out);
      found |= suspect(chains, 0, i32x4.extract_lane(suspects, 0));
      found |= suspect(chains, 1, i32x4.extract_lane(suspects, 1));
      found |= suspect(chains, 2, i32x4.extract_lane(suspects, 2));
      found |= suspect(chains, 3, i32x4.extract_lane(suspects, 3));
      found &= live;
    }
  }
  return found;
}

/** Looks closer at a lane whose last block may belong to some vectors; gives the lane's bit where it is part of an attack. */
function suspect(chains: usize, lane: usize, possible: u32): u32 {
  if (possible == 0) return 0;
  const suspects = checkTable(wide + (lane << 2), 4, possible);
  if (suspects == 0) return 0;
  extractLane(wide, lane, words, 80);
  extractLane(chains, lane, chain, 5);
  extractLane(wideMiddle, lane, middle, 5);
  return isCollision(chain, words, middle, suspects) ? 1 << <u32>lane : 0;
}

/** Copies a lane of `count` wide words to `to`. */
export function extractLane(from: usize, lane: usize, to: usize, count: usize): void {
  let at = from + (lane << 2);
  for (const end = to + (count << 2); to < end; to += 4, at += 16) store<u32>(to, load<u32>(at));
}

/** Loads and transposes the block of each lane. */
function gather(offset: usize): void {
  const at0 = <usize>load<u32>(lanesAt) + offset;
  const at1 = <usize>load<u32>(lanesAt, 4) + offset;
  const at2 = <usize>load<u32>(lanesAt, 8) + offset;
  const at3 = <usize>load<u32>(lanesAt, 12) + offset;
  transpose(v128.load(at0), v128.load(at1), v128.load(at2), v128.load(at3), wide);
  transpose(v128.load(at0, 16), v128.load(at1, 16), v128.load(at2, 16), v128.load(at3, 16), wide + 64);
  transpose(v128.load(at0, 32), v128.load(at1, 32), v128.load(at2, 32), v128.load(at3, 32), wide + 128);
  transpose(v128.load(at0, 48), v128.load(at1, 48), v128.load(at2, 48), v128.load(at3, 48), wide + 192);
}

// @ts-ignore: decorator
@inline
function transpose(lane0: v128, lane1: v128, lane2: v128, lane3: v128, to: usize): void {
  const low01 = v128.shuffle<u32>(lane0, lane1, 0, 4, 1, 5);
  const low23 = v128.shuffle<u32>(lane2, lane3, 0, 4, 1, 5);
  const high01 = v128.shuffle<u32>(lane0, lane1, 2, 6, 3, 7);
  const high23 = v128.shuffle<u32>(lane2, lane3, 2, 6, 3, 7);
  v128.store(to, swapBytes(v128.shuffle<u64>(low01, low23, 0, 2)));
  v128.store(to, swapBytes(v128.shuffle<u64>(low01, low23, 1, 3)), 16);
  v128.store(to, swapBytes(v128.shuffle<u64>(high01, high23, 0, 2)), 32);
  v128.store(to, swapBytes(v128.shuffle<u64>(high01, high23, 1, 3)), 48);
}

// @ts-ignore: decorator
@inline
function swapBytes(x: v128): v128 {
  return v128.shuffle<u8>(x, x, 3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12);
}

/** Takes the gathered blocks into the chaining values, expanding them. */
function takeBlocks(chains: usize): void {
  let a = v128.load(chains);
  let b = v128.load(chains, 16);
  let c = v128.load(chains, 32);
  let d = v128.load(chains, 48);
  let e = v128.load(chains, 64);
  let w = wide;
  const k1 = i32x4.splat(0x5a827999);
  do {
    e = sum(e, a, choose(b, c, d), k1, expand(w));
    b = rotl30(b);
    d = sum(d, e, choose(a, b, c), k1, expand(w + 16));
    a = rotl30(a);
    c = sum(c, d, choose(e, a, b), k1, expand(w + 32));
    e = rotl30(e);
    b = sum(b, c, choose(d, e, a), k1, expand(w + 48));
    d = rotl30(d);
    a = sum(a, b, choose(c, d, e), k1, expand(w + 64));
    c = rotl30(c);
    w += 80;
  } while (w < wide + 320);
  const k2 = i32x4.splat(0x6ed9eba1);
  do {
    e = sum(e, a, parity(b, c, d), k2, expand(w));
    b = rotl30(b);
    d = sum(d, e, parity(a, b, c), k2, expand(w + 16));
    a = rotl30(a);
    c = sum(c, d, parity(e, a, b), k2, expand(w + 32));
    e = rotl30(e);
    b = sum(b, c, parity(d, e, a), k2, expand(w + 48));
    d = rotl30(d);
    a = sum(a, b, parity(c, d, e), k2, expand(w + 64));
    c = rotl30(c);
    w += 80;
  } while (w < wide + 640);
  const k3 = i32x4.splat(0x8f1bbcdc);
  do {
    e = sum(e, a, majority(b, c, d), k3, expand(w));
    b = rotl30(b);
    d = sum(d, e, majority(a, b, c), k3, expand(w + 16));
    a = rotl30(a);
    c = sum(c, d, majority(e, a, b), k3, expand(w + 32));
    e = rotl30(e);
    b = sum(b, c, majority(d, e, a), k3, expand(w + 48));
    d = rotl30(d);
    a = sum(a, b, majority(c, d, e), k3, expand(w + 64));
    c = rotl30(c);
    w += 80;
  } while (w < wide + 960);
  v128.store(wideMiddle, a);
  v128.store(wideMiddle, b, 16);
  v128.store(wideMiddle, c, 32);
  v128.store(wideMiddle, d, 48);
  v128.store(wideMiddle, e, 64);
  expand(wide + 960);
  expand(wide + 976);
  expand(wide + 992);
  expand(wide + 1008);
  const k4 = i32x4.splat(0xca62c1d6);
  do {
    e = sum(e, a, parity(b, c, d), k4, v128.load(w));
    b = rotl30(b);
    d = sum(d, e, parity(a, b, c), k4, v128.load(w, 16));
    a = rotl30(a);
    c = sum(c, d, parity(e, a, b), k4, v128.load(w, 32));
    e = rotl30(e);
    b = sum(b, c, parity(d, e, a), k4, v128.load(w, 48));
    d = rotl30(d);
    a = sum(a, b, parity(c, d, e), k4, v128.load(w, 64));
    c = rotl30(c);
    w += 80;
  } while (w < wide + 1280);
  v128.store(chains, i32x4.add(v128.load(chains), a));
  v128.store(chains, i32x4.add(v128.load(chains, 16), b), 16);
  v128.store(chains, i32x4.add(v128.load(chains, 32), c), 32);
  v128.store(chains, i32x4.add(v128.load(chains, 48), d), 48);
  v128.store(chains, i32x4.add(v128.load(chains, 64), e), 64);
}

/** Gives the wide word at `w`, and writes the one that comes 16 after it. */
// @ts-ignore: decorator
@inline
function expand(w: usize): v128 {
  const word = v128.load(w);
  const mixed = v128.xor(v128.xor(word, v128.load(w, 32)), v128.xor(v128.load(w, 128), v128.load(w, 208)));
  v128.store(w, v128.or(i32x4.add(mixed, mixed), i32x4.shr_u(mixed, 31)), 256);
  return word;
}

// @ts-ignore: decorator
@inline
function sum(e: v128, a: v128, mixed: v128, k: v128, word: v128): v128 {
  const rotated = v128.or(i32x4.shl(a, 5), i32x4.shr_u(a, 27));
  return i32x4.add(i32x4.add(rotated, mixed), i32x4.add(e, i32x4.add(k, word)));
}

// @ts-ignore: decorator
@inline
function rotl30(x: v128): v128 {
  return v128.or(i32x4.shl(x, 30), i32x4.shr_u(x, 2));
}

// @ts-ignore: decorator
@inline
function choose(x: v128, y: v128, z: v128): v128 {
  return v128.xor(z, v128.and(x, v128.xor(y, z)));
}

// @ts-ignore: decorator
@inline
function parity(x: v128, y: v128, z: v128): v128 {
  return v128.xor(v128.xor(x, y), z);
}

// @ts-ignore: decorator
@inline
function majority(x: v128, y: v128, z: v128): v128 {
  return v128.or(v128.and(x, y), v128.and(z, v128.or(x, y)));
}
