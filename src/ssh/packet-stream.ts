/**
 * Packets in and out of a connection, with their numbers.
 *
 * @packageDocumentation
 */
import { u8At } from "../bytes/assert.ts";
import type { ByteSink, ByteSource } from "../bytes/byte-stream.ts";
import { freeMemory } from "../bytes/free-memory.ts";
import { ClientGone, Disconnect } from "./message.ts";
import { type Opener, PLAIN, type Sealer } from "./packet-cipher.ts";
import { DATA_BYTES, MOST_IDENTIFICATION, MOST_WAITING } from "./ssh-limits.ts";

/**
 * Bytes that are asked for at once: few until the client runs something, and then as many as it sends. What a client of a
 * clone says is some bytes at a time.
 */
const FIRST_READ = 4096;
const READ = 64 * 1024;
const NEWLINE = 10;
const RETURN = 13;

/** A packet's message, and its number. */
export type Packet = { readonly payload: Uint8Array; readonly sequence: number };

/** The packets that a client sends. */
export class PacketInput {
  readonly #source: ByteSource;
  #scratch: Uint8Array<ArrayBuffer> = new Uint8Array(FIRST_READ);
  #buffer: Uint8Array<ArrayBuffer> = new Uint8Array(FIRST_READ);
  #mostRead = FIRST_READ;
  #start = 0;
  #end = 0;
  #sequence = 0;
  #opener: Opener = PLAIN;
  /** Bytes and packets that came under the present keys. */
  bytes = 0;
  packets = 0;
  /** When something came last, in milliseconds since the epoch. */
  heardAt = Date.now();

  constructor(source: ByteSource) {
    this.#source = source;
  }

  /** Reads more at once from now on, where more comes. */
  widen(): void {
    this.#mostRead = READ;
  }

  /** Goes over to other keys; `restart`: packets are counted from 0 again. */
  rekey(opener: Opener, restart: boolean): void {
    this.#opener = opener;
    this.bytes = 0;
    this.packets = 0;
    if (restart) this.#sequence = 0;
  }

  /** Reads the line by which the client names itself, without its end. @throws Disconnect, ClientGone */
  async identification(): Promise<Uint8Array<ArrayBuffer>> {
    for (let at = 0; ; at++) {
      while (this.#end - this.#start <= at) await this.#fill();
      if (u8At(this.#buffer, this.#start + at) !== NEWLINE) {
        if (at >= MOST_IDENTIFICATION) throw new Disconnect("protocolError", "a first line that is too long");
        continue;
      }
      const line = this.#buffer.slice(this.#start, this.#start + at);
      this.#start += at + 1;
      return line.at(-1) === RETURN ? line.slice(0, -1) : line;
    }
  }

  /** Reads the next packet. Its payload is good until the next call. @throws Disconnect, ClientGone */
  async packet(): Promise<Packet> {
    const opener = this.#opener;
    await this.#want(opener.headBytes);
    const length = await opener.length(this.#buffer.subarray(this.#start, this.#start + opener.headBytes));
    await this.#want(length);
    const sequence = this.#sequence;
    this.#sequence = (sequence + 1) % 2 ** 32;
    const payload = await opener.open(this.#buffer.subarray(this.#start, this.#start + length), sequence);
    this.#start += length;
    this.bytes += length;
    this.packets++;
    return { payload, sequence };
  }

  async #want(bytes: number): Promise<void> {
    while (this.#end - this.#start < bytes) await this.#fill();
  }

  async #fill(): Promise<void> {
    const got = await this.#read();
    const size = got.buffer.byteLength;
    const isFull = got.length === size && size < this.#mostRead;
    this.#scratch = isFull ? new Uint8Array(2 * size) : new Uint8Array(got.buffer);
    if (got.length === 0) throw new ClientGone("the client has closed the connection");
    this.heardAt = Date.now();
    this.#append(got);
  }

  /** @throws ClientGone where the connection was reset */
  async #read(): Promise<Uint8Array<ArrayBuffer>> {
    try {
      return await this.#source.read(this.#scratch);
    } catch (cause) {
      throw new ClientGone("the connection is gone", { cause });
    }
  }

  #append(got: Uint8Array): void {
    const kept = this.#buffer.subarray(this.#start, this.#end);
    const needed = kept.length + got.length;
    if (this.#end + got.length > this.#buffer.length) {
      const target = needed > this.#buffer.length ? new Uint8Array(needed + this.#scratch.length) : this.#buffer;
      target.set(kept);
      this.#buffer = target;
      this.#start = 0;
      this.#end = kept.length;
    }
    this.#buffer.set(got, this.#end);
    this.#end += got.length;
  }
}

/** The packets that are sent to a client. */
export class PacketOutput {
  readonly #sink: ByteSink;
  #sequence = 0;
  #sealer: Sealer = PLAIN;
  #tail: Promise<void> = Promise.resolve();
  #waiting = 0;
  #failure: Error | undefined;
  /** Bytes and packets that went out under the present keys. */
  bytes = 0;
  packets = 0;

  constructor(sink: ByteSink) {
    this.#sink = sink;
  }

  /** Goes over to other keys; `restart`: packets are counted from 0 again. */
  rekey(sealer: Sealer, restart: boolean): void {
    this.#sealer = sealer;
    this.bytes = 0;
    this.packets = 0;
    if (restart) this.#sequence = 0;
  }

  /** Sends bytes as they are. */
  raw(bytes: Uint8Array): void {
    this.#waiting += bytes.length;
    this.#tail = this.#write(this.#tail, bytes);
  }

  /** Writes bytes after all before them, once they were made ready. After a failure nothing is written. */
  async #write(before: Promise<void>, bytes: Uint8Array, makeReady?: () => Promise<void>): Promise<void> {
    await before;
    try {
      if (this.#failure === undefined) await makeReady?.();
      if (this.#failure === undefined) await this.#toSink(bytes);
    } catch (error) {
      this.#failure = error instanceof Error ? error : new Error("a packet could not be sealed", { cause: error });
    }
    this.#waiting -= bytes.length;
  }

  /** @throws ClientGone if the connection takes nothing more */
  async #toSink(bytes: Uint8Array): Promise<void> {
    try {
      await this.#sink.write(bytes);
    } catch (cause) {
      throw new ClientGone("the connection is gone", { cause });
    }
  }

  /** Seals a message, of which the last bytes may be apart, and sends it, without waiting. Its bytes are copied at once. */
  send(message: Uint8Array, rest?: Uint8Array): void {
    const [sealer, sequence] = [this.#sealer, this.#sequence];
    const packet = sealer.frame(message, rest);
    this.#sequence = (sequence + 1) % 2 ** 32;
    this.bytes += packet.length;
    this.packets++;
    this.#waiting += packet.length;
    this.#tail = this.#write(this.#tail, packet, async () => await sealer.seal(packet, sequence))
      // The packet is nobody else's, and garbage of a clone's size would be left to the collector.
      .then(() => freeMemory(packet));
  }

  /** Whether too much waits for anything more to be read from the client. */
  get isFull(): boolean {
    return this.#waiting > MOST_WAITING;
  }

  /** Waits until little is on its way. @throws ClientGone if the connection takes nothing more, or Error if nothing can be sealed */
  async room(): Promise<void> {
    if (this.#waiting > 2 * DATA_BYTES) await this.#tail;
    this.#check();
  }

  /** Waits until everything was taken. @throws ClientGone */
  async flushed(): Promise<void> {
    await this.#tail;
    this.#check();
  }

  #check(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }
}
