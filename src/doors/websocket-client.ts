/**
 * A client on a WebSocket. Binary messages are a stream of bytes: where one ends says nothing. An empty message, or one
 * of text, is the end of what its sender sends.
 *
 * A WebSocket of the platform can't be told to wait, so a client must not be too far ahead of what was taken here. The
 * host says how far that is: a message of text with the number of bytes, each {@link TAKEN_STEP} bytes.
 *
 * @packageDocumentation
 */
import { freeMemory } from "../bytes/free-memory.ts";
import type { RequestMemory } from "../bytes/memory-budget.ts";
import type { SessionClient } from "./session.ts";

/** The most bytes that wait to be taken. A client that is further ahead is cut off. */
const MOST_BACKLOG = 4 * 1024 * 1024;
/** The bytes after which the host says how much it has taken. */
const TAKEN_STEP = 256 * 1024;
/** What a message counts for beside its bytes. */
const MESSAGE_BYTES = 64;
/** Bytes that wait to be sent before nothing is added to them. */
const MOST_UNSENT = 256 * 1024;
/** Milliseconds between two looks at whether a client has taken what waits. The platform tells of no such event. */
const LOOK_AFTER = 5;
/** Codes of RFC 6455, section 7.4.1: all is well, a message is too large, something failed. */
const CLOSE = { good: 1000, tooFarAhead: 1009, failed: 1011 } as const;

/** The client of a WebSocket. */
export class WebSocketClient implements SessionClient {
  readonly #socket: WebSocket;
  readonly #gone = new AbortController();
  #isOver = false;
  readonly #backlog: Uint8Array<ArrayBuffer>[] = [];
  #backlogBytes = 0;
  #taken = 0;
  #told = 0;
  #isAccepted = false;
  #isEnded = false;
  #failure: Error | undefined;
  #wake: () => void = () => undefined;
  #memory: RequestMemory | undefined;

  constructor(socket: WebSocket) {
    this.#socket = socket;
  }

  /** Takes the client in, if that was not done yet. */
  accept(): void {
    if (this.#isAccepted) return;
    this.#isAccepted = true;
    const socket = this.#socket;
    socket.accept();
    socket.binaryType = "arraybuffer";
    socket.addEventListener("message", ({ data }) => this.#receive(data));
    socket.addEventListener("close", () => this.#close());
    socket.addEventListener("error", () => this.#close());
  }

  readonly input = {
    read: async (buffer: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> => {
      while (this.#backlog.length === 0 && !this.#isEnded) {
        await new Promise<void>((resolve) => (this.#wake = resolve));
      }
      if (this.#failure !== undefined) throw this.#failure;
      return this.#take(buffer);
    },
  };

  readonly output = {
    write: async (bytes: Uint8Array): Promise<void> => {
      this.#assertThere();
      // The platform keeps the message, and the caller uses the bytes again.
      this.#socket.send(bytes.slice());
      while (this.#socket.bufferedAmount > MOST_UNSENT) {
        await scheduler.wait(LOOK_AFTER);
        this.#assertThere();
      }
    },
  };

  get signal(): AbortSignal {
    return this.#gone.signal;
  }

  /** Counts what waits as memory of the session. */
  heldBy(memory: RequestMemory): void {
    this.#memory = memory;
    memory.hold(this.#backlogBytes);
  }

  async end(status: number): Promise<void> {
    this.#isOver = true;
    const isGood = status === 0;
    if (!this.#gone.signal.aborted) this.#socket.close(isGood ? CLOSE.good : CLOSE.failed, isGood ? "" : "refused");
  }

  #assertThere(): void {
    // A write that was given up is not waited for any more: its client may never answer a close.
    if (this.#gone.signal.aborted || this.#isOver) throw new Error("the WebSocket was closed");
  }

  #take(buffer: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
    const [first] = this.#backlog;
    if (first === undefined) return buffer.subarray(0, 0);
    const length = Math.min(buffer.length, first.length);
    buffer.set(first.subarray(0, length));
    const isTaken = length === first.length;
    if (isTaken) this.#backlog.shift();
    else this.#backlog[0] = first.subarray(length);
    // Messages of a push's size would be left to the collector.
    if (isTaken) freeMemory(first);
    this.#hold(isTaken ? -length - MESSAGE_BYTES : -length);
    this.#taken += length;
    if (this.#taken - this.#told >= TAKEN_STEP && !this.#gone.signal.aborted) {
      this.#told = this.#taken;
      this.#socket.send(String(this.#taken));
    }
    return buffer.subarray(0, length);
  }

  #receive(data: unknown): void {
    if (this.#isEnded) return;
    const bytes = data instanceof ArrayBuffer ? new Uint8Array(data) : new Uint8Array(0);
    if (bytes.length === 0) return this.#endInput();
    this.#backlog.push(bytes);
    this.#hold(bytes.length + MESSAGE_BYTES);
    if (this.#backlogBytes > MOST_BACKLOG) this.#cutOff();
    this.#wake();
  }

  #hold(bytes: number): void {
    this.#backlogBytes += bytes;
    this.#memory?.hold(bytes);
  }

  #cutOff(): void {
    this.#failure = new Error("too much was sent ahead");
    this.#drop();
    this.#socket.close(CLOSE.tooFarAhead, `no more than ${MOST_BACKLOG} bytes may be ahead of what was taken`);
    this.#gone.abort();
    this.#endInput();
  }

  #close(): void {
    this.#failure ??= new Error("the WebSocket was closed");
    // Nobody takes any more of what waits.
    this.#drop();
    this.#gone.abort();
    this.#endInput();
  }

  #endInput(): void {
    this.#isEnded = true;
    this.#wake();
  }

  #drop(): void {
    for (const message of this.#backlog.splice(0)) freeMemory(message);
    this.#hold(-this.#backlogBytes);
  }
}
