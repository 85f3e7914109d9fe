/**
 * OpenPGP signatures, by OpenPGP.js. It is large, and only read where there is such a signature, or such a key is registered.
 *
 * @packageDocumentation
 * @see RFC 9580
 */

/** What became of a signature; `fingerprint` is of the registered key that made it. */
export type OpenPgpVerdict =
  | { readonly kind: "good"; readonly fingerprint: string }
  | { readonly kind: "bad" }
  | { readonly kind: "unknown-key" };

/** A key's fingerprint, and the key without what is not needed of it. */
export type OpenPgpKey = { readonly fingerprint: string; readonly armoured: string };

/** Reads one public key. Gives `undefined` where it is none, holds a secret, or can't sign now. */
export async function readOpenPgpKey(armoured: string, now: Date): Promise<OpenPgpKey | undefined> {
  const { readKey } = await import("openpgp");
  try {
    const key = await readKey({ armoredKey: armoured });
    if (key.isPrivate()) return undefined;
    // Throws where nothing of it may sign: expired, revoked, too weak.
    await key.getSigningKey(undefined, now);
    return { fingerprint: key.getFingerprint().toUpperCase(), armoured: key.armor() };
  } catch {
    return undefined;
  }
}

/** Verifies a detached signature over `message` with the first of `keys` (armoured) that it names. */
export async function verifyOpenPgpSignature(
  armoured: string,
  message: Uint8Array,
  { keys, now }: { readonly keys: readonly string[]; readonly now: Date },
): Promise<OpenPgpVerdict> {
  const { createMessage, readKey, readSignature, verify } = await import("openpgp");
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
    // No OpenPGP signature, or one of a version that nobody makes.
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
      // It does not fit, or its key was revoked or had expired: the next may do.
    }
  }
  return { kind: isKnown ? "bad" : "unknown-key" };
}
