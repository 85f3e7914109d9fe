/**
 * OpenPGP signatures of pushes, and the keys that make them: what gpg and git know as `gpg.format=openpgp`.
 *
 * Verified are RSA, ECDSA on NIST's curves and Ed25519, in versions 4 and 6, with SHA-2.
 *
 * @packageDocumentation
 * @see RFC 9580
 */
import { type Certificate, hasSigningKey, keyWithId, parseCertificate } from "./openpgp-certificate.ts";
import { decodeArmour, encodeArmour, MalformedOpenPgp, parsePackets, TAG } from "./openpgp-packet.ts";
import {
  parseSignaturePacket,
  SIGNATURE,
  type SignaturePacket,
  verifySignaturePacket,
} from "./openpgp-signature-packet.ts";

/** The result of verifying a signature. `fingerprint` is that of the registered key that made it. */
export type OpenPgpVerdict =
  | { readonly kind: "good"; readonly fingerprint: string }
  | { readonly kind: "bad" }
  | { readonly kind: "unknown-key" };

/** A key's fingerprint in upper-case hexadecimal, and the key itself, armoured anew. */
export type OpenPgpKey = { readonly fingerprint: string; readonly armoured: string };

/** The most signatures of one armour that are looked at: each costs as much as the first. */
const MOST_SIGNATURES = 8;

const seconds = (date: Date): number => Math.floor(date.getTime() / 1000);

/** Returns what `work` returns, or `undefined` if the text is malformed. */
async function unlessMalformed<T>(work: () => T | Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof MalformedOpenPgp) return undefined;
    throw error;
  }
}

const readCertificate = async (armoured: string): Promise<Certificate> =>
  await parseCertificate(decodeArmour(armoured, "PUBLIC KEY BLOCK"));

/** Parses a public key. Returns `undefined` if it is malformed, is a private key, or cannot sign at `now`. */
export async function readOpenPgpKey(armoured: string, now: Date): Promise<OpenPgpKey | undefined> {
  const certificate = await unlessMalformed(async () => await readCertificate(armoured));
  if (certificate === undefined || !(await hasSigningKey(certificate, undefined, seconds(now)))) return undefined;
  const { primary, bytes } = certificate;
  return { fingerprint: primary.fingerprint.toUpperCase(), armoured: encodeArmour(bytes, "PUBLIC KEY BLOCK") };
}

/** Returns the signatures over data in an armoured block. @throws MalformedOpenPgp */
function readSignatures(armoured: string): SignaturePacket[] {
  const packets = parsePackets(decodeArmour(armoured, "SIGNATURE"));
  const signatures = packets.flatMap(({ tag, body }) => {
    const signature = tag === TAG.signature ? parseSignaturePacket(body) : undefined;
    return signature === undefined ? [] : [signature];
  });
  return signatures.filter(({ type }) => type === SIGNATURE.binary || type === SIGNATURE.text);
}

const [LF, CR] = [0x0a, 0x0d];

/** Returns a message as a signature of text signs it: its lines end with CR and LF. */
function withTextLines(message: Uint8Array): Uint8Array {
  const isBare = (byte: number, at: number): boolean => byte === LF && message[at - 1] !== CR;
  const added = message.reduce((sum, byte, at) => sum + Number(isBare(byte, at)), 0);
  const text = new Uint8Array(message.length + added);
  let to = 0;
  message.forEach((byte, at) => {
    if (isBare(byte, at)) text[to++] = CR;
    text[to++] = byte;
  });
  return text;
}

/** Whether a signature by a certificate's key is valid, and was made while that key might sign. */
async function isGood(
  signature: SignaturePacket,
  certificate: Certificate,
  message: Uint8Array,
  now: number,
): Promise<boolean> {
  const key = keyWithId(certificate, signature.issuer);
  if (key === undefined || key.created > signature.created) return false;
  const signed = signature.type === SIGNATURE.text ? withTextLines(message) : message;
  if (!(await verifySignaturePacket(signature, key, signed, now))) return false;
  return await hasSigningKey(certificate, key.keyId, signature.created);
}

/**
 * Verifies a detached, armoured signature over `message` with those of the armoured `keys` that the signature names.
 */
export async function verifyOpenPgpSignature(
  armoured: string,
  message: Uint8Array,
  { keys, now }: { readonly keys: readonly string[]; readonly now: Date },
): Promise<OpenPgpVerdict> {
  const signatures = (await unlessMalformed(() => readSignatures(armoured))) ?? [];
  if (signatures.length === 0) return { kind: "bad" };
  const certificates: Certificate[] = [];
  for (const key of keys) {
    const certificate = await unlessMalformed(async () => await readCertificate(key));
    if (certificate !== undefined) certificates.push(certificate);
  }
  let isKnown = false;
  for (const signature of signatures.slice(0, MOST_SIGNATURES)) {
    const certificate = certificates.find((each) => keyWithId(each, signature.issuer) !== undefined);
    if (certificate === undefined) continue;
    isKnown = true;
    if (await isGood(signature, certificate, message, seconds(now)))
      return { kind: "good", fingerprint: certificate.primary.fingerprint.toUpperCase() };
  }
  return { kind: isKnown ? "bad" : "unknown-key" };
}
