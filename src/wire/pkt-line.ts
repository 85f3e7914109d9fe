/**
 * pkt-lines: the framing of every Git message.
 *
 * ```text
 * pkt-line     := length payload        length: 4 hex digits, of the whole line, 0004 to fff0
 * flush        := "0000"                end of a message
 * delim        := "0001"                between sections of a message (version 2)
 * response-end := "0002"                end of a response (version 2, stateless)
 * ```
 *
 * @packageDocumentation
 * @see gitprotocol-common(5), gitprotocol-v2(5)
 */
import { u8At } from "../bytes/assert.ts";
import { concat } from "../bytes/chunk.ts";
import { LimitExceeded, ProtocolError } from "../bytes/failure.ts";

/** Bytes of the longest pkt-line, including its length field. */
export const LARGE_PACKET_MAX = 65_520;

/** Bytes of the length field. */
export const PKT_HEADER_SIZE = 4;

/** Bytes of the longest payload. */
export const LARGE_PACKET_DATA_MAX = LARGE_PACKET_MAX - PKT_HEADER_SIZE;

/** One pkt-line. A payload keeps the line feed that ends most text lines: see {@link chompLine}. */
export type PktLine =
  | { readonly kind: "data"; readonly payload: Uint8Array }
  | { readonly kind: "flush" }
  | { readonly kind: "delim" }
  | { readonly kind: "response-end" };

/** The flush-pkt, `0000`. Shared: never write to it. */
export const FLUSH_PKT: Uint8Array<ArrayBuffer> = Uint8Array.of(0x30, 0x30, 0x30, 0x30);
/** The delim-pkt, `0001`. Shared: never write to it. */
export const DELIM_PKT: Uint8Array<ArrayBuffer> = Uint8Array.of(0x30, 0x30, 0x30, 0x31);
/** The response-end-pkt, `0002`. Shared: never write to it. */
export const RESPONSE_END_PKT: Uint8Array<ArrayBuffer> = Uint8Array.of(0x30, 0x30, 0x30, 0x32);

/** The flush-pkt as a value, for feeding the parser of a message that has no arguments. */
export const FLUSH_LINE: PktLine = { kind: "flush" };
const DELIM_LINE: PktLine = { kind: "delim" };
const RESPONSE_END_LINE: PktLine = { kind: "response-end" };

const LINE_FEED = 0x0a;
const HEX_DIGITS = Uint8Array.from("0123456789abcdef", (digit) => digit.charCodeAt(0));
const encoder = new TextEncoder();
const lenientDecoder = new TextDecoder("utf-8", { ignoreBOM: true, fatal: false });

/** Returns the value of an ASCII hexadecimal digit of either case; -1 for any other byte. */
export function hexDigitValue(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x61 + 10 : -1;
}

/**
 * Parses the length field at `at`: exactly four hexadecimal digits. `parseInt` would accept `00g0` and `-001`.
 *
 * @throws ProtocolError in git's words on other characters and on lengths that no line can have.
 */
function parsePktLength(bytes: Uint8Array, at: number): number {
  let length = 0;
  for (let index = at; index < at + PKT_HEADER_SIZE; index++) {
    const digit = hexDigitValue(u8At(bytes, index));
    if (digit < 0) {
      const shown = lenientDecoder.decode(bytes.subarray(at, at + PKT_HEADER_SIZE));
      throw new ProtocolError(`protocol error: bad line length character: ${shown}`);
    }
    length = length * 16 + digit;
  }
  if (length === 3) throw new ProtocolError("protocol error: bad line length 3");
  // C git has subtracted the length field before it checks, so its message names that number.
  if (length > LARGE_PACKET_MAX) throw new ProtocolError(`protocol error: bad line length ${length - PKT_HEADER_SIZE}`);
  return length;
}

/** Writes the length field of a line at `at`. `length` is the bytes of the line, including the field itself. */
export function writePktLength(length: number, into: Uint8Array, at: number): void {
  for (let index = 0; index < PKT_HEADER_SIZE; index++) {
    into[at + index] = u8At(HEX_DIGITS, (length >> (12 - 4 * index)) & 0xf);
  }
}

/**
 * Splits a byte stream, which comes in chunks of any size, into pkt-lines.
 *
 * A chunk given to {@link push} is read in place. It must stay unchanged until {@link next} has returned `undefined`:
 * the remaining bytes have been copied then. {@link rest} may return a view of it. A payload is a view, valid until the
 * next call of any method.
 *
 * @example
 * ```ts
 * const decoder = new PktLineDecoder();
 * decoder.push(chunk);
 * for (let line = decoder.next(); line !== undefined; line = decoder.next()) parser.accept(line);
 * ```
 */
export class PktLineDecoder {
  /** The beginning of a line whose end is in a later chunk. */
  #partial: Uint8Array = new Uint8Array(0);
  #partialLength = 0;
  #chunk: Uint8Array = new Uint8Array(0);
  #at = 0;

  /** Takes the next chunk of the stream. */
  push(chunk: Uint8Array): void {
    this.#chunk = this.#at < this.#chunk.length ? concat([this.#chunk.subarray(this.#at), chunk]) : chunk;
    this.#at = 0;
  }

  /**
   * Returns the next whole line; `undefined` if more bytes are needed.
   *
   * @throws ProtocolError on a bad length field.
   */
  next(): PktLine | undefined {
    return this.#partialLength === 0 ? this.#nextInPlace() : this.#nextJoined();
  }

  /** Bytes that were pushed and not decoded yet. If not zero at the end of the stream, the stream was cut off. */
  get pending(): number {
    return this.#partialLength + this.#chunk.length - this.#at;
  }

  /** Removes and returns the bytes that were not decoded, such as the pack that follows the last line. */
  rest(): Uint8Array {
    const tail = this.#chunk.subarray(this.#at);
    const rest = this.#partialLength === 0 ? tail : concat([this.#partial.subarray(0, this.#partialLength), tail]);
    this.#partialLength = 0;
    this.#dropChunk();
    return rest;
  }

  /**
   * Checks that the stream ended between two lines.
   *
   * @throws ProtocolError in git's words if it ended inside a line.
   */
  end(): void {
    if (this.pending > 0) throw new ProtocolError("the remote end hung up unexpectedly");
  }

  #nextInPlace(): PktLine | undefined {
    const available = this.#chunk.length - this.#at;
    if (available < PKT_HEADER_SIZE) return this.#keepTail();
    const length = parsePktLength(this.#chunk, this.#at);
    if (available < length) return this.#keepTail();
    const start = this.#at;
    this.#at += Math.max(length, PKT_HEADER_SIZE);
    return lineOf(length, this.#chunk, start);
  }

  #nextJoined(): PktLine | undefined {
    if (!this.#fillPartial(PKT_HEADER_SIZE)) return undefined;
    const length = parsePktLength(this.#partial, 0);
    if (!this.#fillPartial(length)) return undefined;
    this.#partialLength = 0;
    return lineOf(length, this.#partial, 0);
  }

  /** Moves bytes of the chunk to the partial line until it has `wanted` bytes. Returns whether it has. */
  #fillPartial(wanted: number): boolean {
    const take = Math.min(wanted - this.#partialLength, this.#chunk.length - this.#at);
    if (take > 0) {
      this.#reserve(wanted);
      this.#partial.set(this.#chunk.subarray(this.#at, this.#at + take), this.#partialLength);
      this.#partialLength += take;
      this.#at += take;
    }
    if (this.#at === this.#chunk.length) this.#dropChunk();
    return this.#partialLength >= wanted;
  }

  #keepTail(): undefined {
    const tail = this.#chunk.subarray(this.#at);
    if (tail.length > 0) {
      this.#reserve(tail.length);
      this.#partial.set(tail);
      this.#partialLength = tail.length;
    }
    this.#dropChunk();
  }

  #reserve(size: number): void {
    if (this.#partial.length >= size) return;
    const grown = new Uint8Array(size <= 1024 ? 1024 : LARGE_PACKET_MAX);
    grown.set(this.#partial.subarray(0, this.#partialLength));
    this.#partial = grown;
  }

  #dropChunk(): void {
    this.#chunk = this.#chunk.subarray(0, 0);
    this.#at = 0;
  }
}

function lineOf(length: number, bytes: Uint8Array, start: number): PktLine {
  if (length === 0) return FLUSH_LINE;
  if (length === 1) return DELIM_LINE;
  if (length === 2) return RESPONSE_END_LINE;
  return { kind: "data", payload: bytes.subarray(start + PKT_HEADER_SIZE, start + length) };
}

/**
 * Encodes one pkt-line into a buffer of its own. Text is encoded as UTF-8, and no line feed is added. `PktBuffer` is
 * for many lines.
 *
 * @throws LimitExceeded if the payload does not fit into a line.
 */
export function encodePktLine(payload: string | Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = typeof payload === "string" ? encoder.encode(payload) : payload;
  if (bytes.length > LARGE_PACKET_DATA_MAX) throw lineTooLong();
  const line = new Uint8Array(PKT_HEADER_SIZE + bytes.length);
  writePktLength(line.length, line, 0);
  line.set(bytes, PKT_HEADER_SIZE);
  return line;
}

/** Returns the error for a payload of more than {@link LARGE_PACKET_DATA_MAX} bytes. */
export function lineTooLong(): LimitExceeded {
  return new LimitExceeded("line-bytes", LARGE_PACKET_DATA_MAX, "protocol error: impossibly long line");
}

/** Returns a view of a text line without the one line feed that may end it. */
export function chompLine(payload: Uint8Array): Uint8Array {
  return payload.at(-1) === LINE_FEED ? payload.subarray(0, -1) : payload;
}

/** Decodes UTF-8. Malformed bytes become U+FFFD. */
export function decodeText(bytes: Uint8Array): string {
  return lenientDecoder.decode(bytes);
}

/** Decodes a text line as {@link decodeText} does, without the one line feed that may end it. */
export function decodeLine(payload: Uint8Array): string {
  return decodeText(chompLine(payload));
}

/** Whether a payload starts with `prefix`, which is ASCII. */
export function startsWith(payload: Uint8Array, prefix: string): boolean {
  if (payload.length < prefix.length) return false;
  for (let index = 0; index < prefix.length; index++) {
    if (payload[index] !== prefix.charCodeAt(index)) return false;
  }
  return true;
}
