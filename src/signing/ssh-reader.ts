/**
 * The encoding of SSH's binary messages.
 *
 * ```text
 * string := u32 length (big-endian) | bytes
 * mpint  := string                   two's complement, big-endian, shortest
 * ```
 *
 * @packageDocumentation
 * @see RFC 4251 section 5
 */
import { u8OrNul } from "../bytes/assert.ts";
import { concat } from "../bytes/chunk.ts";

/** The error for a malformed SSH message. Code that reads a whole key or signature catches it. */
export class MalformedSsh extends Error {
  override readonly name = "MalformedSsh";
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

/** Reads the fields of a message in order. Every method throws MalformedSsh if the message ends too early. */
export class SshReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Returns a view of the next `length` bytes. */
  take(length: number): Uint8Array {
    if (this.#at + length > this.#bytes.length) throw new MalformedSsh("a message that ends too early");
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  /** Reads an unsigned 32-bit number. */
  number(): number {
    const bytes = this.take(4);
    return new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0);
  }

  /** Reads a string of any bytes and returns a view of it. */
  string(): Uint8Array {
    return this.take(this.number());
  }

  /** Reads a string that is UTF-8 text. */
  text(): string {
    const bytes = this.string();
    try {
      return decoder.decode(bytes);
    } catch (cause) {
      throw new MalformedSsh("text that is not UTF-8", { cause });
    }
  }

  /** Reads a non-negative number. Returns a view of its bytes without leading zeros. */
  mpint(): Uint8Array {
    const bytes = this.string();
    if ((u8OrNul(bytes, 0) & 0x80) !== 0) throw new MalformedSsh("a negative number");
    const first = bytes.findIndex((byte) => byte !== 0);
    return first < 0 ? bytes.subarray(bytes.length) : bytes.subarray(first);
  }

  /** Checks that the message ends here. */
  end(): void {
    if (this.#at !== this.#bytes.length) throw new MalformedSsh("a message that goes on");
  }
}

/** Encodes a string. */
export function encodeSshString(value: string | Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = typeof value === "string" ? encoder.encode(value) : value;
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, bytes.length);
  return concat([length, bytes]);
}

/** Encodes a non-negative number, given in big-endian bytes. RFC 4251, section 5. */
export function encodeMpint(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const first = bytes.findIndex((byte) => byte !== 0);
  const digits = first < 0 ? bytes.subarray(bytes.length) : bytes.subarray(first);
  const isHigh = (u8OrNul(digits, 0) & 0x80) !== 0;
  return encodeSshString(isHigh ? concat([Uint8Array.of(0), digits]) : digits);
}

/** Decodes base64, which may have line breaks in it. Returns `undefined` if it is malformed. */
export function decodeBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  const compact = text.replaceAll(/[\r\n]/g, "");
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(compact)) return undefined;
  return Uint8Array.from(atob(compact), (character) => character.charCodeAt(0));
}

/** Encodes base64, with its padding. */
export function encodeBase64(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}
