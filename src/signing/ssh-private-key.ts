/**
 * Private keys of SSH, as `ssh-keygen` writes them, without a passphrase.
 *
 * ```text
 * file    := "openssh-key-v1" NUL | string cipher | string kdf | string kdf's options | u32 1 | string public | string private
 * private := u32 check | u32 check | string type | numbers | string comment | 1 2 3 …, to a multiple of the cipher's block
 * numbers := string point | string seed and point          ssh-ed25519
 *          | string curve | string point | mpint scalar     ecdsa-sha2-{curve}
 * ```
 *
 * @packageDocumentation
 * @see OpenSSH's PROTOCOL.key
 */
import { equal } from "../bytes/chunk.ts";
import { NoPrivateKey, type PrivateNumbers, secretOf } from "./private-key.ts";
import type { NewSigner } from "./signing-key.ts";
import { parseSshKey, type SshKey } from "./ssh-key.ts";
import { decodeBase64, MalformedSsh, SshReader } from "./ssh-reader.ts";
import { newSshSigner } from "./ssh-signer.ts";

const ARMOUR = /^-----BEGIN OPENSSH PRIVATE KEY-----\r?\n([A-Za-z0-9+/=\r\n]+)\r?\n-----END OPENSSH PRIVATE KEY-----$/;
const MAGIC = new TextEncoder().encode("openssh-key-v1\0");
const SEED_BYTES = 32;
const KNOWN = "here a key is Ed25519, or ECDSA on nistp256, nistp384 or nistp521";

/** Reads the numbers behind the type. */
function readNumbers(reader: SshReader, key: SshKey): PrivateNumbers {
  if (key.application !== undefined || key.algorithm === "rsa") throw new MalformedSsh(`of another type: ${KNOWN}`);
  if (key.algorithm === "ed25519") {
    const point = reader.string();
    const seedAndPoint = reader.string();
    const isOne = equal(point, key.key) && equal(seedAndPoint.subarray(SEED_BYTES), key.key);
    if (!isOne) throw new NoPrivateKey("the private half of another key");
    return { algorithm: "ed25519", point, seed: seedAndPoint.subarray(0, SEED_BYTES) };
  }
  const curve = reader.text();
  const point = reader.string();
  if (curve !== key.sshCurve || !equal(point, key.point)) throw new NoPrivateKey("the private half of another key");
  return { algorithm: "ecdsa", curve: key.curve, point, scalar: reader.mpint() };
}

/**
 * Reads a private key.
 *
 * @throws MalformedSsh, NoPrivateKey if it is none that signs here. The message says why, and is the end of a sentence.
 */
export async function readSshPrivateKey(text: string): Promise<NewSigner> {
  const [, base64 = ""] = ARMOUR.exec(text.trim()) ?? [];
  const bytes = decodeBase64(base64);
  if (bytes === undefined || base64 === "") throw new MalformedSsh("no armour of an OpenSSH key");
  const reader = new SshReader(bytes);
  if (!equal(reader.take(MAGIC.length), MAGIC)) throw new MalformedSsh("no OpenSSH key");
  const [cipher, kdf] = [reader.text(), reader.text()];
  if (cipher !== "none" || kdf !== "none")
    throw new MalformedSsh("protected by a passphrase, which nobody could give here");
  reader.string();
  if (reader.number() !== 1) throw new MalformedSsh("several keys in one");
  const blob = reader.string().slice();
  const inner = new SshReader(reader.string());
  reader.end();
  if (inner.number() !== inner.number()) throw new MalformedSsh("malformed");
  const type = inner.text();
  const key = parseSshKey(blob);
  if (new SshReader(blob).text() !== type) throw new NoPrivateKey("the private half of another key");
  const secret = await secretOf(readNumbers(inner, key));
  return await newSshSigner(secret, type, blob);
}
