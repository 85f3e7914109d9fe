/**
 * SHA-1 with collision detection and no filter: every block is tried against every disturbance vector. The oracle for the kernel's.
 *
 * @packageDocumentation
 */
import { u32 } from "../../../src/bytes/big-endian.ts";

/** Type, K and b of the vectors that git's sha1dc tests. */
const VECTORS: readonly (readonly [type: 1 | 2, k: number, b: number])[] = [
  ...[43, 44, 45, 46, 47, 48, 49, 50, 51, 52].map((k) => [1, k, 0] as const),
  ...[46, 47, 48, 49, 50, 51].map((k) => [1, k, 2] as const),
  ...[45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56].map((k) => [2, k, 0] as const),
  ...[46, 49, 50, 51].map((k) => [2, k, 2] as const),
];

type State = readonly [number, number, number, number, number];
const INITIAL: State = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0];
const CONSTANTS = [0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6];

const rotate = (value: number, by: number): number => ((value << by) | (value >>> (32 - by))) >>> 0;

function mix(step: number, b: number, c: number, d: number): number {
  const round = Math.floor(step / 20);
  const value = round === 0 ? (b & c) | (~b & d) : round === 2 ? (b & c) | (b & d) | (c & d) : b ^ c ^ d;
  return (value >>> 0) + (CONSTANTS[round] ?? 0);
}

function forward([a, b, c, d, e]: State, step: number, word: number): State {
  return [(rotate(a, 5) + mix(step, b, c, d) + e + word) >>> 0, a, rotate(b, 30), c, d];
}

function backward([a, b, c, d, e]: State, step: number, word: number): State {
  const middle = rotate(c, 2);
  return [b, middle, d, e, (a - rotate(b, 5) - mix(step, middle, d, e) - word) >>> 0];
}

function add(left: State, right: State): State {
  const sum = (i: 0 | 1 | 2 | 3 | 4): number => (left[i] + right[i]) >>> 0;
  return [sum(0), sum(1), sum(2), sum(3), sum(4)];
}

function expand(words: readonly number[]): number[] {
  const all = [...words];
  const back = (by: number): number => all[all.length - by] ?? 0;
  while (all.length < 80) all.push(rotate(back(3) ^ back(8) ^ back(14) ^ back(16), 1));
  return all;
}

/** The difference of the two expanded blocks of an attack: a local collision for each bit of the vector. */
function differenceOf([type, k, b]: (typeof VECTORS)[number]): number[] {
  const vector = new Map<number, number>();
  const at = (i: number): number => vector.get(i) ?? 0;
  for (let i = k; i < k + 16; i++) vector.set(i, 0);
  vector.set(k + 15, rotate(1, b));
  if (type === 2) for (const i of [k + 1, k + 3]) vector.set(i, rotate(1, (31 + b) % 32));
  for (let i = k + 16; i < 80; i++) vector.set(i, rotate(at(i - 3) ^ at(i - 8) ^ at(i - 14) ^ at(i - 16), 1));
  for (let i = k - 1; i >= -5; i--) vector.set(i, (rotate(at(i + 16), 31) ^ at(i + 13) ^ at(i + 8) ^ at(i + 2)) >>> 0);
  return Array.from({ length: 80 }, (_, i) => {
    const corrections = rotate(at(i - 1), 5) ^ at(i - 2) ^ rotate(at(i - 3) ^ at(i - 4) ^ at(i - 5), 30);
    return (at(i) ^ corrections) >>> 0;
  });
}

const DIFFERENCES = VECTORS.map((vector) => ({ meeting: vector[1] < 50 ? 58 : 65, words: differenceOf(vector) }));

/** Whether another block, by one of the vectors' differences, leads to the same value from some other one. */
function isAttacked(words: readonly number[], states: readonly State[], after: State): boolean {
  return DIFFERENCES.some(({ meeting, words: difference }) => {
    const other = words.map((word, i) => (word ^ (difference[i] ?? 0)) >>> 0);
    let end = states[meeting] ?? INITIAL;
    for (let step = meeting; step < 80; step++) end = forward(end, step, other[step] ?? 0);
    let start = states[meeting] ?? INITIAL;
    for (let step = meeting - 1; step >= 0; step--) start = backward(start, step, other[step] ?? 0);
    return add(start, end).every((word, i) => word === after[i]);
  });
}

/** Hashes `message`, and tells whether a block of it is one half of a collision attack. */
export function sha1Twin(message: Uint8Array): { readonly words: State; readonly collision: boolean } {
  const padded = new Uint8Array((message.length + 72) & ~63);
  padded.set(message);
  padded[message.length] = 0x80;
  new DataView(padded.buffer).setUint32(padded.length - 4, message.length * 8);
  let chain = INITIAL;
  let collision = false;
  for (let at = 0; at < padded.length; at += 64) {
    const words = expand(Array.from({ length: 16 }, (_, i) => u32(padded, at + 4 * i)));
    const states = [chain];
    for (const [step, word] of words.entries()) states.push(forward(states[step] ?? INITIAL, step, word));
    const after = add(chain, states[80] ?? INITIAL);
    collision ||= isAttacked(words, states, after);
    chain = after;
  }
  return { words: chain, collision };
}
