/**
 * Refuses requests that a browser sends on behalf of a page of another origin. The browser may add the user's
 * credentials to them by itself, and a WebSocket is not bound by the rule that keeps pages from reading answers.
 *
 * A browser says where a request comes from in `Sec-Fetch-Site`, and an older one in `Origin`; a page can change
 * neither. A request with neither is not from a browser: git, curl and webhooks are such clients, and nothing changes
 * for them.
 *
 * @packageDocumentation
 * @see https://www.w3.org/TR/fetch-metadata/, RFC 6455, section 10.2; Go's http.CrossOriginProtection decides in the
 *   same way
 */

/** The message to the client. */
export const FOREIGN_PAGE =
  "This was sent by a browser for a page of another origin. The operator may allow that origin: ALLOWED_ORIGINS.";

/** Methods that change nothing. @see RFC 9110, section 9.2.1 */
const SAFE_METHODS: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS"]);
/** `same-origin` is a page of ours; `none` is an action of the user, such as typing the address. */
const OWN_SITES: ReadonlySet<string> = new Set(["same-origin", "none"]);

/** Whether a request opens a WebSocket. */
function isUpgrade({ headers }: Request): boolean {
  return headers.get("Upgrade")?.toLowerCase() === "websocket";
}

/** Whether a request may change something. A fetch is a POST to a repository's own address, but only reads. */
function mayChange({ method }: Request, { pathname }: URL): boolean {
  const isFetch = method === "POST" && pathname.endsWith("/git-upload-pack") && !pathname.startsWith("/api/");
  return !SAFE_METHODS.has(method) && !isFetch;
}

/** Whether an origin is in the operator's list, in which commas separate the origins. */
export function isAllowedOrigin(origin: string, allowed: string): boolean {
  return allowed.split(",").some((each) => each.trim().replace(/\/$/, "").toLowerCase() === origin.toLowerCase());
}

/** Whether a request is refused because a browser sent it for a page of another origin. `allowed` is `ALLOWED_ORIGINS`. */
export function isForeignPage(request: Request, allowed = ""): boolean {
  const url = new URL(request.url);
  if (!isUpgrade(request) && !mayChange(request, url)) return false;
  const origin = request.headers.get("Origin");
  if (origin !== null && origin !== "null" && isAllowedOrigin(origin, allowed)) return false;
  const site = request.headers.get("Sec-Fetch-Site");
  if (site !== null) return !OWN_SITES.has(site.toLowerCase());
  return origin !== null && URL.parse(origin)?.host !== url.host;
}
