/**
 * `/api/v1/repos/{tenant}/{repo}/events`: what happens to a repository, as it happens, over a WebSocket.
 *
 * @packageDocumentation
 */
import { Hono, type Context } from "hono";
import { decide } from "../../access/decide.ts";
import { Problem } from "../../http/problem.ts";
import type { ApiEnv } from "../api-host.ts";
import { describe } from "../describe.ts";
import { requestedRepository } from "./requested.ts";

function sinceOf(context: Context<ApiEnv>): { since?: number } {
  const text = context.req.query("since");
  if (text === undefined) return {};
  if (!/^\d{1,15}$/.test(text)) throw new Problem(422, "since: not the seq of a message");
  return { since: Number(text) };
}

async function subscribe(context: Context<ApiEnv>): Promise<Response> {
  const { host, api } = context.var;
  const { name, record } = await requestedRepository(context, "read");
  if (context.req.header("Upgrade")?.toLowerCase() !== "websocket") {
    throw new Problem(426, "Events come over a WebSocket: ask with `Upgrade: websocket`.");
  }
  const { principal } = await host.identify(name);
  const needsPublic = decide(principal, "read", name, { ...record, visibility: "private" }) !== "allow";
  // One that is let in as anybody is has no token to lose.
  const token = principal.kind === "token" && !needsPublic ? { token: principal.id } : {};
  const answer = await api.subscribe(name, { id: record.id, needsPublic, ...token, ...sinceOf(context) });
  if (answer.status === 404) throw new Problem(404, "There is no such repository.");
  if (answer.status === 503) throw new Problem(503, "The repository has as many subscribers as it may.");
  return answer;
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
    query: { since: { about: "The `seq` of the last message that is known; 0: all there are." } },
    answers: { 101: { about: "The WebSocket." } },
    problems: [426, 503],
  });
  routes.get("/:tenant/:repo/events", description, subscribe);
  return routes;
}
