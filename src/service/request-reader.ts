/**
 * Takes a request apart: pkt-lines first, each fed to the parser of the message that is due, then the bytes that follow
 * them.
 *
 * @packageDocumentation
 */
import type { ByteSource } from "../bytes/byte-stream.ts";
import { concat } from "../bytes/chunk.ts";
import { LimitExceeded, ProtocolError } from "../bytes/failure.ts";
import type { Pacer } from "../bytes/pacer.ts";
import { type PktLine, PktLineDecoder } from "../wire/pkt-line.ts";

/** The bytes per read while lines come: few at first, since a client on a connection may be waited for for long. */
const FIRST_CHUNK_BYTES = 4096;
const CHUNK_BYTES = 65_536;
/** The steps of taking a line apart, for each byte of it: a name of an object is some 50 bytes. */
const BYTE_STEPS = 2;
/** The bytes per read while the rest of a request is discarded. */
const DRAIN_BYTES = 262_144;
/** The most bytes of lines that {@link RequestReader.head} keeps. Real clients send a few hundred. */
const MAX_HEAD_BYTES = 1_048_576;

/** The parser of a message. It takes lines until it returns `done`. */
export interface LineParser {
  accept(line: PktLine): "more" | "done";
}

function hungUp(): ProtocolError {
  return new ProtocolError("the remote end hung up unexpectedly");
}

/** Reads one request. */
export class RequestReader {
  /** The source of the request. Its next bytes follow those of {@link rest}. */
  readonly source: ByteSource;
  readonly #decoder = new PktLineDecoder();
  #buffer = new Uint8Array(FIRST_CHUNK_BYTES);
  #peeked: PktLine | undefined;
  readonly #pacer: Pacer | undefined;

  /** With a pacer, a request of very many lines gives way to others. */
  constructor(source: ByteSource, pacer?: Pacer) {
    this.source = source;
    this.#pacer = pacer;
  }

  /**
   * Returns the next line without consuming it; `undefined` at the end of the request. The payload is valid until the
   * next call.
   *
   * @throws ProtocolError in git's words if the request ends inside a line.
   */
  async peek(): Promise<PktLine | undefined> {
    while (this.#peeked === undefined) {
      this.#peeked = this.#decoder.next();
      if (this.#peeked === undefined && !(await this.#fill())) return undefined;
    }
    return this.#peeked;
  }

  /**
   * Feeds lines to a parser until the message is complete.
   *
   * @throws ProtocolError in git's words if the request ends before that; also the errors of the parser.
   */
  async feed(parser: LineParser): Promise<void> {
    for (;;) {
      const line = this.#take();
      if (line === undefined) {
        if (!(await this.#fill())) throw hungUp();
      } else if (parser.accept(line) === "done") {
        return;
      }
    }
  }

  /**
   * Takes the lines up to and including the first packet that is no data line. The caller owns the lines. There are
   * none at the end of the request.
   *
   * @throws ProtocolError in git's words if the request ends before such a packet.
   * @throws LimitExceeded if the lines are too many to be kept.
   */
  async head(): Promise<PktLine[]> {
    const lines: PktLine[] = [];
    if ((await this.peek()) === undefined) return lines;
    let bytes = 0;
    await this.feed({
      accept: (line) => {
        if (line.kind !== "data") {
          lines.push(line);
          return "done";
        }
        // The overhead of an empty line counts as well.
        bytes += line.payload.length + 64;
        if (bytes > MAX_HEAD_BYTES) {
          throw new LimitExceeded("request-head-bytes", MAX_HEAD_BYTES, "too many capabilities in a request");
        }
        lines.push({ kind: "data", payload: line.payload.slice() });
        return "more";
      },
    });
    return lines;
  }

  /**
   * Ends the lines and returns the bytes behind them that were already read: at least `atLeast`, unless the request is
   * shorter. `onWait` is called if none of them was read yet.
   */
  async rest(atLeast: number, onWait?: () => void): Promise<Uint8Array> {
    let rest = this.#decoder.rest();
    if (rest.length === 0 && atLeast > 0) onWait?.();
    while (rest.length < atLeast) {
      const chunk = await this.source.read(new Uint8Array(CHUNK_BYTES));
      if (chunk.length === 0) break;
      rest = concat([rest, chunk]);
    }
    return rest;
  }

  /**
   * Reads the request to its end and discards it. A client reads its answer only after it has sent everything. A client
   * that is cut off half-way may never show the answer to its user.
   */
  async drain(): Promise<void> {
    this.#decoder.rest();
    if (this.source.skip !== undefined) return await this.source.skip();
    let buffer = new Uint8Array(DRAIN_BYTES);
    for (;;) {
      const chunk = await this.source.read(buffer);
      if (chunk.length === 0) return;
      buffer = new Uint8Array(chunk.buffer);
    }
  }

  #take(): PktLine | undefined {
    const line = this.#peeked ?? this.#decoder.next();
    this.#peeked = undefined;
    return line;
  }

  async #fill(): Promise<boolean> {
    const chunk = await this.source.read(this.#buffer);
    if (chunk.length === 0) {
      this.#decoder.end();
      return false;
    }
    const { byteLength } = chunk.buffer;
    const isMore = chunk.length === byteLength && byteLength < CHUNK_BYTES;
    // The decoder still reads the chunk, and has copied what it keeps of it when the buffer is filled again.
    this.#buffer = isMore ? new Uint8Array(4 * byteLength) : new Uint8Array(chunk.buffer);
    this.#decoder.push(chunk);
    this.#pacer?.add(chunk.length * BYTE_STEPS);
    if (this.#pacer?.isDue === true) await this.#pacer.pace();
    return true;
  }
}
