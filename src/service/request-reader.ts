/**
 * Takes a request apart: pkt-lines first, fed to the parser of the message that is due, then whatever bytes follow them.
 *
 * @packageDocumentation
 */
import type { ByteSource } from "../bytes/byte-stream.ts";
import { concat } from "../bytes/chunk.ts";
import { LimitExceeded, ProtocolError } from "../bytes/failure.ts";
import { type PktLine, PktLineDecoder } from "../wire/pkt-line.ts";

/** Read at once while lines come. */
const CHUNK_BYTES = 65_536;
/** Read at once while what follows is thrown away. */
const DRAIN_BYTES = 262_144;
/** Bytes of the lines that {@link RequestReader.head} keeps. Real clients send a few hundred. */
const MAX_HEAD_BYTES = 1_048_576;

/** A message's parser: takes lines until it answers `done`. */
export interface LineParser {
  accept(line: PktLine): "more" | "done";
}

function hungUp(): ProtocolError {
  return new ProtocolError("the remote end hung up unexpectedly");
}

/** Reads one request. */
export class RequestReader {
  /** Where the request comes from; its next bytes follow those of {@link rest}. */
  readonly source: ByteSource;
  readonly #decoder = new PktLineDecoder();
  #buffer = new Uint8Array(CHUNK_BYTES);
  #peeked: PktLine | undefined;

  constructor(source: ByteSource) {
    this.source = source;
  }

  /**
   * Gives the next line and leaves it to be read; `undefined` at the end of the request. The payload is valid until the next call.
   *
   * @throws ProtocolError in git's words where the request is cut off inside a line.
   */
  async peek(): Promise<PktLine | undefined> {
    while (this.#peeked === undefined) {
      this.#peeked = this.#decoder.next();
      if (this.#peeked === undefined && !(await this.#fill())) return undefined;
    }
    return this.#peeked;
  }

  /**
   * Feeds lines to a parser until it has its message.
   *
   * @throws ProtocolError in git's words where the request ends before that; and what the parser throws.
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
   * Takes the lines up to a packet that is no data line, with that packet: few, and the caller's. Empty at the end of the request.
   *
   * @throws ProtocolError in git's words where the request ends before such a packet.
   * @throws LimitExceeded where the lines are too many to be kept.
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
        // What an empty line costs counts as well.
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

  /** Ends the lines and gives the bytes behind them that were read already: at least so many, unless the request is shorter. */
  async rest(atLeast: number): Promise<Uint8Array> {
    let rest = this.#decoder.rest();
    while (rest.length < atLeast) {
      const chunk = await this.source.read(new Uint8Array(CHUNK_BYTES));
      if (chunk.length === 0) break;
      rest = concat([rest, chunk]);
    }
    return rest;
  }

  /**
   * Reads the request to its end and forgets it. A client reads its answer only when it has sent all it has to say; one that is
   * cut off half-way may never show it to its user.
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
    this.#buffer = new Uint8Array(chunk.buffer);
    if (chunk.length === 0) {
      this.#decoder.end();
      return false;
    }
    this.#decoder.push(chunk);
    return true;
  }
}
