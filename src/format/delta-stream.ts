/**
 * A reader of deltas that are too large to be held in memory: it takes them in pieces and yields their steps in order.
 *
 * ```text
 * delta  := base size (varint) | result size (varint) | op …
 * op     := 1sssoooo offset bytes, size bytes       copy from the base (size 0 means 65,536)
 *         | 0nnnnnnn n bytes                        insert; n is not 0
 * ```
 *
 * @packageDocumentation
 * @see gitformat-pack(5)
 */
import { u8At, u8OrNul } from "../bytes/assert.ts";
import { ObjectRejected } from "../bytes/failure.ts";

/** A step of a delta. An insert's `bytes` are a view of the current piece; its `at` is their offset in the delta. */
export type DeltaStep =
  | { readonly kind: "sizes"; readonly baseSize: number; readonly resultSize: number }
  | { readonly kind: "copy"; readonly offset: number; readonly length: number }
  | { readonly kind: "insert"; readonly at: number; readonly bytes: Uint8Array };

const COPY = 0x80;
const DEFAULT_COPY = 0x10000;

/** The reader of one delta. */
export class DeltaStream {
  /** The beginning of a varint or a copy that the end of the last piece cut. */
  #carry = new Uint8Array(0);
  #inserting = 0;
  /** The offset in the delta of the bytes at hand. */
  #start = 0;
  #sizes: number[] = [];

  /**
   * Yields the steps of the next piece in order. Views are valid as long as `piece`.
   *
   * @throws ObjectRejected if it is malformed.
   */
  *read(piece: Uint8Array): Generator<DeltaStep> {
    let bytes = piece;
    if (this.#carry.length > 0) {
      bytes = new Uint8Array(this.#carry.length + piece.length);
      bytes.set(this.#carry);
      bytes.set(piece, this.#carry.length);
      this.#carry = new Uint8Array(0);
    }
    let at = 0;
    while (at < bytes.length) {
      const step = this.#next(bytes, at);
      if (step === undefined) {
        this.#carry = bytes.slice(at);
        this.#start += at;
        return;
      }
      at = step.end;
      if (step.step !== undefined) yield step.step;
    }
    this.#start += at;
  }

  /** Checks that the delta ended between two steps. @throws ObjectRejected if it is cut short. */
  end(): void {
    if (this.#carry.length > 0 || this.#inserting > 0 || this.#sizes.length < 2)
      throw new ObjectRejected("failed to apply delta");
  }

  #next(bytes: Uint8Array, at: number): { readonly end: number; readonly step?: DeltaStep } | undefined {
    if (this.#sizes.length < 2) return this.#readSize(bytes, at);
    if (this.#inserting > 0) {
      const end = Math.min(bytes.length, at + this.#inserting);
      this.#inserting -= end - at;
      return { end, step: { kind: "insert", at: this.#start + at, bytes: bytes.subarray(at, end) } };
    }
    const op = u8At(bytes, at);
    if (op === 0) throw new ObjectRejected("failed to apply delta");
    if (op < COPY) {
      this.#inserting = op;
      return { end: at + 1 };
    }
    return readCopy(op, bytes, at + 1);
  }

  #readSize(bytes: Uint8Array, from: number): { readonly end: number; readonly step?: DeltaStep } | undefined {
    let size = 0;
    let scale = 1;
    for (let at = from; at < bytes.length; at++) {
      const byte = u8At(bytes, at);
      size += (byte & 0x7f) * scale;
      scale *= 128;
      if (size > Number.MAX_SAFE_INTEGER) throw new ObjectRejected("failed to apply delta");
      if (byte & 0x80) continue;
      this.#sizes.push(size);
      const [baseSize = 0, resultSize] = this.#sizes;
      return resultSize === undefined
        ? { end: at + 1 }
        : { end: at + 1, step: { kind: "sizes", baseSize, resultSize } };
    }
    return undefined;
  }
}

/**
 * Returns the sizes in bytes that the first bytes of a delta state.
 *
 * @throws ObjectRejected if they are cut short or not below 2^53.
 */
export function deltaSizes(beginning: Uint8Array): { readonly baseSize: number; readonly resultSize: number } {
  for (const step of new DeltaStream().read(beginning)) {
    if (step.kind === "sizes") return { baseSize: step.baseSize, resultSize: step.resultSize };
  }
  throw new ObjectRejected("failed to apply delta");
}

function readCopy(
  op: number,
  bytes: Uint8Array,
  from: number,
): { readonly end: number; readonly step: DeltaStep } | undefined {
  let at = from;
  const field = (bits: readonly number[]): number => {
    let value = 0;
    for (const [i, bit] of bits.entries()) if (op & bit) value += u8OrNul(bytes, at++) * 256 ** i;
    return value;
  };
  const offset = field([0x01, 0x02, 0x04, 0x08]);
  const length = field([0x10, 0x20, 0x40]);
  if (at > bytes.length) return undefined;
  return { end: at, step: { kind: "copy", offset, length: length === 0 ? DEFAULT_COPY : length } };
}
