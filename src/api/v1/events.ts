/**
 * `/api/v1/repos/{tenant}/{repo}/events`: the events of a repository as they happen, over a WebSocket.
 *
 * @packageDocumentation
 */
import { Hono, type Context } from "hono";
import * as v from "valibot";
import { networkOf } from "../../access/client-network.ts";
import { decide, needsPublic } from "../../access/decide.ts";
import { type RepositoryName, repositoryKey } from "../../access/names.ts";
import { actorOf, listedIdOf, type Principal } from "../../access/principal.ts";
import type { SubscriptionRequest } from "../../events/subscription.ts";
import { Problem } from "../../http/problem.ts";
import type { ApiEnv } from "../api-host.ts";
import { describe } from "../describe.ts";
import { formatTicket, parseTicket, TICKET_SECONDS } from "./event-ticket.ts";
import { requestedName, requestedRepository } from "./requested.ts";

/** A subscription to a repository's events, from whatever place. */
type Subscribing = { readonly name: RepositoryName; readonly subscription: SubscriptionRequest };

/** Seconds: a place becomes free when a subscriber leaves, at an unknown time. */
const RETRY_AFTER = { "Retry-After": "60" };
const NO_TICKET = "The ticket is not valid for this, or has expired.";

function sinceOf(context: Context<ApiEnv>): { since?: number } {
  const text = context.req.query("since");
  if (text === undefined) return {};
  if (!/^\d{1,15}$/.test(text)) throw new Problem(422, "since: not the seq of a message");
  return { since: Number(text) };
}

/**
 * Names the holder whose share of the places a subscriber takes. The operator has no share, and neither has a client
 * without an address.
 */
function holderOf(context: Context<ApiEnv>, principal: Principal, isAnybody: boolean): { holder?: string } {
  if (principal.kind === "token" && !isAnybody) return { holder: actorOf(principal) };
  const { client } = context.var.host;
  return principal.kind === "operator" || client === "" ? {} : { holder: `address:${networkOf(client)}` };
}

/** Returns the subscription that the caller may have. */
async function subscriptionOf(context: Context<ApiEnv>): Promise<Subscribing> {
  const { name, record } = await requestedRepository(context, "read");
  const { principal } = await context.var.host.identify(name);
  const isAnybody = needsPublic(principal, name);
  // A subscriber that is let in like anybody else has no token to lose.
  const id = isAnybody ? undefined : listedIdOf(principal);
  const token = principal.kind === "token" && id !== undefined ? { token: id, tokenSince: principal.createdAt } : {};
  const holder = holderOf(context, principal, isAnybody);
  const administers = decide(principal, "administer", name, record) === "allow";
  return { name, subscription: { id: record.id, needsPublic: isAnybody, administers, ...token, ...holder } };
}

/**
 * Returns the subscription for which a ticket was made.
 *
 * @throws Problem if it is not one for this repository, or has expired.
 */
async function ticketed(context: Context<ApiEnv>, ticket: string): Promise<Subscribing> {
  const name = await requestedName(context, "read");
  const { ticketSecret } = context.var.api;
  const found = ticketSecret === undefined ? undefined : parseTicket(ticket, ticketSecret, Date.now());
  if (found?.repository !== repositoryKey(name)) throw new Problem(401, NO_TICKET);
  return { name, subscription: found.subscription };
}

async function makeTicket(context: Context<ApiEnv>): Promise<Response> {
  const { name, subscription } = await subscriptionOf(context);
  const { ticketSecret } = context.var.api;
  if (ticketSecret === undefined)
    throw new Problem(501, "The deployment has no ADMIN_TOKEN, with which tickets are signed.");
  const ticket = formatTicket({ repository: repositoryKey(name), subscription }, ticketSecret, Date.now());
  return context.json({ ticket, expires_in: TICKET_SECONDS }, 201, { "Cache-Control": "no-store" });
}

async function subscribe(context: Context<ApiEnv>): Promise<Response> {
  const ticket = context.req.query("ticket");
  const { name, subscription } = ticket === undefined ? await subscriptionOf(context) : await ticketed(context, ticket);
  if (context.req.header("Upgrade")?.toLowerCase() !== "websocket") {
    throw new Problem(426, "Events come over a WebSocket: ask with `Upgrade: websocket`.");
  }
  const answer = await context.var.api.subscribe(name, { ...subscription, ...sinceOf(context) });
  switch (answer.status) {
    case 401:
      throw new Problem(401, ticket === undefined ? "The token is not valid any more." : NO_TICKET);
    case 404:
      throw new Problem(404, "There is no such repository.");
    case 429:
      throw new Problem(
        429,
        `The repository has as many subscribers ${subscription.token === undefined ? "from this address" : "with this token"} as it may.`,
        RETRY_AFTER,
      );
    case 503:
      throw new Problem(503, "The repository has as many subscribers as it may.", RETRY_AFTER);
    default:
      return answer;
  }
}

/** The route of events, below `/api/v1/repos`. */
export function eventRoutes(): Hono<ApiEnv> {
  const routes = new Hono<ApiEnv>();
  const description = describe({
    tag: "events",
    summary: "Tells of each ref as it moves, over a WebSocket",
    about:
      'One JSON message a ref: `{"type":"ref","repo","name","old","new","at","seq"}`. Where `since` is too long ago, ' +
      '`{"type":"gap","repo","since","seq"}` comes first. `ping` is answered with `pong`.',
    query: {
      since: { about: "The `seq` of the last message that is known; 0: all that the caller may be told." },
      ticket: { about: "A ticket for this repository, in place of a token." },
    },
    answers: { 101: { about: "The WebSocket." } },
    problems: [426, 429, 503],
  });
  routes.get("/:tenant/:repo/events", description, subscribe);
  routes.post(
    "/:tenant/:repo/events/tickets",
    describe({
      tag: "events",
      summary: "Makes a ticket for a browser's WebSocket",
      about:
        "A page can send no header with a WebSocket. `events?ticket=…` opens it as the maker of the ticket may, for a minute. " +
        "When the maker's token ends, so does what the socket is told.",
      answers: {
        201: { about: "The ticket.", json: v.strictObject({ ticket: v.string(), expires_in: v.number() }) },
      },
      problems: [501],
    }),
    makeTicket,
  );
  return routes;
}
