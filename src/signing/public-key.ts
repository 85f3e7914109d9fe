/**
 * Verifies signatures with the platform's cryptography, whatever format the key and the signature came in.
 *
 * @packageDocumentation
 * @see W3C Web Cryptography API; RFC 8017 (RSASSA-PKCS1-v1_5), FIPS 186-5 (ECDSA), RFC 8032 (Ed25519)
 */
import { u8OrNul } from "../bytes/assert.ts";
import { concat } from "../bytes/chunk.ts";
import { encodeBase64 } from "./ssh-reader.ts";

/** The curves of ECDSA keys by their names at the platform, each with the bytes of a coordinate. */
export const CURVE_BYTES = { "P-256": 32, "P-384": 48, "P-521": 66 } as const;

/** The platform's name of a curve. */
export type Curve = keyof typeof CURVE_BYTES;

/** A public RSA key. Its numbers are big-endian, without leading zeros. */
export type RsaKey = { readonly algorithm: "rsa"; readonly exponent: Uint8Array; readonly modulus: Uint8Array };

/** A public ECDSA key. Its point is uncompressed, as in SEC 1. */
export type EcdsaKey = { readonly algorithm: "ecdsa"; readonly curve: Curve; readonly point: Uint8Array };

/** The two numbers of an ECDSA signature, big-endian. */
export type EcdsaSignature = { readonly r: Uint8Array; readonly s: Uint8Array };

/** The platform's name of a hash function. */
export type HashName = "SHA-1" | "SHA-256" | "SHA-384" | "SHA-512";

/** Bytes of a public Ed25519 key. */
export const ED25519_BYTES = 32;

/** Bits of the largest RSA modulus that is accepted. */
export const MOST_RSA_BITS = 16_384;

/** Returns the number of bits of a modulus without leading zeros. */
export function rsaBits(modulus: Uint8Array): number {
  return modulus.length * 8 - Math.clz32(u8OrNul(modulus, 0)) + 24;
}

/** Returns a big-endian number without its leading zeros. */
export function withoutZeros(bytes: Uint8Array): Uint8Array {
  const first = bytes.findIndex((byte) => byte !== 0);
  return first < 0 ? bytes.subarray(bytes.length) : bytes.subarray(first);
}

/** Returns the digest of some bytes. */
export async function digest(hash: HashName, bytes: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await crypto.subtle.digest(hash, bytes.slice()));
}

/** Returns a big-endian number with leading zeros to at least `length` bytes. */
export function padded(bytes: Uint8Array, length: number): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(Math.max(length, bytes.length));
  whole.set(bytes, whole.length - bytes.length);
  return whole;
}

/** Whether an Ed25519 signature over some bytes is valid. @throws DOMException if the key is no key. */
export async function verifyEd25519(key: Uint8Array, signature: Uint8Array, signed: Uint8Array): Promise<boolean> {
  const imported = await crypto.subtle.importKey("raw", key.slice(), "Ed25519", false, ["verify"]);
  return await crypto.subtle.verify("Ed25519", imported, signature.slice(), signed.slice());
}

const base64Url = (bytes: Uint8Array): string =>
  encodeBase64(bytes).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");

/** Whether an RSA signature over some bytes is valid. @throws DOMException if the key is no key. */
export async function verifyRsa(
  { exponent, modulus }: RsaKey,
  hash: HashName,
  signature: Uint8Array,
  signed: Uint8Array,
): Promise<boolean> {
  const algorithm = { name: "RSASSA-PKCS1-v1_5", hash };
  const jwk = { kty: "RSA", n: base64Url(modulus), e: base64Url(exponent), ext: true };
  const key = await crypto.subtle.importKey("jwk", jwk, algorithm, false, ["verify"]);
  // Programs omit leading zeros; the platform requires as many bytes as the modulus has.
  return await crypto.subtle.verify(algorithm, key, padded(signature, modulus.length), signed.slice());
}

/** Whether an ECDSA signature over some bytes is valid. @throws DOMException if the key is no key. */
export async function verifyEcdsa(
  { curve, point }: EcdsaKey,
  hash: HashName,
  { r, s }: EcdsaSignature,
  signed: Uint8Array,
): Promise<boolean> {
  const bytes = CURVE_BYTES[curve];
  if (r.length > bytes || s.length > bytes) return false;
  const algorithm = { name: "ECDSA", namedCurve: curve };
  const key = await crypto.subtle.importKey("raw", point.slice(), algorithm, false, ["verify"]);
  const raw = concat([padded(r, bytes), padded(s, bytes)]);
  return await crypto.subtle.verify({ name: "ECDSA", hash }, key, raw, signed.slice());
}
