/**
 * Hashes many messages in one call: four at a time, since most objects are small and wait for one another for nothing.
 *
 * The jobs wait in a list, longest first. Each of four lanes takes one, and the next when it is done. A message is up to three
 * runs of blocks, of which only the middle one lies in memory as it is: the block with the header, the blocks up to the last whole
 * one, and the rest with its padding. The others, or the whole of a short message, are put together in the lane's own buffer.
 */
import { hashObject, rawSize, writeHeader } from "./hash";
import { sha1Blocks, sha1Initial } from "./sha1";
import { extractLane, lanesAt, sha1Lanes } from "./sha1-lanes";

const CAPACITY: usize = 64;
/** A job: where its bytes are, their length, the type, whether a collision was seen. */
const LENGTH: usize = 4;
const KIND: usize = 8;
const COLLISION: usize = 12;
const jobs: usize = memory.data(64 * 16, 16);
const names: usize = memory.data(64 * 32, 16);
/** The jobs still to do, a byte each, the longest first. */
const order: usize = memory.data(64, 16);

const LANES: usize = 4;
/** Below this many messages, the code for one is faster. */
const WORTHWHILE: u32 = 2;
/** A lane: blocks left of the run, which run it is, the job, length of its header, the buffer. Where it is: `lanesAt`. */
const RUN: usize = 4;
const JOB: usize = 8;
const HEADER: usize = 12;
const BUFFER: usize = 16;
/** Messages of up to this many blocks are put together whole. */
const BUFFER_BLOCKS: usize = 8;
/** Room for the blocks, and for a vector begun in their last byte. */
const LANE_BYTES: usize = 576;
const lanes: usize = memory.data(4 * 576, 64);
/** The chaining values: word i of lane l lies at 16 i + 4 l. */
const chains: usize = memory.data(5 * 16, 16);
/** That of one lane. */
const chain: usize = memory.data(5 * 4, 16);

// The runs of a message.
const HEAD: u32 = 0;
const MIDDLE: u32 = 1;
const TAIL: u32 = 2;

let count: usize = 0;
let pending: usize = 0;
let started: usize = 0;
/** A bit for each lane that has a job. */
let live: u32 = 0;

export function batchCapacity(): usize {
  return CAPACITY;
}

/** Forgets all jobs. */
export function batchClear(): void {
  count = 0;
  pending = 0;
}

/** Adds a job and gives its number; -1 where there are {@link batchCapacity}. Kinds are those of `hashObject`. */
export function batchAdd(kind: usize, at: usize, length: u32): i32 {
  if (count == CAPACITY) return -1;
  const job = jobs + (count << 4);
  store<u32>(job, at);
  store<u32>(job, length, LENGTH);
  store<u32>(job, kind, KIND);
  store<u32>(job, 0, COLLISION);
  let place = order + pending++;
  for (; place > order && load<u32>(jobs + (<usize>load<u8>(place - 1) << 4), LENGTH) < length; place--) {
    store<u8>(place, load<u8>(place - 1));
  }
  store<u8>(place, count);
  return <i32>(count++);
}

/** Where the digest of a job is, once run. */
export function batchNameAt(index: usize): usize {
  return names + (index << 5);
}

/** Whether the message of a job belongs to a collision attack, once run. */
export function batchCollision(index: usize): bool {
  return load<u32>(jobs + (index << 4), COLLISION) != 0;
}

/** Does the jobs that were added since the last time. */
export function batchRun(): void {
  if (rawSize == 20) runInLanes();
  else runInTurn();
  pending = 0;
}

function runInTurn(): void {
  for (let i: usize = 0; i < pending; i++) {
    const index = <usize>load<u8>(order + i);
    const job = jobs + (index << 4);
    const collision = hashObject(load<u32>(job, KIND), load<u32>(job), load<u32>(job, LENGTH), batchNameAt(index));
    store<u32>(job, collision, COLLISION);
  }
}

function runInLanes(): void {
  started = 0;
  live = 0;
  for (let lane: usize = 0; lane < LANES; lane++) startNext(lane);
  while (popcnt<u32>(live) >= WORTHWHILE) {
    const blocks = prepareLanes();
    const found = sha1Lanes(chains, blocks, live);
    for (let lane: usize = 0; lane < LANES; lane++) {
      if ((live & (1 << <u32>lane)) != 0) passed(lane, blocks, (found & (1 << <u32>lane)) != 0);
    }
  }
  for (let lane: usize = 0; lane < LANES; lane++) {
    if ((live & (1 << <u32>lane)) != 0) finishAlone(lane);
  }
}

/** Lets idle lanes read what a live one reads, in bounds therefore. Gives how many blocks each live lane has left, at least. */
function prepareLanes(): usize {
  let blocks: usize = usize.MAX_VALUE;
  const some = load<u32>(lanesAt + (<usize>ctz<u32>(live) << 2));
  for (let lane: usize = 0; lane < LANES; lane++) {
    if ((live & (1 << <u32>lane)) == 0) store<u32>(lanesAt + (lane << 2), some);
    else blocks = min<usize>(blocks, load<u32>(lanes + lane * LANE_BYTES));
  }
  return blocks;
}

/** Notes that a lane's message went on by some blocks. */
function passed(lane: usize, blocks: usize, collision: bool): void {
  const state = lanes + lane * LANE_BYTES;
  if (collision) store<u32>(jobs + (<usize>load<u32>(state, JOB) << 4), 1, COLLISION);
  const left = load<u32>(state) - <u32>blocks;
  store<u32>(state, left);
  store<u32>(lanesAt + (lane << 2), load<u32>(lanesAt + (lane << 2)) + <u32>(blocks << 6));
  if (left == 0) nextRun(lane);
}

/** Does the rest of a lane's message, and of those it takes after it, with the code for one. */
function finishAlone(lane: usize): void {
  const state = lanes + lane * LANE_BYTES;
  while ((live & (1 << <u32>lane)) != 0) {
    const blocks = <usize>load<u32>(state);
    extractLane(chains, lane, chain, 5);
    const found = sha1Blocks(chain, load<u32>(lanesAt + (lane << 2)), blocks);
    for (let i: usize = 0; i < 5; i++) store<u32>(chains + (i << 4) + (lane << 2), load<u32>(chain + (i << 2)));
    passed(lane, blocks, found);
  }
}

/** Gives a lane its next job, if there is one. */
function startNext(lane: usize): void {
  const bit: u32 = 1 << <u32>lane;
  if (started == pending) {
    live &= ~bit;
    return;
  }
  live |= bit;
  sha1Initial(chain);
  for (let i: usize = 0; i < 5; i++) store<u32>(chains + (i << 4) + (lane << 2), load<u32>(chain + (i << 2)));
  const index = <usize>load<u8>(order + started++);
  const job = jobs + (index << 4);
  const at = <usize>load<u32>(job);
  const length = <usize>load<u32>(job, LENGTH);
  const kind = <usize>load<u32>(job, KIND);
  const state = lanes + lane * LANE_BYTES;
  const buffer = state + BUFFER;
  store<u32>(state, index, JOB);
  const header: usize = kind == 0 ? 0 : writeHeader(buffer, kind, length);
  store<u32>(state, header, HEADER);
  if (header + length <= BUFFER_BLOCKS * 64 - 9) {
    copy(buffer + header, at, length);
    startRun(lane, TAIL, buffer, pad(buffer, header + length, header + length));
  } else if (header != 0) {
    copy(buffer + header, at, 64 - header);
    startRun(lane, HEAD, buffer, 1);
  } else startRun(lane, MIDDLE, at, length >> 6);
}

function startRun(lane: usize, run: u32, at: usize, blocks: usize): void {
  const state = lanes + lane * LANE_BYTES;
  store<u32>(state, blocks);
  store<u32>(state, run, RUN);
  store<u32>(lanesAt + (lane << 2), at);
}

/** Begins the run after that which is done, or the next job. */
function nextRun(lane: usize): void {
  const state = lanes + lane * LANE_BYTES;
  const run = load<u32>(state, RUN);
  const index = <usize>load<u32>(state, JOB);
  if (run == TAIL) {
    const name = batchNameAt(index);
    const from = chains + (lane << 2);
    for (let i: usize = 0; i < 5; i++) store<u32>(name + (i << 2), bswap<u32>(load<u32>(from + (i << 4))));
    startNext(lane);
    return;
  }
  const job = jobs + (index << 4);
  const at = <usize>load<u32>(job);
  const length = <usize>load<u32>(job, LENGTH);
  const header = <usize>load<u32>(state, HEADER);
  if (run == HEAD) startRun(lane, MIDDLE, at + (64 - header), (length - (64 - header)) >> 6);
  else {
    const buffer = state + BUFFER;
    const rest = (header + length) & 63;
    copy(buffer, at + (length - rest), rest);
    startRun(lane, TAIL, buffer, pad(buffer, rest, header + length));
  }
}

/** Completes the `filled` bytes at `buffer`, the last of a message of `total`, to whole blocks; gives how many. */
function pad(buffer: usize, filled: usize, total: usize): usize {
  const blocks = (filled + 72) >> 6;
  const end = buffer + (blocks << 6);
  store<u8>(buffer + filled, 0x80);
  for (let at = buffer + filled + 1; at < end; at += 16) v128.store(at, i32x4.splat(0));
  store<u64>(end - 8, bswap<u64>(<u64>total << 3));
  return blocks;
}

/** Copies by whole vectors: reads and writes up to 15 bytes more than asked. Memory goes on behind all regions. */
function copy(to: usize, from: usize, length: usize): void {
  for (let i: usize = 0; i < length; i += 16) v128.store(to + i, v128.load(from + i));
}
