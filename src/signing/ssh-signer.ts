/**
 * Makes SSH signatures, as `ssh-keygen -Y sign -n git` does, with an Ed25519 key or one of ECDSA.
 *
 * @packageDocumentation
 * @see OpenSSH's PROTOCOL.sshsig, RFC 8709, RFC 5656
 */
import { concat } from "../bytes/chunk.ts";
import { exportedSecret, type KeyUse, openSecret, type SignBytes } from "./private-key.ts";
import { CURVE_BYTES, digest } from "./public-key.ts";
import type { HostSigner, NewSigner, SignMessage } from "./signing-key.ts";
import { formatSshKeyLine, parseSshKey, parseSshKeyLine, sshFingerprint } from "./ssh-key.ts";
import { GIT_NAMESPACE, SSHSIG_MAGIC } from "./ssh-signature.ts";
import { encodeBase64, encodeMpint, encodeSshString, MalformedSsh } from "./ssh-reader.ts";

const TYPE = "ssh-ed25519";
const HASH = "sha512";
/** Characters of a line of an armoured signature. */
const LINE = 70;
const VERSION = Uint8Array.of(0, 0, 0, 1);

const encoder = new TextEncoder();

/** Makes a key. */
export async function makeSshSigner(): Promise<NewSigner> {
  const pair = await crypto.subtle.generateKey("Ed25519", true, ["sign", "verify"]);
  if (!("privateKey" in pair)) throw new Error("a pair of keys is no pair");
  const point = await crypto.subtle.exportKey("raw", pair.publicKey);
  if (!(point instanceof ArrayBuffer)) throw new Error("a key was not exported as bytes");
  const blob = concat([encodeSshString(TYPE), encodeSshString(new Uint8Array(point))]);
  return await newSshSigner(await exportedSecret(pair.privateKey), TYPE, blob);
}

/** Puts together a key of its two halves. */
export async function newSshSigner(secret: string, type: string, blob: Uint8Array<ArrayBuffer>): Promise<NewSigner> {
  return { kind: "ssh", secret, publicKey: formatSshKeyLine({ type, blob }), fingerprint: await sshFingerprint(blob) };
}

/** Returns what a public key's private half is for. @throws MalformedSsh if nothing is signed with such keys */
function useOf(blob: Uint8Array): KeyUse {
  const key = parseSshKey(blob);
  if (key.algorithm === "rsa" || key.application !== undefined) throw new MalformedSsh("a key that signs nothing here");
  return key;
}

/** Returns a signature's value in SSH's form. */
function encodeValue(type: string, use: KeyUse, value: Uint8Array): Uint8Array<ArrayBuffer> {
  if (use.algorithm !== "ecdsa") return concat([encodeSshString(type), encodeSshString(value)]);
  const bytes = CURVE_BYTES[use.curve];
  const numbers = concat([encodeMpint(value.subarray(0, bytes)), encodeMpint(value.subarray(bytes))]);
  return concat([encodeSshString(type), encodeSshString(numbers)]);
}

/** Opens a key. Returns what signs messages for git. @throws DOMException if the secret is no key */
export async function openSshSigner({
  secret,
  publicKey,
}: Pick<HostSigner, "secret" | "publicKey">): Promise<SignMessage> {
  const { type, blob } = parseSshKeyLine(publicKey);
  const use = useOf(blob);
  const sign = await openSecret(secret, use);
  return async (message) => await signedMessage({ type, blob, use, sign }, message);
}

/** A key that was opened. */
type OpenKey = {
  readonly type: string;
  readonly blob: Uint8Array<ArrayBuffer>;
  readonly use: KeyUse;
  readonly sign: SignBytes;
};

async function signedMessage({ type, blob, use, sign }: OpenKey, message: Uint8Array): Promise<string> {
  const magic = encoder.encode(SSHSIG_MAGIC);
  const purpose = [encodeSshString(GIT_NAMESPACE), encodeSshString(""), encodeSshString(HASH)];
  const signed = concat([magic, ...purpose, encodeSshString(await digest("SHA-512", message))]);
  const inner = encodeValue(type, use, await sign(signed));
  const whole = concat([magic, VERSION, encodeSshString(blob), ...purpose, encodeSshString(inner)]);
  const lines = encodeBase64(whole).match(new RegExp(`.{1,${LINE}}`, "g")) ?? []; // It is not empty.
  return ["-----BEGIN SSH SIGNATURE-----", ...lines, "-----END SSH SIGNATURE-----", ""].join("\n");
}
