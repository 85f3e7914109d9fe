/**
 * Refuses credentials in URLs, which histories and logs keep, and referrers pass on.
 *
 * @packageDocumentation
 */
import { mentionsToken } from "../access/token.ts";

/** Parameters in which other hosts take a token. */
const NAMES: ReadonlySet<string> = new Set([
  "access_token",
  "api_key",
  "apikey",
  "auth",
  "authorization",
  "bearer",
  "password",
  "private_token",
  "token",
]);

/** The message; it never contains the token. */
export const TOKEN_IN_QUERY =
  "A token must not stand in a URL: send it as `Authorization: Bearer <token>`, or as the password of Basic. Revoke this one.";

/** Whether a query contains credentials, by the name of a parameter or by the form of its value. */
export function hasTokenInQuery(query: URLSearchParams): boolean {
  for (const [name, value] of query) {
    if (NAMES.has(name.toLowerCase()) || mentionsToken(name) || mentionsToken(value)) return true;
  }
  return false;
}
