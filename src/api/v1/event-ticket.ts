/**
 * Tickets for event sockets. A page in a browser can send no header with a WebSocket, and a token must not stand in a
 * URL. A ticket may: it opens the events of one repository, for one minute, as its maker may hear them.
 *
 * It is signed, and nothing is stored. The repository's object still checks what it stands for: the repository by its
 * id, and the token that it was made with, when a socket opens and before each message.
 *
 * @packageDocumentation
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import { parseSubscriptionRequest, type SubscriptionRequest } from "../../events/subscription.ts";
import { derivedKey } from "../../http/derived-key.ts";

/** How long a ticket is valid, in seconds. */
export const TICKET_SECONDS = 60;

/** What a ticket is for. */
export type EventTicket = {
  /** The repository, as `repositoryKey` writes it. */
  readonly repository: string;
  readonly subscription: SubscriptionRequest;
};

/** Returns the signature of a ticket's text. */
function signatureOf(text: string, secret: string): Buffer {
  return createHmac("sha256", derivedKey(secret, "event tickets")).update(text).digest();
}

/** Makes a ticket. `now` is in milliseconds since the epoch. */
export function formatTicket({ repository, subscription }: EventTicket, secret: string, now: number): string {
  const until = now + TICKET_SECONDS * 1000;
  const text = Buffer.from(JSON.stringify([repository, until, JSON.stringify(subscription)])).toString("base64url");
  return `${text}.${signatureOf(text, secret).toString("base64url")}`;
}

/** Returns what a ticket is for; `undefined` if it is not one of ours, or has expired. */
export function parseTicket(ticket: string, secret: string, now: number): EventTicket | undefined {
  const [text = "", signature = "", ...more] = ticket.split(".");
  const given = Buffer.from(signature, "base64url");
  const right = signatureOf(text, secret);
  if (more.length > 0 || given.length !== right.length || !timingSafeEqual(given, right)) return undefined;
  const json: unknown = JSON.parse(Buffer.from(text, "base64url").toString("utf8"));
  if (!Array.isArray(json)) return undefined;
  const [repository, until, subscription]: unknown[] = json;
  if (typeof repository !== "string" || typeof subscription !== "string") return undefined;
  if (typeof until !== "number" || until <= now) return undefined;
  return { repository, subscription: parseSubscriptionRequest(subscription) };
}
