/**
 * Makes OpenPGP signatures, as `gpg --detach-sign --armor` does.
 *
 * ```text
 * hashed part := 4 | 0 | algorithm | hash | u16 length | fingerprint of the key | when
 * the rest    := u16 length | id of the key | the digest's first two bytes | value
 * ```
 *
 * @packageDocumentation
 * @see RFC 9580 section 5.2.3
 */
import { concat } from "../bytes/chunk.ts";
import { fromHex } from "../bytes/hex.ts";
import { hasSigningKey, parseCertificate } from "./openpgp-certificate.ts";
import { ALGORITHM, type KeyMaterial, type KeyPacket } from "./openpgp-key-packet.ts";
import { decodeArmour, encodeArmour, encodeMpi, encodePacket, MalformedOpenPgp, TAG } from "./openpgp-packet.ts";
import { HASHES, hashInput, SIGNATURE, SUBPACKET } from "./openpgp-signature-packet.ts";
import { CURVE_HASH, NoPrivateKey, openSecret, RSA_HASH, type SignBytes } from "./private-key.ts";
import { CURVE_BYTES, digest, ED25519_BYTES, type HashName } from "./public-key.ts";
import type { HostSigner, SignMessage } from "./signing-key.ts";

const VERSION = 4;
const SECOND = 1000;

function hashOf(material: KeyMaterial): HashName {
  return material.algorithm === "ecdsa" ? CURVE_HASH[material.curve] : RSA_HASH;
}

function numberOf(hash: HashName): number {
  const found = Object.entries(HASHES).find(([, name]) => name === hash);
  return Number(found?.[0]);
}

function u32(number: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, number);
  return bytes;
}

/** Encodes a subpacket, which is short. */
function subpacket(type: number, ...data: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const body = concat(data);
  return concat([Uint8Array.of(body.length + 1, type), body]);
}

/** Encodes subpackets behind their length, which is short. */
function subpackets(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const body = concat(parts);
  return concat([Uint8Array.of(0, body.length), body]);
}

function rawFingerprint({ fingerprint }: KeyPacket): Uint8Array {
  return fromHex(fingerprint) ?? new Uint8Array(0); // It is hexadecimal.
}

/** Returns the value of a signature in OpenPGP's form. Ed25519 signs the digest, the others what is hashed. */
async function valueOf(
  sign: SignBytes,
  { algorithm, material }: KeyPacket,
  hashed: { readonly input: Uint8Array; readonly digest: Uint8Array },
): Promise<Uint8Array> {
  if (material === undefined) throw new NoPrivateKey("one of which nothing can sign");
  const isDigest = material.algorithm === "ed25519";
  const value = await sign(isDigest ? hashed.digest : hashed.input);
  if (algorithm === ALGORITHM.ed25519) return value;
  if (material.algorithm === "rsa") return encodeMpi(value);
  const half = material.algorithm === "ecdsa" ? CURVE_BYTES[material.curve] : ED25519_BYTES;
  return concat([encodeMpi(value.subarray(0, half)), encodeMpi(value.subarray(half))]);
}

/**
 * Opens a key. Returns what signs messages with it. The certificate is verified here and not for each of them: that takes as
 * long as hundreds of signatures.
 *
 * @param now - In milliseconds since the epoch.
 * @throws NoPrivateKey if the key may not sign at that time, because it has expired.
 */
export async function openOpenPgpSigner(
  { secret, publicKey }: Pick<HostSigner, "secret" | "publicKey">,
  now: number,
): Promise<SignMessage> {
  const [fingerprint, pkcs8 = ""] = secret.split(" ");
  const seconds = Math.floor(now / SECOND);
  const certificate = await parseCertificate(decodeArmour(publicKey, "PUBLIC KEY BLOCK"));
  const keys = [certificate.primary, ...certificate.subkeys.map(({ key }) => key)];
  const key = keys.find((each) => each.fingerprint === fingerprint);
  if (key?.material === undefined) throw new MalformedOpenPgp("a certificate without its key");
  if (!(await hasSigningKey(certificate, key.keyId, seconds))) throw new NoPrivateKey("one that may not sign any more");
  const material = key.material;
  const sign = await openSecret(pkcs8, material);
  return async (message, at) => await signedMessage({ key, material, sign }, message, Math.floor(at / SECOND));
}

/** A key that was opened. */
type OpenKey = { readonly key: KeyPacket; readonly material: KeyMaterial; readonly sign: SignBytes };

async function signedMessage({ key, material, sign }: OpenKey, message: Uint8Array, seconds: number): Promise<string> {
  const hash = hashOf(material);
  const hashedPart = concat([
    Uint8Array.of(VERSION, SIGNATURE.binary, key.algorithm, numberOf(hash)),
    subpackets(
      subpacket(SUBPACKET.issuerFingerprint, Uint8Array.of(key.version), rawFingerprint(key)),
      subpacket(SUBPACKET.created, u32(seconds)),
    ),
  ]);
  const input = hashInput({ version: VERSION, salt: new Uint8Array(0), hashedPart }, message);
  const hashed = { input, digest: await digest(hash, input) };
  const issuer = subpackets(subpacket(SUBPACKET.issuer, rawFingerprint(key).subarray(-8)));
  const body = concat([hashedPart, issuer, hashed.digest.subarray(0, 2), await valueOf(sign, key, hashed)]);
  return encodeArmour(encodePacket(TAG.signature, body), "SIGNATURE");
}
