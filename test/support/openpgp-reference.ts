/**
 * OpenPGP signatures, verified by OpenPGP.js: what `src/signing` is compared with.
 *
 * @packageDocumentation
 */
import { createMessage, readKey, readSignature, verify } from "openpgp";
import type { OpenPgpVerdict } from "../../src/signing/openpgp-signature.ts";

/** Returns the fingerprint of a public key. Returns `undefined` if it is malformed, is a private key, or cannot sign at `now`. */
export async function referenceFingerprint(armoured: string, now: Date): Promise<string | undefined> {
  try {
    const key = await readKey({ armoredKey: armoured });
    if (key.isPrivate()) return undefined;
    // Throws if no part of the key may sign: expired, revoked, too weak.
    await key.getSigningKey(undefined, now);
    return key.getFingerprint().toUpperCase();
  } catch {
    return undefined;
  }
}

/**
 * Verifies a detached, armoured signature over `message` with those of the armoured `keys` that the signature names.
 */
export async function referenceVerdict(
  armoured: string,
  message: Uint8Array,
  { keys, now }: { readonly keys: readonly string[]; readonly now: Date },
): Promise<OpenPgpVerdict> {
  const known = await Promise.all(keys.map((key) => readKey({ armoredKey: key })));
  let verified;
  try {
    verified = await verify({
      message: await createMessage({ binary: message }),
      signature: await readSignature({ armoredSignature: armoured }),
      verificationKeys: known,
      date: now,
      format: "binary",
    });
  } catch {
    // It is not an OpenPGP signature, or one of a version that no program makes.
    return { kind: "bad" };
  }
  let isKnown = false;
  for (const signature of verified.signatures) {
    const key = known.find((candidate) => candidate.getKeys(signature.keyID).length > 0);
    if (key === undefined) continue;
    isKnown = true;
    try {
      await signature.verified;
      return { kind: "good", fingerprint: key.getFingerprint().toUpperCase() };
    } catch {
      // The signature is wrong, or its key was revoked or had expired. The next one may be good.
    }
  }
  return { kind: isKnown ? "bad" : "unknown-key" };
}
