/**
 * Seals and opens packets.
 *
 * ```text
 * packet := u32 length | u8 padding length | payload | padding
 * none     the packet as it is
 * AES-GCM  length | encrypted rest | 16 bytes of tag              the length is authenticated, and readable
 * AES-CTR  encrypted packet | MAC over the packet's number and its plain text
 * ```
 *
 * None of them is open to Terrapin, which needs ChaCha20-Poly1305 or a MAC over encrypted text.
 *
 * The ciphers are those of `crypto.subtle`. `createCipheriv` takes twice the processor time here, and each of its `update`
 * calls leaves an array of the data's size that nobody can free.
 *
 * @packageDocumentation
 * @see RFC 4253 section 6, RFC 4344, RFC 5647, RFC 6668
 */
import { present, u8At } from "../bytes/assert.ts";
import { freeMemory } from "../bytes/free-memory.ts";
import { Disconnect } from "./message.ts";
import { MOST_PACKET } from "./ssh-limits.ts";

/** A way to seal packets. */
export type CipherKind = {
  readonly kind: "gcm" | "ctr";
  readonly name: "aes-128-gcm" | "aes-256-gcm" | "aes-128-ctr" | "aes-256-ctr";
  readonly keyBytes: number;
  readonly ivBytes: number;
};

/** A MAC. */
export type MacKind = { readonly hash: "SHA-256" | "SHA-512"; readonly bytes: number };

/** The secrets of one direction. */
export type CipherKeys = {
  readonly cipher: CipherKind;
  readonly mac: MacKind | undefined;
  readonly key: Uint8Array;
  readonly iv: Uint8Array;
  readonly macKey: Uint8Array;
};

/** Seals packets, each with its number. */
export interface Sealer {
  /** Returns a message, of which the last bytes may be apart, as a packet in memory of its own, with room for what {@link seal} adds. */
  frame(payload: Uint8Array, rest?: Uint8Array): FramedPacket;
  /** Seals a packet of {@link frame} in place. Packets have to be sealed one after the other, in the order of their numbers. */
  seal(packet: FramedPacket, sequence: number): Promise<void>;
}

/** A packet, with room in its memory for its number before it. */
export type FramedPacket = Uint8Array<ArrayBuffer>;

/** Opens packets, each with its number. What one call of {@link open} returns is good until the next. */
export interface Opener {
  /** The bytes that have to be there before {@link length} can be called. */
  readonly headBytes: number;
  /** Returns the number of all bytes of the packet that begins here. It is called once for each packet. @throws Disconnect */
  length(head: Uint8Array<ArrayBuffer>): Promise<number>;
  /** Returns the payload of a whole packet, as a view of it or of memory that is freed later. @throws Disconnect */
  open(packet: Uint8Array<ArrayBuffer>, sequence: number): Promise<Uint8Array>;
}

const LENGTH_BYTES = 4;
const TAG_BYTES = 16;
/** Bytes of a packet's number, which a MAC is made over. */
const NUMBER_BYTES = 4;
/** The multiple to which packets are padded, and the fewest bytes of padding. */
const BLOCK = 16;
const PLAIN_BLOCK = 8;
const LEAST_PADDING = 4;
/** The bits of the counter of AES-CTR, and of its lower half. */
const COUNTER_BITS = 128;
const HALF_BITS = 64;

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/**
 * Frames a payload in a buffer with room for `after` bytes behind it. `outside`: bytes of the head that don't count for
 * the padding.
 */
function frame(
  [payload, rest]: readonly [Uint8Array, (Uint8Array | undefined)?],
  block: number,
  { outside, after }: { readonly outside: number; readonly after: number },
): FramedPacket {
  const bytes = payload.length + (rest === undefined ? 0 : rest.length);
  let padding = block - ((LENGTH_BYTES + 1 + bytes - outside) % block);
  if (padding < LEAST_PADDING) padding += block;
  const length = 1 + bytes + padding;
  const packet = new Uint8Array(NUMBER_BYTES + LENGTH_BYTES + length + after).subarray(NUMBER_BYTES);
  view(packet).setUint32(0, length);
  packet[LENGTH_BYTES] = padding;
  packet.set(payload, LENGTH_BYTES + 1);
  if (rest !== undefined) packet.set(rest, LENGTH_BYTES + 1 + payload.length);
  const end = LENGTH_BYTES + length;
  crypto.getRandomValues(packet.subarray(end - padding, end));
  return packet;
}

/** Returns the length that a packet's head says. @throws Disconnect if no packet can have it */
function lengthOf(head: Uint8Array, block: number, outside: number): number {
  const length = view(head).getUint32(0);
  const isAligned = (length + LENGTH_BYTES - outside) % block === 0;
  if (length > MOST_PACKET || length < 1 + LEAST_PADDING || !isAligned) {
    throw new Disconnect("protocolError", "a packet of a length that it can't have");
  }
  return length;
}

/** Returns the payload of what follows the length. @throws Disconnect */
function payloadOf(rest: Uint8Array): Uint8Array {
  const padding = u8At(rest, 0);
  const end = rest.length - padding;
  if (padding < LEAST_PADDING || end <= 1) throw new Disconnect("protocolError", "a packet without a message");
  return rest.subarray(1, end);
}

/** Packets before the first keys. */
export const PLAIN: Sealer & Opener = {
  headBytes: LENGTH_BYTES,
  frame: (...message) => frame(message, PLAIN_BLOCK, { outside: 0, after: 0 }),
  seal: async () => undefined,
  length: async (head) => LENGTH_BYTES + lengthOf(head, PLAIN_BLOCK, 0),
  open: async (packet) => payloadOf(packet.subarray(LENGTH_BYTES)),
};

/** Puts what a cipher has made in the place of what it was made of, and frees it: else it would be left to the collector. */
function replace(bytes: Uint8Array, made: ArrayBuffer): void {
  const all = new Uint8Array(made);
  bytes.set(all);
  freeMemory(all);
}

/** The error of a packet whose tag or MAC is not its own. */
function changed(options?: ErrorOptions): Disconnect {
  return new Disconnect("macError", "a packet that was changed on its way", options);
}

type Use = "encrypt" | "decrypt";

/** AES-GCM in one direction. The last eight bytes of its nonce count the packets. */
class Gcm {
  readonly #key: CryptoKey;
  readonly #nonce: Uint8Array<ArrayBuffer>;

  private constructor(key: CryptoKey, iv: Uint8Array) {
    this.#key = key;
    this.#nonce = new Uint8Array(iv);
  }

  static async of({ key, iv }: CipherKeys, use: Use): Promise<Gcm> {
    return new Gcm(await crypto.subtle.importKey("raw", key, "AES-GCM", false, [use]), iv);
  }

  async run(use: Use, bytes: Uint8Array<ArrayBuffer>, head: Uint8Array<ArrayBuffer>): Promise<ArrayBuffer> {
    const iv = this.#nonce.slice();
    const counter = view(this.#nonce);
    counter.setBigUint64(4, BigInt.asUintN(HALF_BITS, counter.getBigUint64(4) + 1n));
    return await crypto.subtle[use]({ name: "AES-GCM", iv, additionalData: head }, this.#key, bytes);
  }
}

class GcmSealer implements Sealer {
  readonly #cipher: Gcm;

  constructor(cipher: Gcm) {
    this.#cipher = cipher;
  }

  frame(...message: [Uint8Array, Uint8Array?]): FramedPacket {
    return frame(message, BLOCK, { outside: LENGTH_BYTES, after: TAG_BYTES });
  }

  async seal(packet: FramedPacket): Promise<void> {
    const text = packet.subarray(LENGTH_BYTES, packet.length - TAG_BYTES);
    const sealed = await this.#cipher.run("encrypt", text, packet.subarray(0, LENGTH_BYTES));
    replace(packet.subarray(LENGTH_BYTES), sealed);
  }
}

class GcmOpener implements Opener {
  readonly headBytes = LENGTH_BYTES;
  readonly #cipher: Gcm;
  #opened = new Uint8Array(0);

  constructor(cipher: Gcm) {
    this.#cipher = cipher;
  }

  async length(head: Uint8Array): Promise<number> {
    return LENGTH_BYTES + lengthOf(head, BLOCK, LENGTH_BYTES) + TAG_BYTES;
  }

  async open(packet: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
    freeMemory(this.#opened);
    try {
      const sealed = packet.subarray(LENGTH_BYTES);
      this.#opened = new Uint8Array(await this.#cipher.run("decrypt", sealed, packet.subarray(0, LENGTH_BYTES)));
    } catch (cause) {
      throw changed({ cause });
    }
    return payloadOf(this.#opened);
  }
}

/** AES-CTR in one direction, with its MAC. */
class Ctr {
  readonly macBytes: number;
  readonly #key: CryptoKey;
  readonly #macKey: CryptoKey;
  readonly #counter: Uint8Array<ArrayBuffer>;

  private constructor({ iv, mac }: CipherKeys, key: CryptoKey, macKey: CryptoKey) {
    this.macBytes = macKind(mac).bytes;
    this.#key = key;
    this.#macKey = macKey;
    this.#counter = new Uint8Array(iv);
  }

  static async of(keys: CipherKeys, use: Use): Promise<Ctr> {
    const { subtle } = crypto;
    const hash = { name: "HMAC", hash: macKind(keys.mac).hash };
    const macUse = use === "encrypt" ? "sign" : "verify";
    return new Ctr(
      keys,
      await subtle.importKey("raw", keys.key, "AES-CTR", false, [use]),
      await subtle.importKey("raw", keys.macKey, hash, false, [macUse]),
    );
  }

  /** Encrypts or decrypts whole blocks, which follow those of the last call. */
  async run(use: Use, blocks: Uint8Array<ArrayBuffer>): Promise<ArrayBuffer> {
    const counter = this.#counter.slice();
    const [next, count] = [view(this.#counter), BigInt(blocks.length / BLOCK)];
    const low = next.getBigUint64(8) + count;
    next.setBigUint64(8, BigInt.asUintN(HALF_BITS, low));
    next.setBigUint64(0, BigInt.asUintN(HALF_BITS, next.getBigUint64(0) + (low >> BigInt(HALF_BITS))));
    return await crypto.subtle[use]({ name: "AES-CTR", counter, length: COUNTER_BITS }, this.#key, blocks);
  }

  /** Computes the MAC of a packet with its number. */
  async mac(numbered: Uint8Array<ArrayBuffer>): Promise<ArrayBuffer> {
    return await crypto.subtle.sign("HMAC", this.#macKey, numbered);
  }

  /** Whether this is the MAC of a packet with its number. */
  async isMac(mac: Uint8Array<ArrayBuffer>, numbered: Uint8Array<ArrayBuffer>): Promise<boolean> {
    return await crypto.subtle.verify("HMAC", this.#macKey, mac, numbered);
  }
}

/** Returns the MAC of a cipher that needs one. */
function macKind(mac: MacKind | undefined): MacKind {
  return present(mac, "the MAC of a cipher without a tag");
}

class CtrSealer implements Sealer {
  readonly #cipher: Ctr;

  constructor(cipher: Ctr) {
    this.#cipher = cipher;
  }

  frame(...message: [Uint8Array, Uint8Array?]): FramedPacket {
    return frame(message, BLOCK, { outside: 0, after: this.#cipher.macBytes });
  }

  async seal(packet: FramedPacket, sequence: number): Promise<void> {
    const end = packet.length - this.#cipher.macBytes;
    const numbered = new Uint8Array(packet.buffer, packet.byteOffset - NUMBER_BYTES, NUMBER_BYTES + end);
    view(numbered).setUint32(0, sequence);
    packet.set(new Uint8Array(await this.#cipher.mac(numbered)), end);
    replace(packet, await this.#cipher.run("encrypt", packet.subarray(0, end)));
  }
}

class CtrOpener implements Opener {
  readonly headBytes = BLOCK;
  readonly #cipher: Ctr;
  #head = new Uint8Array(0);
  /** The number and the plain text of the last packet. */
  #numbered = new Uint8Array(0);

  constructor(cipher: Ctr) {
    this.#cipher = cipher;
  }

  /** Decrypts the first block: what it says is believed only as far as its bound, until the MAC is right. */
  async length(head: Uint8Array<ArrayBuffer>): Promise<number> {
    this.#head = new Uint8Array(await this.#cipher.run("decrypt", head));
    return LENGTH_BYTES + lengthOf(this.#head, BLOCK, 0) + this.#cipher.macBytes;
  }

  async open(packet: Uint8Array<ArrayBuffer>, sequence: number): Promise<Uint8Array> {
    freeMemory(this.#numbered);
    const end = packet.length - this.#cipher.macBytes;
    const numbered = new Uint8Array(NUMBER_BYTES + end);
    this.#numbered = numbered;
    view(numbered).setUint32(0, sequence);
    const plain = numbered.subarray(NUMBER_BYTES);
    plain.set(this.#head);
    if (end > BLOCK) {
      replace(plain.subarray(BLOCK), await this.#cipher.run("decrypt", packet.subarray(BLOCK, end)));
    }
    if (!(await this.#cipher.isMac(packet.subarray(end), numbered))) throw changed();
    return payloadOf(plain.subarray(LENGTH_BYTES));
  }
}

/** Makes what seals packets with these keys. */
export async function sealerOf(keys: CipherKeys): Promise<Sealer> {
  return keys.cipher.kind === "gcm"
    ? new GcmSealer(await Gcm.of(keys, "encrypt"))
    : new CtrSealer(await Ctr.of(keys, "encrypt"));
}

/** Makes what opens packets with these keys. */
export async function openerOf(keys: CipherKeys): Promise<Opener> {
  return keys.cipher.kind === "gcm"
    ? new GcmOpener(await Gcm.of(keys, "decrypt"))
    : new CtrOpener(await Ctr.of(keys, "decrypt"));
}
