/**
 * Inflate of zlib streams (RFC 1950, RFC 1951) that stops at any byte of input or output and goes on from there, and that knows
 * exactly how much input it used. What is accepted is what zlib accepts.
 *
 * Two decoders share the state: {@link decodeFast} while 16 bytes of input are at hand, and {@link decodeCareful}, which takes in
 * a byte at a time and never one more than the next item needs. Items (a header, a code with its extra bits, a trailer) are taken
 * whole or not at all, so that stopping needs no state inside one.
 */
import { adler32 } from "./adler32";
import {
  buildTable,
  DISTANCE_SYMBOLS,
  DISTANCE_TABLE_BITS,
  distanceTable,
  distanceTemplates,
  END_OF_BLOCK,
  EXCEPTIONAL,
  LITERAL,
  LITLEN_SYMBOLS,
  LITLEN_TABLE_BITS,
  litlenTable,
  litlenTemplates,
  PRECODE_SYMBOLS,
  PRECODE_TABLE_BITS,
  precodeTable,
  precodeTemplates,
  SUBTABLE,
} from "./huffman";

// The order of statuses and codes is that of src/kernel/kernel.ts.
const DONE: i32 = 0;
const NEED_INPUT: i32 = 1;
const NEED_OUTPUT: i32 = 2;
/** Inside only: go on with the state. */
const CONTINUE: i32 = 3;
const BAD_HEADER: i32 = -1;
const NEEDS_DICTIONARY: i32 = -2;
const BAD_BLOCK_TYPE: i32 = -3;
const BAD_STORED_LENGTH: i32 = -4;
const BAD_CODE_LENGTHS: i32 = -5;
const BAD_CODE: i32 = -6;
const BAD_DISTANCE: i32 = -7;
const BAD_CHECKSUM: i32 = -8;

const AT_HEADER: i32 = 0;
const AT_BLOCK: i32 = 1;
const AT_STORED_LENGTH: i32 = 2;
const AT_STORED: i32 = 3;
const AT_COUNTS: i32 = 4;
const AT_PRECODE: i32 = 5;
const AT_CODE_LENGTHS: i32 = 6;
const AT_SYMBOL: i32 = 7;
const AT_DISTANCE: i32 = 8;
const AT_MATCH: i32 = 9;
const AT_TRAILER: i32 = 10;
const AT_END: i32 = 11;

/** Input that one round of the fast decoder may look at: two loads of eight bytes, the second at most seven further on. */
const FAST_INPUT: usize = 15;
/** Output room below which the fast decoder leaves it to the careful one: its literals of one round. */
const FAST_OUTPUT: usize = 4;
/** How far behind its end a copy by words may write. */
const COPY_SLACK: usize = 32;

let state: i32 = 0;
let failure: i32 = 0;
let lastBlock: bool = false;
/** Input bits not used yet, the next one lowest, and how many they are. */
let hold: u64 = 0;
let bits: u32 = 0;
let adler: u32 = 1;
let storedLeft: usize = 0;
let matchLength: usize = 0;
let matchDistance: usize = 0;
let litlenMask: u64 = 0;
let distanceMask: u64 = 0;
let literalCount: i32 = 0;
let distanceCount: i32 = 0;
let precodeCount: i32 = 0;
let lengthsRead: i32 = 0;
/** Whether the tables hold the fixed code, so that a run of small fixed blocks builds it once. */
let tablesAreFixed: bool = false;

let source: usize = 0;
let sourceEnd: usize = 0;
let history: usize = 0;
let target: usize = 0;
let targetEnd: usize = 0;
let consumed: i32 = 0;
let produced: i32 = 0;

/** Code lengths of the block: 320 at most, and room for a run that is found too long only after it was written. */
const lengths: usize = memory.data(320 + 144, 16);
const PRECODE_ORDER: usize = memory.data<u8>([16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]);

export function inflateStart(): void {
  state = AT_HEADER;
  failure = 0;
  lastBlock = false;
  hold = 0;
  bits = 0;
  adler = 1;
  matchLength = 0;
  storedLeft = 0;
}

/** What {@link inflateSave} writes: the variables, the code lengths, the three tables. */
const SAVED_VARIABLES: usize = 136;
const SAVED_LENGTHS: usize = 464;
const SAVED_LITLEN: usize = 2342 << 2;
const SAVED_DISTANCE: usize = 402 << 2;
const SAVED_PRECODE: usize = 128 << 2;

/** Bytes that {@link inflateSave} writes. */
export function inflateStateBytes(): usize {
  return SAVED_VARIABLES + SAVED_LENGTHS + SAVED_LITLEN + SAVED_DISTANCE + SAVED_PRECODE;
}

/** Writes the stream's state to `at`, for {@link inflateRestore}. The output so far is not part of it. */
export function inflateSave(at: usize): void {
  store<u64>(at, <u64>state);
  store<u64>(at, <u64>failure, 8);
  store<u64>(at, <u64>lastBlock, 16);
  store<u64>(at, hold, 24);
  store<u64>(at, <u64>bits, 32);
  store<u64>(at, <u64>adler, 40);
  store<u64>(at, <u64>storedLeft, 48);
  store<u64>(at, <u64>matchLength, 56);
  store<u64>(at, <u64>matchDistance, 64);
  store<u64>(at, litlenMask, 72);
  store<u64>(at, distanceMask, 80);
  store<u64>(at, precodeMask, 88);
  store<u64>(at, <u64>literalCount, 96);
  store<u64>(at, <u64>distanceCount, 104);
  store<u64>(at, <u64>precodeCount, 112);
  store<u64>(at, <u64>lengthsRead, 120);
  store<u64>(at, <u64>tablesAreFixed, 128);
  let to = at + SAVED_VARIABLES;
  memory.copy(to, lengths, SAVED_LENGTHS);
  memory.copy((to += SAVED_LENGTHS), litlenTable, SAVED_LITLEN);
  memory.copy((to += SAVED_LITLEN), distanceTable, SAVED_DISTANCE);
  memory.copy(to + SAVED_DISTANCE, precodeTable, SAVED_PRECODE);
}

/** Makes the stream be as it was at {@link inflateSave}. */
export function inflateRestore(at: usize): void {
  state = <i32>load<u64>(at);
  failure = <i32>load<u64>(at, 8);
  lastBlock = load<u64>(at, 16) != 0;
  hold = load<u64>(at, 24);
  bits = <u32>load<u64>(at, 32);
  adler = <u32>load<u64>(at, 40);
  storedLeft = <usize>load<u64>(at, 48);
  matchLength = <usize>load<u64>(at, 56);
  matchDistance = <usize>load<u64>(at, 64);
  litlenMask = load<u64>(at, 72);
  distanceMask = load<u64>(at, 80);
  precodeMask = load<u64>(at, 88);
  literalCount = <i32>load<u64>(at, 96);
  distanceCount = <i32>load<u64>(at, 104);
  precodeCount = <i32>load<u64>(at, 112);
  lengthsRead = <i32>load<u64>(at, 120);
  tablesAreFixed = load<u64>(at, 128) != 0;
  let from = at + SAVED_VARIABLES;
  memory.copy(lengths, from, SAVED_LENGTHS);
  memory.copy(litlenTable, (from += SAVED_LENGTHS), SAVED_LITLEN);
  memory.copy(distanceTable, (from += SAVED_LITLEN), SAVED_DISTANCE);
  memory.copy(precodeTable, from + SAVED_DISTANCE, SAVED_PRECODE);
}

export function inflateConsumed(): i32 {
  return consumed;
}

export function inflateProduced(): i32 {
  return produced;
}

/** Goes on with the stream: input `src`…`srcEnd`, output `out`…`outEnd` with the earlier output from `outBase` before it. */
export function inflate(src: usize, srcEnd: usize, outBase: usize, out: usize, outEnd: usize): i32 {
  source = src;
  sourceEnd = srcEnd;
  history = outBase;
  target = out;
  targetEnd = outEnd;
  consumed = 0;
  produced = 0;
  if (failure < 0) return failure;
  let summed = out;
  let status = CONTINUE;
  while (status == CONTINUE) {
    if (state == AT_TRAILER) {
      adler = adler32(adler, summed, target - summed);
      summed = target;
    }
    status = step();
  }
  if (state < AT_TRAILER) adler = adler32(adler, summed, target - summed);
  // Bytes taken in and not used go back; with NEED_INPUT they are part of the next item and stay.
  if (status != NEED_INPUT) {
    const spare = min<usize>(bits >> 3, source - src);
    source -= spare;
    bits -= <u32>spare << 3;
  }
  hold &= (<u64>1 << bits) - 1;
  if (status < 0) failure = status;
  consumed = <i32>(source - src);
  produced = <i32>(target - out);
  return status;
}

/**
 * Inflates a stream into exactly `size` bytes; gives the input it took, or a negative code: -1 input ends before the stream,
 * -2 the stream holds more, -3 it holds less, -4 it is corrupt.
 */
export function inflateWhole(src: usize, srcEnd: usize, dst: usize, size: usize): i32 {
  inflateStart();
  const status = inflate(src, srcEnd, dst, dst, dst + size);
  if (status == DONE) return <usize>produced == size ? consumed : -3;
  if (status == NEED_INPUT) return -1;
  return status == NEED_OUTPUT ? -2 : -4;
}

function step(): i32 {
  switch (state) {
    case AT_SYMBOL: {
      if (sourceEnd - source >= FAST_INPUT && targetEnd - target >= FAST_OUTPUT) return decodeFast();
      return decodeCareful();
    }
    case AT_MATCH:
      return continueMatch();
    case AT_DISTANCE:
      return readDistance();
    case AT_HEADER:
      return readHeader();
    case AT_BLOCK:
      return readBlockHeader();
    case AT_STORED_LENGTH:
      return readStoredLength();
    case AT_STORED:
      return copyStored();
    case AT_COUNTS:
      return readCounts();
    case AT_PRECODE:
      return readPrecode();
    case AT_CODE_LENGTHS:
      return readCodeLengths();
    case AT_TRAILER:
      return readTrailer();
    default:
      return DONE;
  }
}

/** Takes in bytes until `hold` has `count` bits, 32 at most; false where the input ends before that. */
function need(count: u32): bool {
  while (bits < count) {
    if (source == sourceEnd) return false;
    hold |= <u64>load<u8>(source) << bits;
    source++;
    bits += 8;
  }
  return true;
}

function drop(count: u32): void {
  hold >>= count;
  bits -= count;
}

function readHeader(): i32 {
  if (!need(16)) return NEED_INPUT;
  const method = <u32>hold & 0xff;
  const flags = (<u32>hold >> 8) & 0xff;
  if (((method << 8) | flags) % 31 != 0 || (method & 15) != 8 || method >> 4 > 7) return BAD_HEADER;
  if ((flags & 0x20) != 0) return NEEDS_DICTIONARY;
  drop(16);
  state = AT_BLOCK;
  return CONTINUE;
}

function readBlockHeader(): i32 {
  if (!need(3)) return NEED_INPUT;
  const header = <u32>hold & 7;
  lastBlock = (header & 1) != 0;
  drop(3);
  switch (header >> 1) {
    case 0: {
      drop(bits & 7);
      state = AT_STORED_LENGTH;
      return CONTINUE;
    }
    case 1: {
      useFixedCode();
      state = AT_SYMBOL;
      return CONTINUE;
    }
    case 2: {
      state = AT_COUNTS;
      return CONTINUE;
    }
    default:
      return BAD_BLOCK_TYPE;
  }
}

function endBlock(): i32 {
  state = lastBlock ? AT_TRAILER : AT_BLOCK;
  return CONTINUE;
}

function readStoredLength(): i32 {
  if (!need(32)) return NEED_INPUT;
  const length = <u32>hold & 0xffff;
  if (length != ((~<u32>hold >> 16) & 0xffff)) return BAD_STORED_LENGTH;
  drop(32);
  storedLeft = length;
  state = AT_STORED;
  return CONTINUE;
}

function copyStored(): i32 {
  // Whole bytes that came in with an item before belong to the block.
  while (bits >= 8 && storedLeft > 0) {
    if (target == targetEnd) return NEED_OUTPUT;
    store<u8>(target++, <u8>hold);
    drop(8);
    storedLeft--;
  }
  const length = min(storedLeft, min(sourceEnd - source, targetEnd - target));
  memory.copy(target, source, length);
  source += length;
  target += length;
  storedLeft -= length;
  if (storedLeft == 0) return endBlock();
  return target == targetEnd ? NEED_OUTPUT : NEED_INPUT;
}

function useFixedCode(): void {
  if (tablesAreFixed) return;
  memory.fill(lengths, 8, 144);
  memory.fill(lengths + 144, 9, 112);
  memory.fill(lengths + 256, 7, 24);
  memory.fill(lengths + 280, 8, 8);
  litlenMask = tableMask(buildTable(lengths, LITLEN_SYMBOLS, litlenTable, litlenTemplates, LITLEN_TABLE_BITS, false));
  memory.fill(lengths, 5, DISTANCE_SYMBOLS);
  distanceMask = tableMask(
    buildTable(lengths, DISTANCE_SYMBOLS, distanceTable, distanceTemplates, DISTANCE_TABLE_BITS, false),
  );
  tablesAreFixed = true;
}

function tableMask(tableBits: i32): u64 {
  return (<u64>1 << tableBits) - 1;
}

function readCounts(): i32 {
  if (!need(14)) return NEED_INPUT;
  literalCount = (<i32>hold & 31) + 257;
  distanceCount = ((<i32>hold >> 5) & 31) + 1;
  precodeCount = ((<i32>hold >> 10) & 15) + 4;
  drop(14);
  if (literalCount > 286 || distanceCount > 30) return BAD_CODE_LENGTHS;
  memory.fill(lengths, 0, PRECODE_SYMBOLS);
  lengthsRead = 0;
  state = AT_PRECODE;
  return CONTINUE;
}

function readPrecode(): i32 {
  while (lengthsRead < precodeCount) {
    if (!need(3)) return NEED_INPUT;
    store<u8>(lengths + load<u8>(PRECODE_ORDER + lengthsRead), <u8>hold & 7);
    drop(3);
    lengthsRead++;
  }
  const width = buildTable(lengths, PRECODE_SYMBOLS, precodeTable, precodeTemplates, PRECODE_TABLE_BITS, false);
  if (width < 0) return BAD_CODE_LENGTHS;
  precodeMask = tableMask(width);
  lengthsRead = 0;
  state = AT_CODE_LENGTHS;
  return CONTINUE;
}

let precodeMask: u64 = 0;

function readCodeLengths(): i32 {
  const total = literalCount + distanceCount;
  let done = lengthsRead;
  let window = hold;
  let width = bits;
  let status = CONTINUE;
  while (done < total) {
    // An item is 14 bits at most: by words while the input lasts, else by bytes and only as many as it turns out to have.
    if (width < 14) {
      if (sourceEnd - source >= 8) {
        window |= load<u64>(source) << width;
        source += (63 - width) >> 3;
        width |= 56;
      } else if (source < sourceEnd) {
        window |= <u64>load<u8>(source++) << width;
        width += 8;
        continue;
      }
    }
    const entry = load<u32>(precodeTable + (<usize>(window & precodeMask) << 2));
    const codeBits = entry & 15;
    const symbol = entry >> 16;
    const extraBits: u32 = symbol < 16 ? 0 : symbol == 16 ? 2 : symbol == 17 ? 3 : 7;
    if (codeBits + extraBits > width) {
      status = NEED_INPUT;
      break;
    }
    if ((entry & EXCEPTIONAL) != 0) {
      status = BAD_CODE_LENGTHS;
      break;
    }
    const extra = (<u32>window >> codeBits) & ((1 << extraBits) - 1);
    window >>= codeBits + extraBits;
    width -= codeBits + extraBits;
    if (symbol < 16) {
      store<u8>(lengths + done++, <u8>symbol);
      continue;
    }
    if (symbol == 16 && done == 0) {
      status = BAD_CODE_LENGTHS;
      break;
    }
    const length: u8 = symbol == 16 ? load<u8>(lengths + done - 1) : 0;
    const repeats: i32 = <i32>extra + (symbol == 18 ? 11 : 3);
    store<u64>(lengths + done, <u64>length * 0x0101010101010101);
    if (repeats > 8) memory.fill(lengths + done + 8, length, repeats - 8);
    done += repeats;
  }
  hold = window & ((<u64>1 << width) - 1);
  bits = width;
  lengthsRead = done;
  if (status != CONTINUE) return status;
  return done > total ? BAD_CODE_LENGTHS : useDynamicCode();
}

function useDynamicCode(): i32 {
  tablesAreFixed = false;
  if (load<u8>(lengths + 256) == 0) return BAD_CODE_LENGTHS;
  const litlen = buildTable(lengths, literalCount, litlenTable, litlenTemplates, LITLEN_TABLE_BITS, false);
  const distance = buildTable(
    lengths + literalCount,
    distanceCount,
    distanceTable,
    distanceTemplates,
    DISTANCE_TABLE_BITS,
    true,
  );
  if (litlen < 0 || distance < 0) return BAD_CODE_LENGTHS;
  litlenMask = tableMask(litlen);
  distanceMask = tableMask(distance);
  state = AT_SYMBOL;
  return CONTINUE;
}

/** The entry of the next code, taking in no more input than it has bits; 0 where the input ends before that. */
function lookUp(table: usize, mask: u64): u32 {
  let entry = entryAt(table, mask);
  while ((entry & SUBTABLE) != 0 || (entry & 0xff) > bits) {
    if (source == sourceEnd) return 0;
    hold |= <u64>load<u8>(source) << bits;
    source++;
    bits += 8;
    entry = entryAt(table, mask);
  }
  return entry;
}

/** The entry that `hold` points to; a pointer to a subtable where its bits are not all there. */
function entryAt(table: usize, mask: u64): u32 {
  const entry = load<u32>(table + (<usize>(hold & mask) << 2));
  if ((entry & SUBTABLE) == 0 || (entry & 15) > bits) return entry;
  const index = (entry >> 16) + (<u32>(hold >> (entry & 15)) & ((1 << ((entry >> 8) & 15)) - 1));
  return load<u32>(table + (<usize>index << 2));
}

/** Takes the extra bits of `entry` and gives base + extra. */
function takeValue(entry: u32): usize {
  const extra = <u32>hold & ((<u32>1 << (entry & 31)) - 1);
  drop(entry & 0xff);
  return (entry >> 16) + (extra >> ((entry >> 8) & 15));
}

/** One literal, length or end of block. */
function decodeCareful(): i32 {
  const entry = lookUp(litlenTable, litlenMask);
  if (entry == 0) return NEED_INPUT;
  if ((entry & EXCEPTIONAL) != 0) {
    if ((entry & END_OF_BLOCK) == 0) return BAD_CODE;
    drop(entry & 15);
    return endBlock();
  }
  if (target == targetEnd) return NEED_OUTPUT;
  if ((entry & LITERAL) != 0) {
    store<u8>(target++, <u8>(entry >> 16));
    drop(entry & 15);
    return CONTINUE;
  }
  matchLength = takeValue(entry);
  state = AT_DISTANCE;
  return CONTINUE;
}

function readDistance(): i32 {
  const entry = lookUp(distanceTable, distanceMask);
  if (entry == 0) return NEED_INPUT;
  if ((entry & EXCEPTIONAL) != 0) return BAD_CODE;
  matchDistance = takeValue(entry);
  if (matchDistance > target - history) return BAD_DISTANCE;
  state = AT_MATCH;
  return CONTINUE;
}

function continueMatch(): i32 {
  const end = min(target + matchLength, targetEnd);
  const distance = matchDistance;
  let to = target;
  matchLength -= end - to;
  while (to < end) {
    store<u8>(to, load<u8>(to - distance));
    to++;
  }
  target = to;
  if (matchLength > 0) return NEED_OUTPUT;
  state = AT_SYMBOL;
  return CONTINUE;
}

/** Copies a match by words; may write up to {@link COPY_SLACK} bytes behind it. */
function copyMatch(to: usize, distance: usize, length: usize): void {
  const end = to + length;
  let from = to - distance;
  if (distance >= 16) {
    do {
      v128.store(to, v128.load(from));
      v128.store(to, v128.load(from, 16), 16);
      from += 32;
      to += 32;
    } while (to < end && distance >= 32);
    while (to < end) {
      v128.store(to, v128.load(from));
      from += 16;
      to += 16;
    }
  } else if (distance >= 8) {
    do {
      store<u64>(to, load<u64>(from));
      from += 8;
      to += 8;
    } while (to < end);
  } else if (distance == 1) {
    const splat = i8x16.splat(load<i8>(from));
    do {
      v128.store(to, splat);
      to += 16;
    } while (to < end);
  } else {
    // Each round makes `distance` more bytes of the pattern good.
    do {
      store<u64>(to, load<u64>(from));
      from += distance;
      to += distance;
    } while (to < end);
  }
}

/**
 * Decodes symbols while {@link FAST_INPUT} and {@link FAST_OUTPUT} last. `hold` has more bits than `bits` says: what lies above is
 * the same bytes that the next load brings again, so that loading is one `or`.
 */
function decodeFast(): i32 {
  const litlens = litlenTable;
  const litlenBits = litlenMask;
  const distances = distanceTable;
  const distanceBits = distanceMask;
  const inputLimit = sourceEnd - FAST_INPUT;
  const outputLimit = targetEnd - FAST_OUTPUT;
  let window = hold;
  let width: u64 = bits;
  let from = source;
  let to = target;
  let status = CONTINUE;

  while (from <= inputLimit && to <= outputLimit) {
    window |= load<u64>(from) << width;
    from += <usize>((63 - width) >> 3);
    width |= 56;
    // 56 bits are three literals, or two literals and a length with its extra bits.
    let entry = load<u32>(litlens + (<usize>(window & litlenBits) << 2));
    if ((entry & LITERAL) != 0) {
      window >>= <u64>entry;
      width -= <u64>(entry & 15);
      store<u8>(to++, <u8>(entry >> 16));
      entry = load<u32>(litlens + (<usize>(window & litlenBits) << 2));
      if ((entry & LITERAL) != 0) {
        window >>= <u64>entry;
        width -= <u64>(entry & 15);
        store<u8>(to++, <u8>(entry >> 16));
        entry = load<u32>(litlens + (<usize>(window & litlenBits) << 2));
        if ((entry & LITERAL) != 0) {
          window >>= <u64>entry;
          width -= <u64>(entry & 15);
          store<u8>(to++, <u8>(entry >> 16));
          continue;
        }
      }
    }
    if ((entry & EXCEPTIONAL) != 0) {
      if ((entry & SUBTABLE) != 0) {
        const index = (entry >> 16) + (<u32>(window >> <u64>(entry & 15)) & ((1 << ((entry >> 8) & 15)) - 1));
        entry = load<u32>(litlens + (<usize>index << 2));
        if ((entry & LITERAL) != 0) {
          window >>= <u64>entry;
          width -= <u64>(entry & 15);
          store<u8>(to++, <u8>(entry >> 16));
          continue;
        }
      }
      if ((entry & EXCEPTIONAL) != 0) {
        if ((entry & END_OF_BLOCK) == 0) {
          status = BAD_CODE;
          break;
        }
        window >>= <u64>(entry & 15);
        width -= <u64>(entry & 15);
        state = lastBlock ? AT_TRAILER : AT_BLOCK;
        break;
      }
    }

    let extra = window & (((<u64>1) << <u64>entry) - 1);
    const length = <usize>(entry >> 16) + <usize>(extra >> <u64>(entry >> 8));
    window >>= <u64>entry;
    width -= <u64>(entry & 31);

    window |= load<u64>(from) << width;
    from += <usize>((63 - width) >> 3);
    width |= 56;
    entry = load<u32>(distances + (<usize>(window & distanceBits) << 2));
    if ((entry & EXCEPTIONAL) != 0) {
      if ((entry & SUBTABLE) != 0) {
        const index = (entry >> 16) + (<u32>(window >> <u64>(entry & 15)) & ((1 << ((entry >> 8) & 15)) - 1));
        entry = load<u32>(distances + (<usize>index << 2));
      }
      if ((entry & EXCEPTIONAL) != 0) {
        status = BAD_CODE;
        break;
      }
    }
    extra = window & (((<u64>1) << <u64>entry) - 1);
    const distance = <usize>(entry >> 16) + <usize>(extra >> <u64>(entry >> 8));
    window >>= <u64>entry;
    width -= <u64>(entry & 31);

    if (distance > to - history) {
      status = BAD_DISTANCE;
      break;
    }
    if (targetEnd - to < length + COPY_SLACK) {
      matchLength = length;
      matchDistance = distance;
      state = AT_MATCH;
      break;
    }
    copyMatch(to, distance, length);
    to += length;
  }

  // Whole bytes go back, so that the careful decoder starts from less than eight bits.
  const spare = min<usize>(<usize>(width >> 3), from - source);
  from -= spare;
  width -= <u64>spare << 3;
  hold = window & (((<u64>1) << width) - 1);
  bits = <u32>width;
  source = from;
  target = to;
  return status;
}

function readTrailer(): i32 {
  drop(bits & 7);
  if (!need(32)) return NEED_INPUT;
  if (bswap<u32>(<u32>hold) != adler) return BAD_CHECKSUM;
  drop(32);
  state = AT_END;
  return DONE;
}
