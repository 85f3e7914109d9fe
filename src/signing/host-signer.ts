/**
 * Signs what the host makes for a tenant, with the tenant's key there, and takes such keys in.
 *
 * @packageDocumentation
 */
import { MalformedOpenPgp } from "./openpgp-packet.ts";
import { NoPrivateKey } from "./private-key.ts";
import { type HostSigner, MOST_KEY_BYTES, type NewSigner } from "./signing-key.ts";
import { readSshPrivateKey } from "./ssh-private-key.ts";
import { parseSshKeyLine } from "./ssh-key.ts";
import { MalformedSsh } from "./ssh-reader.ts";
import { signWithSsh } from "./ssh-signer.ts";
import { GIT_NAMESPACE, parseSshSignature, verifySshSignature } from "./ssh-signature.ts";

/** A private key that was read, or the reason why it is not taken, which is the end of a sentence. */
export type ReadSigner =
  | { readonly kind: "key"; readonly signer: NewSigner }
  | { readonly kind: "refused"; readonly why: string };

/**
 * Signs a message for git. Returns the armoured signature.
 *
 * @param now - In milliseconds since the epoch.
 * @throws NoPrivateKey if the key may not sign at that time.
 */
export async function signAsHost(signer: HostSigner, message: Uint8Array, now: number): Promise<string> {
  if (signer.kind === "ssh") return await signWithSsh(signer, message);
  const { signWithOpenPgp } = await import("./openpgp-signer.ts");
  return await signWithOpenPgp(signer, message, now);
}

/** Whether the two halves of an SSH key belong together: what one signs, the other verifies. */
async function isOneKey(signer: NewSigner): Promise<boolean> {
  const { blob } = parseSshKeyLine(signer.publicKey);
  const signature = parseSshSignature(await signWithSsh(signer, blob));
  return await verifySshSignature(signature, blob, GIT_NAMESPACE);
}

async function readSigner(text: string, now: number): Promise<NewSigner> {
  if (text.trim().startsWith("-----BEGIN PGP PRIVATE KEY BLOCK-----")) {
    const { readOpenPgpPrivateKey } = await import("./openpgp-private-key.ts");
    return await readOpenPgpPrivateKey(text, now);
  }
  const signer = await readSshPrivateKey(text);
  if (await isOneKey(signer)) return signer;
  throw new NoPrivateKey("one whose halves do not belong together");
}

/** Reads a private key that is to sign for a tenant. `now` is in milliseconds since the epoch. */
export async function readHostSigner(text: string, now: number): Promise<ReadSigner> {
  if (text.length > MOST_KEY_BYTES) return { kind: "refused", why: `longer than ${MOST_KEY_BYTES} bytes` };
  try {
    return { kind: "key", signer: await readSigner(text, now) };
  } catch (error) {
    const isRefusal =
      error instanceof NoPrivateKey || error instanceof MalformedSsh || error instanceof MalformedOpenPgp;
    if (isRefusal) return { kind: "refused", why: error.message };
    throw error;
  }
}
