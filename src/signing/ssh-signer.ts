/**
 * Makes SSH signatures, as `ssh-keygen -Y sign -n git` does, with an Ed25519 key that the platform's cryptography has made.
 *
 * @packageDocumentation
 * @see OpenSSH's PROTOCOL.sshsig, RFC 8709
 */
import { concat } from "../bytes/chunk.ts";
import { digest } from "./public-key.ts";
import { formatSshKeyLine, parseSshKeyLine, sshFingerprint } from "./ssh-key.ts";
import { GIT_NAMESPACE, SSHSIG_MAGIC } from "./ssh-signature.ts";
import { decodeBase64, encodeBase64, encodeSshString } from "./ssh-reader.ts";

const TYPE = "ssh-ed25519";
const HASH = "sha512";
/** Characters of a line of an armoured signature. */
const LINE = 70;
const VERSION = Uint8Array.of(0, 0, 0, 1);

const encoder = new TextEncoder();

/** A key that signs. */
export type SshSigner = {
  /** The private half: PKCS #8, in base64. */
  readonly secret: string;
  /** The public half: a line as in `authorized_keys`, without its comment. */
  readonly publicKey: string;
};

/** Makes a key, and its fingerprint as `ssh-keygen -l` shows it. */
export async function makeSshSigner(): Promise<SshSigner & { readonly fingerprint: string }> {
  const pair = await crypto.subtle.generateKey("Ed25519", true, ["sign", "verify"]);
  if (!("privateKey" in pair)) throw new Error("a pair of keys is no pair");
  const exported = async (format: "raw" | "pkcs8", key: CryptoKey): Promise<Uint8Array<ArrayBuffer>> => {
    const bytes = await crypto.subtle.exportKey(format, key);
    if (!(bytes instanceof ArrayBuffer)) throw new Error("a key was not exported as bytes");
    return new Uint8Array(bytes);
  };
  const blob = concat([encodeSshString(TYPE), encodeSshString(await exported("raw", pair.publicKey))]);
  return {
    secret: encodeBase64(await exported("pkcs8", pair.privateKey)),
    publicKey: formatSshKeyLine({ type: TYPE, blob }),
    fingerprint: await sshFingerprint(blob),
  };
}

/** Signs a message for git. Returns the armoured signature. @throws DOMException if the secret is no key */
export async function signWithSsh({ secret, publicKey }: SshSigner, message: Uint8Array): Promise<string> {
  const pkcs8 = decodeBase64(secret) ?? new Uint8Array(0); // What is not base64 is no key.
  const key = await crypto.subtle.importKey("pkcs8", pkcs8, "Ed25519", false, ["sign"]);
  const magic = encoder.encode(SSHSIG_MAGIC);
  const purpose = [encodeSshString(GIT_NAMESPACE), encodeSshString(""), encodeSshString(HASH)];
  const signed = concat([magic, ...purpose, encodeSshString(await digest("SHA-512", message))]);
  const value = new Uint8Array(await crypto.subtle.sign("Ed25519", key, signed));
  const inner = concat([encodeSshString(TYPE), encodeSshString(value)]);
  const whole = concat([
    magic,
    VERSION,
    encodeSshString(parseSshKeyLine(publicKey).blob),
    ...purpose,
    encodeSshString(inner),
  ]);
  const lines = encodeBase64(whole).match(new RegExp(`.{1,${LINE}}`, "g")) ?? []; // It is not empty.
  return ["-----BEGIN SSH SIGNATURE-----", ...lines, "-----END SSH SIGNATURE-----", ""].join("\n");
}
