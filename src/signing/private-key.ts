/**
 * Private keys, and what they sign with the platform's cryptography, whatever format they came in.
 *
 * A private key is kept as PKCS #8 in base64. Which algorithm it is for stands in the public key beside it.
 *
 * @packageDocumentation
 * @see W3C Web Cryptography API; RFC 5958 (PKCS #8), RFC 7518 section 6 and RFC 8037 (JSON Web Keys)
 */
import { type Curve, CURVE_BYTES, type HashName, padded } from "./public-key.ts";
import { decodeBase64, encodeBase64 } from "./ssh-reader.ts";

/** What a private key is for. */
export type KeyUse =
  | { readonly algorithm: "ed25519" }
  | { readonly algorithm: "ecdsa"; readonly curve: Curve }
  | { readonly algorithm: "rsa" };

/** The hash function with which an ECDSA key of a curve signs. */
export const CURVE_HASH = { "P-256": "SHA-256", "P-384": "SHA-384", "P-521": "SHA-512" } as const satisfies Record<
  Curve,
  HashName
>;

/** The hash function with which RSA keys sign. */
export const RSA_HASH = "SHA-512";

/** Bits of the largest RSA key that signs: a signature takes time with the third power of it. */
export const MOST_SIGNING_BITS = 4096;

/** The error for numbers that are no private key, or not the one of the public key beside them. */
export class NoPrivateKey extends Error {
  override readonly name = "NoPrivateKey";
}

/** The numbers of a private key, big-endian. */
export type PrivateNumbers =
  | { readonly algorithm: "ed25519"; readonly point: Uint8Array; readonly seed: Uint8Array }
  /** `point` is uncompressed, as in SEC 1. */
  | { readonly algorithm: "ecdsa"; readonly curve: Curve; readonly point: Uint8Array; readonly scalar: Uint8Array }
  | {
      readonly algorithm: "rsa";
      readonly modulus: Uint8Array;
      readonly exponent: Uint8Array;
      readonly privateExponent: Uint8Array;
      /** The two primes, and the inverse of the second modulo the first. */
      readonly primes: readonly [Uint8Array, Uint8Array];
      readonly coefficient: Uint8Array;
    };

type Imported = { readonly importing: SubtleCryptoImportAlgorithm; readonly signing: SubtleCryptoSignAlgorithm };
type SubtleCryptoImportAlgorithm = { name: string; namedCurve?: string; hash?: string };
type SubtleCryptoSignAlgorithm = { name: string; hash?: string };

function namesOf(use: KeyUse): Imported {
  switch (use.algorithm) {
    case "ed25519":
      return { importing: { name: "Ed25519" }, signing: { name: "Ed25519" } };
    case "ecdsa":
      return {
        importing: { name: "ECDSA", namedCurve: use.curve },
        signing: { name: "ECDSA", hash: CURVE_HASH[use.curve] },
      };
    case "rsa": {
      const name = "RSASSA-PKCS1-v1_5";
      return { importing: { name, hash: RSA_HASH }, signing: { name } };
    }
  }
}

/** Encodes as base64url without padding. */
function encoded(bytes: Uint8Array): string {
  return encodeBase64(bytes).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

function numberOf(bytes: Uint8Array): bigint {
  return bytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
}

function bytesOfNumber(number: bigint): Uint8Array<ArrayBuffer> {
  const hex = number.toString(16);
  const even = hex.padStart(hex.length + (hex.length % 2), "0");
  return Uint8Array.from(even.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16)); // It has a digit.
}

function jsonKey(numbers: PrivateNumbers): JsonWebKey {
  switch (numbers.algorithm) {
    case "ed25519":
      return { kty: "OKP", crv: "Ed25519", x: encoded(numbers.point), d: encoded(numbers.seed) };
    case "ecdsa": {
      const { curve, point, scalar } = numbers;
      const bytes = CURVE_BYTES[curve];
      const [x, y] = [point.subarray(1, 1 + bytes), point.subarray(1 + bytes)];
      return { kty: "EC", crv: curve, x: encoded(x), y: encoded(y), d: encoded(padded(scalar, bytes)) };
    }
    case "rsa": {
      const { modulus, exponent, privateExponent, coefficient } = numbers;
      const [p, q] = numbers.primes;
      const d = numberOf(privateExponent);
      const remainder = (prime: Uint8Array): string => {
        const less = numberOf(prime) - 1n;
        if (less < 1n) throw new NoPrivateKey("numbers that are no key");
        return encoded(bytesOfNumber(d % less));
      };
      return {
        kty: "RSA",
        n: encoded(modulus),
        e: encoded(exponent),
        d: encoded(privateExponent),
        p: encoded(p),
        q: encoded(q),
        dp: remainder(p),
        dq: remainder(q),
        qi: encoded(coefficient),
      };
    }
  }
}

/** Exports a key that the platform has as PKCS #8, in base64. */
export async function exportedSecret(key: CryptoKey): Promise<string> {
  const bytes = await crypto.subtle.exportKey("pkcs8", key);
  if (!(bytes instanceof ArrayBuffer)) throw new Error("a key was not exported as bytes");
  return encodeBase64(new Uint8Array(bytes));
}

/** Returns the numbers of a key as PKCS #8, in base64. @throws NoPrivateKey if the platform takes them for no key */
export async function secretOf(numbers: PrivateNumbers): Promise<string> {
  try {
    const { importing } = namesOf(numbers);
    return await exportedSecret(await crypto.subtle.importKey("jwk", jsonKey(numbers), importing, true, ["sign"]));
  } catch (cause) {
    // The platform throws a DOMException for numbers that are no key.
    if (!(cause instanceof DOMException)) throw cause;
    throw new NoPrivateKey("numbers that are no key", { cause });
  }
}

/** Signs bytes with a key that was opened. */
export type SignBytes = (bytes: Uint8Array) => Promise<Uint8Array<ArrayBuffer>>;

/**
 * Opens a private key. Returns what signs bytes with it: an ECDSA signature is its two numbers, one behind the other, each as
 * long as a coordinate of the curve.
 *
 * @throws DOMException if the secret is no key
 */
export async function openSecret(secret: string, use: KeyUse): Promise<SignBytes> {
  const { importing, signing } = namesOf(use);
  const pkcs8 = decodeBase64(secret) ?? new Uint8Array(0); // What is not base64 is no key.
  const key = await crypto.subtle.importKey("pkcs8", pkcs8, importing, false, ["sign"]);
  return async (bytes) => new Uint8Array(await crypto.subtle.sign(signing, key, bytes.slice()));
}
