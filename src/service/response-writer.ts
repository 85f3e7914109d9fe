/**
 * Writes a response: pkt-lines first, then a stream of bytes, over side-bands or bare.
 *
 * ```text
 * lines ──startBands──▶ bands     pack or report on band 1, progress on band 2, a failure on band 3, a flush at the end
 *       └─startBare───▶ bare      the pack alone: nothing else can be said
 * ```
 *
 * @packageDocumentation
 */
import type { ByteSink } from "../bytes/byte-stream.ts";
import type { Pacer } from "../bytes/pacer.ts";
import { formatFailureLine } from "../wire/failure-line.ts";
import { PktBuffer } from "../wire/pkt-buffer.ts";
import { FLUSH_PKT } from "../wire/pkt-line.ts";
import {
  BAND_DATA,
  BAND_ERROR,
  BAND_PROGRESS,
  type Band,
  type SideBandPacketMax,
  encodeKeepAlive,
  encodeSideBand,
  encodeTerminalText,
  frameSideBand,
  sideBandCapacity,
} from "../wire/side-band.ts";

/** Framed bytes are written in pieces of at most this size. */
const FRAME_BYTES = 262_144;
/**
 * The longest silence, in milliseconds. After a longer one a client, or a proxy, may take the connection for dead. See
 * `receive.keepAlive`.
 */
const KEEP_ALIVE_AFTER = 5000;

/** The steps charged to the pacer for a line. */
export const LINE_STEPS = 100;
/** The steps charged to the pacer for a byte of lines that fill a chunk. */
const BYTE_STEPS = 2;

/** Writes one response. */
export class ResponseWriter {
  /** The lines to send; see {@link send}. No line may be added after the bytes have begun. */
  readonly lines = new PktBuffer();
  readonly #output: ByteSink;
  readonly #now: () => number;
  readonly #pacer: Pacer;
  #packetMax: SideBandPacketMax | undefined;
  #mode: "lines" | "bands" | "bare" = "lines";
  #frame: Uint8Array | undefined;
  #lastWrite: number;
  #hasBegun = false;

  /** `now` returns milliseconds since the epoch. */
  constructor(output: ByteSink, { now, pacer }: { readonly now: () => number; readonly pacer: Pacer }) {
    this.#output = output;
    this.#now = now;
    this.#pacer = pacer;
    this.#lastWrite = now();
  }

  /**
   * Runs through what appends lines, one at a time, and sends them as they fill chunks. Others are served in between:
   * there may be a line for each ref, or for each object that the client named. The last lines may stay unsent.
   */
  async sendEach(appending: Iterable<void>): Promise<void> {
    const lines = appending[Symbol.iterator]();
    while (lines.next().done !== true) {
      this.#pacer.add(LINE_STEPS);
      if (this.#pacer.isDue || this.lines.hasFull) await this.sendFull();
    }
  }

  /** Sends the lines that fill a chunk, and serves others if it is time to. */
  async sendFull(): Promise<void> {
    this.#pacer.add(LINE_STEPS);
    if (this.#pacer.isDue) await this.#pacer.pace();
    for (const chunk of this.lines.takeFull()) {
      // A line may be long, and its name of escapes alone.
      this.#pacer.add(chunk.length * BYTE_STEPS);
      await this.#write(chunk);
    }
  }

  /** Sends all lines. */
  async send(): Promise<void> {
    for (const chunk of this.lines.take()) await this.#write(chunk);
  }

  /**
   * Puts all lines on band 1, and a failure on band 3, for `sideband-all`. Must be called before any line is written.
   */
  overBands(packetMax: SideBandPacketMax): void {
    this.lines.prefix = BAND_DATA;
    this.#packetMax = packetMax;
  }

  /** Sends all lines. Bytes over side-bands follow from here on. */
  async startBands(packetMax: SideBandPacketMax): Promise<void> {
    await this.send();
    this.#mode = "bands";
    this.#packetMax = packetMax;
  }

  /** Sends all lines. Bare bytes follow from here on. */
  async startBare(): Promise<void> {
    await this.send();
    this.#mode = "bare";
  }

  /** Writes bytes of the pack or report. The caller may reuse the buffer once the promise settles. */
  async data(bytes: Uint8Array): Promise<void> {
    if (this.#packetMax === undefined) await this.#write(bytes);
    else await this.#writeBand(BAND_DATA, bytes, this.#packetMax);
  }

  /** Writes text for the user's terminal, if there is a band for it. */
  async progress(text: string): Promise<void> {
    if (this.#packetMax !== undefined) await this.#writeBand(BAND_PROGRESS, encodeTerminalText(text), this.#packetMax);
  }

  /** Sends an empty packet if there are side-bands and nothing was written for {@link KEEP_ALIVE_AFTER}. */
  async keepAlive(): Promise<void> {
    if (this.#mode === "bands" && this.#now() - this.#lastWrite >= KEEP_ALIVE_AFTER)
      await this.#write(encodeKeepAlive());
  }

  /** Ends the bytes. */
  async end(): Promise<void> {
    if (this.#mode === "bands") await this.#write(FLUSH_PKT);
  }

  /**
   * Ends the response with the reason of a failure, in place of the lines that were not sent yet. Returns false if the
   * reason can't be sent any more, because bare bytes have begun.
   */
  async fail(message: string): Promise<boolean> {
    if (this.#mode === "bare") return false;
    if (this.#packetMax !== undefined) {
      this.lines.take();
      // in place of a line, the text is that of `ERR`: git's client prefixes its own words
      const text = this.#mode === "bands" ? `fatal: ${message}\n` : message;
      await this.#write(encodeSideBand(BAND_ERROR, encodeTerminalText(text), this.#packetMax));
      return true;
    }
    this.lines.take();
    formatFailureLine(message, this.lines);
    await this.send();
    return true;
  }

  /** Whether anything was written. Until then another answer is possible. */
  get hasBegun(): boolean {
    return this.#hasBegun;
  }

  /** Whether bytes have begun over side-bands. */
  get inBands(): boolean {
    return this.#mode === "bands";
  }

  async #writeBand(band: Band, bytes: Uint8Array, packetMax: SideBandPacketMax): Promise<void> {
    this.#frame ??= new Uint8Array(FRAME_BYTES);
    const capacity = sideBandCapacity(FRAME_BYTES, packetMax);
    for (let at = 0; at < bytes.length; at += capacity) {
      const length = frameSideBand({ band, packetMax }, bytes.subarray(at, at + capacity), this.#frame);
      await this.#write(this.#frame.subarray(0, length));
    }
  }

  async #write(bytes: Uint8Array): Promise<void> {
    this.#hasBegun = true;
    await this.#output.write(bytes);
    this.#lastWrite = this.#now();
  }
}
