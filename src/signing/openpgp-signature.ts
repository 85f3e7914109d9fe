/**
 * OpenPGP signatures, verified by OpenPGP.js. That library is large, so it is loaded only for such a signature or key.
 *
 * @packageDocumentation
 * @see RFC 9580
 */

/** The result of verifying a signature. `fingerprint` is that of the registered key that made it. */
export type OpenPgpVerdict =
  | { readonly kind: "good"; readonly fingerprint: string }
  | { readonly kind: "bad" }
  | { readonly kind: "unknown-key" };

/** A key's fingerprint in upper-case hexadecimal, and the key itself, armoured anew. */
export type OpenPgpKey = { readonly fingerprint: string; readonly armoured: string };

/** Parses a public key. Returns `undefined` if it is malformed, is a private key, or cannot sign at `now`. */
export async function readOpenPgpKey(armoured: string, now: Date): Promise<OpenPgpKey | undefined> {
  const { readKey } = await import("openpgp");
  try {
    const key = await readKey({ armoredKey: armoured });
    if (key.isPrivate()) return undefined;
    // Throws if no part of the key may sign: expired, revoked, too weak.
    await key.getSigningKey(undefined, now);
    return { fingerprint: key.getFingerprint().toUpperCase(), armoured: key.armor() };
  } catch {
    return undefined;
  }
}

/**
 * Verifies a detached, armoured signature over `message` with those of the armoured `keys` that the signature names.
 */
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
