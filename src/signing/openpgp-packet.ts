/**
 * OpenPGP's framing: ASCII armour, packets, and the fields in them.
 *
 * ```text
 * packet := 11tttttt | length (1, 2 or 5 bytes) | body            tag t; RFC 9580's own format
 *         | 10ttttll | length (1, 2 or 4 bytes by l) | body       the legacy format, which gpg writes
 * mpi    := u16 bits | that many bits, big-endian
 * ```
 *
 * @packageDocumentation
 * @see RFC 9580 sections 3, 4 and 6
 */
import { u8OrNul } from "../bytes/assert.ts";
import { concat } from "../bytes/chunk.ts";
import { toHex } from "../bytes/hex.ts";
import { withoutZeros } from "./public-key.ts";
import { decodeBase64, encodeBase64 } from "./ssh-reader.ts";

/** The error for what is malformed, or of a kind that makes a whole key or signature unusable. */
export class MalformedOpenPgp extends Error {
  override readonly name = "MalformedOpenPgp";
}

/** The tags of packets that are looked at. */
export const TAG = {
  signature: 2,
  secretKey: 5,
  publicKey: 6,
  secretSubkey: 7,
  marker: 10,
  trust: 12,
  userId: 13,
  publicSubkey: 14,
  userAttribute: 17,
  padding: 21,
} as const;

/** A packet: its tag, and views of its body and of the whole with its header. */
export type OpenPgpPacket = { readonly tag: number; readonly body: Uint8Array; readonly whole: Uint8Array };

/** The kinds of armour that are read. */
export type ArmourKind = "PUBLIC KEY BLOCK" | "PRIVATE KEY BLOCK" | "SIGNATURE";

const LINE_LENGTH = 64;

/**
 * Returns the bytes of an armoured text. Headers are passed over, and so is the checksum, as RFC 9580 section 6.1 wants.
 *
 * @throws MalformedOpenPgp if the armour is malformed, or of another kind.
 */
export function decodeArmour(text: string, kind: ArmourKind): Uint8Array<ArrayBuffer> {
  const lines = text.split("\n").map((line) => line.trimEnd());
  const begin = lines.indexOf(`-----BEGIN PGP ${kind}-----`);
  const blank = lines.indexOf("", begin + 1);
  const end = lines.indexOf(`-----END PGP ${kind}-----`, begin + 1);
  if (begin < 0 || blank < 0 || end < blank) throw new MalformedOpenPgp("no armour");
  const body = lines.slice(blank + 1, end).filter((line) => !/^=[A-Za-z0-9+/]{4}$/.test(line));
  const bytes = decodeBase64(body.join(""));
  if (bytes === undefined) throw new MalformedOpenPgp("armour that is not base64");
  return bytes;
}

/** Returns the checksum of armour, three bytes. @see RFC 9580 section 6.1.1 */
function checksum(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  let crc = 0xb704ce;
  for (const byte of bytes) {
    crc ^= byte << 16;
    for (let bit = 0; bit < 8; bit++) {
      crc <<= 1;
      if ((crc & 0x1000000) !== 0) crc ^= 0x1864cfb;
    }
  }
  return Uint8Array.of(crc >>> 16, (crc >>> 8) & 0xff, crc & 0xff);
}

/** Armours bytes. The checksum is for gpg before 2.4, which else takes the last line for base64 where that needs no padding. */
export function encodeArmour(bytes: Uint8Array, kind: ArmourKind): string {
  const text = encodeBase64(bytes);
  const lines: string[] = [];
  for (let at = 0; at < text.length; at += LINE_LENGTH) lines.push(text.slice(at, at + LINE_LENGTH));
  lines.push(`=${encodeBase64(checksum(bytes))}`);
  return `-----BEGIN PGP ${kind}-----\n\n${lines.join("\n")}\n-----END PGP ${kind}-----\n`;
}

/** Reads fields in order. Every method throws MalformedOpenPgp if they end too early. */
export class OpenPgpReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** The number of bytes that were read. */
  get offset(): number {
    return this.#at;
  }

  /** Whether all was read. */
  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  /** Returns a view of the next `length` bytes. */
  take(length: number): Uint8Array {
    if (this.#at + length > this.#bytes.length) throw new MalformedOpenPgp("a field that ends too early");
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  /** Returns a view of what is left. */
  rest(): Uint8Array {
    return this.take(this.#bytes.length - this.#at);
  }

  /** Reads an unsigned number of `length` bytes, 4 at most. */
  number(length: number): number {
    return this.take(length).reduce((sum, byte) => sum * 256 + byte, 0);
  }

  /** Reads a number of any size. Returns a view of its bytes without leading zeros. */
  mpi(): Uint8Array {
    return withoutZeros(this.take((this.number(2) + 7) >>> 3));
  }

  /** Reads a key ID as hexadecimal text. */
  keyId(): string {
    return toHex(this.take(8));
  }

  /** Reads the length that precedes a packet of the present format or a subpacket; `first` is its first byte. */
  length(first: number): number {
    if (first < 192) return first;
    if (first < 255) return (first - 192) * 256 + this.number(1) + 192;
    return this.number(4);
  }

  /** Checks that nothing is left. */
  end(): void {
    if (!this.isAtEnd) throw new MalformedOpenPgp("a field that goes on");
  }
}

/** Encodes a number with its length in bits. */
export function encodeMpi(number: Uint8Array): Uint8Array<ArrayBuffer> {
  const digits = withoutZeros(number);
  const bits = digits.length * 8 - Math.max(0, Math.clz32(u8OrNul(digits, 0)) - 24) * Number(digits.length > 0);
  return concat([Uint8Array.of(bits >>> 8, bits & 0xff), digits]);
}

/** Encodes a packet in RFC 9580's own format. */
export function encodePacket(tag: number, body: Uint8Array): Uint8Array<ArrayBuffer> {
  const header = new Uint8Array(6);
  header.set([0xc0 | tag, 0xff]);
  new DataView(header.buffer).setUint32(2, body.length);
  return concat([header, body]);
}

/** Whether a length's first byte says that only a part of the body follows. Only packets of messages may have that. */
const isPartial = (first: number): boolean => first >= 224 && first < 255;

function packetLength(reader: OpenPgpReader, header: number): number {
  if ((header & 0x40) === 0) {
    const type = header & 3;
    if (type === 3) throw new MalformedOpenPgp("a packet of unknown length");
    return reader.number(1 << type);
  }
  const first = reader.number(1);
  if (isPartial(first)) throw new MalformedOpenPgp("a packet in parts");
  return reader.length(first);
}

/**
 * Parses a sequence of packets.
 *
 * @throws MalformedOpenPgp if it is malformed.
 */
export function parsePackets(bytes: Uint8Array): OpenPgpPacket[] {
  const reader = new OpenPgpReader(bytes);
  const packets: OpenPgpPacket[] = [];
  while (!reader.isAtEnd) {
    const start = reader.offset;
    const header = reader.number(1);
    if ((header & 0x80) === 0) throw new MalformedOpenPgp("no packet");
    const tag = (header & 0x40) === 0 ? (header & 0x3f) >>> 2 : header & 0x3f;
    const body = reader.take(packetLength(reader, header));
    packets.push({ tag, body, whole: bytes.subarray(start, reader.offset) });
  }
  return packets;
}
