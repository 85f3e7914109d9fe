/**
 * Private keys of OpenPGP, as `gpg --armor --export-secret-keys` writes those that have no passphrase.
 *
 * ```text
 * body    := the body of the public key | u8 usage | …
 * usage   := 0: numbers | u16 their sum                                     not protected
 *          | 253 … 255: u8 cipher | 101 | u8 hash | "GNU" 1                 not here: gpg's mark for a key that is elsewhere
 *          | any other: protected by a passphrase
 * numbers := mpi d | mpi p | mpi q | mpi u (the inverse of p modulo q)      RSA
 *          | mpi scalar                                                     ECDSA; Ed25519 as gpg has it
 *          | 32 bytes                                                       Ed25519 of RFC 9580
 * ```
 *
 * @packageDocumentation
 * @see RFC 9580 sections 5.5.3 and 3.7, GnuPG's DETAILS
 */
import { concat, equal } from "../bytes/chunk.ts";
import { countOwnSignatures, hasSigningKey, keyWithId, parseCertificate } from "./openpgp-certificate.ts";
import { ALGORITHM, type KeyMaterial, type KeyPacket, parseKeyPacket } from "./openpgp-key-packet.ts";
import {
  decodeArmour,
  encodeArmour,
  encodePacket,
  MalformedOpenPgp,
  OpenPgpReader,
  type OpenPgpPacket,
  parsePackets,
  TAG,
} from "./openpgp-packet.ts";
import { MOST_SIGNING_BITS, NoPrivateKey, type PrivateNumbers, secretOf } from "./private-key.ts";
import { ED25519_BYTES, padded, rsaBits } from "./public-key.ts";
import type { NewSigner } from "./signing-key.ts";

/** The numbers of the algorithms of keys for encryption and of old keys, whose private halves are passed over. */
const OTHER = { rsaEncrypt: 2, elgamal: 16, dsa: 17, ecdh: 18, x25519: 25, x448: 26, ed448: 28 } as const;
/** Bytes of points that have a size of their own. */
const POINT_BYTES: Readonly<Record<number, number>> = {
  [ALGORITHM.ed25519]: 32,
  [OTHER.x25519]: 32,
  [OTHER.x448]: 56,
  [OTHER.ed448]: 57,
};
/** The most signatures of the primary key on its own users and subkeys: each may have to be verified for each request that signs. */
export const MOST_OWN_SIGNATURES = 64;
const GNU_S2K = 101;
const GNU = new TextEncoder().encode("GNU\x01");
const UNPROTECTED = 0;

/** A key of a certificate with what is known of its private half. */
type SecretKey = {
  readonly key: KeyPacket;
  /** `protected`: a passphrase would open it; `absent`: it is elsewhere. */
  readonly secret: Uint8Array | "protected" | "absent";
};

function skipMpis(reader: OpenPgpReader, count: number): void {
  for (let at = 0; at < count; at++) reader.mpi();
}

/** Passes over the public numbers of a key. @throws MalformedOpenPgp if the algorithm is not known */
function skipPublic(reader: OpenPgpReader, algorithm: number): void {
  switch (algorithm) {
    case ALGORITHM.rsa:
    case ALGORITHM.rsaSign:
    case OTHER.rsaEncrypt:
      return skipMpis(reader, 2);
    case OTHER.elgamal:
      return skipMpis(reader, 3);
    case OTHER.dsa:
      return skipMpis(reader, 4);
    case ALGORITHM.ecdsa:
    case ALGORITHM.eddsaLegacy:
    case OTHER.ecdh:
      reader.take(reader.number(1));
      skipMpis(reader, 1);
      if (algorithm === OTHER.ecdh) reader.take(reader.number(1));
      return;
    default: {
      const bytes = POINT_BYTES[algorithm];
      if (bytes === undefined) throw new MalformedOpenPgp("with a key of an algorithm that is not known here");
      reader.take(bytes);
    }
  }
}

/** Returns what stands behind the public half: the secret numbers, if they are not protected. */
function readProtection(reader: OpenPgpReader): SecretKey["secret"] {
  if (reader.number(1) === UNPROTECTED) {
    const rest = reader.rest();
    const numbers = rest.subarray(0, Math.max(0, rest.length - 2));
    const sum = numbers.reduce((total, byte) => (total + byte) & 0xffff, 0);
    const [high, low] = rest.subarray(numbers.length);
    if (high !== sum >>> 8 || low !== (sum & 0xff)) throw new MalformedOpenPgp("with a wrong checksum");
    return numbers;
  }
  const [, kind] = [reader.number(1), reader.number(1)];
  if (kind !== GNU_S2K) return "protected";
  reader.number(1);
  return equal(reader.take(GNU.length), GNU) ? "absent" : "protected";
}

/** Splits the packet of a private key into the body of the public one, and the rest. */
function splitKey(body: Uint8Array): { readonly publicBody: Uint8Array; readonly secret: SecretKey["secret"] } {
  const reader = new OpenPgpReader(body);
  if (reader.number(1) !== 4) throw new MalformedOpenPgp("of a version that does not sign here: it has to be 4");
  reader.take(4);
  skipPublic(reader, reader.number(1));
  const publicBody = body.subarray(0, reader.offset);
  return { publicBody, secret: readProtection(reader) };
}

/** The public certificate of a private key, and the private halves that it has. */
type OpenedKey = { readonly certificate: Uint8Array; readonly keys: readonly SecretKey[] };

/** Reads the first key of some packets. */
async function openKey(packets: readonly OpenPgpPacket[]): Promise<OpenedKey> {
  const first = packets.findIndex(({ tag }) => tag === TAG.secretKey);
  const next = packets.findIndex(({ tag }, at) => tag === TAG.secretKey && at > first);
  const own = first < 0 ? [] : packets.slice(first, next < 0 ? packets.length : next);
  const parts: Uint8Array[] = [];
  const keys: SecretKey[] = [];
  for (const { tag, body, whole } of own) {
    const isPrimary = tag === TAG.secretKey;
    if (!isPrimary && tag !== TAG.secretSubkey) {
      parts.push(whole);
      continue;
    }
    const { publicBody, secret } = splitKey(body);
    parts.push(encodePacket(isPrimary ? TAG.publicKey : TAG.publicSubkey, publicBody));
    const key = await parseKeyPacket(publicBody);
    if (key !== undefined) keys.push({ key, secret });
  }
  return { certificate: concat(parts), keys };
}

/** Reads the private numbers of a key. */
function readNumbers(material: KeyMaterial, algorithm: number, bytes: Uint8Array): PrivateNumbers {
  const reader = new OpenPgpReader(bytes);
  switch (material.algorithm) {
    case "ed25519": {
      const isNative = algorithm === ALGORITHM.ed25519;
      const seed = isNative ? reader.take(ED25519_BYTES) : padded(reader.mpi(), ED25519_BYTES);
      return { algorithm: "ed25519", point: material.point, seed };
    }
    case "ecdsa":
      return { ...material, scalar: reader.mpi() };
    case "rsa": {
      if (rsaBits(material.modulus) > MOST_SIGNING_BITS)
        throw new NoPrivateKey(`an RSA key of more than ${MOST_SIGNING_BITS} bits`);
      const [privateExponent, p, q, coefficient] = [reader.mpi(), reader.mpi(), reader.mpi(), reader.mpi()];
      // OpenPGP has the inverse of the first prime modulo the second, and JSON Web Keys that of the second modulo the first.
      return { ...material, privateExponent, primes: [q, p], coefficient };
    }
  }
}

/** Finds the newest subkey that may sign and whose private half is here, or else the primary key. */
async function findSigner({ certificate, keys }: OpenedKey, now: number): Promise<SecretKey> {
  const parsed = await parseCertificate(certificate);
  if (countOwnSignatures(parsed) > MOST_OWN_SIGNATURES)
    throw new NoPrivateKey(`one that has signed itself more than ${MOST_OWN_SIGNATURES} times`);
  const [primary, ...subkeys] = keys;
  const ordered = [...subkeys.toSorted((a, b) => b.key.created - a.key.created), ...(primary === undefined ? [] : [primary])]; // prettier-ignore
  let isProtected = false;
  for (const each of ordered) {
    const { keyId } = each.key;
    if (each.secret === "absent" || keyWithId(parsed, keyId) === undefined) continue;
    if (!(await hasSigningKey(parsed, keyId, now))) continue;
    if (each.secret !== "protected") return each;
    isProtected = true;
  }
  if (isProtected) throw new NoPrivateKey("protected by a passphrase, which nobody could give here");
  throw new NoPrivateKey("one of which nothing can sign now");
}

/**
 * Reads a private key. Whether its halves belong together is not looked at. What signs is its newest subkey that may, or else the primary key, as with gpg.
 *
 * @param now - In milliseconds since the epoch.
 * @throws MalformedOpenPgp, NoPrivateKey if it is none that signs here. The message says why, and is the end of a sentence.
 */
export async function readOpenPgpPrivateKey(armoured: string, now: number): Promise<NewSigner> {
  const opened = await openKey(parsePackets(decodeArmour(armoured, "PRIVATE KEY BLOCK")));
  const { key, secret } = await findSigner(opened, Math.floor(now / 1000));
  if (key.material === undefined || typeof secret === "string") throw new NoPrivateKey("one of which nothing can sign");
  const { primary, bytes } = await parseCertificate(opened.certificate);
  const pkcs8 = await secretOf(readNumbers(key.material, key.algorithm, secret));
  return {
    kind: "openpgp",
    secret: `${key.fingerprint} ${pkcs8}`,
    publicKey: encodeArmour(bytes, "PUBLIC KEY BLOCK"),
    fingerprint: primary.fingerprint.toUpperCase(),
  };
}
