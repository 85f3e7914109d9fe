/**
 * `/api/v1/admin/dead-letters`: jobs that failed in all their tries.
 *
 * @packageDocumentation
 */
import { Hono, type Context } from "hono";
import * as v from "valibot";
import type { DeadLetter } from "../../events/dead-letter.ts";
import { authorizeTenant } from "../../http/denied.ts";
import { Problem } from "../../http/problem.ts";
import type { ApiEnv } from "../api-host.ts";
import { describe, PAGING } from "../describe.ts";
import { queryLimit } from "./content-request.ts";
import { formatCursor, nextPage, parseCursor } from "./cursor.ts";
import { pathParam } from "./requested.ts";

/** The usual and the most letters of a page. */
const PAGE = { letters: 50, mostLetters: 200 };

const time = v.pipe(v.string(), v.isoTimestamp());
const shownLetter = v.looseObject({
  id: v.number(),
  job: v.string(),
  repository: v.string(),
  repository_id: v.string(),
  hook: v.optional(v.string()),
  times: v.number(),
  first_at: time,
  last_at: time,
});
const page = v.looseObject({
  dead_letters: v.array(shownLetter),
  counts: v.record(v.string(), v.number()),
  cursor: v.optional(v.string()),
});
const number = v.pipe(v.number(), v.integer());
const letterCursor = v.strictObject({ lastAt: number, id: number });

function shown({ id, job, times, firstAt, lastAt }: DeadLetter): object {
  return {
    id,
    job: job.type,
    repository: job.repository,
    repository_id: job.id,
    ...(job.type === "deliver" ? { hook: job.hook } : {}),
    times,
    first_at: new Date(firstAt).toISOString(),
    last_at: new Date(lastAt).toISOString(),
  };
}

async function list(context: Context<ApiEnv>): Promise<Response> {
  await authorizeTenant(context.var.host, "operate", "");
  const limit = queryLimit(context, PAGE.letters, PAGE.mostLetters);
  const after = parseCursor(context.req.query("cursor"), letterCursor);
  const found = await context.var.api.deadLetters.list({ limit, ...(after && { after }) });
  const last = found.items.at(-1);
  const place = found.more && last !== undefined ? { lastAt: last.lastAt, id: last.id } : undefined;
  const { member, headers } = nextPage(context, place === undefined ? undefined : formatCursor(place));
  const body = { dead_letters: found.items.map(shown), counts: found.counts, ...member };
  return context.json(body, 200, { "Cache-Control": "no-store", ...headers });
}

/** Returns the number of the letter in the path; 0, which none has, if it is no number. */
async function askedLetter(context: Context<ApiEnv>): Promise<number> {
  await authorizeTenant(context.var.host, "operate", "");
  const text = pathParam(context, "letter");
  return /^\d{1,15}$/.test(text) ? Number(text) : 0;
}

const noLetter = (): Problem => new Problem(404, "There is no such job.");

async function redeliver(context: Context<ApiEnv>): Promise<Response> {
  const id = await askedLetter(context);
  if (!(await context.var.api.deadLetters.redeliver(id))) throw noLetter();
  return context.body(null, 202);
}

async function remove(context: Context<ApiEnv>): Promise<Response> {
  const id = await askedLetter(context);
  if (!(await context.var.api.deadLetters.remove(id))) throw noLetter();
  return context.body(null, 204);
}

/** The routes of jobs that were given up, below `/api/v1/admin`. */
export function deadLetterRoutes(): Hono<ApiEnv> {
  const routes = new Hono<ApiEnv>();
  routes.get(
    "/dead-letters",
    describe({
      tag: "host",
      summary: "Lists jobs that failed in all their tries",
      about:
        "For the operator; those given up last come first. A job that was given up several times is one entry. Entries are kept for 30 days, and 1000 at most. " +
        "Repositories have their jobs sent anew, so that nothing waits for an entry: it tells that something is wrong.",
      access: "token",
      query: PAGING,
      answers: { 200: { about: "A page, and how many there are of each type.", json: page } },
    }),
    list,
  );
  routes.post(
    "/dead-letters/:letter/redeliver",
    describe({
      tag: "host",
      summary: "Has a job that failed tried again",
      about: "For the operator. The entry goes; the job makes another if it fails in all its tries again.",
      access: "token",
      answers: { 202: { about: "It was sent to its queue." } },
    }),
    redeliver,
  );
  routes.delete(
    "/dead-letters/:letter",
    describe({
      tag: "host",
      summary: "Forgets a job that failed",
      about: "For the operator.",
      access: "token",
      answers: { 204: { about: "It was forgotten." } },
    }),
    remove,
  );
  return routes;
}
