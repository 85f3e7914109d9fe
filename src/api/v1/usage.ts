/**
 * `/api/v1/tenants/{tenant}/usage`, `/api/v1/repos/{tenant}/{repo}/usage`: what is stored now, and what was done on each
 * day.
 *
 * @packageDocumentation
 */
import { Hono, type Context } from "hono";
import * as v from "valibot";
import { type DayUsage, dayOf, startOfDay, type UsageAnswer } from "../../access/usage.ts";
import { Problem } from "../../http/problem.ts";
import type { ApiEnv } from "../api-host.ts";
import { describe } from "../describe.ts";
import { requestedRepository, requestedTenant } from "./requested.ts";

/** Days that are shown if none are asked for. */
const USUAL_DAYS = 31;
const DATE = /^\d{4}-\d{2}-\d{2}$/;

const shownUsage = v.strictObject({
  stored: v.strictObject({ git_bytes: v.number(), lfs_bytes: v.number(), objects: v.number() }),
  days: v.array(
    v.strictObject({
      date: v.pipe(v.string(), v.isoDate()),
      requests: v.number(),
      clones: v.number(),
      fetches: v.number(),
      pushes: v.number(),
      bytes_in: v.number(),
      bytes_out: v.number(),
      ms: v.number(),
    }),
  ),
});

/**
 * Returns a day of the query.
 *
 * @throws Problem if it is not a date.
 */
function requestedDay(context: Context<ApiEnv>, name: "from" | "to", usual: number): number {
  const text = context.req.query(name);
  if (text === undefined) return usual;
  const time = DATE.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN;
  const isDate = !Number.isNaN(time) && new Date(time).toISOString().startsWith(text);
  if (!isDate) throw new Problem(422, `${name}: not a date, such as 2026-01-31`);
  return dayOf(time);
}

function requestedDays(context: Context<ApiEnv>): { readonly from: number; readonly to: number } {
  const to = requestedDay(context, "to", dayOf(Date.now()));
  return { from: requestedDay(context, "from", to - USUAL_DAYS + 1), to };
}

function shownDay({ day, bytesIn, bytesOut, ...counts }: DayUsage): object {
  const date = new Date(startOfDay(day)).toISOString().slice(0, 10);
  return { date, ...counts, bytes_in: bytesIn, bytes_out: bytesOut };
}

function answered(context: Context<ApiEnv>, usage: UsageAnswer | undefined): Response {
  if (usage === undefined) throw new Problem(404, "There is no such tenant or repository.");
  const { bytes, objects, lfsBytes = 0 } = usage.stored; // Without Git LFS objects nothing is said of them.
  const body = {
    stored: { git_bytes: bytes - lfsBytes, lfs_bytes: lfsBytes, objects },
    days: usage.days.map(shownDay),
  };
  return context.json(body, 200, { "Cache-Control": "no-store" });
}

async function tenantUsage(context: Context<ApiEnv>): Promise<Response> {
  const tenant = await requestedTenant(context, "administer");
  const days = requestedDays(context);
  await context.var.api.flushUsage();
  return answered(context, await context.var.api.tenant(tenant).usage(days));
}

async function repositoryUsage(context: Context<ApiEnv>): Promise<Response> {
  const { name } = await requestedRepository(context, "administer");
  const days = requestedDays(context);
  await context.var.api.flushUsage();
  return answered(context, await context.var.api.tenant(name.tenant).usage({ repo: name.repo, ...days }));
}

const ABOUT =
  "Days are those of UTC; a day on which nothing was done is left out. Requests that were refused do not count. Bytes are those of bodies. " +
  "The counts of the last half minute may be missing.";
const QUERY = {
  from: { about: "The first day, as in `2026-01-31`; 31 days up to `to` where it is not given." },
  to: { about: "The last day; today where it is not given." },
};
const ANSWERS = { 200: { about: "The usage.", json: shownUsage } };

/** The route of a tenant's usage, below `/api/v1/tenants`. */
export function tenantUsageRoutes(): Hono<ApiEnv> {
  const routes = new Hono<ApiEnv>();
  const summary = "Shows a tenant's usage by day";
  const about = `${ABOUT} Days are kept for 400 days.`;
  routes.get(
    "/:tenant/usage",
    describe({ tag: "tenants", summary, about, access: "token", query: QUERY, answers: ANSWERS }),
    tenantUsage,
  );
  return routes;
}

/** The route of a repository's usage, below `/api/v1/repos`. */
export function repositoryUsageRoutes(): Hono<ApiEnv> {
  const routes = new Hono<ApiEnv>();
  const summary = "Shows a repository's usage by day";
  const about = `${ABOUT} Days are kept for 92 days.`;
  routes.get(
    "/:tenant/:repo/usage",
    describe({ tag: "repositories", summary, about, access: "token", query: QUERY, answers: ANSWERS }),
    repositoryUsage,
  );
  return routes;
}
