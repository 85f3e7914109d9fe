/**
 * Refuses credentials in URLs: those are kept in histories and logs, and sent on as referrers.
 *
 * @packageDocumentation
 */
import { mentionsToken } from "../access/token.ts";

/** Parameters that other hosts take a token by. */
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

/** Said of it; never with the token. */
export const TOKEN_IN_QUERY =
  "A token must not stand in a URL: send it as `Authorization: Bearer <token>`, or as the password of Basic. Revoke this one.";

/** Whether a query carries credentials, by the name of a parameter or by its look. */
export function hasTokenInQuery(query: URLSearchParams): boolean {
  for (const [name, value] of query) {
    if (NAMES.has(name.toLowerCase()) || mentionsToken(name) || mentionsToken(value)) return true;
  }
  return false;
}
