/**
 * Canonical Huffman codes of deflate as lookup tables (RFC 1951, section 3.2.2).
 *
 * A table has `1 << tableBits` entries, indexed by the next bits of the input; codes longer than that go through subtables behind
 * it. An entry is 32 bits:
 *
 *     31      literal
 *     30…16   literal byte, base of a length or distance, or index of a subtable
 *     15      exceptional: one of the next two, or neither for bits that are no code
 *     14      subtable: bits 8…11 are the width of its index
 *     13      end of block
 *     11…8    bits of the code
 *     7…0     bits of the code and of the extra bits behind it (of a subtable pointer: tableBits)
 *
 * The layout lets the decoder shift by the entry itself: a shift looks at the low six bits only.
 */

export const LITERAL: u32 = 1 << 31;
export const EXCEPTIONAL: u32 = 1 << 15;
export const SUBTABLE: u32 = 1 << 14;
export const END_OF_BLOCK: u32 = 1 << 13;

/** What bits that are no code decode to. */
const INVALID: u32 = EXCEPTIONAL | 1;

export const MAX_CODE_BITS: i32 = 15;
export const LITLEN_TABLE_BITS: i32 = 11;
export const DISTANCE_TABLE_BITS: i32 = 8;
export const PRECODE_TABLE_BITS: i32 = 7;

export const LITLEN_SYMBOLS: i32 = 288;
export const DISTANCE_SYMBOLS: i32 = 32;
export const PRECODE_SYMBOLS: i32 = 19;

// The sizes are zlib's `enough` for these symbols and table bits: 2,342 and 402 entries.
export const litlenTable: usize = memory.data(2342 << 2, 16);
export const distanceTable: usize = memory.data(402 << 2, 16);
export const precodeTable: usize = memory.data(128 << 2, 16);

/** Entries without the code's own bits, by symbol; adding its bits twice completes one. */
export const litlenTemplates: usize = memory.data(288 << 2, 16);
export const distanceTemplates: usize = memory.data(32 << 2, 16);
export const precodeTemplates: usize = memory.data(19 << 2, 16);

const counts: usize = memory.data(16 << 2, 16);
const offsets: usize = memory.data(16 << 2, 16);
const sorted: usize = memory.data(288 << 1, 16);

/** Fills the templates; once an instance. */
export function initialiseTemplates(): void {
  for (let symbol: u32 = 0; symbol < 256; symbol++) {
    store<u32>(litlenTemplates + (<usize>symbol << 2), LITERAL | (symbol << 16));
  }
  store<u32>(litlenTemplates + (256 << 2), EXCEPTIONAL | END_OF_BLOCK);
  let base: u32 = 3;
  for (let symbol: u32 = 257; symbol < 285; symbol++) {
    const extra: u32 = symbol < 265 ? 0 : (symbol - 261) >> 2;
    store<u32>(litlenTemplates + (<usize>symbol << 2), (base << 16) | extra);
    base += 1 << extra;
  }
  store<u32>(litlenTemplates + (285 << 2), 258 << 16);
  store<u32>(litlenTemplates + (286 << 2), EXCEPTIONAL);
  store<u32>(litlenTemplates + (287 << 2), EXCEPTIONAL);
  base = 1;
  for (let symbol: u32 = 0; symbol < 30; symbol++) {
    const extra: u32 = symbol < 4 ? 0 : (symbol - 2) >> 1;
    store<u32>(distanceTemplates + (<usize>symbol << 2), (base << 16) | extra);
    base += 1 << extra;
  }
  store<u32>(distanceTemplates + (30 << 2), EXCEPTIONAL);
  store<u32>(distanceTemplates + (31 << 2), EXCEPTIONAL);
  for (let symbol: u32 = 0; symbol < 19; symbol++) store<u32>(precodeTemplates + (<usize>symbol << 2), symbol << 16);
}

/**
 * Builds the table of the code whose lengths are the `symbols` bytes at `lengths`; gives its tableBits, or -1 for a set of
 * lengths that is no code. As zlib, an incomplete code passes only when it has one symbol of one bit (or, `mayBeEmpty`, none).
 */
export function buildTable(
  lengths: usize,
  symbols: i32,
  table: usize,
  templates: usize,
  maxTableBits: i32,
  mayBeEmpty: bool,
): i32 {
  memory.fill(counts, 0, 64);
  for (let symbol = 0; symbol < symbols; symbol += 8) {
    for (let rest = lengthsAt(lengths, symbol, symbols); rest != 0; rest = withoutFirst(rest)) {
      const slot = counts + (<usize>((rest >> firstShift(rest)) & 0xff) << 2);
      store<u32>(slot, load<u32>(slot) + 1);
    }
  }
  let longest = MAX_CODE_BITS;
  while (longest > 0 && load<u32>(counts + (<usize>longest << 2)) == 0) longest--;
  if (longest == 0) {
    if (!mayBeEmpty) return -1;
    store<u32>(table, INVALID);
    store<u32>(table, INVALID, 4);
    return 1;
  }

  let left: i32 = 1;
  let offset: u32 = 0;
  for (let length = 1; length <= longest; length++) {
    const count = load<u32>(counts + (<usize>length << 2));
    left = (left << 1) - <i32>count;
    if (left < 0) return -1;
    store<u32>(offsets + (<usize>length << 2), offset);
    offset += count;
  }
  if (left > 0 && longest != 1) return -1;
  for (let symbol = 0; symbol < symbols; symbol += 8) {
    for (let rest = lengthsAt(lengths, symbol, symbols); rest != 0; rest = withoutFirst(rest)) {
      const shift = firstShift(rest);
      const slot = offsets + (<usize>((rest >> shift) & 0xff) << 2);
      const at = load<u32>(slot);
      store<u16>(sorted + (<usize>at << 1), <u16>(symbol + <i32>(shift >> 3)));
      store<u32>(slot, at + 1);
    }
  }
  const tableBits = min(maxTableBits, longest);
  fillTable(table, templates, tableBits, longest);
  if (left > 0) store<u32>(table, INVALID, 4);
  return tableBits;
}

/**
 * Returns the lengths of up to eight symbols from `symbol`, one a byte, the first lowest. A small object uses few of
 * the symbols, and eight that are not used are passed over at once.
 */
// @ts-ignore: decorator
@inline
function lengthsAt(lengths: usize, symbol: i32, symbols: i32): u64 {
  const eight = load<u64>(lengths + symbol);
  const count = symbols - symbol;
  return count < 8 ? eight & ((<u64>1 << (<u64>count << 3)) - 1) : eight;
}

/** Returns by how many bits the first length that is not 0 is shifted. */
// @ts-ignore: decorator
@inline
function firstShift(lengths: u64): u64 {
  return ctz<u64>(lengths) & ~7;
}

/** Returns the lengths without the first that is not 0. */
// @ts-ignore: decorator
@inline
function withoutFirst(lengths: u64): u64 {
  return lengths & ~(<u64>0xff << firstShift(lengths));
}

/**
 * Writes the entries. Codes of one length are written once each, and going on to the next length doubles the table by copying
 * it, so that each short code's many places cost a copy and not a loop (as libdeflate does).
 */
function fillTable(table: usize, templates: usize, tableBits: i32, longest: i32): void {
  let code: u32 = 0; // bit-reversed, as the input has it
  let at = sorted;
  let length = 1;
  let filled: usize = 2;
  let count = load<u32>(counts, 4);
  for (;;) {
    while (count == 0) {
      length++;
      if (length > longest) return;
      if (length <= tableBits) {
        doubleTable(table, filled << 2);
        filled <<= 1;
      }
      count = load<u32>(counts + (<usize>length << 2));
    }
    if (length > tableBits) break;
    const bits: u32 = <u32>length * 0x101;
    do {
      store<u32>(table + (<usize>code << 2), load<u32>(templates + (<usize>load<u16>(at) << 2)) + bits);
      at += 2;
      code = nextCode(code, length);
    } while (--count != 0);
  }
  fillSubtables(table, templates, tableBits, longest, length, code, at);
}

/**
 * Copies the first bytes of a table behind themselves, in vectors: most tables are small, and `memory.copy` is a call out
 * of the module. Of 8 bytes, 16 are copied, and what the other 8 overwrite is written later.
 */
function doubleTable(table: usize, bytes: usize): void {
  const end = table + bytes;
  for (let at = table; at < end; at += 16) v128.store(at + bytes, v128.load(at));
}

/** The code after `code` among those of `length` bits, bit-reversed: carries go towards the low bits. */
function nextCode(code: u32, length: i32): u32 {
  const all: u32 = (1 << length) - 1;
  if (code == all) return code;
  const carry: u32 = <u32>1 << (31 - clz<u32>(code ^ all));
  return (code & (carry - 1)) | carry;
}

function fillSubtables(
  table: usize,
  templates: usize,
  tableBits: i32,
  longest: i32,
  firstLength: i32,
  firstCode: u32,
  firstSymbol: usize,
): void {
  const mainMask: u32 = (1 << tableBits) - 1;
  let length = firstLength;
  let code = firstCode;
  let at = firstSymbol;
  let end: u32 = 1 << tableBits;
  let prefix: u32 = ~0;
  let start: u32 = 0;
  let subBits = 0;
  let count = load<u32>(counts + (<usize>length << 2));
  for (;;) {
    while (count == 0) {
      length++;
      if (length > longest) return;
      count = load<u32>(counts + (<usize>length << 2));
    }
    if ((code & mainMask) != prefix) {
      // The subtable is as wide as the codes with this prefix need: as long as they don't fill it, longer ones follow.
      prefix = code & mainMask;
      start = end;
      subBits = length - tableBits;
      let used = count;
      while (used < <u32>1 << subBits && subBits + tableBits < longest) {
        subBits++;
        used = (used << 1) + load<u32>(counts + (<usize>(tableBits + subBits) << 2));
      }
      end = start + (1 << subBits);
      store<u32>(
        table + (<usize>prefix << 2),
        (start << 16) | EXCEPTIONAL | SUBTABLE | (<u32>subBits << 8) | <u32>tableBits,
      );
    }
    const entry = load<u32>(templates + (<usize>load<u16>(at) << 2)) + <u32>length * 0x101;
    const stride: u32 = 1 << (length - tableBits);
    for (let place = start + (code >> tableBits); place < end; place += stride) {
      store<u32>(table + (<usize>place << 2), entry);
    }
    at += 2;
    count--;
    code = nextCode(code, length);
  }
}
