/**
 * `/api/v1/repos/{tenant}/{repo}/events`: the events of a repository as they happen, over a WebSocket.
 *
 * @packageDocumentation
 */
import { Hono, type Context } from "hono";
import { networkOf } from "../../access/client-network.ts";
import { decide, needsPublic } from "../../access/decide.ts";
import type { Principal } from "../../access/principal.ts";
import { Problem } from "../../http/problem.ts";
import type { ApiEnv } from "../api-host.ts";
import { describe } from "../describe.ts";
import { requestedRepository } from "./requested.ts";

/** Seconds: a place becomes free when a subscriber leaves, at an unknown time. */
const RETRY_AFTER = { "Retry-After": "60" };

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
  if (principal.kind === "token" && !isAnybody) return { holder: `token:${principal.id}` };
  const { client } = context.var.host;
  return principal.kind === "operator" || client === "" ? {} : { holder: `address:${networkOf(client)}` };
}

async function subscribe(context: Context<ApiEnv>): Promise<Response> {
  const { host, api } = context.var;
  const { name, record } = await requestedRepository(context, "read");
  if (context.req.header("Upgrade")?.toLowerCase() !== "websocket") {
    throw new Problem(426, "Events come over a WebSocket: ask with `Upgrade: websocket`.");
  }
  const { principal } = await host.identify(name);
  const isAnybody = needsPublic(principal, name);
  // A subscriber that is let in like anybody else has no token to lose.
  const token =
    principal.kind === "token" && !isAnybody ? { token: principal.id, tokenSince: principal.createdAt } : {};
  const holder = holderOf(context, principal, isAnybody);
  const administers = decide(principal, "administer", name, record) === "allow";
  const subscription = { id: record.id, needsPublic: isAnybody, administers, ...token, ...sinceOf(context), ...holder };
  const answer = await api.subscribe(name, subscription);
  switch (answer.status) {
    case 404:
      throw new Problem(404, "There is no such repository.");
    case 429:
      throw new Problem(
        429,
        `The repository has as many subscribers ${token.token === undefined ? "from this address" : "with this token"} as it may.`,
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
    query: { since: { about: "The `seq` of the last message that is known; 0: all that the caller may be told." } },
    answers: { 101: { about: "The WebSocket." } },
    problems: [426, 429, 503],
  });
  routes.get("/:tenant/:repo/events", description, subscribe);
  return routes;
}
