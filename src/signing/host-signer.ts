/**
 * Signs what the host makes for a tenant, with the tenant's key there, and takes such keys in.
 *
 * @packageDocumentation
 */
import { MalformedOpenPgp } from "./openpgp-packet.ts";
import { NoPrivateKey } from "./private-key.ts";
import { type HostSigner, MOST_KEY_BYTES, type NewSigner, type SignMessage } from "./signing-key.ts";
import { readSshPrivateKey } from "./ssh-private-key.ts";
import { MalformedSsh } from "./ssh-reader.ts";
import { openSshSigner } from "./ssh-signer.ts";
import { verifySignature } from "./verify.ts";

/** A private key that was read, or the reason why it is not taken, which is the end of a sentence. */
export type ReadSigner =
  | { readonly kind: "key"; readonly signer: NewSigner }
  | { readonly kind: "refused"; readonly why: string };

/**
 * Opens a key, once for all that it is to sign. Returns what signs messages for git.
 *
 * @param now - In milliseconds since the epoch.
 * @throws NoPrivateKey if the key may not sign at that time.
 */
export async function openHostSigner(signer: HostSigner, now: number): Promise<SignMessage> {
  if (signer.kind === "ssh") return await openSshSigner(signer);
  const { openOpenPgpSigner } = await import("./openpgp-signer.ts");
  return await openOpenPgpSigner(signer, now);
}

/** Whether the two halves of a key belong together: what one signs, the other verifies. */
async function isOneKey(signer: NewSigner, now: number): Promise<boolean> {
  const { kind, publicKey, fingerprint } = signer;
  const message = new TextEncoder().encode(fingerprint);
  const armoured = await (await openHostSigner(signer, now))(message, now);
  const key = { kind, key: publicKey, fingerprint, title: "", createdAt: now };
  return (await verifySignature({ kind, armoured }, message, { keys: [key], now })).signature === "good";
}

async function readKey(text: string, now: number): Promise<NewSigner> {
  if (!text.trim().startsWith("-----BEGIN PGP PRIVATE KEY BLOCK-----")) return await readSshPrivateKey(text);
  const { readOpenPgpPrivateKey } = await import("./openpgp-private-key.ts");
  return await readOpenPgpPrivateKey(text, now);
}

async function readSigner(text: string, now: number): Promise<NewSigner> {
  const signer = await readKey(text, now);
  if (await isOneKey(signer, now)) return signer;
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
