/**
 * SSH public keys, parsed for verifying signatures with the platform's cryptography.
 *
 * ```text
 * ssh-ed25519                          | key
 * ssh-rsa                              | mpint e | mpint n
 * ecdsa-sha2-{curve}                   | curve | point
 * sk-ssh-ed25519@openssh.com           | key | application            on a security key
 * sk-ecdsa-sha2-nistp256@openssh.com   | curve | point | application
 * ```
 *
 * @packageDocumentation
 * @see RFC 4253 section 6.6, RFC 5656, RFC 8709, OpenSSH's PROTOCOL.u2f
 */
import { CURVE_BYTES, type EcdsaKey, ED25519_BYTES, MOST_RSA_BITS, rsaBits, type RsaKey } from "./public-key.ts";
import { decodeBase64, encodeBase64, MalformedSsh, SshReader } from "./ssh-reader.ts";

/** A parsed public key. */
export type SshKey = {
  /** The application for which a security key signs; absent for other keys. */
  readonly application?: string;
} & ({ readonly algorithm: "ed25519"; readonly key: Uint8Array } | RsaKey | SshEcdsaKey);

/** The curves, each with its name at the platform and the hash function of its signatures. */
export const ECDSA_CURVES = {
  nistp256: { curve: "P-256", hash: "SHA-256" },
  nistp384: { curve: "P-384", hash: "SHA-384" },
  nistp521: { curve: "P-521", hash: "SHA-512" },
} as const;

/** An ECDSA key with SSH's name of its curve. */
export type SshEcdsaKey = EcdsaKey & { readonly sshCurve: keyof typeof ECDSA_CURVES };

/** Bits of the smallest RSA modulus that is accepted. */
const LEAST_RSA_BITS = 2048;

function readEd25519(reader: SshReader): SshKey {
  const key = reader.string();
  if (key.length !== ED25519_BYTES) throw new MalformedSsh("an Ed25519 key of another size");
  return { algorithm: "ed25519", key };
}

function readRsa(reader: SshReader): SshKey {
  const [exponent, modulus] = [reader.mpint(), reader.mpint()];
  const bits = rsaBits(modulus);
  if (bits < LEAST_RSA_BITS || bits > MOST_RSA_BITS) {
    throw new MalformedSsh(`an RSA key of ${bits} bits: it has to have from ${LEAST_RSA_BITS} to ${MOST_RSA_BITS}`);
  }
  return { algorithm: "rsa", exponent, modulus };
}

function isCurve(name: string): name is keyof typeof ECDSA_CURVES {
  return Object.hasOwn(ECDSA_CURVES, name);
}

function readEcdsa(reader: SshReader, named: string): SshKey {
  const sshCurve = reader.text();
  const point = reader.string();
  if (!isCurve(sshCurve) || sshCurve !== named) throw new MalformedSsh("a key on a curve that is not known");
  const { curve } = ECDSA_CURVES[sshCurve];
  if (point.length !== 1 + 2 * CURVE_BYTES[curve] || point[0] !== 4) throw new MalformedSsh("no point of a curve");
  return { algorithm: "ecdsa", curve, sshCurve, point };
}

/** Parses a key. @throws MalformedSsh if it is malformed, or of a type whose signatures are not verified. */
export function parseSshKey(blob: Uint8Array): SshKey {
  const reader = new SshReader(blob);
  const type = reader.text();
  const key = readOf(type, reader);
  const isOnToken = type.startsWith("sk-");
  const application = isOnToken ? reader.text() : undefined;
  reader.end();
  return application === undefined ? key : { ...key, application };
}

function readOf(type: string, reader: SshReader): SshKey {
  switch (type) {
    case "ssh-ed25519":
    case "sk-ssh-ed25519@openssh.com":
      return readEd25519(reader);
    case "ssh-rsa":
      return readRsa(reader);
    case "ecdsa-sha2-nistp256":
    case "ecdsa-sha2-nistp384":
    case "ecdsa-sha2-nistp521":
      return readEcdsa(reader, type.slice("ecdsa-sha2-".length));
    case "sk-ecdsa-sha2-nistp256@openssh.com":
      return readEcdsa(reader, "nistp256");
    default:
      throw new MalformedSsh(`keys of the type ${JSON.stringify(type.slice(0, 100))} are not known here`);
  }
}

/** A key as a line of `authorized_keys`. */
export type SshKeyLine = { readonly type: string; readonly blob: Uint8Array<ArrayBuffer>; readonly comment: string };

/** Parses a line of `authorized_keys`, which must have no options. @throws MalformedSsh if it is malformed. */
export function parseSshKeyLine(line: string): SshKeyLine {
  const [type = "", base64 = "", ...comment] = line.trim().split(/[ \t]+/);
  const blob = base64 === "" ? undefined : decodeBase64(base64);
  if (blob === undefined) throw new MalformedSsh("no line with a type and a key");
  const reader = new SshReader(blob);
  if (reader.text() !== type) throw new MalformedSsh("a key of another type than its line says");
  return { type, blob, comment: comment.join(" ") };
}

/** Formats a key as a line of `authorized_keys`, without a comment. */
export function formatSshKeyLine({ type, blob }: Pick<SshKeyLine, "type" | "blob">): string {
  return `${type} ${encodeBase64(blob)}`;
}

/** Returns a key's fingerprint as `ssh-keygen -l` shows it. */
export async function sshFingerprint(blob: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", blob));
  return `SHA256:${encodeBase64(digest).replace(/=+$/, "")}`;
}
