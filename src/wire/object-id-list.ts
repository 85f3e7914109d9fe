/**
 * Object names as bytes. A client may send 100,000 of them, so they are decoded from the hexadecimal of a line straight
 * into one buffer, without a string for each.
 *
 * @packageDocumentation
 */
import { u8At } from "../bytes/assert.ts";
import { LimitExceeded } from "../bytes/failure.ts";
import { toHex } from "../bytes/hex.ts";
import type { ObjectFormat } from "../object/object-id.ts";
import { hexDigitValue } from "./pkt-line.ts";

/**
 * Fills `into` from the hexadecimal digits that start at `from` in `line`. Returns false if there are not enough
 * digits.
 */
function decodeHex(line: Uint8Array, from: number, into: Uint8Array): boolean {
  if (line.length - from < into.length * 2) return false;
  for (let index = 0; index < into.length; index++) {
    const high = hexDigitValue(u8At(line, from + 2 * index));
    const low = hexDigitValue(u8At(line, from + 2 * index + 1));
    if ((high | low) < 0) return false;
    into[index] = (high << 4) | low;
  }
  return true;
}

/**
 * Returns the raw object name whose hexadecimal digits start at `from` in a line; `undefined` if no whole name is
 * there.
 */
export function parseRawObjectId(
  line: Uint8Array,
  from: number,
  format: ObjectFormat,
): Uint8Array<ArrayBuffer> | undefined {
  const raw = new Uint8Array(format.rawSize);
  return decodeHex(line, from, raw) ? raw : undefined;
}

/**
 * Raw object names, one after the other in one growing buffer, in the order in which they were added. Duplicates are
 * kept.
 */
export class ObjectIdList implements Iterable<Uint8Array> {
  readonly format: ObjectFormat;
  readonly #max: number;
  #bytes: Uint8Array<ArrayBuffer>;
  #length = 0;

  /** Creates an empty list. It throws {@link LimitExceeded} when more than `max` names are added. */
  constructor(format: ObjectFormat, max: number = Number.POSITIVE_INFINITY) {
    this.format = format;
    this.#max = max;
    this.#bytes = new Uint8Array(format.rawSize * 4);
  }

  /** The number of names. */
  get length(): number {
    return this.#length;
  }

  /** Appends a copy of a raw name. @throws LimitExceeded over the list's bound. */
  push(raw: Uint8Array): void {
    this.#grow();
    this.#bytes.set(raw.subarray(0, this.format.rawSize), this.#length * this.format.rawSize);
    this.#length++;
  }

  /**
   * Appends the name whose hexadecimal digits, of either case, start at `from` and reach to the end of `line`. Returns
   * false if something else is there.
   *
   * @throws LimitExceeded over the list's bound.
   */
  pushHex(line: Uint8Array, from: number): boolean {
    return line.length - from === this.format.hexSize && this.pushHexPrefix(line, from);
  }

  /** Does what {@link pushHex} does, for a line that may go on behind the name. */
  pushHexPrefix(line: Uint8Array, from: number): boolean {
    this.#grow();
    const size = this.format.rawSize;
    if (!decodeHex(line, from, this.#bytes.subarray(this.#length * size, (this.#length + 1) * size))) return false;
    this.#length++;
    return true;
  }

  /** Returns a view of the raw name at `index`, valid until the list grows. @throws RangeError outside the list. */
  at(index: number): Uint8Array {
    if (index < 0 || index >= this.#length) throw new RangeError(`no object name ${index} of ${this.#length}`);
    return this.#bytes.subarray(index * this.format.rawSize, (index + 1) * this.format.rawSize);
  }

  /** Returns the name at `index` in hexadecimal. @throws RangeError outside the list. */
  hexAt(index: number): string {
    return toHex(this.at(index));
  }

  /** Returns a view of all raw names, one after the other, valid until the list grows. */
  bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length * this.format.rawSize);
  }

  /** Yields a view of each raw name in order, valid until the list grows. */
  *[Symbol.iterator](): Generator<Uint8Array> {
    for (let index = 0; index < this.#length; index++) yield this.at(index);
  }

  #grow(): void {
    if (this.#length >= this.#max) {
      throw new LimitExceeded("object-names", this.#max, `too many object names: more than ${this.#max}`);
    }
    const size = (this.#length + 1) * this.format.rawSize;
    if (size <= this.#bytes.length) return;
    const grown = new Uint8Array(this.#bytes.length * 2);
    grown.set(this.#bytes);
    this.#bytes = grown;
  }
}
