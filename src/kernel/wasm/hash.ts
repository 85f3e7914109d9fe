/**
 * Object names: SHA-1 with collision detection or SHA-256, by the size of a raw name, in one piece or in many.
 */
import { sha1Blocks, sha1Initial } from "./sha1";
import { sha256Blocks, sha256Initial } from "./sha256";

/** Contexts of {@link hashStart}: 0…3; {@link hashObject} has one of its own behind them. */
const CONTEXTS: usize = 4;
/** A context: the block being filled, the chaining value, the length so far (u64), whether a collision was seen. */
const CHAIN: usize = 64;
const TOTAL: usize = 96;
const COLLISION: usize = 104;
const CONTEXT_BYTES: usize = 128;
const contexts: usize = memory.data(5 * 128, 16);

const NAMES: usize = memory.data<u8>([
  0x63, 0x6f, 0x6d, 0x6d, 0x69, 0x74, 0x20, 0, 0x74, 0x72, 0x65, 0x65, 0x20, 0, 0, 0, 0x62, 0x6c, 0x6f, 0x62, 0x20, 0,
  0, 0, 0x74, 0x61, 0x67, 0x20, 0, 0, 0, 0,
]);
const NAME_LENGTHS: usize = memory.data<u8>([7, 5, 5, 4]);

/** Bytes of a digest. */
export let rawSize: usize = 20;

/** Sets the hash function: 20 is SHA-1, 32 is SHA-256. */
export function hashInitialise(size: usize): void {
  rawSize = size;
}

/** Begins a hash: of an object of type `kind` (1 commit, 2 tree, 3 blob, 4 tag) and size, or, `kind` 0, of plain bytes. */
export function hashStart(kind: usize, size: f64, index: usize): void {
  const context = contexts + index * CONTEXT_BYTES;
  start(context);
  if (kind != 0) takeHeader(context, kind, <u64>size);
}

export function hashUpdate(at: usize, length: usize, index: usize): void {
  update(contexts + index * CONTEXT_BYTES, at, length);
}

/** Writes the digest to `out`; true where the message belongs to a collision attack. */
export function hashFinish(out: usize, index: usize): bool {
  return finish(contexts + index * CONTEXT_BYTES, out);
}

/** Writes the name of an object, or, `kind` 0, the digest of plain bytes, to `out`; true as {@link hashFinish}. */
export function hashObject(kind: usize, at: usize, length: usize, out: usize): bool {
  const context = contexts + CONTEXTS * CONTEXT_BYTES;
  start(context);
  if (kind != 0) takeHeader(context, kind, length);
  update(context, at, length);
  return finish(context, out);
}

/** Puts the header straight into the empty block. */
function takeHeader(context: usize, kind: usize, size: u64): void {
  store<u64>(context, writeHeader(context, kind, size), TOTAL);
}

/** Writes "<type> <size>\0", 28 bytes at most, and gives its length. */
export function writeHeader(to: usize, kind: usize, size: u64): usize {
  store<u64>(to, load<u64>(NAMES + ((kind - 1) << 3)));
  const first = to + load<u8>(NAME_LENGTHS + kind - 1);
  let nul = first + 1;
  for (let rest = size; rest >= 10; rest /= 10) nul++;
  let rest = size;
  for (let digit = nul; digit > first; rest /= 10) store<u8>(--digit, <u8>(0x30 + (rest % 10)));
  store<u8>(nul, 0);
  return nul + 1 - to;
}

function start(context: usize): void {
  if (rawSize == 20) sha1Initial(context + CHAIN);
  else sha256Initial(context + CHAIN);
  store<u64>(context, 0, TOTAL);
  store<u32>(context, 0, COLLISION);
}

function blocks(context: usize, at: usize, count: usize): void {
  if (rawSize != 20) sha256Blocks(context + CHAIN, at, count);
  else if (sha1Blocks(context + CHAIN, at, count)) store<u32>(context, 1, COLLISION);
}

function update(context: usize, at: usize, length: usize): void {
  const total = load<u64>(context, TOTAL);
  store<u64>(context, total + length, TOTAL);
  const filled = <usize>total & 63;
  const end = at + length;
  if (filled != 0) {
    const taken = min<usize>(64 - filled, length);
    memory.copy(context + filled, at, taken);
    if (filled + taken < 64) return;
    at += taken;
    blocks(context, context, 1);
  }
  const whole = (end - at) >> 6;
  if (whole != 0) blocks(context, at, whole);
  at += whole << 6;
  if (at < end) memory.copy(context, at, end - at);
}

function finish(context: usize, out: usize): bool {
  const total = load<u64>(context, TOTAL);
  const filled = <usize>total & 63;
  store<u8>(context + filled, 0x80);
  memory.fill(context + filled + 1, 0, 63 - filled);
  if (filled >= 56) {
    blocks(context, context, 1);
    memory.fill(context, 0, 56);
  }
  store<u64>(context, bswap<u64>(total << 3), 56);
  blocks(context, context, 1);
  for (let i: usize = 0; i < rawSize; i += 4) store<u32>(out + i, bswap<u32>(load<u32>(context + CHAIN + i)));
  return load<u32>(context, COLLISION) != 0;
}
