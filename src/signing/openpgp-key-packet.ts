/**
 * Packets of OpenPGP public keys and subkeys.
 *
 * ```text
 * body := 4 | u32 created | u8 algorithm | material
 *       | 6 | u32 created | u8 algorithm | u32 length | material
 * ```
 *
 * @packageDocumentation
 * @see RFC 9580 sections 5.5.2 and 5.5.4
 */
import { concat } from "../bytes/chunk.ts";
import { toHex } from "../bytes/hex.ts";
import { MalformedOpenPgp, OpenPgpReader } from "./openpgp-packet.ts";
import { type Curve, CURVE_BYTES, digest, type EcdsaKey, ED25519_BYTES, MOST_RSA_BITS, rsaBits } from "./public-key.ts";
import type { RsaKey } from "./public-key.ts";

/** The numbers of the algorithms whose signatures are verified. */
export const ALGORITHM = { rsa: 1, rsaSign: 3, ecdsa: 19, eddsaLegacy: 22, ed25519: 27 } as const;

/** The key itself. */
export type KeyMaterial = RsaKey | EcdsaKey | { readonly algorithm: "ed25519"; readonly point: Uint8Array };

/** A public key or subkey. */
export type KeyPacket = {
  readonly version: 4 | 6;
  /** The time of its making, in seconds since the epoch. */
  readonly created: number;
  readonly algorithm: number;
  /** The key itself, or `undefined` if its signatures are not verified here, as those of keys for encryption. */
  readonly material: KeyMaterial | undefined;
  /** In lower-case hexadecimal. */
  readonly fingerprint: string;
  readonly keyId: string;
  /** What a hash over the key begins with: a header and the packet's body. */
  readonly hashed: Uint8Array;
};

/** Bits of the smallest RSA modulus that is accepted: some programs made keys of one bit less than they said. */
const LEAST_RSA_BITS = 2047;

/** The object identifiers of curves, in hexadecimal. */
const CURVES: Readonly<Record<string, Curve>> = {
  "2a8648ce3d030107": "P-256",
  "2b81040022": "P-384",
  "2b81040023": "P-521",
};
const ED25519_LEGACY = "2b06010401da470f01";

/** What precedes a point in its native encoding. */
const NATIVE = 0x40;
const UNCOMPRESSED = 0x04;

function readRsa(reader: OpenPgpReader): RsaKey | undefined {
  const [modulus, exponent] = [reader.mpi(), reader.mpi()];
  const bits = rsaBits(modulus);
  return bits < LEAST_RSA_BITS || bits > MOST_RSA_BITS ? undefined : { algorithm: "rsa", modulus, exponent };
}

function readCurvePoint(reader: OpenPgpReader): { readonly oid: string; readonly point: Uint8Array } {
  return { oid: toHex(reader.take(reader.number(1))), point: reader.mpi() };
}

function readEcdsa(reader: OpenPgpReader): EcdsaKey | undefined {
  const { oid, point } = readCurvePoint(reader);
  const curve = CURVES[oid];
  if (curve === undefined) return undefined;
  if (point.length !== 1 + 2 * CURVE_BYTES[curve] || point[0] !== UNCOMPRESSED)
    throw new MalformedOpenPgp("no point of a curve");
  return { algorithm: "ecdsa", curve, point };
}

function readEddsaLegacy(reader: OpenPgpReader): KeyMaterial | undefined {
  const { oid, point } = readCurvePoint(reader);
  if (oid !== ED25519_LEGACY) return undefined;
  if (point.length !== 1 + ED25519_BYTES || point[0] !== NATIVE) throw new MalformedOpenPgp("no point of a curve");
  return { algorithm: "ed25519", point: point.subarray(1) };
}

/** Reads the key itself. What is behind one of another algorithm is not looked at. */
function readMaterial(algorithm: number, version: number, bytes: Uint8Array): KeyMaterial | undefined {
  const reader = new OpenPgpReader(bytes);
  let material: KeyMaterial | undefined;
  switch (algorithm) {
    case ALGORITHM.rsa:
    case ALGORITHM.rsaSign:
      material = readRsa(reader);
      break;
    case ALGORITHM.ecdsa:
      material = readEcdsa(reader);
      break;
    case ALGORITHM.eddsaLegacy:
      // Keys of version 6 must not have this one.
      material = version === 6 ? undefined : readEddsaLegacy(reader);
      break;
    case ALGORITHM.ed25519:
      material = { algorithm: "ed25519", point: reader.take(ED25519_BYTES) };
      break;
    default:
      return undefined;
  }
  if (material !== undefined) reader.end();
  return material;
}

/**
 * Parses the body of a key's packet. Returns `undefined` if it is of a version that is not known.
 *
 * @throws MalformedOpenPgp if it is malformed.
 */
export async function parseKeyPacket(body: Uint8Array): Promise<KeyPacket | undefined> {
  const reader = new OpenPgpReader(body);
  const version = reader.number(1);
  if (version !== 4 && version !== 6) return undefined;
  const [created, algorithm] = [reader.number(4), reader.number(1)];
  if (version === 6 && reader.number(4) !== body.length - reader.offset)
    throw new MalformedOpenPgp("a key of another length");
  const material = readMaterial(algorithm, version, reader.rest());
  const hashed = keyHashInput(version, body);
  const fingerprint = toHex(await digest(version === 6 ? "SHA-256" : "SHA-1", hashed));
  const keyId = version === 6 ? fingerprint.slice(0, 16) : fingerprint.slice(-16);
  return { version, created, algorithm, material, fingerprint, keyId, hashed };
}

/** Returns a key's body behind the header with which it is hashed. */
function keyHashInput(version: 4 | 6, body: Uint8Array): Uint8Array<ArrayBuffer> {
  const header = new Uint8Array(version === 6 ? 5 : 3);
  const view = new DataView(header.buffer);
  header[0] = 0x95 + version;
  if (version === 6) view.setUint32(1, body.length);
  else view.setUint16(1, body.length);
  return concat([header, body]);
}
