/**
 * Inflate as RFC 1950 and RFC 1951 say it, a bit at a time: the oracle for the kernel's.
 *
 * @packageDocumentation
 */

/** A stream's output and the bytes of input it took; or why there is none. */
export type Inflated =
  | { readonly kind: "done"; readonly output: Uint8Array<ArrayBuffer>; readonly consumed: number }
  | { readonly kind: "truncated" }
  | { readonly kind: "corrupt" };

/** Thrown where the input ends or is wrong, and caught in {@link inflateTwin}. */
class Stop extends Error {
  readonly kind: "truncated" | "corrupt";
  constructor(kind: "truncated" | "corrupt") {
    super(kind);
    this.kind = kind;
  }
}

/** A canonical code: how many codes each length has, and the symbols in order of their codes. */
type Code = { readonly counts: readonly number[]; readonly symbols: readonly number[] };

const PRECODE_ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

class Bits {
  readonly #input: Uint8Array;
  /** Next bit of the input. */
  at = 0;
  constructor(input: Uint8Array) {
    this.#input = input;
  }

  take(count: number): number {
    let value = 0;
    for (let i = 0; i < count; i++, this.at++) {
      const byte = this.#input[this.at >>> 3];
      if (byte === undefined) throw new Stop("truncated");
      value |= ((byte >>> (this.at & 7)) & 1) << i;
    }
    return value;
  }

  align(): void {
    this.at = (this.at + 7) & ~7;
  }

  symbol({ counts, symbols }: Code): number {
    let code = 0;
    let first = 0;
    let index = 0;
    for (let length = 1; length <= 15; length++) {
      code |= this.take(1);
      const count = counts[length] ?? 0;
      if (code - first < count) return symbols[index + code - first] ?? 0;
      index += count;
      first = (first + count) << 1;
      code <<= 1;
      // The one incomplete code that zlib takes has a single bit.
      if (length === 1 && symbols.length <= 1) throw new Stop("corrupt");
    }
    throw new Stop("corrupt");
  }
}

function codeOf(lengths: readonly number[], mayBeEmpty: boolean): Code {
  const counts = Array.from({ length: 16 }, (_, length) => lengths.filter((each) => each === length).length);
  const symbols = lengths
    .map((length, symbol) => ({ length, symbol }))
    .filter(({ length }) => length > 0)
    .sort((left, right) => left.length - right.length || left.symbol - right.symbol)
    .map(({ symbol }) => symbol);
  let left = 1;
  for (const count of counts.slice(1)) {
    left = left * 2 - count;
    if (left < 0) throw new Stop("corrupt");
  }
  const isSingleBit = symbols.length === 1 && counts[1] === 1;
  if (left > 0 && !isSingleBit && !(mayBeEmpty && symbols.length === 0)) throw new Stop("corrupt");
  return { counts, symbols };
}

function fixedCodes(): { litlen: Code; distance: Code } {
  const fixedLength = (symbol: number): number => (symbol < 144 ? 8 : symbol < 256 ? 9 : symbol < 280 ? 7 : 8);
  return {
    litlen: codeOf(
      Array.from({ length: 288 }, (_, symbol) => fixedLength(symbol)),
      false,
    ),
    distance: codeOf(
      Array.from({ length: 32 }, () => 5),
      false,
    ),
  };
}

function dynamicCodes(bits: Bits): { litlen: Code; distance: Code } {
  const literals = bits.take(5) + 257;
  const distances = bits.take(5) + 1;
  const precodes = bits.take(4) + 4;
  if (literals > 286 || distances > 30) throw new Stop("corrupt");
  const preLengths = Array.from({ length: 19 }, () => 0);
  for (const symbol of PRECODE_ORDER.slice(0, precodes)) preLengths[symbol] = bits.take(3);
  const precode = codeOf(preLengths, false);
  const lengths: number[] = [];
  while (lengths.length < literals + distances) {
    const symbol = bits.symbol(precode);
    if (symbol < 16) lengths.push(symbol);
    else {
      const repeated = symbol === 16 ? lengths.at(-1) : 0;
      if (repeated === undefined) throw new Stop("corrupt");
      const times = symbol === 16 ? 3 + bits.take(2) : symbol === 17 ? 3 + bits.take(3) : 11 + bits.take(7);
      for (let i = 0; i < times; i++) lengths.push(repeated);
    }
  }
  if (lengths.length > literals + distances || lengths[256] === 0) throw new Stop("corrupt");
  return { litlen: codeOf(lengths.slice(0, literals), false), distance: codeOf(lengths.slice(literals), true) };
}

function readStored(bits: Bits, output: number[]): void {
  bits.align();
  const length = bits.take(16);
  if (bits.take(16) !== (~length & 0xffff)) throw new Stop("corrupt");
  for (let i = 0; i < length; i++) output.push(bits.take(8));
}

function readCompressed(bits: Bits, output: number[], { litlen, distance }: { litlen: Code; distance: Code }): void {
  for (;;) {
    const symbol = bits.symbol(litlen);
    if (symbol < 256) output.push(symbol);
    else if (symbol === 256) return;
    else copyMatch(bits, output, lengthOf(bits, symbol), distance);
  }
}

function lengthOf(bits: Bits, symbol: number): number {
  if (symbol > 285) throw new Stop("corrupt");
  if (symbol === 285) return 258;
  const index = symbol - 257;
  if (index < 8) return 3 + index;
  const extra = (index >> 2) - 1;
  return 3 + ((4 + (index & 3)) << extra) + bits.take(extra);
}

function copyMatch(bits: Bits, output: number[], length: number, code: Code): void {
  const symbol = bits.symbol(code);
  if (symbol > 29) throw new Stop("corrupt");
  const extra = symbol < 4 ? 0 : (symbol >> 1) - 1;
  const distance = 1 + (symbol < 4 ? symbol : ((2 + (symbol & 1)) << extra) + bits.take(extra));
  if (distance > output.length) throw new Stop("corrupt");
  for (let i = 0; i < length; i++) output.push(output[output.length - distance] ?? 0);
}

function adler(bytes: readonly number[]): number {
  let low = 1;
  let high = 0;
  for (const byte of bytes) {
    low = (low + byte) % 65521;
    high = (high + low) % 65521;
  }
  return high * 65536 + low;
}

function inflateOrStop(input: Uint8Array): Inflated {
  const bits = new Bits(input);
  const method = bits.take(8);
  const flags = bits.take(8);
  if ((method * 256 + flags) % 31 !== 0 || (method & 15) !== 8 || method >> 4 > 7 || (flags & 32) !== 0) {
    return { kind: "corrupt" };
  }
  const output: number[] = [];
  for (let last = 0; last === 0;) {
    last = bits.take(1);
    const type = bits.take(2);
    if (type === 0) readStored(bits, output);
    else if (type === 1) readCompressed(bits, output, fixedCodes());
    else if (type === 2) readCompressed(bits, output, dynamicCodes(bits));
    else return { kind: "corrupt" };
  }
  bits.align();
  let sum = 0;
  for (let i = 0; i < 4; i++) sum = sum * 256 + bits.take(8);
  if (sum !== adler(output)) return { kind: "corrupt" };
  return { kind: "done", output: Uint8Array.from(output), consumed: bits.at >>> 3 };
}

/** Inflates the zlib stream at the start of `input`. */
export function inflateTwin(input: Uint8Array): Inflated {
  try {
    return inflateOrStop(input);
  } catch (error) {
    if (error instanceof Stop) return { kind: error.kind };
    throw error;
  }
}
