/**
 * Contents of the files that a patch changes: read, made and given back one at a time. What one patch reads and makes is
 * bounded and counts as memory of the request.
 *
 * @packageDocumentation
 */
import { CorruptStore, LimitExceeded, ObjectRejected } from "../../bytes/failure.ts";
import type { RequestMemory } from "../../bytes/memory-budget.ts";
import { textOf } from "../../object/byte-text.ts";
import type { GraphSession } from "../../graph/graph-session.ts";

/** Bytes of all contents that one patch reads and makes. */
const MOST_BYTES = 64 * 1024 * 1024;
/** Lines of a file that a patch changes. */
const MOST_LINES = 500_000;
/** Bytes that are looked at between pauses. */
const PIECE = 65_536;
/** Steps of a byte of a content, and of a line. */
const BYTE_STEPS = 4;
const LINE_STEPS = 16;
/** What the lines of a file take: of each its text, and its places in two lists. */
const LINE_BYTES = 48;

/** What a character of a hunk takes: most are in lines of some length. */
const CHARACTER_BYTES = 4;

const LINE_FEED = 0x0a;

/** Where contents count. */
export type ContentCount = {
  readonly memory: Pick<RequestMemory, "hold">;
  /** Counts steps, and pauses where that is due. */
  readonly pace: (steps: number) => Promise<void>;
};

/** The contents of one patch. */
export class PatchContents {
  readonly #count: ContentCount;
  #bytes = 0;
  #held = 0;

  constructor(count: ContentCount) {
    this.#count = count;
  }

  /** Counts a content that is read or made, and holds it. @throws LimitExceeded */
  async hold(bytes: number): Promise<void> {
    this.#bytes += bytes;
    if (this.#bytes > MOST_BYTES) {
      const detail = `the files that the patch changes have more than ${MOST_BYTES} bytes`;
      throw new LimitExceeded("patch-bytes", MOST_BYTES, detail);
    }
    this.#hold(bytes);
    await this.#count.pace(bytes * BYTE_STEPS);
  }

  /** Gives back all that is held. */
  free(): void {
    this.#hold(-this.#held);
  }

  #hold(bytes: number): void {
    this.#held += bytes;
    this.#count.memory.hold(bytes);
  }

  /** Splits a content into lines with their line feeds, one character per byte. @throws LimitExceeded */
  async linesOf(bytes: Uint8Array): Promise<string[]> {
    const lines: string[] = [];
    for (let from = 0; from < bytes.length;) {
      const to = pieceEnd(bytes, from);
      const text = textOf(bytes.subarray(from, to));
      const before = lines.length;
      for (let at = 0; at < text.length;) {
        const end = text.indexOf("\n", at) + 1;
        const next = end === 0 ? text.length : end;
        lines.push(text.slice(at, next));
        at = next;
      }
      if (lines.length > MOST_LINES) {
        throw new LimitExceeded("patch-lines", MOST_LINES, `a file in the patch has more than ${MOST_LINES} lines`);
      }
      this.#hold((lines.length - before) * LINE_BYTES + text.length);
      await this.#count.pace(text.length * BYTE_STEPS + (lines.length - before) * LINE_STEPS);
      from = to;
    }
    return lines;
  }

  /** Reads a content that the patch itself has. `characters` is its length in the patch, and is held, too. */
  async lasting<T>(work: Generator<number, T, undefined>, characters: number): Promise<T> {
    this.#hold(characters * CHARACTER_BYTES);
    for (let next = work.next(); ; next = work.next()) {
      if (next.done === true) return next.value;
      await this.#count.pace(next.value);
    }
  }

  /** Returns the bytes of lines. */
  async joined(lines: readonly string[]): Promise<Uint8Array> {
    let length = 0;
    for (const line of lines) length += line.length;
    await this.hold(length);
    const bytes = new Uint8Array(length);
    let at = 0;
    let counted = 0;
    for (const line of lines) {
      for (let i = 0; i < line.length; i++) bytes[at++] = line.charCodeAt(i);
      if (at - counted < PIECE) continue;
      await this.#count.pace((at - counted) * BYTE_STEPS);
      counted = at;
    }
    return bytes;
  }
}

/** Returns where a piece of whole lines ends that begins at `from`. */
function pieceEnd(bytes: Uint8Array, from: number): number {
  if (bytes.length - from <= PIECE) return bytes.length;
  const last = bytes.lastIndexOf(LINE_FEED, from + PIECE - 1);
  if (last >= from) return last + 1;
  const next = bytes.indexOf(LINE_FEED, from + PIECE);
  return next < 0 ? bytes.length : next + 1;
}

/**
 * Inflates in the kernel; `undefined` if the stream is not whole, or not of this size.
 *
 * @throws LimitExceeded if the content is too large to be held.
 */
export function inflate({ inflating }: GraphSession, deflated: Uint8Array, size: number): Uint8Array | undefined {
  if (size > inflating.wholeBytes) {
    const detail = `a file of ${size} bytes is too large for a patch`;
    throw new LimitExceeded("whole-object-bytes", inflating.wholeBytes, detail);
  }
  try {
    const inflation = inflating.startInflating(size);
    if (!inflating.inflateMore(inflation, deflated)) return undefined;
    return inflating.bytes(inflation.held).slice();
  } catch (error) {
    if (error instanceof CorruptStore) return undefined;
    throw error;
  }
}

/** Applies a delta in the kernel; `undefined` if it does not fit. */
export function applyDelta({ inflating }: GraphSession, base: Uint8Array, delta: Uint8Array): Uint8Array | undefined {
  try {
    const held = inflating.hold(base);
    return inflating.bytes(inflating.applyDelta(held, inflating.hold(delta))).slice();
  } catch (error) {
    if (error instanceof ObjectRejected || error instanceof CorruptStore) return undefined;
    throw error;
  }
}
