/**
 * The host's own keys. They are a secret of the deployment: JSON Web Keys in an array, as `npm run deploy` makes them.
 *
 * @packageDocumentation
 * @see RFC 8037, RFC 7518 section 6.2, RFC 8709, RFC 5656
 */
import * as v from "valibot";
import { concat } from "../bytes/chunk.ts";
import { decodeBase64, encodeMpint, encodeSshString } from "../signing/ssh-reader.ts";

const text = v.string();
const SECRET = v.pipe(
  v.array(
    v.variant("kty", [
      v.object({ kty: v.literal("OKP"), crv: v.literal("Ed25519"), d: text, x: text }),
      v.object({ kty: v.literal("EC"), crv: v.literal("P-256"), d: text, x: text, y: text }),
    ]),
  ),
  v.minLength(1),
);

type Jwk = v.InferOutput<typeof SECRET>[number];

/** The error for a secret that holds no host keys. */
export class BadHostKeys extends Error {
  override readonly name = "BadHostKeys";
}

/** One key of the host. */
export type HostKey = {
  /** SSH's name of the key's algorithm. */
  readonly algorithm: "ssh-ed25519" | "ecdsa-sha2-nistp256";
  /** The public key in SSH's binary form. */
  readonly blob: Uint8Array<ArrayBuffer>;
  /** Signs, in SSH's binary form. */
  sign(data: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>>;
};

const COORDINATE_BYTES = 32;
const UNCOMPRESSED = 4;

function decodeBase64Url(part: string): Uint8Array<ArrayBuffer> {
  const base64 = part.replaceAll("-", "+").replaceAll("_", "/");
  const bytes = decodeBase64(base64.padEnd(Math.ceil(base64.length / 4) * 4, "="));
  if (bytes?.length !== COORDINATE_BYTES) throw new BadHostKeys("a number of another length");
  return bytes;
}

function publicBlob(jwk: Jwk): Uint8Array<ArrayBuffer> {
  const x = decodeBase64Url(jwk.x);
  if (jwk.kty === "OKP") return concat([encodeSshString("ssh-ed25519"), encodeSshString(x)]);
  const point = concat([Uint8Array.of(UNCOMPRESSED), x, decodeBase64Url(jwk.y)]);
  return concat([encodeSshString("ecdsa-sha2-nistp256"), encodeSshString("nistp256"), encodeSshString(point)]);
}

function signatureOf(algorithm: HostKey["algorithm"], signed: Uint8Array): Uint8Array<ArrayBuffer> {
  if (algorithm === "ssh-ed25519") return concat([encodeSshString(algorithm), encodeSshString(signed)]);
  const numbers = concat([
    encodeMpint(signed.subarray(0, COORDINATE_BYTES)),
    encodeMpint(signed.subarray(COORDINATE_BYTES)),
  ]);
  return concat([encodeSshString(algorithm), encodeSshString(numbers)]);
}

function algorithmOf({ kty }: Jwk): HostKey["algorithm"] {
  return kty === "OKP" ? "ssh-ed25519" : "ecdsa-sha2-nistp256";
}

async function hostKey(jwk: Jwk): Promise<HostKey> {
  const isEd25519 = jwk.kty === "OKP";
  const [importing, signing] = isEd25519
    ? [{ name: "Ed25519" }, { name: "Ed25519" }]
    : [
        { name: "ECDSA", namedCurve: "P-256" },
        { name: "ECDSA", hash: "SHA-256" },
      ];
  const key = await crypto.subtle.importKey("jwk", jwk, importing, false, ["sign"]);
  const algorithm = algorithmOf(jwk);
  return {
    algorithm,
    blob: publicBlob(jwk),
    sign: async (data) => signatureOf(algorithm, new Uint8Array(await crypto.subtle.sign(signing, key, data))),
  };
}

const NO_KEYS = "SSH_HOST_KEYS has to be an array of JSON Web Keys, Ed25519 or P-256";

function parseSecret(secret: string): readonly Jwk[] {
  try {
    return v.parse(SECRET, JSON.parse(secret));
  } catch (cause) {
    throw new BadHostKeys(NO_KEYS, { cause });
  }
}

/** Returns the public keys of the host. @throws BadHostKeys */
export function hostKeyBlobs(secret: string): readonly Pick<HostKey, "algorithm" | "blob">[] {
  return parseSecret(secret).map((jwk) => ({ algorithm: algorithmOf(jwk), blob: publicBlob(jwk) }));
}

/** Reads the host's keys. @throws BadHostKeys */
export async function readHostKeys(secret: string): Promise<readonly HostKey[]> {
  const parsed = parseSecret(secret);
  try {
    return await Promise.all(parsed.map(hostKey));
  } catch (cause) {
    throw new BadHostKeys(NO_KEYS, { cause });
  }
}
