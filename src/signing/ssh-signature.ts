/**
 * SSH signatures, as `ssh-keygen -Y sign` makes them for git.
 *
 * ```text
 * signature := "SSHSIG" | u32 1 | string key | string namespace | string reserved | string hash | string inner
 * inner     := string type | string blob | …
 * signed    := "SSHSIG" | string namespace | string reserved | string hash | string digest of the message
 * ```
 *
 * @packageDocumentation
 * @see OpenSSH's PROTOCOL.sshsig and PROTOCOL.u2f
 */
import { u8OrNul } from "../bytes/assert.ts";
import { concat } from "../bytes/chunk.ts";
import { digest, verifyEcdsa, verifyEd25519, verifyRsa } from "./public-key.ts";
import { ECDSA_CURVES, parseSshKey, type SshEcdsaKey, type SshKey } from "./ssh-key.ts";
import { decodeBase64, encodeSshString, MalformedSsh, SshReader } from "./ssh-reader.ts";

/** How signatures, and what is signed, begin. */
export const SSHSIG_MAGIC = "SSHSIG";
/** The namespace of git's SSH signatures. */
export const GIT_NAMESPACE = "git";
const ARMOUR = /^-----BEGIN SSH SIGNATURE-----\r?\n([A-Za-z0-9+/=\r\n]+)\r?\n-----END SSH SIGNATURE-----\s*$/;
const HASHES = { sha256: "SHA-256", sha512: "SHA-512" } as const;
/** The flag of a security key that says that somebody touched it. */
const USER_PRESENT = 1;

/** What a key has signed with. Its byte fields are views. */
export type SshSignatureValue = {
  readonly type: string;
  readonly blob: Uint8Array;
  /** The five bytes that a security key adds: its flags and a counter. */
  readonly token?: Uint8Array;
};

/** A parsed signature. Its byte fields are views of the decoded armour. */
export type SshSignature = SshSignatureValue & {
  /** The public key in SSH's binary form, as {@link parseSshKey} reads it. */
  readonly key: Uint8Array;
  readonly namespace: string;
  readonly reserved: Uint8Array;
  readonly hash: keyof typeof HASHES;
};

function isHash(name: string): name is keyof typeof HASHES {
  return Object.hasOwn(HASHES, name);
}

/** Parses an armoured signature. @throws MalformedSsh if it is malformed. */
export function parseSshSignature(armoured: string): SshSignature {
  const bytes = decodeBase64(ARMOUR.exec(armoured)?.[1] ?? "!");
  if (bytes === undefined) throw new MalformedSsh("no armoured signature");
  const reader = new SshReader(bytes);
  if (new TextDecoder().decode(reader.take(SSHSIG_MAGIC.length)) !== SSHSIG_MAGIC)
    throw new MalformedSsh("no SSH signature");
  if (reader.number() !== 1) throw new MalformedSsh("a signature of another version");
  const [key, namespace, reserved, hash] = [reader.string(), reader.text(), reader.string(), reader.text()];
  if (!isHash(hash)) throw new MalformedSsh("a hash that is not known");
  const value = parseSshSignatureValue(reader.string());
  reader.end();
  return { key, namespace, reserved, hash, ...value };
}

/** Parses what a key has signed with. @throws MalformedSsh if it is malformed. */
export function parseSshSignatureValue(bytes: Uint8Array): SshSignatureValue {
  const reader = new SshReader(bytes);
  const [type, blob] = [reader.text(), reader.string()];
  const token = type.startsWith("sk-") ? reader.take(5) : undefined;
  reader.end();
  return { type, blob, ...(token === undefined ? {} : { token }) };
}

/**
 * Whether a signature, by the key that it names, is valid for `message` and a namespace.
 *
 * @throws MalformedSsh or DOMException if the key or the signature is malformed.
 */
export async function verifySshSignature(
  signature: SshSignature,
  message: Uint8Array,
  namespace: string,
): Promise<boolean> {
  // A signature for another purpose, such as for a file, does not sign a push.
  if (signature.namespace !== namespace) return false;
  const signed = concat([
    new TextEncoder().encode(SSHSIG_MAGIC),
    encodeSshString(signature.namespace),
    encodeSshString(signature.reserved),
    encodeSshString(signature.hash),
    encodeSshString(await digest(HASHES[signature.hash], message)),
  ]);
  return await verifySshSignatureValue(parseSshKey(signature.key), signature, signed);
}

/**
 * Whether a key has signed these bytes. A security key counts only if somebody touched it.
 *
 * @throws MalformedSsh or DOMException if the key or the signature is malformed.
 */
export async function verifySshSignatureValue(
  key: SshKey,
  value: SshSignatureValue,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<boolean> {
  const { token } = value;
  if ((key.application === undefined) !== (token === undefined)) return false;
  if (key.application === undefined || token === undefined) return await verifyWith(key, value, bytes);
  if ((u8OrNul(token, 0) & USER_PRESENT) === 0) return false;
  const application = await digest("SHA-256", new TextEncoder().encode(key.application));
  return await verifyWith(key, value, concat([application, token, await digest("SHA-256", bytes)]));
}

async function verifyWith(
  key: SshKey,
  { type, blob }: SshSignatureValue,
  signed: Uint8Array<ArrayBuffer>,
): Promise<boolean> {
  const prefix = key.application === undefined ? "" : "sk-";
  switch (key.algorithm) {
    case "ed25519":
      return (
        type === (prefix === "" ? "ssh-ed25519" : "sk-ssh-ed25519@openssh.com") && verifyEd25519(key.key, blob, signed)
      );
    case "rsa": {
      // The signature type `ssh-rsa` uses SHA-1, so it is not accepted.
      const hash = type === "rsa-sha2-512" ? "SHA-512" : type === "rsa-sha2-256" ? "SHA-256" : undefined;
      return hash !== undefined && verifyRsa(key, hash, blob, signed);
    }
    case "ecdsa":
      return (
        type === (prefix === "" ? `ecdsa-sha2-${key.sshCurve}` : "sk-ecdsa-sha2-nistp256@openssh.com") &&
        verifySshEcdsa(key, blob, signed)
      );
  }
}

async function verifySshEcdsa(key: SshEcdsaKey, blob: Uint8Array, signed: Uint8Array): Promise<boolean> {
  const reader = new SshReader(blob);
  const [r, s] = [reader.mpint(), reader.mpint()];
  reader.end();
  return await verifyEcdsa(key, ECDSA_CURVES[key.sshCurve].hash, { r, s }, signed);
}
