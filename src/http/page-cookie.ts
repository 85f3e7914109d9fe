/**
 * The cookie of a browser that has signed in. It holds the caller's token, sealed with a key of the deployment, so that
 * nobody can read the token out of the browser's store. Nothing is kept on the host: the token is looked up in each
 * request, so that a revoked one ends the session at the next request.
 *
 * The cookie counts for pages alone. git and the API take no cookie, so that no page of another site can use one.
 *
 * ```text
 * value  := base64url( nonce (12 bytes) | ciphertext | tag (16 bytes) )      AES-256-GCM
 * sealed := time of its end in milliseconds, in decimal | " " | token
 * ```
 *
 * @packageDocumentation
 * @see RFC 6265bis, section 4.1.3.2: `__Host-` ties the cookie to this host, to HTTPS and to all of its paths
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import { derivedKey } from "./derived-key.ts";

/** The cookie's name. */
const NAME = "__Host-thinpack";
/** How long a browser stays signed in, in seconds: 14 days. */
const SESSION_SECONDS = 14 * 24 * 3600;
const NONCE_BYTES = 12;
/** The most characters of a cookie that is opened: no token is nearly as long. */
const LONGEST = 1024;
const ATTRIBUTES = "Path=/; Secure; HttpOnly; SameSite=Lax";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

async function keyOf(secret: string, use: "encrypt" | "decrypt"): Promise<CryptoKey> {
  return await crypto.subtle.importKey("raw", derivedKey(secret, "page sessions"), "AES-GCM", false, [use]);
}

/** Returns the value of our cookie in a request; `undefined` if the browser sent none. */
function cookieIn(headers: Headers): string | undefined {
  const all = headers.get("Cookie") ?? ""; // A request without the header has no cookie.
  for (const pair of all.split(";")) {
    const at = pair.indexOf("=");
    if (at > 0 && pair.slice(0, at).trim() === NAME) return pair.slice(at + 1).trim();
  }
  return undefined;
}

/** Returns the `Set-Cookie` header that signs a browser in with a token. `now` is in milliseconds since the epoch. */
export async function signedIn(token: string, secret: string, now: number): Promise<string> {
  const nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
  const text = encoder.encode(`${now + SESSION_SECONDS * 1000} ${token}`);
  const sealed = await crypto.subtle.encrypt({ name: "AES-GCM", iv: nonce }, await keyOf(secret, "encrypt"), text);
  const value = Buffer.concat([nonce, new Uint8Array(sealed)]).toString("base64url");
  return `${NAME}=${value}; Max-Age=${SESSION_SECONDS}; ${ATTRIBUTES}`;
}

/** The `Set-Cookie` header that signs a browser out. */
export const SIGNED_OUT = `${NAME}=; Max-Age=0; ${ATTRIBUTES}`;

/**
 * Returns the token with which the browser signed in. Returns `undefined` without a cookie, for one that was not sealed
 * here, and after its end.
 */
export async function sessionToken(headers: Headers, secret: string, now: number): Promise<string | undefined> {
  const value = cookieIn(headers);
  if (value === undefined || value === "" || value.length > LONGEST) return undefined;
  const bytes = Buffer.from(value, "base64url");
  const iv = new Uint8Array(bytes.subarray(0, NONCE_BYTES));
  try {
    const sealed = new Uint8Array(bytes.subarray(NONCE_BYTES));
    const key = await keyOf(secret, "decrypt");
    const text = decoder.decode(await crypto.subtle.decrypt({ name: "AES-GCM", iv }, key, sealed));
    const space = text.indexOf(" ");
    return Number(text.slice(0, space)) > now ? text.slice(space + 1) : undefined;
  } catch {
    // WebCrypto says no more than that the cookie is not one of ours.
    return undefined;
  }
}

/** Returns the value that a form of a signed-in page carries. Only a page of this session can know it. */
export function formToken(headers: Headers, secret: string): string {
  const cookie = cookieIn(headers) ?? ""; // A browser without a session gets a token that serves for nothing.
  return createHmac("sha256", derivedKey(secret, "page forms")).update(cookie).digest("base64url");
}

/** Whether a form came from a page of the same session. */
export function isOwnForm(given: string, headers: Headers, secret: string): boolean {
  const right = Buffer.from(formToken(headers, secret));
  const sent = Buffer.from(given);
  return cookieIn(headers) !== undefined && sent.length === right.length && timingSafeEqual(sent, right);
}
