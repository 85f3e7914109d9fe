/**
 * The signature of a delivery, in the form that receivers of GitHub's webhooks check.
 *
 * @packageDocumentation
 */
import { toHex } from "../bytes/hex.ts";

/**
 * Returns the value of `X-Hub-Signature-256`: HMAC-SHA256 over exactly these bytes, with the secret's UTF-8 as the key.
 */
export async function signBody(secret: string, body: Uint8Array<ArrayBuffer>): Promise<string> {
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", new TextEncoder().encode(secret), algorithm, false, ["sign"]);
  return `sha256=${toHex(new Uint8Array(await crypto.subtle.sign("HMAC", key, body)))}`;
}
