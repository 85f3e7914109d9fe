/**
 * Takes an upstream's answer apart: pkt-lines, fed to the parser of the message that is due, then a pack in side-bands.
 *
 * @packageDocumentation
 */
import type { ByteSource } from "../bytes/byte-stream.ts";
import { LimitExceeded } from "../bytes/failure.ts";
import type { Pacer } from "../bytes/pacer.ts";
import { parseFailureLine } from "../wire/failure-line.ts";
import { decodeText, type PktLine, PktLineDecoder } from "../wire/pkt-line.ts";
import { BAND_DATA, BAND_ERROR, parseSideBand } from "../wire/side-band.ts";
import { inOneLine } from "./progress-line.ts";
import { UpstreamFailure } from "./upstream.ts";

const CHUNK_BYTES = 262_144;
/** The most bytes of an answer without a pack, or before one. There is room for 500,000 refs of usual names. */
const MOST_TALK = 64 * 1024 * 1024;
/** The most bytes of progress beside a pack, with the heads of packets that carry none of it. An upstream says some KB. */
const MOST_PROGRESS_BYTES = 16 * 1024 * 1024;
/** Bytes of a packet before what it carries: its length, and the number of its band. */
const PACKET_HEAD_BYTES = 5;

function brokeOff(): UpstreamFailure {
  return new UpstreamFailure("The upstream's answer broke off.");
}

/** The steps of a line, and of each of its bytes, with what its reader does with it: most lines are refs, whose names are checked. */
const LINE_STEPS = 300;
const LINE_BYTE_STEPS = 5;

/** Reads pkt-lines within a bound on bytes, and with pauses. Both hold until {@link LineSource.endTalk}. */
export class LineSource {
  readonly #source: ByteSource;
  readonly #decoder = new PktLineDecoder();
  #buffer = new Uint8Array(CHUNK_BYTES);
  #held: PktLine | undefined;
  #left: number;
  #pacer: Pacer | undefined;

  constructor(source: ByteSource, pacer: Pacer, mostTalk = MOST_TALK) {
    this.#source = source;
    this.#pacer = pacer;
    this.#left = mostTalk;
  }

  /** Lifts the bound, and ends the pauses. The reader of the pack that follows has its own. */
  endTalk(): void {
    this.#pacer = undefined;
    this.#left = Number.POSITIVE_INFINITY;
  }

  /**
   * Takes the next line; its payload is valid until the next call.
   *
   * @throws UpstreamFailure if the answer ends, or the line says `ERR`; LimitExceeded if the answer exceeds the bound.
   */
  async next(): Promise<PktLine> {
    const line = this.#held ?? (await this.#read());
    this.#held = undefined;
    const failure = line.kind === "data" ? parseFailureLine(line.payload) : undefined;
    if (failure !== undefined) throw new UpstreamFailure(`The upstream says: ${failure}`);
    return line;
  }

  /** Puts back the line that was just taken. */
  putBack(line: PktLine): void {
    this.#held = line;
  }

  /** Returns the next line if it is available without waiting; `undefined` if not. */
  nextAtHand(): PktLine | undefined {
    const line = this.#held ?? this.#decoder.next();
    this.#held = undefined;
    return line;
  }

  /** Feeds lines to a parser until the message is complete. */
  async feed(parser: { accept(line: PktLine): "more" | "done" }): Promise<void> {
    while (parser.accept(await this.next()) === "more");
  }

  async #read(): Promise<PktLine> {
    for (;;) {
      if (this.#pacer?.isDue === true) await this.#pacer.pace();
      const line = this.#decoder.next();
      if (line !== undefined) {
        this.#pacer?.add(LINE_STEPS + (line.kind === "data" ? line.payload.length * LINE_BYTE_STEPS : 0));
        return line;
      }
      const chunk = await this.#source.read(this.#buffer);
      this.#buffer = new Uint8Array(chunk.buffer);
      if (chunk.length === 0) throw brokeOff();
      this.#left -= chunk.length;
      if (this.#left < 0)
        throw new LimitExceeded("mirror-talk-bytes", MOST_TALK, "it has more to say of its refs than is read");
      this.#decoder.push(chunk);
    }
  }
}

/** Receives what an upstream sends besides the pack. */
export type BandListener = {
  /** Called with progress as it comes: pieces of lines, with carriage returns. */
  onProgress(text: string): void;
  /** Called with the number of bytes of the pack that have come. @throws LimitExceeded to stop. */
  onBytes(count: number): void;
};

/** Returns the pack from the side-bands that follow in `lines`, up to their flush. */
export function bandSource(lines: LineSource, listener: BandListener): ByteSource {
  let rest: Uint8Array = new Uint8Array(0);
  const state = { ended: false, said: 0 };
  const take = (line: PktLine): void => {
    const packet = parseSideBand(line);
    if (packet.kind === "end") {
      state.ended = true;
      return;
    }
    // A client that waits for a pack is not kept waiting with words, nor with packets of nothing.
    const carried = packet.band === BAND_DATA ? packet.data.length : 0;
    if (carried === 0) state.said += PACKET_HEAD_BYTES + packet.data.length;
    if (state.said > MOST_PROGRESS_BYTES) {
      throw new LimitExceeded(
        "mirror-talk-bytes",
        MOST_PROGRESS_BYTES,
        "it has more to say beside its pack than is read",
      );
    }
    if (packet.band === BAND_DATA) rest = packet.data;
    else if (packet.band === BAND_ERROR)
      throw new UpstreamFailure(`The upstream says: ${inOneLine(decodeText(packet.data))}`);
    else listener.onProgress(decodeText(packet.data));
  };
  return {
    read: async (buffer) => {
      let filled = 0;
      while (filled < buffer.length && !state.ended) {
        if (rest.length === 0) {
          // Bytes that have come are passed on at once; only the first byte is awaited.
          const line = filled === 0 ? await lines.next() : lines.nextAtHand();
          if (line === undefined) break;
          take(line);
          continue;
        }
        const piece = rest.subarray(0, buffer.length - filled);
        buffer.set(piece, filled);
        filled += piece.length;
        rest = rest.subarray(piece.length);
      }
      listener.onBytes(filled);
      return buffer.subarray(0, filled);
    },
  };
}
