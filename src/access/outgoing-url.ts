/**
 * The one check of every URL that a user makes the host connect to, for mirrors and webhooks. It is made when a URL is
 * set, before it is used, and at each redirect.
 *
 * It sees names and not their addresses: a Worker cannot look a name up and then connect to the address that it found.
 * So only the network can refuse a name whose owner points it at a private address. Cloudflare's network has no private
 * addresses behind `fetch`. workerd's default network allows public ones only, but the simulator of `npm start` allows
 * all.
 *
 * @packageDocumentation
 */
import { addressKind } from "./outgoing-address.ts";

/** The URL to fetch, or the reason why it is refused, as a sentence for the user. */
export type OutgoingUrl =
  | { readonly kind: "allowed"; readonly url: URL }
  | { readonly kind: "refused"; readonly why: string };

const MOST_CHARACTERS = 2048;
/** The characters that `URL` would silently drop or replace. */
// eslint-disable-next-line no-control-regex -- control characters are what it is for
const DECEPTIVE = /[\x00-\x20\x7f\\]/;
/** A name that the DNS can have: two or more labels of letters, digits, hyphens and underscores. */
const NAME = /^(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z0-9-]{2,63}$/;
/** The last labels of names of local networks: those of RFC 6761, 6762, 7686, 8375 and 9476, and others in use. */
const LOCAL_NAMES =
  /(?:^|\.)(?:localhost|local|localdomain|internal|intranet|private|svc|corp|home|lan|alt|onion|arpa)$/;
/**
 * The names of the services from which clouds' machines get secrets. They are refused even if private names are
 * allowed.
 */
const METADATA_NAMES = /(?:^|\.)(?:metadata|instance-data)(?:\.|$)/;

function refused(why: string): OutgoingUrl {
  return { kind: "refused", why };
}

/**
 * Whether the port may be a web server's. An attacker could use other ports below 1024 to talk to another kind of
 * service.
 */
function isWebPort(url: URL, allowPrivate: boolean): boolean {
  const port = url.port === "" ? (url.protocol === "https:" ? 443 : 80) : Number(url.port);
  return port === 443 || port >= 1024 || (port === 80 && allowPrivate);
}

function hostProblem(hostname: string, allowPrivate: boolean): string | undefined {
  const kind = addressKind(hostname);
  if (kind !== undefined) {
    const isOpen = kind === "public" || (allowPrivate && kind !== "forbidden");
    return isOpen ? undefined : `${hostname} is not an address on the public internet.`;
  }
  // A dot at the end only says that the name is complete.
  const name = hostname.replace(/\.$/, "");
  const isLocal = LOCAL_NAMES.test(name) || !name.includes(".");
  if (METADATA_NAMES.test(name) && isLocal) return `${name} is not a name on the public internet.`;
  if (isLocal && !allowPrivate) return `${name} is not a name on the public internet.`;
  if (name.length > 253 || !(NAME.test(name) || (isLocal && NAME.test(`${name}.local`)))) {
    return `${name} is not the name of a host.`;
  }
  return undefined;
}

/**
 * Checks a URL that the host is to fetch. `allowPrivate` is the operator's switch for tests and closed networks. It
 * also allows `http:`, loopback and private networks, but never metadata services, link-local or multicast addresses.
 * `base` is the URL that redirected here, if any.
 */
export function parseOutgoingUrl(text: string, allowPrivate: boolean, base?: URL): OutgoingUrl {
  if (text.length > MOST_CHARACTERS) return refused(`A URL may have ${MOST_CHARACTERS} characters.`);
  const url = DECEPTIVE.test(text) ? null : URL.parse(text, base?.href);
  if (url === null && /^[^/?#]+@[^/?#]+:/.test(text)) return refused("The URL has to begin with https://.");
  if (url === null) return refused("This is not a URL.");
  if (url.protocol !== "https:" && !(allowPrivate && url.protocol === "http:")) {
    return refused("The URL has to begin with https://.");
  }
  if (url.username !== "" || url.password !== "" || /^[^/?#]*\/\/[^/?#]*@/.test(text)) {
    return refused("Credentials don't belong in a URL, where they would be shown and logged.");
  }
  if (!isWebPort(url, allowPrivate))
    return refused(`Port ${url.port} is not one of a web server: 443, or 1024 and above.`);
  const problem = hostProblem(url.hostname, allowPrivate);
  return problem === undefined ? { kind: "allowed", url } : refused(problem);
}
