/**
 * Tells whether a block of a message is one half of a SHA-1 collision attack, by Marc Stevens' counter-cryptanalysis ("Counter-
 * cryptanalysis", CRYPTO 2013): all feasible attacks use one of few disturbance vectors; each fixes the difference of the two
 * colliding blocks; so the other block can be computed, and if it leads to the same chaining value from some other one, that is
 * the attack. Git does the same, for the same 32 vectors.
 *
 * Runs for about one block in twenty (`sha1-conditions.ts` rules out the others).
 */

const VECTORS: i32 = 32;
const FIRST_OF_TYPE_2: i32 = 16;
/** K and b of each vector, in the order of the bits of `sha1-conditions.ts`: 16 of type I, then 16 of type II. */
const VECTOR_K: usize = memory.data<u8>([
  43, 44, 45, 46, 46, 47, 47, 48, 48, 49, 49, 50, 50, 51, 51, 52, 45, 46, 46, 47, 48, 49, 49, 50, 50, 51, 51, 52, 53, 54,
  55, 56,
]);
const VECTOR_B: usize = memory.data<u8>([
  0, 0, 0, 0, 2, 0, 2, 0, 2, 0, 2, 0, 2, 0, 2, 0, 0, 0, 2, 0, 0, 0, 2, 0, 2, 0, 2, 0, 0, 0, 0, 0,
]);

/** Words of a disturbance vector before its word 0 that the first message differences depend on, rounded up. */
const BEFORE: i32 = 8;
const disturbance: usize = memory.data((BEFORE + 80) * 4, 16);
/** The 80 words of the other block of the pair. */
const other: usize = memory.data(80 * 4, 16);
const differences: usize = memory.data(VECTORS * 80 * 4, 16);
let differencesKnown: bool = false;

let a: u32 = 0;
let b: u32 = 0;
let c: u32 = 0;
let d: u32 = 0;
let e: u32 = 0;

/**
 * Whether a block is part of a collision attack: tries the vectors whose bits are set in `suspects` on the expanded block at `words`.
 * The block leads to the chaining value at `chain`, and had the state at `middle` before step 60.
 */
export function isCollision(chain: usize, words: usize, middle: usize, suspects: u32): bool {
  if (!differencesKnown) {
    for (let vector = 0; vector < VECTORS; vector++) deriveDifference(vector);
    differencesKnown = true;
  }
  for (let vector = 0; vector < VECTORS; vector++) {
    if ((suspects & (1 << vector)) != 0 && collidesBy(vector, chain, words, middle)) return true;
  }
  return false;
}

/**
 * Computes the message difference of a vector (Stéphane Manuel's classification): 16 words of the vector fix all of it by the
 * message expansion, and each of its bits starts a local collision, which the next five words correct.
 */
function deriveDifference(vector: i32): void {
  const first = disturbance + (BEFORE << 2);
  const start = first + (<usize>load<u8>(VECTOR_K + vector) << 2);
  const shift = <u32>load<u8>(VECTOR_B + vector);
  memory.fill(disturbance, 0, (BEFORE + 80) * 4);
  for (let i: usize = 0; i < 16; i++) {
    const at = start + (i << 2);
    if (at >= first + 320) break;
    if (i == 15) store<u32>(at, rotl<u32>(1, shift));
    else if (vector >= FIRST_OF_TYPE_2 && (i == 1 || i == 3)) store<u32>(at, rotl<u32>(1, 31 + shift));
  }
  for (let at = start + 64; at < first + 320; at += 4) {
    store<u32>(at, rotl<u32>(load<u32>(at - 12) ^ load<u32>(at - 32) ^ load<u32>(at - 56) ^ load<u32>(at - 64), 1));
  }
  for (let at = start - 4; at >= disturbance; at -= 4) {
    store<u32>(at, rotr<u32>(load<u32>(at, 64), 1) ^ load<u32>(at, 52) ^ load<u32>(at, 32) ^ load<u32>(at, 8));
  }
  const difference = differences + <usize>vector * 320;
  for (let i: usize = 0; i < 320; i += 4) {
    const at = first + i;
    const corrections =
      rotl<u32>(load<u32>(at - 4), 5) ^
      load<u32>(at - 8) ^
      rotl<u32>(load<u32>(at - 12) ^ load<u32>(at - 16) ^ load<u32>(at - 20), 30);
    store<u32>(difference + i, load<u32>(at) ^ corrections);
  }
}

function collidesBy(vector: i32, chain: usize, words: usize, middle: usize): bool {
  const difference = differences + <usize>vector * 320;
  for (let i: usize = 0; i < 320; i += 16) {
    v128.store(other + i, v128.xor(v128.load(words + i), v128.load(difference + i)));
  }

  // At this step both computations have the same state, in every attack by the vector.
  const meeting: usize = load<u8>(VECTOR_K + vector) < 50 ? 58 : 65;
  loadState(middle);
  if (meeting < 60) goBack(words, 60, meeting);
  else goForward(words, 60, meeting);
  const a0 = a;
  const b0 = b;
  const c0 = c;
  const d0 = d;
  const e0 = e;
  goForward(other, meeting, 80);
  const a1 = a;
  const b1 = b;
  const c1 = c;
  const d1 = d;
  const e1 = e;
  a = a0;
  b = b0;
  c = c0;
  d = d0;
  e = e0;
  goBack(other, meeting, 0);
  return (
    a + a1 == load<u32>(chain) &&
    b + b1 == load<u32>(chain, 4) &&
    c + c1 == load<u32>(chain, 8) &&
    d + d1 == load<u32>(chain, 12) &&
    e + e1 == load<u32>(chain, 16)
  );
}

function loadState(at: usize): void {
  a = load<u32>(at);
  b = load<u32>(at, 4);
  c = load<u32>(at, 8);
  d = load<u32>(at, 12);
  e = load<u32>(at, 16);
}

/** Takes the state from before step `from`, 40 at least, to before step `to`. */
function goForward(block: usize, from: usize, to: usize): void {
  let la = a;
  let lb = b;
  let lc = c;
  let ld = d;
  let le = e;
  for (let t = from; t < to; t++) {
    const mixed = t < 60 ? mix3(lb, lc, ld) : mix4(lb, lc, ld);
    const next = rotl<u32>(la, 5) + mixed + le + load<u32>(block + (t << 2));
    le = ld;
    ld = lc;
    lc = rotl<u32>(lb, 30);
    lb = la;
    la = next;
  }
  a = la;
  b = lb;
  c = lc;
  d = ld;
  e = le;
}

/** Takes the state from before step `from` back to before step `to`. */
function goBack(block: usize, from: usize, to: usize): void {
  let la = a;
  let lb = b;
  let lc = c;
  let ld = d;
  let le = e;
  for (let t = from; t > to; ) {
    t--;
    const next = la;
    la = lb;
    lb = rotr<u32>(lc, 30);
    lc = ld;
    ld = le;
    const mixed = t < 20 ? mix1(lb, lc, ld) : t < 40 ? mix2(lb, lc, ld) : t < 60 ? mix3(lb, lc, ld) : mix4(lb, lc, ld);
    le = next - rotl<u32>(la, 5) - mixed - load<u32>(block + (t << 2));
  }
  a = la;
  b = lb;
  c = lc;
  d = ld;
  e = le;
}

// The functions of the four rounds, with their constants.

function mix1(x: u32, y: u32, z: u32): u32 {
  return (z ^ (x & (y ^ z))) + 0x5a827999;
}

function mix2(x: u32, y: u32, z: u32): u32 {
  return (x ^ y ^ z) + 0x6ed9eba1;
}

function mix3(x: u32, y: u32, z: u32): u32 {
  return ((x & y) | (z & (x | y))) + 0x8f1bbcdc;
}

function mix4(x: u32, y: u32, z: u32): u32 {
  return (x ^ y ^ z) + 0xca62c1d6;
}
