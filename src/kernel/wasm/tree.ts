/**
 * One pass over a tree, for ingest (checks and marks of references) and for walks (entries not seen before).
 */
import { flagsOf, oidAdd, oidAt, orFlags } from "./oid-table";
import {
  findNul,
  firstDifference,
  isInBase,
  isType,
  LINK_MODE,
  nameAt,
  orderByte,
  rawSize,
  readMode,
  setBase,
  TREE_MODE,
} from "./tree-entry";

// The flags are those of src/kernel/object-flags.ts, the statuses those of src/kernel/kernel.ts.
const REF_TREE: u32 = 1 << 0;
const REF_BLOB: u32 = 1 << 1;
const REFERENCED: u32 = 1 << 4;
const SEEN: u32 = 1 << 5;

const OK: i32 = 0;
const SUSPECT: i32 = 1;
const CORRUPT: i32 = -1;
const NO_MEMORY: i32 = -2;

// Modes as the first bytes of an entry, with the space; the first byte lowest.
const SIX_BYTES: u64 = 0xffffffffffff;
const SEVEN_BYTES: u64 = 0xffffffffffffff;
const MODE_40000: u64 = 0x203030303034;
const MODE_100644: u64 = 0x20343436303031;
const MODE_100755: u64 = 0x20353537303031;
const MODE_120000: u64 = 0x20303030303231;
const MODE_160000: u64 = 0x20303030303631;

/** Results: offsets of suspicious names, or indexes of collected entries. */
const LIST_CAPACITY: u32 = 1 << 16;
const list: usize = memory.data(4 << 16, 16);
let listLength: u32 = 0;

/** The item at `index` of what the last scan or walk listed. */
export function listed(index: u32): u32 {
  return load<u32>(list + (<usize>index << 2));
}

export function suspiciousCount(): u32 {
  return listLength;
}

/** Names of files that a later directory may repeat, as git's verify_ordered() keeps them: start and end of each. */
const CANDIDATES: u32 = 256;
const candidates: usize = memory.data(256 * 8, 16);
let candidateCount: u32 = 0;

/**
 * Checks a tree and marks what it refers to, except for entries that are the same in the base, whose references were marked
 * before. `judged` says whether the base was checked, too: else these entries' names are. SUSPECT asks for the full check; some
 * of the marks may then be made.
 */
export function scanTree(tree: usize, length: usize, base: usize, baseLength: usize, judged: bool): i32 {
  const end = tree + length;
  const oidBytes = rawSize;
  setBase(base, baseLength);
  listLength = 0;
  candidateCount = 0;
  let previous: usize = 0;
  let previousNul: usize = 0;
  let previousIsTree = false;
  let next: usize = 0;
  for (let at = tree; at < end; at = next) {
    const head = load<u64>(at);
    const isTree = (head & SIX_BYTES) == MODE_40000;
    const name = isTree ? at + 6 : at + 7;
    const mode = head & SEVEN_BYTES;
    if (!isTree && mode != MODE_100644 && mode != MODE_100755 && mode != MODE_120000 && mode != MODE_160000) {
      return SUSPECT;
    }
    const nul = findNul(name, end);
    next = nul + 1 + oidBytes;
    if (nul <= name || next > end) return SUSPECT;
    if (previous != 0 && !isOrdered(previous, previousNul, previousIsTree, name, nul, isTree)) return SUSPECT;
    previous = name;
    previousNul = nul;
    previousIsTree = isTree;
    const isKnown = baseLength != 0 && isInBase(at, next, name, nul, isTree);
    if (isKnown && judged) continue;

    const doubt = doubtOf(name, nul);
    if (doubt != 0) {
      if (doubt == HAS_SLASH || listLength == LIST_CAPACITY) return SUSPECT;
      store<u32>(list + (<usize>listLength << 2), <u32>(at - tree));
      listLength++;
    }
    if (isZero(nul + 1)) return SUSPECT;
    if (isKnown || (!isTree && mode == MODE_160000)) continue;
    const index = oidAdd(nul + 1);
    if (index < 0) return NO_MEMORY;
    orFlags(index, isTree ? REF_TREE | REFERENCED : REF_BLOB | REFERENCED);
  }
  return OK;
}

/** Whether a name may follow the one before it, and no earlier one is the same but for being a file: git's verify_ordered(). */
function isOrdered(
  previous: usize,
  previousNul: usize,
  previousIsTree: bool,
  name: usize,
  nul: usize,
  isTree: bool,
): bool {
  const previousLength = previousNul - previous;
  const length = nul - name;
  const at = firstDifference(previous, name, min(previousLength, length));
  if (at < min(previousLength, length)) return load<u8>(previous + at) < load<u8>(name + at);
  const before = orderByte(previous, previousLength, previousIsTree, at);
  const after = orderByte(name, length, isTree, at);
  if (before >= after) return false;
  if (before == 0 && after < 0x2f) {
    if (candidateCount == CANDIDATES) return false;
    const candidate = candidates + (<usize>candidateCount << 3);
    store<u32>(candidate, <u32>previous);
    store<u32>(candidate, <u32>previousNul, 4);
    candidateCount++;
    return true;
  }
  return after != 0x2f || length != at || !repeatsCandidate(name, nul);
}

/** Whether the directory `name` was there as a file. Candidates that no later name begins with are dropped. */
function repeatsCandidate(name: usize, nul: usize): bool {
  while (candidateCount > 0) {
    const top = candidates + (<usize>(candidateCount - 1) << 3);
    const candidate = <usize>load<u32>(top);
    const length = <usize>load<u32>(top, 4) - candidate;
    if (length <= nul - name && memory.compare(candidate, name, length) == 0) {
      if (length == nul - name) return true;
      if (load<u8>(name + length) < 0x2f) return false;
    }
    candidateCount--;
  }
  return false;
}

const HAS_SLASH: i32 = 2;

/** 0 for a name that needs no further check, 1 for one that may need it, {@link HAS_SLASH} for one that cannot be right. */
function doubtOf(name: usize, nul: usize): i32 {
  const length = nul - name;
  let rare = i64x2(0, 0);
  let slash = i64x2(0, 0);
  let at = name;
  for (; at + 16 <= nul; at += 16) {
    const bytes = v128.load(at);
    rare = v128.or(rare, rareBytes(bytes));
    slash = v128.or(slash, i8x16.eq(bytes, i8x16.splat(0x2f)));
  }
  const inside = (1 << <i32>(nul - at)) - 1;
  const bytes = v128.load(at);
  if (v128.any_true(slash) || (i8x16.bitmask(i8x16.eq(bytes, i8x16.splat(0x2f))) & inside) != 0) return HAS_SLASH;
  if (v128.any_true(rare) || (i8x16.bitmask(rareBytes(bytes)) & inside) != 0) return 1;
  const first = load<u32>(name);
  return (first & 0xff) == 0x2e || (first & 0xdfdfdf) == 0x544947 || length > 255 ? 1 : 0;
}

/** Bytes below space, from tilde on (as signed bytes the rest of these is below space), backslash and colon. */
function rareBytes(bytes: v128): v128 {
  return v128.or(
    v128.or(i8x16.lt_s(bytes, i8x16.splat(0x20)), i8x16.gt_s(bytes, i8x16.splat(0x7d))),
    v128.or(i8x16.eq(bytes, i8x16.splat(0x5c)), i8x16.eq(bytes, i8x16.splat(0x3a))),
  );
}

function isZero(oid: usize): bool {
  let bits = load<u64>(oid) | load<u64>(oid, 8) | load<u32>(oid, 16);
  if (rawSize != 20) bits |= load<u64>(oid, 16) | load<u64>(oid, 24);
  return bits == 0;
}

let walkAt: usize = 0;
let walkEnd: usize = 0;
let walkHasBase: bool = false;
let walkBlobs: bool = false;

/**
 * Lists the indexes of entries that were not seen before and are not the same in the base; marks them seen. Gives how many, or a
 * negative code. {@link collectMore} goes on where the list was full, and gives 0 at the end.
 */
export function collectTree(tree: usize, length: usize, base: usize, baseLength: usize, wantBlobs: bool): i32 {
  walkAt = tree;
  walkEnd = tree + length;
  walkHasBase = baseLength != 0;
  walkBlobs = wantBlobs;
  setBase(base, baseLength);
  return collectMore();
}

export function collectMore(): i32 {
  let found: u32 = 0;
  const end = walkEnd;
  let at = walkAt;
  while (at < end && found < LIST_CAPACITY) {
    const mode = readMode(at, end);
    const name = nameAt;
    const nul = mode == 0 ? <usize>0 : findNul(name, end);
    const next = nul + 1 + rawSize;
    if (nul == 0 || next > end) return CORRUPT;
    const isTree = isType(mode, TREE_MODE);
    const isInOther = walkHasBase && isInBase(at, next, name, nul, isTree);
    at = next;
    if (isInOther || isType(mode, LINK_MODE) || !(isTree || walkBlobs)) continue;
    const index = oidAdd(nul + 1);
    if (index < 0) return NO_MEMORY;
    if ((flagsOf(index) & SEEN) != 0) continue;
    orFlags(index, isTree ? REF_TREE | SEEN : REF_BLOB | SEEN);
    store<u32>(list + (<usize>found << 2), index);
    found++;
  }
  walkAt = at;
  return found;
}

/** Sets flags of everything a tree refers to, gitlinks aside; 0, or a negative code. */
export function markTree(tree: usize, length: usize, mask: u32): i32 {
  const end = tree + length;
  let next: usize = 0;
  for (let at = tree; at < end; at = next) {
    const mode = readMode(at, end);
    const nul = mode == 0 ? <usize>0 : findNul(nameAt, end);
    next = nul + 1 + rawSize;
    if (nul == 0 || next > end) return CORRUPT;
    if (isType(mode, LINK_MODE)) continue;
    const index = oidAdd(nul + 1);
    if (index < 0) return NO_MEMORY;
    orFlags(index, mask);
  }
  return OK;
}
