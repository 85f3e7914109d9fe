/**
 * Packets of OpenPGP signatures: parsed, and verified over what they sign.
 *
 * ```text
 * body      := version | type | algorithm | hash | length | subpackets     hashed: these have been signed
 *            | length | subpackets                                         not hashed: anybody may have added them
 *            | the digest's first two bytes | (version 6: u8 length | salt) | value
 * subpacket := length | critical (1 bit) type (7 bits) | data
 * signed    := salt | what is signed | the hashed part | version | ff | u32 length of the hashed part
 * ```
 *
 * @packageDocumentation
 * @see RFC 9580 section 5.2
 */
import { u8OrNul } from "../bytes/assert.ts";
import { concat, equal } from "../bytes/chunk.ts";
import { toHex } from "../bytes/hex.ts";
import { ALGORITHM, type KeyPacket } from "./openpgp-key-packet.ts";
import { MalformedOpenPgp, OpenPgpReader } from "./openpgp-packet.ts";
import { digest, ED25519_BYTES, type HashName, padded, verifyEcdsa, verifyEd25519, verifyRsa } from "./public-key.ts";

/** The types of signatures. */
export const SIGNATURE = {
  binary: 0x00,
  text: 0x01,
  genericCertification: 0x10,
  positiveCertification: 0x13,
  subkeyBinding: 0x18,
  keyBinding: 0x19,
  directKey: 0x1f,
  keyRevocation: 0x20,
  subkeyRevocation: 0x28,
  certificationRevocation: 0x30,
} as const;

/** The types of subpackets that are looked at. */
export const SUBPACKET = {
  created: 2,
  expires: 3,
  keyExpires: 9,
  revocationKey: 12,
  issuer: 16,
  notation: 20,
  primaryUserId: 25,
  keyFlags: 27,
  revocationReason: 29,
  embedded: 32,
  issuerFingerprint: 33,
} as const;

/** The types of subpackets that RFC 9580 names: others make a signature invalid if they are critical. */
const KNOWN = new Set([
  2, 3, 4, 5, 6, 7, 9, 11, 12, 16, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 39,
]);

/** Those that are looked at where they are not hashed: a wrong one does no harm. */
const ADVISORY: ReadonlySet<number> = new Set([SUBPACKET.issuer, SUBPACKET.issuerFingerprint, SUBPACKET.embedded]);

/** Reasons for which a key is no longer used, but may be trusted for what it signed before. */
const SOFT_REASONS: ReadonlySet<number> = new Set([1, 3, 32]);

/** The flag of a key that may sign data. */
const SIGNS_DATA = 0x02;

/** The hash functions by their numbers; the others are too weak, or not at the platform. */
export const HASHES: Readonly<Record<number, HashName>> = { 2: "SHA-1", 8: "SHA-256", 9: "SHA-384", 10: "SHA-512" };
const SALT_BYTES: Readonly<Record<HashName, number>> = { "SHA-1": 0, "SHA-256": 16, "SHA-384": 24, "SHA-512": 32 };

/** What subpackets say. Times are in seconds. */
type Claims = {
  created?: number;
  /** Seconds from `created`; 0 if it never expires. */
  expiresAfter: number;
  /** Seconds from when the key was made; 0 if it never expires. */
  keyExpiresAfter: number;
  issuer?: string;
  isPrimaryUserId: boolean;
  signsData: boolean;
  isSoftRevocation: boolean;
  /** Whether it makes a demand that can't be met here. */
  isUnusable: boolean;
  embedded?: SignaturePacket;
};

/** A signature. */
export type SignaturePacket = Readonly<Omit<Claims, "created">> & {
  readonly version: number;
  readonly type: number;
  readonly algorithm: number;
  readonly hash: HashName | undefined;
  readonly created: number;
  /** The part that is signed, too. */
  readonly hashedPart: Uint8Array;
  readonly digestStart: Uint8Array;
  readonly salt: Uint8Array;
  /** The numbers that are its value: none if the algorithm is not known. */
  readonly value: readonly Uint8Array[];
};

/** Takes over what a subpacket says. */
function readSubpacket(claims: Claims, type: number, data: Uint8Array, version: number): void {
  const reader = new OpenPgpReader(data);
  switch (type) {
    case SUBPACKET.created:
      claims.created = reader.number(4);
      break;
    case SUBPACKET.expires:
      claims.expiresAfter = reader.number(4);
      break;
    case SUBPACKET.keyExpires:
      claims.keyExpiresAfter = reader.number(4);
      break;
    case SUBPACKET.issuer:
      // A fingerprint says more, and is what version 6 has.
      if (version === 4) claims.issuer ??= reader.keyId();
      break;
    case SUBPACKET.issuerFingerprint: {
      const of = reader.number(1);
      const fingerprint = toHex(reader.rest());
      claims.issuer = of === 4 ? fingerprint.slice(-16) : fingerprint.slice(0, 16);
      break;
    }
    case SUBPACKET.primaryUserId:
      claims.isPrimaryUserId = reader.number(1) !== 0;
      break;
    case SUBPACKET.keyFlags:
      claims.signsData = (u8OrNul(data, 0) & SIGNS_DATA) !== 0;
      break;
    case SUBPACKET.revocationReason:
      claims.isSoftRevocation = SOFT_REASONS.has(reader.number(1));
      break;
    case SUBPACKET.revocationKey:
      // The key that may revoke this one is not here, so nobody could know.
      claims.isUnusable = true;
      break;
  }
}

/** How the parts of a signature are read: with what is said so far, and whether they are hashed. */
type Reading = { readonly version: number; readonly isHashed: boolean; readonly isEmbedded: boolean };

function readSubpackets(claims: Claims, bytes: Uint8Array, reading: Reading): void {
  const reader = new OpenPgpReader(bytes);
  while (!reader.isAtEnd) {
    const body = new OpenPgpReader(reader.take(reader.length(reader.number(1))));
    const head = body.number(1);
    const [isCritical, type] = [head >= 0x80, head & 0x7f];
    if (!reading.isHashed && !ADVISORY.has(type)) continue;
    // No notation is known here.
    if (isCritical && (!KNOWN.has(type) || type === SUBPACKET.notation)) claims.isUnusable = true;
    const data = body.rest();
    // Only a binding has one, and that has none.
    if (type !== SUBPACKET.embedded) readSubpacket(claims, type, data, reading.version);
    else if (!reading.isEmbedded) setEmbedded(claims, data);
  }
}

function setEmbedded(claims: Claims, data: Uint8Array): void {
  const embedded = readSignature(data, true);
  if (embedded !== undefined) claims.embedded = embedded;
}

/**
 * Parses the body of a signature's packet. Returns `undefined` if it is of a version that is not known.
 *
 * @throws MalformedOpenPgp if it is malformed.
 */
export function parseSignaturePacket(body: Uint8Array): SignaturePacket | undefined {
  return readSignature(body, false);
}

function readSignature(body: Uint8Array, isEmbedded: boolean): SignaturePacket | undefined {
  const reader = new OpenPgpReader(body);
  const version = reader.number(1);
  if (version !== 4 && version !== 6) return undefined;
  const [type, algorithm, hash] = [reader.number(1), reader.number(1), reader.number(1)];
  const lengthBytes = version === 6 ? 4 : 2;
  const said: Claims = {
    expiresAfter: 0,
    keyExpiresAfter: 0,
    isPrimaryUserId: false,
    signsData: false,
    isSoftRevocation: false,
    isUnusable: false,
  };
  readSubpackets(said, reader.take(reader.number(lengthBytes)), { version, isHashed: true, isEmbedded });
  const hashedPart = body.subarray(0, reader.offset);
  readSubpackets(said, reader.take(reader.number(lengthBytes)), { version, isHashed: false, isEmbedded });
  const digestStart = reader.take(2);
  const salt = reader.take(version === 6 ? reader.number(1) : 0);
  const { created, ...claims } = said;
  if (created === undefined) throw new MalformedOpenPgp("a signature without a time");
  const parts = { hashedPart, digestStart, salt, value: readValue(algorithm, reader.rest()) };
  return { version, type, algorithm, hash: HASHES[hash], created, ...claims, ...parts };
}

/** Returns all that is hashed for a signature over some bytes. */
export function hashInput(
  { version, salt, hashedPart }: Pick<SignaturePacket, "version" | "salt" | "hashedPart">,
  signed: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const trailer = new Uint8Array(6);
  trailer[0] = version;
  trailer[1] = 0xff;
  new DataView(trailer.buffer).setUint32(2, hashedPart.length);
  return concat([salt, signed, hashedPart, trailer]);
}

/** Reads a signature's value: one number for RSA, and two for a point of a curve. */
function readValue(algorithm: number, bytes: Uint8Array): readonly Uint8Array[] {
  const reader = new OpenPgpReader(bytes);
  let value: readonly Uint8Array[];
  switch (algorithm) {
    case ALGORITHM.rsa:
    case ALGORITHM.rsaSign:
      value = [reader.mpi()];
      break;
    case ALGORITHM.ecdsa:
    case ALGORITHM.eddsaLegacy:
      value = [reader.mpi(), reader.mpi()];
      break;
    case ALGORITHM.ed25519:
      value = [reader.take(ED25519_BYTES), reader.take(ED25519_BYTES)];
      break;
    default:
      return [];
  }
  reader.end();
  return value;
}

/** Whether the signature's value is that of the key over the hashed bytes. */
async function verifyValue({ material }: KeyPacket, { value }: SignaturePacket, hashed: Hashed): Promise<boolean> {
  const [r, s = new Uint8Array()] = value;
  if (material === undefined || r === undefined) return false;
  switch (material.algorithm) {
    case "rsa":
      return await verifyRsa(material, hashed.hash, r, hashed.input);
    case "ecdsa":
      return await verifyEcdsa(material, hashed.hash, { r, s }, hashed.input);
    case "ed25519": {
      const signature = concat([padded(r, ED25519_BYTES), padded(s, ED25519_BYTES)]);
      return hashed.hash !== "SHA-1" && (await verifyEd25519(material.point, signature, hashed.digest));
    }
  }
}

/** What was hashed, and its digest. */
type Hashed = { readonly hash: HashName; readonly input: Uint8Array; readonly digest: Uint8Array };

/** Whether a signature is in force at a time, in seconds since the epoch. */
function isInForce({ created, expiresAfter }: SignaturePacket, at: number): boolean {
  return created <= at && (expiresAfter === 0 || at < created + expiresAfter);
}

/** Whether a signature says that a key made it, in the way in which that key makes signatures. */
export function isBy({ issuer, version, algorithm }: SignaturePacket, key: KeyPacket): boolean {
  return issuer === key.keyId && version === key.version && algorithm === key.algorithm;
}

/** Whether all demands of a signature can be met, and its hash function is strong enough for what it signs. */
function isAcceptable({ type, version, salt, isUnusable }: SignaturePacket, hash: HashName): boolean {
  const isOfMessage = type === SIGNATURE.binary || type === SIGNATURE.text;
  // Keys of years ago have been certified with SHA-1. What they sign today must not be.
  if (isUnusable || (hash === "SHA-1" && isOfMessage)) return false;
  return version === 4 || salt.length === SALT_BYTES[hash];
}

/**
 * Whether a key made a signature over some bytes, and it is in force at a time. Without a time, it may be of any.
 *
 * @param at - In seconds since the epoch.
 */
export async function verifySignaturePacket(
  signature: SignaturePacket,
  key: KeyPacket,
  signed: Uint8Array,
  at: number | undefined,
): Promise<boolean> {
  const { hash } = signature;
  if (hash === undefined || !isAcceptable(signature, hash) || !isBy(signature, key)) return false;
  if (at !== undefined && !isInForce(signature, at)) return false;
  const input = hashInput(signature, signed);
  const hashed = { hash, input, digest: await digest(hash, input) };
  if (!equal(hashed.digest.subarray(0, 2), signature.digestStart)) return false;
  try {
    return await verifyValue(key, signature, hashed);
  } catch (error) {
    // The platform throws a DOMException for numbers that are not a key or not a signature.
    if (error instanceof DOMException) return false;
    throw error;
  }
}
