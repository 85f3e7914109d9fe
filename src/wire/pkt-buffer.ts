/**
 * A writer of many pkt-lines into few buffers, as an advertisement of 100,000 refs needs it.
 *
 * @packageDocumentation
 * @see gitprotocol-common(5)
 */
import { u16At, u8At } from "../bytes/assert.ts";
import { concat } from "../bytes/chunk.ts";
import { bytesOfEscaped } from "../object/escaped-bytes.ts";
import {
  DELIM_PKT,
  FLUSH_PKT,
  LARGE_PACKET_MAX,
  PKT_HEADER_SIZE,
  RESPONSE_END_PKT,
  lineTooLong,
  writePktLength,
} from "./pkt-line.ts";

/** Bytes of one chunk; the longest line fits. */
const CHUNK_SIZE = 65_536;
/** Bytes of the first chunk, which is smaller because most messages are short. */
const FIRST_CHUNK_SIZE = 4096;

const HEX_DIGITS = "0123456789abcdef";
/** The two ASCII digits of every byte, as one 16-bit number. */
const HEX_PAIRS = Uint16Array.from(
  { length: 256 },
  (_, byte) => (HEX_DIGITS.charCodeAt(byte >> 4) << 8) | HEX_DIGITS.charCodeAt(byte & 0xf),
);
const encoder = new TextEncoder();

/**
 * Collects pkt-lines in chunks of at most 64 KiB, without a buffer for each line.
 *
 * A line is written whole by {@link line}, or piece by piece between {@link begin} and {@link end}. A line is never
 * split over two chunks. The caller owns the chunks that it has taken.
 *
 * @example
 * ```ts
 * const out = new PktBuffer();
 * for (const ref of refs) {
 *   out.begin().hex(ref.oid).text(" ").escaped(ref.name).text("\n").end();
 *   for (const chunk of out.takeFull()) await sink.write(chunk);
 * }
 * out.flush();
 * for (const chunk of out.take()) await sink.write(chunk);
 * ```
 */
export class PktBuffer {
  #full: Uint8Array<ArrayBuffer>[] = [];
  #chunk: Uint8Array<ArrayBuffer> = new Uint8Array(FIRST_CHUNK_SIZE);
  #used = 0;
  /** The offset of the open line in the chunk; -1 if no line is open. */
  #lineStart = -1;

  /** The byte that each line begins with: the side-band, if all lines are sent over one. `undefined` for none. */
  prefix: number | undefined;

  /** Opens a line. */
  begin(): this {
    this.#lineStart = this.#used;
    this.#reserve(PKT_HEADER_SIZE + 1);
    this.#used += PKT_HEADER_SIZE;
    if (this.prefix !== undefined) this.#chunk[this.#used++] = this.prefix;
    return this;
  }

  /** Appends text, as UTF-8, to the open line. */
  text(text: string): this {
    this.#reserve(text.length);
    const start = this.#used;
    for (let index = 0; index < text.length; index++) {
      const code = text.charCodeAt(index);
      if (code >= 0x80) {
        this.#used = start;
        return this.bytes(encoder.encode(text));
      }
      this.#chunk[this.#used++] = code;
    }
    return this;
  }

  /** Appends the bytes that escaped text stands for, such as a ref's name, to the open line. */
  escaped(text: string): this {
    return text.includes("\\") ? this.bytes(bytesOfEscaped(text)) : this.text(text);
  }

  /** Appends bytes to the open line. */
  bytes(bytes: Uint8Array): this {
    this.#reserve(bytes.length);
    this.#chunk.set(bytes, this.#used);
    this.#used += bytes.length;
    return this;
  }

  /** Appends the bytes `[from, to)`, which are few: for them a view takes longer than to copy them. */
  bytesAt(bytes: Uint8Array, from: number, to: number): this {
    this.#reserve(to - from);
    for (let at = from; at < to; at++) this.#chunk[this.#used++] = u8At(bytes, at);
    return this;
  }

  /** Appends bytes `[from, to)`, such as an object name, to the open line as lower-case hexadecimal. */
  hex(bytes: Uint8Array, from = 0, to = bytes.length): this {
    this.#reserve((to - from) * 2);
    for (let at = from; at < to; at++) {
      const pair = u16At(HEX_PAIRS, u8At(bytes, at));
      this.#chunk[this.#used++] = pair >> 8;
      this.#chunk[this.#used++] = pair & 0xff;
    }
    return this;
  }

  /** Closes the open line. */
  end(): void {
    writePktLength(this.#used - this.#lineStart, this.#chunk, this.#lineStart);
    this.#lineStart = -1;
  }

  /**
   * Appends one whole line.
   *
   * @throws LimitExceeded if the payload does not fit into a line.
   */
  line(payload: string | Uint8Array): void {
    this.begin();
    if (typeof payload === "string") this.text(payload);
    else this.bytes(payload);
    this.end();
  }

  /** Appends a flush-pkt. */
  flush(): void {
    this.#control(FLUSH_PKT);
  }

  /** Appends a delim-pkt. */
  delim(): void {
    this.#control(DELIM_PKT);
  }

  /** Appends a response-end-pkt. */
  responseEnd(): void {
    this.#control(RESPONSE_END_PKT);
  }

  /** Whether {@link takeFull} would return a chunk. */
  get hasFull(): boolean {
    return this.#full.length > 0;
  }

  /** Removes and returns the chunks that are full; the last lines may stay. */
  takeFull(): Uint8Array<ArrayBuffer>[] {
    const full = this.#full;
    this.#full = [];
    return full;
  }

  /** Removes and returns everything. No line may be open. */
  take(): Uint8Array<ArrayBuffer>[] {
    const chunks = this.takeFull();
    if (this.#used > 0) chunks.push(this.#chunk.subarray(0, this.#used));
    this.#chunk = new Uint8Array(FIRST_CHUNK_SIZE);
    this.#used = 0;
    return chunks;
  }

  /** Removes and returns everything as one buffer. For messages that are known to be short, and for tests. */
  takeBytes(): Uint8Array<ArrayBuffer> {
    const chunks = this.take();
    const [first] = chunks;
    if (first !== undefined && chunks.length === 1) return first;
    return concat(chunks);
  }

  #control(packet: Uint8Array): void {
    this.#reserve(packet.length);
    this.#chunk.set(packet, this.#used);
    this.#used += packet.length;
  }

  /** Makes room for `size` more bytes behind the open line. The line moves to a new chunk if this one is full. */
  #reserve(size: number): void {
    const start = this.#lineStart < 0 ? this.#used : this.#lineStart;
    const lineLength = this.#used - start;
    if (lineLength + size > LARGE_PACKET_MAX) {
      this.#used = start;
      this.#lineStart = -1;
      throw lineTooLong();
    }
    if (this.#used + size <= this.#chunk.length) return;
    const next = new Uint8Array(CHUNK_SIZE);
    if (this.#chunk.length < CHUNK_SIZE && this.#used + size <= CHUNK_SIZE) {
      next.set(this.#chunk.subarray(0, this.#used));
      this.#chunk = next;
      return;
    }
    next.set(this.#chunk.subarray(start, this.#used));
    if (start > 0) this.#full.push(this.#chunk.subarray(0, start));
    this.#chunk = next;
    this.#used = lineLength;
    if (this.#lineStart >= 0) this.#lineStart = 0;
  }
}
