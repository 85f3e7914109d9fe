/**
 * Tickets for Git LFS by SSH. A client that came with an SSH key asks for one, and then moves its files over HTTP with it
 * (`git-lfs-authenticate`). A ticket stands for the key, for one repository, to read or to write, for a quarter of an
 * hour.
 *
 * It is signed, and nothing is stored. The key is looked up again in each request, so that a ticket ends with its key.
 *
 * @packageDocumentation
 * @see git-lfs's docs/api/server-discovery.md
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import * as v from "valibot";
import type { RepositoryName } from "../access/names.ts";
import type { KeyCredentials } from "./authenticate.ts";
import { derivedKey } from "./derived-key.ts";

/** How long a ticket is valid, in seconds. */
export const LFS_TICKET_SECONDS = 900;
/** How a ticket begins: no token does so. */
const PREFIX = "tpl_";
/** The most characters of a ticket: two names and a fingerprint are in it. */
const LONGEST = 1024;
const HEADER = new RegExp(String.raw`^Bearer ${PREFIX}([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)$`, "i");
const LFS_PATH = /^\/[^/]+\/[^/]+\/info\/lfs\//;

const CONTENT = v.strictTuple([v.string(), v.string(), v.string(), v.boolean(), v.number()]);

/** What a ticket is for. */
export type LfsTicket = { readonly name: RepositoryName; readonly fingerprint: string; readonly writes: boolean };

function signatureOf(text: string, secret: string): Buffer {
  return createHmac("sha256", derivedKey(secret, "lfs tickets")).update(text).digest();
}

/** Makes the header that a client is to send. `now` is in milliseconds since the epoch. */
export function formatLfsTicket({ name, fingerprint, writes }: LfsTicket, secret: string, now: number): string {
  const content = [name.tenant, name.repo, fingerprint, writes, now + LFS_TICKET_SECONDS * 1000];
  const text = Buffer.from(JSON.stringify(content)).toString("base64url");
  return `Bearer ${PREFIX}${text}.${signatureOf(text, secret).toString("base64url")}`;
}

/** Whether a header has the form of a ticket, whatever it is worth. */
export function isLfsTicket(header: string | undefined): boolean {
  return header !== undefined && header.length <= LONGEST && HEADER.test(header);
}

/**
 * Returns the credentials that a ticket stands for. It is worth nothing (`undefined`) if it is not one of ours or has
 * expired, and for every path but those of Git LFS.
 */
export function parseLfsTicket(header: string, path: string, secret: string, now: number): KeyCredentials | undefined {
  const [, text = "", signature = ""] = HEADER.exec(header) ?? [];
  const [given, right] = [Buffer.from(signature, "base64url"), signatureOf(text, secret)];
  if (!LFS_PATH.test(path) || given.length !== right.length || !timingSafeEqual(given, right)) return undefined;
  const [tenant, repo, fingerprint, writes, until] = v.parse(
    CONTENT,
    JSON.parse(Buffer.from(text, "base64url").toString("utf8")),
  );
  if (until <= now) return undefined;
  return { kind: "key", tenant, fingerprint, lent: { repo, writes } };
}
