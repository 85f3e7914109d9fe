/**
 * Lets pages of other origins read answers, where the operator allows it: browsers ask before they send such requests,
 * and hide answers from pages otherwise. It holds for the API and for Git alike.
 *
 * @packageDocumentation
 * @see https://fetch.spec.whatwg.org/#http-cors-protocol
 */
import { isAllowedOrigin } from "./cross-origin.ts";

/** The entry of the operator's list that lets every page read. */
const ANY = "*";
/** How long a browser may remember the answer to its question, in seconds. */
const MAX_AGE = 7200;
const METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE";
/** Headers of answers that a page may read beside those that it may read of every answer. */
const EXPOSED =
  "Accept-Ranges, Content-Disposition, Content-Range, ETag, Link, Location, RateLimit, Retry-After, Server-Timing, WWW-Authenticate, X-Request-Id";

/** Whether pages of an origin may read answers. `allowed` is `ALLOWED_ORIGINS`. */
function mayRead(origin: string, allowed: string): boolean {
  return isAllowedOrigin(origin, allowed) || allowed.split(",").some((each) => each.trim() === ANY);
}

/**
 * Returns the headers for a request of a page that may read the answer; `undefined` for every other request. A browser
 * adds no credentials of its own: a page has to send its token.
 */
export function corsHeaders({ headers }: Request, allowed = ""): Readonly<Record<string, string>> | undefined {
  const origin = headers.get("Origin");
  if (origin === null || origin === "null" || !mayRead(origin, allowed)) return undefined;
  return { "Access-Control-Allow-Origin": origin, "Access-Control-Expose-Headers": EXPOSED };
}

/** Returns the answer to a browser that asks whether a page may send a request; `undefined` for every other request. */
export function preflightAnswer(request: Request, allowed = ""): Response | undefined {
  const cors = request.method === "OPTIONS" ? corsHeaders(request, allowed) : undefined;
  if (cors === undefined || request.headers.get("Access-Control-Request-Method") === null) return undefined;
  const asked = request.headers.get("Access-Control-Request-Headers");
  return new Response(null, {
    status: 204,
    headers: {
      ...cors,
      "Access-Control-Allow-Methods": METHODS,
      ...(asked === null ? {} : { "Access-Control-Allow-Headers": asked }),
      "Access-Control-Max-Age": String(MAX_AGE),
      Vary: "Origin, Access-Control-Request-Headers",
    },
  });
}
