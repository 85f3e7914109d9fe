/**
 * The table of object names: a set with 64 bits of the caller's beside each name.
 *
 *     slots     a power of two of u32: 0, or the index of an entry + 1 in the low bits and bits of its hash above
 *     entries   name, flags (u32), value (u32); in order of insertion, so that an index stays valid
 *
 * Names come from pushers, who may choose them: the hash is keyed (a sum of products as in NH, which is almost universal whatever
 * the names are) and covers all of the name, so that nobody can make long chains.
 */
import { ensureMemory, restAt } from "./arena";

const FIRST_SLOTS: u32 = 4096;
/** Memory is asked for in steps, so that growing is rare. */
const GROWTH_STEP: usize = 1 << 20;

/** Words of the hash's key: one for each of a name, at most 8, and the last product's multiplier. */
const keys: usize = memory.data(9 * 8, 16);

let rawSize: usize = 20;
let stride: usize = 28;
let slots: usize = 0;
let slotMask: u32 = 0;
let entries: usize = 0;
let count: u32 = 0;

export function tableInitialise(size: usize, seedLow: u32, seedHigh: u32): void {
  rawSize = size;
  stride = size + 8;
  // splitmix64
  let state = (<u64>seedHigh << 32) | seedLow;
  for (let at = keys; at < keys + 72; at += 8) {
    state += 0x9e3779b97f4a7c15;
    let mixed = (state ^ (state >> 30)) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
    store<u64>(at, mixed ^ (mixed >> 31));
  }
}

/** Empties the table; false where there is no memory for its beginning. */
export function tableReset(): bool {
  slots = restAt();
  slotMask = FIRST_SLOTS - 1;
  entries = slots + (<usize>FIRST_SLOTS << 2);
  count = 0;
  if (!ensureMemory(entries)) return false;
  memory.fill(slots, 0, <usize>FIRST_SLOTS << 2);
  return true;
}

export function oidCount(): u32 {
  return count;
}

export function oidAt(index: u32): usize {
  return entries + <usize>index * stride;
}

export function flagsOf(index: u32): u32 {
  return load<u32>(oidAt(index) + rawSize);
}

export function setFlags(index: u32, flags: u32): void {
  store<u32>(oidAt(index) + rawSize, flags);
}

export function orFlags(index: u32, flags: u32): void {
  const at = oidAt(index) + rawSize;
  store<u32>(at, load<u32>(at) | flags);
}

export function valueOf(index: u32): u32 {
  return load<u32>(oidAt(index) + rawSize, 4);
}

export function setValue(index: u32, value: u32): void {
  store<u32>(oidAt(index) + rawSize, value, 4);
}

/** The index of the name at `oid`, or -1. */
export function oidFind(oid: usize): i32 {
  const hash = hashOf(oid);
  const mask = slotMask;
  let place = hash & mask;
  let slot = load<u32>(slots + (<usize>place << 2));
  while (slot != 0) {
    if (((slot ^ hash) & ~mask) == 0) {
      const index = (slot & mask) - 1;
      if (sameOid(oidAt(index), oid)) return index;
    }
    place = (place + 1) & mask;
    slot = load<u32>(slots + (<usize>place << 2));
  }
  return -1;
}

/** The index of the name at `oid`, which is added with zeros beside it where it is new; -1 where there is no memory for it. */
export function oidAdd(oid: usize): i32 {
  const hash = hashOf(oid);
  const mask = slotMask;
  let place = hash & mask;
  let slot = load<u32>(slots + (<usize>place << 2));
  while (slot != 0) {
    if (((slot ^ hash) & ~mask) == 0) {
      const index = (slot & mask) - 1;
      if (sameOid(oidAt(index), oid)) return index;
    }
    place = (place + 1) & mask;
    slot = load<u32>(slots + (<usize>place << 2));
  }
  return insert(oid, hash, place);
}

function insert(oid: usize, hash: u32, place: u32): i32 {
  const index = count;
  if (index + 1 > (slotMask >> 2) * 3) {
    if (!doubleSlots()) return -1;
    place = freePlace(hash);
  }
  const at = oidAt(index);
  if (at + stride > reserved && !reserve(at + stride)) return -1;
  if (rawSize == 20) {
    v128.store(at, v128.load(oid));
    store<u32>(at, load<u32>(oid, 16), 16);
  } else {
    v128.store(at, v128.load(oid));
    v128.store(at, v128.load(oid, 16), 16);
  }
  store<u64>(at + rawSize, 0);
  store<u32>(slots + (<usize>place << 2), (index + 1) | (hash & ~slotMask));
  count = index + 1;
  return index;
}

/** How far memory is known to reach. */
let reserved: usize = 0;

function reserve(end: usize): bool {
  if (!ensureMemory(end + GROWTH_STEP) && !ensureMemory(end)) return false;
  reserved = (<usize>memory.size() << 16) - 64;
  return true;
}

function doubleSlots(): bool {
  const slotBytes = (<usize>slotMask + 1) << 2;
  const used = <usize>count * stride;
  if (!reserve(entries + slotBytes + used + stride)) return false;
  memory.copy(entries + slotBytes, entries, used);
  entries += slotBytes;
  slotMask = (slotMask << 1) | 1;
  memory.fill(slots, 0, slotBytes << 1);
  let at = entries;
  for (let index: u32 = 1; index <= count; index++) {
    const hash = hashOf(at);
    store<u32>(slots + (<usize>freePlace(hash) << 2), index | (hash & ~slotMask));
    at += stride;
  }
  return true;
}

function freePlace(hash: u32): u32 {
  let place = hash & slotMask;
  while (load<u32>(slots + (<usize>place << 2)) != 0) place = (place + 1) & slotMask;
  return place;
}

function hashOf(oid: usize): u32 {
  let sum = pair(oid, 0) + pair(oid, 8);
  if (rawSize == 20) sum += <u64>(load<u32>(oid, 16) + load<u32>(keys, 32)) * load<u64>(keys, 40);
  else sum += pair(oid, 16) + pair(oid, 24);
  return <u32>((sum * (load<u64>(keys, 64) | 1)) >> 32);
}

/** One product of NH: two words, each under its own key. */
function pair(oid: usize, at: usize): u64 {
  return (
    <u64>(load<u32>(oid + at) + load<u32>(keys + (at << 1))) *
    <u64>(load<u32>(oid + at, 4) + load<u32>(keys + (at << 1), 8))
  );
}

function sameOid(left: usize, right: usize): bool {
  if (load<u64>(left) != load<u64>(right) || load<u64>(left, 8) != load<u64>(right, 8)) return false;
  if (rawSize == 20) return load<u32>(left, 16) == load<u32>(right, 16);
  return load<u64>(left, 16) == load<u64>(right, 16) && load<u64>(left, 24) == load<u64>(right, 24);
}
