/**
 * Verifies signatures of pushes with the keys that a tenant has registered, and checks keys before they are registered.
 *
 * @packageDocumentation
 */
import { equal } from "../bytes/chunk.ts";
import { readOpenPgpKey, verifyOpenPgpSignature } from "./openpgp-signature.ts";
import { MOST_KEY_BYTES, type SigningKey } from "./signing-key.ts";
import { formatSshKeyLine, parseSshKey, parseSshKeyLine, sshFingerprint } from "./ssh-key.ts";
import { MalformedSsh } from "./ssh-reader.ts";
import { GIT_NAMESPACE, parseSshSignature, type SshSignature, verifySshSignature } from "./ssh-signature.ts";

/** Milliseconds by which a client's clock may be ahead: OpenPGP refuses signatures from the future. */
const CLOCK_SLOP = 15 * 60 * 1000;

/** The result of verifying a signature. */
export type SignatureCheck = {
  readonly signature: "good" | "bad" | "unknown-key" | "unverified";
  /** The fingerprint of the registered key, if the signature is good. */
  readonly key?: string;
};

/** A signature with its armour. */
export type ArmouredSignature = { readonly kind: "ssh" | "openpgp" | "x509"; readonly armoured: string };

/** Verifies a signature over `message`. It is `unverified` if no key is registered, and if it is an X.509 signature. */
export async function verifySignature(
  signature: ArmouredSignature,
  message: Uint8Array,
  { keys, now }: { readonly keys: readonly SigningKey[]; readonly now: number },
): Promise<SignatureCheck> {
  if (keys.length === 0 || signature.kind === "x509") return { signature: "unverified" };
  const candidates = keys.filter(({ kind }) => kind === signature.kind);
  if (signature.kind === "ssh") return await verifySsh(signature.armoured, message, candidates);
  const verdict = await verifyOpenPgpSignature(signature.armoured, message, {
    keys: candidates.map(({ key }) => key),
    now: new Date(now + CLOCK_SLOP),
  });
  return verdict.kind === "good" ? { signature: "good", key: verdict.fingerprint } : { signature: verdict.kind };
}

async function verifySsh(armoured: string, message: Uint8Array, keys: readonly SigningKey[]): Promise<SignatureCheck> {
  try {
    const signature = parseSshSignature(armoured);
    const key = findKey(signature, keys);
    if (key === undefined) return { signature: "unknown-key" };
    const isGood = await verifySshSignature(signature, message, GIT_NAMESPACE);
    return isGood ? { signature: "good", key: key.fingerprint } : { signature: "bad" };
  } catch (error) {
    // The platform throws a DOMException for numbers that are not a key or not a signature.
    if (error instanceof MalformedSsh || error instanceof DOMException) return { signature: "bad" };
    throw error;
  }
}

function findKey(signature: SshSignature, keys: readonly SigningKey[]): SigningKey | undefined {
  return keys.find(({ key }) => equal(parseSshKeyLine(key).blob, signature.key));
}

/** A key that may be registered, or the reason why it may not. */
export type ReadKey = { readonly kind: "key"; readonly key: Omit<SigningKey, "title" | "createdAt"> } | KeyRefusal;

/** The refusal of a text as a key. `why` is the end of a sentence. */
export type KeyRefusal = { readonly kind: "refused"; readonly why: string };

/** Parses a public key that is to be registered. `now` is in milliseconds since the epoch. */
export async function readSigningKey(text: string, now: number): Promise<ReadKey> {
  if (text.length > MOST_KEY_BYTES) return { kind: "refused", why: `it is longer than ${MOST_KEY_BYTES} bytes` };
  if (text.includes("PRIVATE KEY")) return { kind: "refused", why: "it is a private key; keep it to yourself" };
  if (text.trim().startsWith("-----BEGIN PGP PUBLIC KEY BLOCK-----")) {
    const key = await readOpenPgpKey(text, new Date(now));
    if (key === undefined) return { kind: "refused", why: "nothing of this OpenPGP key can sign now" };
    return { kind: "key", key: { kind: "openpgp", fingerprint: key.fingerprint, key: key.armoured } };
  }
  try {
    const line = parseSshKeyLine(text);
    parseSshKey(line.blob);
    return {
      kind: "key",
      key: { kind: "ssh", fingerprint: await sshFingerprint(line.blob), key: formatSshKeyLine(line) },
    };
  } catch (error) {
    if (error instanceof MalformedSsh) return { kind: "refused", why: `as an SSH public key it is ${error.message}` };
    throw error;
  }
}
