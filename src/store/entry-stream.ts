/**
 * The content of a stored entry that is no delta, in pieces: for blobs too large to be held. Memory is a few hundred KB, whatever
 * the blob's size.
 *
 * @packageDocumentation
 */
import { CorruptStore } from "../bytes/failure.ts";
import { INFLATE_DONE, INFLATE_NEED_INPUT } from "../bytes/kernel.ts";
import type { Inflating } from "./inflating.ts";
import type { PackByteStream } from "./pack-storage.ts";

const READ_BYTES = 256 * 1024;
const HISTORY_BYTES = 32_768;
const OUT_BYTES = 131_072;

/**
 * Inflates the zlib stream that `source` begins with to exactly `size` bytes, piece by piece; each piece is the caller's. Between
 * pieces the ring may be used, but nothing else may be inflated until the end. `source` is cancelled in every case.
 *
 * @throws CorruptStore where the stream is damaged or does not inflate to the size it should.
 */
export async function* inflatedPieces(
  inflating: Inflating,
  source: PackByteStream,
  size: number,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const stream = new PieceInflater(inflating, size);
  try {
    let buffer = new Uint8Array(READ_BYTES);
    for (;;) {
      const bytes = await source.read(buffer);
      if (bytes.length === 0) throw new CorruptStore("a stored entry is cut short");
      for (let step = stream.next(bytes); ; step = stream.next(bytes)) {
        if (step.piece.length > 0) yield step.piece;
        if (step.state === "done") return;
        if (step.state === "read on") break;
      }
      buffer = new Uint8Array(bytes.buffer);
      stream.used = 0;
    }
  } finally {
    await source.cancel();
  }
}

type Step = { readonly state: "done" | "read on" | "more"; readonly piece: Uint8Array<ArrayBuffer> };

/** A zlib stream in the kernel, whose last 32 KiB are carried from piece to piece. */
class PieceInflater {
  readonly #inflating: Inflating;
  readonly #size: number;
  #history = new Uint8Array(0);
  #produced = 0;
  /** Of the bytes that {@link next} is given: how many were taken. */
  used = 0;

  constructor(inflating: Inflating, size: number) {
    this.#inflating = inflating;
    this.#size = size;
    inflating.kernel.inflateStart();
  }

  next(bytes: Uint8Array): Step {
    const { kernel, ring } = this.#inflating;
    const window = bytes.subarray(this.used, this.used + kernel.windowBytes);
    kernel.memory.set(window, kernel.windowAt);
    const room = ring.pointer(ring.reserve(HISTORY_BYTES + OUT_BYTES));
    kernel.memory.set(this.#history, room);
    const out = room + this.#history.length;
    const end = out + Math.min(OUT_BYTES, this.#size - this.#produced);
    const status = kernel.inflate(kernel.windowAt, kernel.windowAt + window.length, room, out, end);
    this.used += kernel.inflateConsumed;
    const made = kernel.inflateProduced;
    this.#produced += made;
    const kept = Math.min(HISTORY_BYTES, this.#history.length + made);
    this.#history = kernel.memory.slice(out + made - kept, out + made);
    const piece = kernel.memory.slice(out, out + made);
    if (status === INFLATE_DONE && this.#produced === this.#size) return { state: "done", piece };
    const isStuck = status !== INFLATE_NEED_INPUT && made === 0 && this.#produced >= this.#size;
    if (status < 0 || status === INFLATE_DONE || isStuck)
      throw new CorruptStore(`stored entry does not inflate to its ${this.#size} bytes (${status})`);
    return { state: status === INFLATE_NEED_INPUT && this.used >= bytes.length ? "read on" : "more", piece };
  }
}
