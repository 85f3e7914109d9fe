/**
 * SHA-256 (FIPS 180-4) of whole blocks.
 */

const words: usize = memory.data(64 * 4, 16);

const K: usize = memory.data<u32>([
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01,
  0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc,
  0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147,
  0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
  0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08,
  0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
  0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
]);
const INITIAL: usize = memory.data<u32>([
  0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
]);

/** Writes the initial chaining value: eight words at `chain`. */
export function sha256Initial(chain: usize): void {
  memory.copy(chain, INITIAL, 32);
}

/** Takes `count` blocks of 64 bytes into the chaining value at `chain`. */
export function sha256Blocks(chain: usize, at: usize, count: usize): void {
  for (const end = at + (count << 6); at < end; at += 64) {
    expand(at);
    let a = load<u32>(chain);
    let b = load<u32>(chain, 4);
    let c = load<u32>(chain, 8);
    let d = load<u32>(chain, 12);
    let e = load<u32>(chain, 16);
    let f = load<u32>(chain, 20);
    let g = load<u32>(chain, 24);
    let h = load<u32>(chain, 28);
    for (let t: usize = 0; t < 256; t += 16) {
      // Four steps a round; each renames the eight variables by one, so that two rounds of four are a whole turn.
      let t1 = h + sum1(e) + choose(e, f, g) + load<u32>(K + t) + load<u32>(words + t);
      let t2 = sum0(a) + majority(a, b, c);
      h = d + t1;
      d = t1 + t2;
      t1 = g + sum1(h) + choose(h, e, f) + load<u32>(K + t, 4) + load<u32>(words + t, 4);
      t2 = sum0(d) + majority(d, a, b);
      g = c + t1;
      c = t1 + t2;
      t1 = f + sum1(g) + choose(g, h, e) + load<u32>(K + t, 8) + load<u32>(words + t, 8);
      t2 = sum0(c) + majority(c, d, a);
      f = b + t1;
      b = t1 + t2;
      t1 = e + sum1(f) + choose(f, g, h) + load<u32>(K + t, 12) + load<u32>(words + t, 12);
      t2 = sum0(b) + majority(b, c, d);
      e = a + t1;
      a = t1 + t2;
    }
    add(chain, a);
    add(chain + 4, b);
    add(chain + 8, c);
    add(chain + 12, d);
    add(chain + 16, e);
    add(chain + 20, f);
    add(chain + 24, g);
    add(chain + 28, h);
  }
}

function add(at: usize, value: u32): void {
  store<u32>(at, load<u32>(at) + value);
}

function expand(at: usize): void {
  for (let t: usize = 0; t < 64; t += 4) store<u32>(words + t, bswap<u32>(load<u32>(at + t)));
  for (let to = words + 64; to < words + 256; to += 4) {
    const back2 = load<u32>(to - 8);
    const back15 = load<u32>(to - 60);
    const s0 = rotr<u32>(back15, 7) ^ rotr<u32>(back15, 18) ^ (back15 >> 3);
    const s1 = rotr<u32>(back2, 17) ^ rotr<u32>(back2, 19) ^ (back2 >> 10);
    store<u32>(to, load<u32>(to - 64) + s0 + load<u32>(to - 28) + s1);
  }
}

function sum0(x: u32): u32 {
  return rotr<u32>(x, 2) ^ rotr<u32>(x, 13) ^ rotr<u32>(x, 22);
}

function sum1(x: u32): u32 {
  return rotr<u32>(x, 6) ^ rotr<u32>(x, 11) ^ rotr<u32>(x, 25);
}

function choose(x: u32, y: u32, z: u32): u32 {
  return z ^ (x & (y ^ z));
}

function majority(x: u32, y: u32, z: u32): u32 {
  return (x & y) | (z & (x | y));
}
