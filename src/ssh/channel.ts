/**
 * One session's channel: bytes both ways, each within the window that the other side has opened.
 *
 * @packageDocumentation
 * @see RFC 4254 section 5
 */
import type { ByteSink, ByteSource } from "../bytes/byte-stream.ts";
import { concat } from "../bytes/chunk.ts";
import { ClientGone, Disconnect, MESSAGE, message } from "./message.ts";
import { DATA_BYTES, WINDOW } from "./ssh-limits.ts";
import type { Transport } from "./transport.ts";

/** What a client says when it opens a channel. */
export type ChannelRequest = {
  /** The client's number of the channel. */
  readonly peer: number;
  readonly window: number;
  /** The most bytes of data that it takes in a packet. */
  readonly packetBytes: number;
};

/** Pieces are joined up to this many bytes: each that is kept costs memory of its own, beside its bytes. */
const JOINED_BYTES = 4096;
const MOST_U32 = 2 ** 32 - 1;
/** The type of extended data that is for `stderr`. */
const STDERR = 1;

/** A channel. */
export class Channel {
  readonly peer: number;
  /** What the client sends. */
  readonly input: ByteSource;
  readonly output: ByteSink;
  /** What goes to the client's `stderr`. */
  readonly errors: ByteSink;
  readonly #transport: Transport;
  readonly #packetBytes: number;
  /** Bytes that may go to the client. */
  #toClient: number;
  /** Bytes that the client may still send, those that it may have in all, and those that were read since the last word. */
  #toHost = WINDOW;
  #window = WINDOW;
  #read = 0;
  readonly #arrived: Uint8Array[] = [];
  #isEnded = false;
  #gone: ClientGone | undefined;
  #changed = Promise.withResolvers<void>();

  constructor(transport: Transport, { peer, window, packetBytes }: ChannelRequest) {
    this.#transport = transport;
    this.peer = peer;
    this.#toClient = window;
    this.#packetBytes = Math.min(packetBytes, DATA_BYTES);
    this.input = { read: (buffer) => this.#pull(buffer) };
    this.output = { write: (bytes) => this.#push(bytes, [MESSAGE.channelData, peer]) };
    this.errors = { write: (bytes) => this.#push(bytes, [MESSAGE.channelExtendedData, peer, STDERR]) };
  }

  /** Lets the client have more on its way. */
  widen(window: number): void {
    if (window <= this.#window) return;
    this.#grant(window - this.#window);
    this.#window = window;
  }

  /** Takes data of the client's, of which a copy is kept. @throws Disconnect if it is more than the window */
  arrive(data: Uint8Array): void {
    this.#toHost -= data.length;
    if (this.#toHost < 0) throw new Disconnect("protocolError", "more data than the window has room for");
    if (this.#isEnded) throw new Disconnect("protocolError", "data after the end of data");
    if (data.length > 0) this.#keep(data);
    this.#wake();
  }

  /** Keeps a copy of the data alone: a view would keep its whole packet, which the window does not count. */
  #keep(data: Uint8Array): void {
    const last = this.#arrived.at(-1);
    const isJoined = last !== undefined && last.length + data.length <= JOINED_BYTES;
    if (isJoined) this.#arrived[this.#arrived.length - 1] = concat([last, data]);
    else this.#arrived.push(new Uint8Array(data));
  }

  /** Notes that the client sends no more. */
  end(): void {
    this.#isEnded = true;
    this.#wake();
  }

  /** Lets more go to the client. @throws Disconnect if no window can be so large */
  opened(bytes: number): void {
    this.#toClient += bytes;
    if (this.#toClient > MOST_U32) throw new Disconnect("protocolError", "a window that is too large");
    this.#wake();
  }

  /** Ends everything: the client has closed the channel, or is gone. */
  close(): void {
    this.#gone ??= new ClientGone("the client has closed the channel");
    this.#arrived.length = 0;
    this.#wake();
  }

  #wake(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  #grant(bytes: number): void {
    this.#toHost += bytes;
    this.#transport.post(message(MESSAGE.channelWindowAdjust, this.peer, bytes));
  }

  async #pull(buffer: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
    for (;;) {
      if (this.#gone !== undefined) throw this.#gone;
      const [first] = this.#arrived;
      if (first !== undefined) return this.#taken(first, buffer);
      if (this.#isEnded) return buffer.subarray(0, 0);
      await this.#changed.promise;
    }
  }

  #taken(first: Uint8Array, buffer: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
    const length = Math.min(first.length, buffer.length);
    buffer.set(first.subarray(0, length));
    if (length === first.length) this.#arrived.shift();
    else this.#arrived[0] = first.subarray(length);
    this.#read += length;
    if (this.#read >= this.#window / 2 && !this.#isEnded) {
      this.#grant(this.#read);
      this.#read = 0;
    }
    return buffer.subarray(0, length);
  }

  /** Sends bytes in messages that begin with these fields. */
  async #push(bytes: Uint8Array, [type, ...fields]: readonly [number, ...number[]]): Promise<void> {
    const head = message(type, ...fields, 0);
    const lengthField = new DataView(head.buffer, head.length - 4);
    for (let at = 0; at < bytes.length;) {
      if (this.#gone !== undefined) throw this.#gone;
      if (this.#toClient === 0) {
        await this.#changed.promise;
        continue;
      }
      const length = Math.min(bytes.length - at, this.#toClient, this.#packetBytes);
      this.#toClient -= length;
      lengthField.setUint32(0, length);
      await this.#transport.send(head, bytes.subarray(at, at + length));
      at += length;
    }
  }
}
