/**
 * Where the host may be made to connect to: the one check of every URL that a user gives it to fetch, for mirrors and webhooks,
 * when it is set, before it is used, and at each redirect.
 *
 * It sees names, not what they resolve to: nothing in a Worker can look a name up and then connect to what was found. A name
 * whose owner points it at a private address is left to the network. Cloudflare's own has no private addresses behind `fetch`;
 * workerd's default network allows `public` ones only, though the simulator that `npm start` runs it in opens all of them.
 *
 * @packageDocumentation
 */
import { addressKind } from "./outgoing-address.ts";

/** The URL to fetch, or why it must not be, as a sentence for the user. */
export type OutgoingUrl =
  | { readonly kind: "allowed"; readonly url: URL }
  | { readonly kind: "refused"; readonly why: string };

const MOST_CHARACTERS = 2048;
/** Characters that `URL` would drop or turn without a word. */
// eslint-disable-next-line no-control-regex -- control characters are what it is for
const DECEPTIVE = /[\x00-\x20\x7f\\]/;
/** What the DNS can hold: labels of letters, digits, hyphens and underscores, more than one. */
const NAME = /^(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z0-9-]{2,63}$/;
/** Last labels of names that only mean something in a local network. RFC 6761, 6762, 7686, 8375, 9476, and what is in use. */
const LOCAL_NAMES =
  /(?:^|\.)(?:localhost|local|localdomain|internal|intranet|private|svc|corp|home|lan|alt|onion|arpa)$/;
/** Names under which clouds give their machines secrets; they mean so also where private names are allowed. */
const METADATA_NAMES = /(?:^|\.)(?:metadata|instance-data)(?:\.|$)/;

function refused(why: string): OutgoingUrl {
  return { kind: "refused", why };
}

/** Whether a web server may well listen on this port; those of other services below 1024 are how a URL is used to talk to something else. */
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
  // A dot at the end says that the name is complete, and changes nothing else.
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
 * Checks a URL that the host is to fetch. `allowPrivate` is the operator's switch for tests and closed networks: it also admits
 * `http:`, loopback and private networks, though never metadata services, link-local or multicast addresses. `base` is where a
 * redirect came from.
 */
export function parseOutgoingUrl(text: string, allowPrivate: boolean, base?: URL): OutgoingUrl {
  if (text.length > MOST_CHARACTERS) return refused(`A URL may have ${MOST_CHARACTERS} characters.`);
  const url = DECEPTIVE.test(text) ? null : URL.parse(text, base?.href);
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
