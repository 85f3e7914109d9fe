/**
 * Keeps an upstream's credentials out of messages about it: an upstream can repeat what it was sent.
 *
 * @packageDocumentation
 */

/** The fewest characters of a secret that is hidden. Shorter ones would be found in any text. */
const LEAST = 4;
const SHOWN_INSTEAD = "[credentials]";

/** Returns the texts in which an `Authorization` header's value may be repeated, the longest first. */
export function secretsIn(authorization: string): string[] {
  const [scheme = "", credentials = ""] = authorization.split(" ", 2);
  const texts = [credentials];
  if (scheme.toLowerCase() === "basic") {
    const plain = decodeBasic(credentials);
    const password = plain.slice(plain.indexOf(":") + 1);
    texts.push(plain, password, encodeURIComponent(password));
  }
  return [...new Set(texts)].filter((text) => text.length >= LEAST).sort((a, b) => b.length - a.length);
}

function decodeBasic(credentials: string): string {
  const bytes = Uint8Array.from(atob(credentials), (character) => character.charCodeAt(0));
  return new TextDecoder().decode(bytes);
}

/** Returns a text without these secrets. */
export function withoutSecrets(text: string, secrets: readonly string[]): string {
  return secrets.reduce((rest, secret) => rest.replaceAll(secret, SHOWN_INSTEAD), text);
}
