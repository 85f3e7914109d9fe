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
 * @packageDocumentation
 * @see RFC 4253 section 6, RFC 4344, RFC 5647, RFC 6668
 */
import { createCipheriv, createDecipheriv, createHmac, randomFillSync, timingSafeEqual } from "node:crypto";
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
export type MacKind = { readonly hash: "sha256" | "sha512"; readonly bytes: number };

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
  /** Returns a packet in memory of its own. */
  seal(payload: Uint8Array, sequence: number): Uint8Array<ArrayBuffer>;
}

/** Opens packets, each with its number. What one call of {@link open} returns is good until the next. */
export interface Opener {
  /** The bytes that have to be there before {@link length} can be called. */
  readonly headBytes: number;
  /** Returns the number of all bytes of the packet that begins here. @throws Disconnect */
  length(head: Uint8Array): number;
  /** Returns the payload of a whole packet, as a view of it or of memory that is freed later. @throws Disconnect */
  open(packet: Uint8Array, sequence: number): Uint8Array;
}

const LENGTH_BYTES = 4;
const TAG_BYTES = 16;
/** The multiple to which packets are padded, and the fewest bytes of padding. */
const BLOCK = 16;
const PLAIN_BLOCK = 8;
const LEAST_PADDING = 4;

/**
 * Frees what a cipher has returned, once it was copied or read: it is as large as all that a connection carries, and would be
 * left to the collector. It does nothing with a part of memory that others have, too.
 */
function freeOwn(bytes: Uint8Array): void {
  const { buffer } = bytes;
  if (buffer instanceof ArrayBuffer && buffer.byteLength === bytes.byteLength) freeMemory(new Uint8Array(buffer));
}

/** Returns a buffer of the platform's as bytes: its own `slice` is no copy. */
function plainView({ buffer, byteOffset, byteLength }: Uint8Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/**
 * Frames a payload in a buffer with room for `after` bytes behind it. `outside`: bytes of the head that don't count for
 * the padding.
 */
function frame(
  payload: Uint8Array,
  block: number,
  { outside, after }: { readonly outside: number; readonly after: number },
): Uint8Array<ArrayBuffer> {
  const bare = LENGTH_BYTES + 1 + payload.length - outside;
  let padding = block - (bare % block);
  if (padding < LEAST_PADDING) padding += block;
  const length = 1 + payload.length + padding;
  const packet = new Uint8Array(LENGTH_BYTES + length + after);
  view(packet).setUint32(0, length);
  packet[LENGTH_BYTES] = padding;
  packet.set(payload, LENGTH_BYTES + 1);
  const end = LENGTH_BYTES + length;
  randomFillSync(packet, end - padding, padding);
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
  seal: (payload) => frame(payload, PLAIN_BLOCK, { outside: 0, after: 0 }),
  length: (head) => LENGTH_BYTES + lengthOf(head, PLAIN_BLOCK, 0),
  open: (packet) => payloadOf(packet.subarray(LENGTH_BYTES)),
};

/** The nonce of AES-GCM: its last eight bytes count the packets. */
class GcmNonce {
  readonly #bytes: Uint8Array;

  constructor(iv: Uint8Array) {
    this.#bytes = iv.slice();
  }

  /** Returns the nonce of the next packet, which is good until the next call. */
  next(): Uint8Array {
    const nonce = this.#bytes.slice();
    const counter = view(this.#bytes);
    counter.setBigUint64(4, BigInt.asUintN(64, counter.getBigUint64(4) + 1n));
    return nonce;
  }
}

class GcmSealer implements Sealer {
  readonly #keys: CipherKeys;
  readonly #nonce: GcmNonce;

  constructor(keys: CipherKeys) {
    this.#keys = keys;
    this.#nonce = new GcmNonce(keys.iv);
  }

  seal(payload: Uint8Array): Uint8Array<ArrayBuffer> {
    const packet = frame(payload, BLOCK, { outside: LENGTH_BYTES, after: TAG_BYTES });
    const end = packet.length - TAG_BYTES;
    const cipher = createCipheriv(gcmName(this.#keys), this.#keys.key, this.#nonce.next());
    cipher.setAAD(packet.subarray(0, LENGTH_BYTES));
    const sealed = cipher.update(packet.subarray(LENGTH_BYTES, end));
    packet.set(sealed, LENGTH_BYTES);
    freeOwn(sealed);
    cipher.final();
    packet.set(cipher.getAuthTag(), end);
    return packet;
  }
}

function gcmName({ cipher }: CipherKeys): "aes-128-gcm" | "aes-256-gcm" {
  return cipher.name === "aes-128-gcm" ? cipher.name : "aes-256-gcm";
}

class GcmOpener implements Opener {
  readonly headBytes = LENGTH_BYTES;
  readonly #keys: CipherKeys;
  readonly #nonce: GcmNonce;
  #opened: Uint8Array = new Uint8Array(0);

  constructor(keys: CipherKeys) {
    this.#keys = keys;
    this.#nonce = new GcmNonce(keys.iv);
  }

  length(head: Uint8Array): number {
    return LENGTH_BYTES + lengthOf(head, BLOCK, LENGTH_BYTES) + TAG_BYTES;
  }

  open(packet: Uint8Array): Uint8Array {
    const end = packet.length - TAG_BYTES;
    const decipher = createDecipheriv(gcmName(this.#keys), this.#keys.key, this.#nonce.next(), {
      authTagLength: TAG_BYTES,
    });
    decipher.setAAD(packet.subarray(0, LENGTH_BYTES));
    decipher.setAuthTag(packet.subarray(end));
    freeOwn(this.#opened);
    const rest = plainView(decipher.update(packet.subarray(LENGTH_BYTES, end)));
    this.#opened = rest;
    try {
      decipher.final();
    } catch (cause) {
      throw new Disconnect("macError", "a packet that was changed on its way", { cause });
    }
    return payloadOf(rest);
  }
}

/** Returns the MAC of a cipher that needs one. */
function macKind({ mac }: CipherKeys): MacKind {
  return present(mac, "the MAC of a cipher without a tag");
}

/** Computes the MAC of a packet in plain text. */
function macOf(keys: CipherKeys, sequence: number, packet: Uint8Array): Uint8Array {
  const number = new Uint8Array(LENGTH_BYTES);
  view(number).setUint32(0, sequence);
  return createHmac(macKind(keys).hash, keys.macKey).update(number).update(packet).digest();
}

class CtrSealer implements Sealer {
  readonly #keys: CipherKeys;
  readonly #cipher: ReturnType<typeof createCipheriv>;

  constructor(keys: CipherKeys) {
    this.#keys = keys;
    this.#cipher = createCipheriv(keys.cipher.name, keys.key, keys.iv);
  }

  seal(payload: Uint8Array, sequence: number): Uint8Array<ArrayBuffer> {
    const macBytes = macKind(this.#keys).bytes;
    const packet = frame(payload, BLOCK, { outside: 0, after: macBytes });
    const end = packet.length - macBytes;
    packet.set(macOf(this.#keys, sequence, packet.subarray(0, end)), end);
    const sealed = this.#cipher.update(packet.subarray(0, end));
    packet.set(sealed);
    freeOwn(sealed);
    return packet;
  }
}

class CtrOpener implements Opener {
  readonly headBytes = BLOCK;
  readonly #keys: CipherKeys;
  readonly #decipher: ReturnType<typeof createDecipheriv>;
  #head: Uint8Array = new Uint8Array(0);
  #plain: Uint8Array = new Uint8Array(0);

  constructor(keys: CipherKeys) {
    this.#keys = keys;
    this.#decipher = createDecipheriv(keys.cipher.name, keys.key, keys.iv);
  }

  /** Decrypts the first block: what it says is believed only as far as its bound, until the MAC is right. */
  length(head: Uint8Array): number {
    this.#head = this.#decipher.update(head);
    return LENGTH_BYTES + lengthOf(this.#head, BLOCK, 0) + macKind(this.#keys).bytes;
  }

  open(packet: Uint8Array, sequence: number): Uint8Array {
    const end = packet.length - macKind(this.#keys).bytes;
    freeOwn(this.#plain);
    const plain = new Uint8Array(end);
    this.#plain = plain;
    plain.set(this.#head);
    const rest = this.#decipher.update(packet.subarray(BLOCK, end));
    plain.set(rest, BLOCK);
    freeOwn(rest);
    if (!timingSafeEqual(macOf(this.#keys, sequence, plain), packet.subarray(end))) {
      throw new Disconnect("macError", "a packet that was changed on its way");
    }
    return payloadOf(plain.subarray(LENGTH_BYTES));
  }
}

/** Makes what seals packets with these keys. */
export function sealerOf(keys: CipherKeys): Sealer {
  return keys.cipher.kind === "gcm" ? new GcmSealer(keys) : new CtrSealer(keys);
}

/** Makes what opens packets with these keys. */
export function openerOf(keys: CipherKeys): Opener {
  return keys.cipher.kind === "gcm" ? new GcmOpener(keys) : new CtrOpener(keys);
}
