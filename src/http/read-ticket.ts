/**
 * Tickets to read: what an address of a private repository carries, so that a client that follows it needs no credentials of its
 * own. A ticket stands for the credentials of whoever was given it, for one repository, to read, for an hour.
 *
 * It is sealed with a key of the deployment, and nothing is stored. The credentials are looked up again in each request, so that a
 * ticket ends with its token. Nobody is given one for a ticket.
 *
 * ```text
 * ticket  := "tpr_" base64url( nonce (12 bytes) | ciphertext | tag (16 bytes) )      AES-256-GCM
 * content := JSON of [ kind, tenant, token's hash or key's fingerprint, repository, its id or "", time of its end in milliseconds ]
 * ```
 *
 * @packageDocumentation
 */
import { createHash, timingSafeEqual } from "node:crypto";
import * as v from "valibot";
import type { RepositoryName } from "../access/names.ts";
import type { Credentials } from "./authenticate.ts";
import { derivedKey } from "./derived-key.ts";

/** How long a ticket is valid, in seconds. */
export const READ_TICKET_SECONDS = 3600;
/** How a ticket begins: no token does so. */
const PREFIX = "tpr_";
/** The most characters of a ticket that is opened: two names and a fingerprint are in it. */
const LONGEST = 1024;
const NONCE_BYTES = 12;
/** What a client reads with one: its own kind of paths, and none of the API. */
const GIT_PATH = /^\/[^/]+\/[^/]+\/(?:info\/refs|git-upload-pack|objects\/pack\/[^/]+|bundles(?:\/[^/]+)?)$/;
/** The paths whose address may carry one. */
const FILE_PATH = /^\/[^/]+\/[^/]+\/(?:objects\/pack|bundles)\/[^/]+$/;

const CONTENT = v.strictTuple([
  v.picklist(["operator", "token", "key"]),
  v.string(),
  v.string(),
  v.string(),
  v.string(),
  v.number(),
]);

async function keyOf(secret: string, use: "encrypt" | "decrypt"): Promise<CryptoKey> {
  return await crypto.subtle.importKey("raw", derivedKey(secret, "read tickets"), "AES-GCM", false, [use]);
}

/** Names the operator's secret of now, so that a ticket ends with it. */
function digestOf(secret: string): string {
  return createHash("sha256").update(`read tickets of the operator\0${secret}`).digest("hex");
}

/** Returns the kind and the name of credentials; `undefined` for those that a ticket is not given for. */
function namedBy(credentials: Credentials, secret: string): readonly [kind: string, id: string] | undefined {
  switch (credentials.kind) {
    case "operator":
      return ["operator", digestOf(secret)];
    case "unchecked":
      return credentials.lent === undefined ? ["token", Buffer.from(credentials.hash).toString("hex")] : undefined;
    case "key":
      return credentials.lent === undefined ? ["key", credentials.fingerprint] : undefined;
    case "anonymous":
    case "binding":
    case "invalid":
    case "lent":
      return undefined;
  }
}

/**
 * Makes a ticket; `undefined` for credentials that get none. `id` is the repository's: with it, the ticket is worth nothing for another
 * repository that has the name later. `now` is in milliseconds since the epoch.
 */
export async function sealReadTicket(
  credentials: Credentials,
  { tenant, repo }: Pick<RepositoryName, "tenant" | "repo">,
  { id: repoId, secret, now }: { readonly id: string | undefined; readonly secret: string; readonly now: number },
): Promise<string | undefined> {
  const named = namedBy(credentials, secret);
  if (named === undefined) return undefined;
  const [kind, id] = named;
  // A token of another tenant reads here what anybody reads, and a ticket for it would say no more.
  const home = "tenant" in credentials ? credentials.tenant : tenant;
  if (home !== tenant) return undefined;
  const only = repoId ?? ""; // No repository has the empty id.
  const text = Buffer.from(JSON.stringify([kind, tenant, id, repo, only, now + READ_TICKET_SECONDS * 1000]));
  const nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
  const sealed = await crypto.subtle.encrypt({ name: "AES-GCM", iv: nonce }, await keyOf(secret, "encrypt"), text);
  return PREFIX + Buffer.concat([nonce, new Uint8Array(sealed)]).toString("base64url");
}

/** Whether a text has the form of a ticket, whatever it is worth. */
export function isReadTicket(text: string | undefined): text is string {
  return text?.startsWith(PREFIX) === true && text.length <= LONGEST;
}

/** Returns the ticket in an address, where one may stand. */
export function ticketInAddress(url: string): string | undefined {
  const { pathname, searchParams } = new URL(url);
  const ticket = FILE_PATH.test(pathname) ? searchParams.get("ticket") : null;
  return ticket !== null && isReadTicket(ticket) ? ticket : undefined;
}

async function contentOf(ticket: string, secret: string): Promise<v.InferOutput<typeof CONTENT> | undefined> {
  const bytes = Buffer.from(ticket.slice(PREFIX.length), "base64url");
  const iv = new Uint8Array(bytes.subarray(0, NONCE_BYTES));
  try {
    const key = await keyOf(secret, "decrypt");
    const opened = await crypto.subtle.decrypt(
      { name: "AES-GCM", iv },
      key,
      new Uint8Array(bytes.subarray(NONCE_BYTES)),
    );
    return v.parse(CONTENT, JSON.parse(Buffer.from(opened).toString("utf8")));
  } catch {
    // WebCrypto says no more than that it is not one of ours.
    return undefined;
  }
}

/**
 * Returns the credentials that a ticket stands for. It is worth nothing (`invalid`) if it is not one of ours or has expired, and
 * for every path but those of git.
 */
export async function openReadTicket(
  ticket: string,
  { path, secret, now }: { readonly path: string; readonly secret: string; readonly now: number },
): Promise<Credentials> {
  const content = GIT_PATH.test(path) ? await contentOf(ticket, secret) : undefined;
  if (content === undefined) return { kind: "invalid" };
  const [kind, tenant, id, repo, repoId, until] = content;
  if (until <= now) return { kind: "invalid" };
  const only = { repo, ...(repoId === "" ? {} : { repoId }) };
  const lent = { ...only, writes: false };
  if (kind === "key") return { kind: "key", tenant, fingerprint: id, lent };
  if (kind === "token") return { kind: "unchecked", tenant, hash: Buffer.from(id, "hex"), lent };
  const isOurs = timingSafeEqual(Buffer.from(digestOf(secret)), Buffer.from(id));
  return isOurs ? { kind: "lent", tenant, ...only } : { kind: "invalid" };
}
