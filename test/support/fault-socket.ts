/**
 * A WebSocket to a host whose storage fails: what came of it, and how it ended. Node's own client says nothing of an answer that
 * refuses it.
 *
 * @packageDocumentation
 * @see RFC 6455
 */
import type { Duplex } from "node:stream";
import { type Opened, openWebSocket } from "../../scripts/remote-helper/websocket.ts";
import { encodeFrame, FrameReader, OPCODE } from "../../scripts/remote-helper/websocket-frames.ts";
import type { FaultBed } from "./fault-bed.ts";
import type { Outcome } from "./fault-client.ts";

/** The code of a connection that ended without a word. */
const ABNORMAL = 1006;
/** How long an answer may take before it counts as hung. Milliseconds. */
const HANGS = 60_000;

/** An open WebSocket. */
export class FaultSocket {
  readonly #stream: Duplex;
  readonly #frames = new FrameReader();
  #binary: Buffer[] = [];
  #waiting: () => void = () => undefined;
  #code: number | undefined;
  /** The messages of text that came. */
  readonly texts: string[] = [];

  private constructor(stream: Duplex, head: Buffer) {
    this.#stream = stream;
    stream.on("data", (bytes: Buffer) => this.#take(bytes));
    stream.on("error", () => this.#end(ABNORMAL));
    stream.on("close", () => this.#end(ABNORMAL));
    this.#take(head);
  }

  /** Opens one as the operator. `outcome` says what refuses it, where it is refused. */
  static async open(bed: FaultBed, path: string, more: object = {}): Promise<FaultSocket | Outcome> {
    const url = new URL(path, bed.host.base);
    const headers = { Authorization: `Bearer ${bed.token}`, ...more };
    let opened: Opened;
    try {
      opened = await openWebSocket({ url, headers, proxy: undefined, tls: {} });
    } catch (error) {
      return { kind: "broken", why: String(error) };
    }
    if (opened.kind === "open") return new FaultSocket(opened.stream, opened.head);
    const { status, text } = opened;
    return text === "" ? { kind: "broken", why: `${status} without a word` } : { kind: "told", status, words: text };
  }

  #take(bytes: Buffer): void {
    for (const { opcode, payload } of this.#frames.push(bytes)) {
      if (opcode === OPCODE.text) this.texts.push(payload.toString());
      if (opcode === OPCODE.binary || opcode === OPCODE.continuation) this.#binary.push(payload);
      if (opcode === OPCODE.close) this.#end(payload.length < 2 ? ABNORMAL : payload.readUInt16BE(0));
    }
    this.#waiting();
  }

  #end(code: number): void {
    this.#code ??= code;
    this.#stream.destroy();
    this.#waiting();
  }

  /** Whether it is open. */
  get isOpen(): boolean {
    return this.#code === undefined;
  }

  /** The code with which the host closed it; `undefined` while it is open. */
  get code(): number | undefined {
    return this.#code;
  }

  /** All bytes of binary messages that were not taken. */
  get bytes(): Buffer {
    const bytes = Buffer.concat(this.#binary);
    this.#binary = [bytes];
    return bytes;
  }

  /** Takes the bytes that have come. */
  takeBytes(): Buffer {
    const { bytes } = this;
    this.#binary = [];
    return bytes;
  }

  /** Sends a binary message. */
  send(bytes: Uint8Array): void {
    if (this.isOpen) this.#stream.write(encodeFrame(OPCODE.binary, bytes));
  }

  /** Ends the connection from here. */
  close(): void {
    this.#end(ABNORMAL);
  }

  /** Waits until something is so, or the connection has ended. @throws Error if neither comes. */
  async until(isSo: () => boolean): Promise<void> {
    const { promise: hung, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => reject(new Error("a WebSocket hangs")), HANGS);
    try {
      while (this.isOpen && !isSo()) {
        const { promise, resolve } = Promise.withResolvers<void>();
        this.#waiting = resolve;
        await Promise.race([promise, hung]);
      }
    } finally {
      clearTimeout(timer);
    }
  }
}
