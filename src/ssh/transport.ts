/**
 * The transport of a connection: messages in and out, with key exchanges in between that nobody above sees.
 *
 * @packageDocumentation
 * @see RFC 4253, RFC 8308, OpenSSH's PROTOCOL section 1.9
 */
import { present, u8At } from "../bytes/assert.ts";
import type { ByteSink, ByteSource } from "../bytes/byte-stream.ts";
import type { Pacer } from "../bytes/pacer.ts";
import { type Agreement, agreeOn, kexInit, SIGNATURE_ALGORITHMS } from "./algorithms.ts";
import type { HostKey } from "./host-key.ts";
import { exchangeKeys } from "./key-exchange.ts";
import { ClientGone, Disconnect, MESSAGE, message } from "./message.ts";
import { openerOf, sealerOf } from "./packet-cipher.ts";
import { type Packet, PacketInput, PacketOutput } from "./packet-stream.ts";
import { REKEY_ALLOWANCE, REKEY_BYTES, REKEY_PACKETS } from "./ssh-limits.ts";

const encoder = new TextEncoder();
/** A client of version 2, or of one that says 1.99 and means both. RFC 4253, section 5.1. */
const IDENTIFICATION = /^SSH-(?:2\.0|1\.99)-[\u0020-\u007E]*$/;
/** Messages that may wait for the end of a key exchange. They are answers, and a client that asks on meanwhile is wrong. */
const MOST_HELD = 256;
const PASSED_OVER: ReadonlySet<number> = new Set([MESSAGE.ignore, MESSAGE.unimplemented, MESSAGE.debug]);

/** The bytes of a connection. */
export type SshSocket = { readonly input: ByteSource; readonly output: ByteSink };

/** Bytes and packets, either way, after which the host asks for new keys. */
export type RekeyAfter = { readonly bytes: number; readonly packets: number };

/** Counts the key exchanges that a client begins. */
class RekeyAllowance {
  readonly #began = Date.now();
  #used = 0;

  /** Counts one. @throws Disconnect if they are too many for what went through, and for the time */
  take(bytes: number): void {
    const { atOnce, bytes: each, ms } = REKEY_ALLOWANCE;
    this.#used++;
    if (this.#used <= atOnce + bytes / each + (Date.now() - this.#began) / ms) return;
    throw new Disconnect("keyExchangeFailed", "too many key exchanges");
  }
}

/** What the host brings to a connection. */
export type TransportOptions = {
  readonly hostKeys: readonly HostKey[];
  /** The host's name and version, such as `thinpack_1.0`. */
  readonly software: string;
  readonly rekeyAfter?: RekeyAfter;
  /** Is charged for the packets of the connection. */
  readonly pacer: Pacer;
};

/**
 * Steps of a packet, either way, and of a byte that is sent, with what came before: ciphers, and connections that have room, answer at
 * once, so that nothing else gives way to others.
 */
const PACKET_STEPS = 7000;
const BYTE_STEPS = 2;

const REKEY_AFTER: RekeyAfter = { bytes: REKEY_BYTES, packets: REKEY_PACKETS };

/** The transport of one connection. */
export class Transport {
  readonly #input: PacketInput;
  readonly #output: PacketOutput;
  readonly #hostKeys: readonly HostKey[];
  readonly #rekeyAfter: RekeyAfter;
  readonly #pacer: Pacer;
  readonly #hostIdentification: Uint8Array;
  #clientIdentification: Uint8Array = new Uint8Array(0);
  readonly #allowance = new RekeyAllowance();
  #isStrict = false;
  #sessionId: Uint8Array | undefined;
  /** The host's offer, from when it was sent until the new keys hold: nothing else is sent meanwhile. */
  #offer: Uint8Array | undefined;
  /** Whether an exchange is under way: from the client's offer until its new keys hold. */
  #isExchanging = false;
  #held: Uint8Array[] = [];
  #reopened = Promise.withResolvers<void>();
  #passed = 0;

  constructor({ input, output }: SshSocket, options: TransportOptions) {
    const { hostKeys, software, pacer, rekeyAfter = REKEY_AFTER } = options;
    this.#input = new PacketInput(input);
    this.#output = new PacketOutput(output);
    this.#hostKeys = hostKeys;
    this.#rekeyAfter = rekeyAfter;
    this.#pacer = pacer;
    this.#hostIdentification = encoder.encode(`SSH-2.0-${software}`);
    this.#reopened.promise.catch(() => undefined);
  }

  /** What signatures of the client are made over, besides their own message. */
  get sessionId(): Uint8Array {
    return present(this.#sessionId, "the id of a connection with keys");
  }

  /** The client's own name and version. */
  get clientSoftware(): string {
    return new TextDecoder("latin1").decode(this.#clientIdentification).replace(/^SSH-[^-]*-/, "");
  }

  /** When the client was heard last, in milliseconds since the epoch. */
  get heardAt(): number {
    return this.#input.heardAt;
  }

  /** Exchanges names and the first keys. @throws Disconnect, ClientGone, MalformedSsh */
  async start(): Promise<void> {
    this.#output.raw(encoder.encode(`${new TextDecoder().decode(this.#hostIdentification)}\r\n`));
    this.#clientIdentification = await this.#input.identification();
    if (!IDENTIFICATION.test(new TextDecoder("latin1").decode(this.#clientIdentification))) {
      throw new Disconnect("versionNotSupported", "no client of SSH 2");
    }
    this.#sendOffer();
    const first = await this.#input.packet();
    if (u8At(first.payload, 0) !== MESSAGE.kexInit) await this.#beforeFirstOffer(first);
    else await this.#exchange(first);
  }

  /** Passes over what a client that is not strict may send before its offer. */
  async #beforeFirstOffer(packet: Packet): Promise<void> {
    let next = packet;
    while (PASSED_OVER.has(u8At(next.payload, 0)) && next.sequence < MOST_HELD) {
      next = await this.#input.packet();
    }
    if (u8At(next.payload, 0) !== MESSAGE.kexInit) {
      throw new Disconnect("protocolError", "something else than an offer of algorithms");
    }
    await this.#exchange(next);
  }

  /** Reads more at once from now on, of a client that runs something. */
  widen(): void {
    this.#input.widen();
  }

  /** Returns the next message that is not the transport's own. Its payload is good until the next call. */
  async receive(): Promise<Packet> {
    for (;;) {
      if (this.#isDue) this.#sendOffer();
      if (this.#offer === undefined && this.#output.isFull) await this.#output.room();
      // Before the packet, whose payload is good until the next call: what it asks for comes after it.
      if (this.#pacer.isDue) await this.#pacer.pace();
      const packet = await this.#input.packet();
      this.#pacer.add(PACKET_STEPS);
      const type = u8At(packet.payload, 0);
      if (type === MESSAGE.disconnect) throw new ClientGone("the client has said goodbye");
      if (PASSED_OVER.has(type)) continue;
      if (type === MESSAGE.kexInit) {
        this.#passed += this.#input.bytes + this.#output.bytes;
        this.#allowance.take(this.#passed);
        await this.#exchange(packet);
        continue;
      }
      if (type >= MESSAGE.kexInit && type < MESSAGE.userauthRequest) {
        throw new Disconnect("protocolError", "a message of a key exchange outside of one");
      }
      return packet;
    }
  }

  /** Sends a message without waiting; during a key exchange, behind it. @throws Disconnect if too many wait */
  post(payload: Uint8Array): void {
    if (this.#offer === undefined) {
      this.#output.send(payload);
      return;
    }
    if (this.#held.length >= MOST_HELD) throw new Disconnect("protocolError", "a key exchange that does not end");
    this.#held.push(payload);
  }

  /** Sends a message, of which the last bytes may be apart, when the connection takes it. @throws ClientGone */
  async send(payload: Uint8Array, rest?: Uint8Array): Promise<void> {
    if (this.#isDue) this.#sendOffer();
    while (this.#offer !== undefined) await this.#reopened.promise;
    this.#output.send(payload, rest);
    await this.#output.room();
    this.#pacer.add(PACKET_STEPS + (rest?.length ?? 0) * BYTE_STEPS); // Most messages are short, and all of one piece.
    if (this.#pacer.isDue) await this.#pacer.pace();
  }

  /** Says that a message is not known. */
  unimplemented({ sequence }: Packet): void {
    this.post(message(MESSAGE.unimplemented, sequence));
  }

  /** Says why the connection ends. It waits for nothing. */
  disconnect(reason: number, why: string): void {
    this.#output.send(message(MESSAGE.disconnect, reason, why, ""));
  }

  /** Waits until everything was sent. @throws ClientGone */
  async flushed(): Promise<void> {
    await this.#output.flushed();
  }

  /** Ends all waiting: nothing is sent any more. */
  close(): void {
    this.#reopened.reject(new ClientGone("the connection has ended"));
  }

  /** Whether the present keys have been used for long enough. */
  get #isDue(): boolean {
    if (this.#offer !== undefined || this.#isExchanging) return false;
    const most = this.#rekeyAfter;
    return [this.#input, this.#output].some(({ bytes, packets }) => bytes > most.bytes || packets > most.packets);
  }

  #sendOffer(): Uint8Array {
    const offer = kexInit(this.#hostKeys.map(({ algorithm }) => algorithm));
    this.#output.send(offer);
    this.#offer = offer;
    return offer;
  }

  async #exchange({ payload, sequence }: Packet): Promise<void> {
    this.#isExchanging = true;
    const clientInit = payload.slice();
    const hostInit = this.#offer ?? this.#sendOffer();
    const isFirst = this.#sessionId === undefined;
    const agreement = agreeOn(
      clientInit,
      this.#hostKeys.map(({ algorithm }) => algorithm),
    );
    if (isFirst) this.#isStrict = agreement.isStrict;
    if (isFirst && this.#isStrict && sequence !== 0)
      throw new Disconnect("protocolError", "an offer that is not first");
    if (agreement.skipsNext) await this.#input.packet();
    const init = (await this.#expect(MESSAGE.kexEcdhInit, isFirst)).slice();
    const hostKey = this.#hostKeys.find(({ algorithm }) => algorithm === agreement.hostKey);
    const keys = await exchangeKeys(agreement, {
      transcript: {
        clientIdentification: this.#clientIdentification,
        hostIdentification: this.#hostIdentification,
        clientInit,
        hostInit,
      },
      hostKey: present(hostKey, "the key of an algorithm that was agreed on"),
      init,
      sessionId: this.#sessionId,
    });
    const [sealer, opener] = await Promise.all([sealerOf(keys.toClient), openerOf(keys.toServer)]);
    this.#sessionId = keys.sessionId;
    this.#output.send(keys.reply);
    this.#output.send(message(MESSAGE.newKeys));
    this.#output.rekey(sealer, this.#isStrict);
    this.#reopen(isFirst ? agreement : undefined);
    await this.#expect(MESSAGE.newKeys, isFirst);
    this.#input.rekey(opener, this.#isStrict);
    this.#isExchanging = false;
  }

  /** Lets messages through again. `first`: what the first exchange has agreed on. */
  #reopen(first: Agreement | undefined): void {
    if (first?.takesExtInfo === true) {
      this.#output.send(message(MESSAGE.extInfo, 1, "server-sig-algs", SIGNATURE_ALGORITHMS));
    }
    const held = this.#held;
    this.#held = [];
    this.#offer = undefined;
    for (const payload of held) this.#output.send(payload);
    this.#reopened.resolve();
    this.#reopened = Promise.withResolvers();
    this.#reopened.promise.catch(() => undefined);
  }

  /** Reads a message of the key exchange. @throws Disconnect if another one comes */
  async #expect(type: number, isFirst: boolean): Promise<Uint8Array> {
    for (let passed = 0; passed <= MOST_HELD; passed++) {
      const { payload } = await this.#input.packet();
      const got = u8At(payload, 0);
      if (got === type) return payload;
      if (got === MESSAGE.disconnect) throw new ClientGone("the client has said goodbye");
      // A strict client sends nothing else within its first exchange.
      if ((isFirst && this.#isStrict) || !PASSED_OVER.has(got)) break;
    }
    throw new Disconnect("protocolError", "a message that has no place in a key exchange");
  }
}
