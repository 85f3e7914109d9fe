/**
 * `/api/v1/mirrors` and `/api/v1/tenants/{tenant}/mirrors`: all mirrors, and how they go.
 *
 * @packageDocumentation
 */
import { Hono, type Context } from "hono";
import * as v from "valibot";
import type { ListedMirror } from "../../access/mirror-list.ts";
import { authorizeTenant } from "../../http/denied.ts";
import { Problem } from "../../http/problem.ts";
import type { ApiEnv } from "../api-host.ts";
import { describe, PAGING } from "../describe.ts";
import { queryLimit } from "./content-request.ts";
import { formatCursor, nextPage, parseCursor } from "./cursor.ts";
import { requestedTenant } from "./requested.ts";

/** Mirrors on a page, and tenants that are asked for one. */
const PAGE = { mirrors: 100, mostMirrors: 1000, tenants: 40 };

const time = v.nullable(v.pipe(v.string(), v.isoTimestamp()));
const listedMirror = v.looseObject({
  repository: v.string(),
  upstream: v.string(),
  interval: v.number(),
  state: v.picklist(["ok", "failing", "new"]),
  last_attempt: time,
  last_sync: time,
  lag: v.nullable(v.number()),
  last_error: v.nullable(v.string()),
  failures: v.number(),
  next_sync: time,
});
const page = v.looseObject({ mirrors: v.array(listedMirror), cursor: v.optional(v.string()) });
const name = v.pipe(v.string(), v.maxLength(100));
const mirrorCursor = v.strictObject({ after: name });
const tenantCursor = v.strictObject({ tenant: name, after: name });

const isoTime = (at: number | undefined): string | null => (at === undefined ? null : new Date(at).toISOString());

function stateOf({ failures, lastSync }: ListedMirror): "ok" | "failing" | "new" {
  if (failures > 0) return "failing";
  return lastSync === undefined ? "new" : "ok";
}

function shown(mirror: ListedMirror, now: number): object {
  const { lastSync } = mirror;
  return {
    repository: mirror.name,
    upstream: mirror.upstream,
    interval: mirror.interval,
    state: stateOf(mirror),
    last_attempt: isoTime(mirror.lastAttempt),
    last_sync: isoTime(lastSync),
    lag: lastSync === undefined ? null : Math.max(0, Math.round((now - lastSync) / 1000)),
    last_error: mirror.lastError ?? null,
    failures: mirror.failures,
    next_sync: isoTime(mirror.nextSync),
  };
}

/** Returns whether only failing mirrors are asked for. @throws Problem if another state is. */
function onlyFailing(context: Context<ApiEnv>): boolean {
  const state = context.req.query("state");
  if (state !== undefined && state !== "failing") throw new Problem(422, "state: failing, or nothing");
  return state === "failing";
}

function answered(context: Context<ApiEnv>, mirrors: readonly ListedMirror[], cursor: object | undefined): Response {
  const now = Date.now();
  const { member, headers } = nextPage(context, cursor === undefined ? undefined : formatCursor(cursor));
  const body = { mirrors: mirrors.map((mirror) => shown(mirror, now)), ...member };
  return context.json(body, 200, { "Cache-Control": "no-store", ...headers });
}

async function listOfTenant(context: Context<ApiEnv>): Promise<Response> {
  const tenant = await requestedTenant(context, "administer");
  const limit = queryLimit(context, PAGE.mirrors, PAGE.mostMirrors);
  // Every name comes after the empty one.
  const after = parseCursor(context.req.query("cursor"), mirrorCursor)?.after ?? "";
  const found = await context.var.api.tenant(tenant).mirrors({ after, limit, failing: onlyFailing(context) });
  if (found === undefined) throw new Problem(404, "There is no such tenant.");
  const last = found.items.at(-1);
  return answered(context, found.items, found.more && last !== undefined ? { after: last.repo } : undefined);
}

/** Lists the mirrors of all tenants. Only some tenants are asked for a page, so it may be short and yet not the last. */
async function listOfAll(context: Context<ApiEnv>): Promise<Response> {
  await authorizeTenant(context.var.host, "operate", "");
  const { api } = context.var;
  const limit = queryLimit(context, PAGE.mirrors, PAGE.mostMirrors);
  const failing = onlyFailing(context);
  const begun = parseCursor(context.req.query("cursor"), tenantCursor);
  const mirrors: ListedMirror[] = [];
  const ask = async (tenant: string, after: string): Promise<object | undefined> => {
    const found = await api.tenant(tenant).mirrors({ after, limit: limit - mirrors.length, failing });
    mirrors.push(...(found?.items ?? []));
    const last = found?.items.at(-1);
    return found?.more === true && last !== undefined ? { tenant, after: last.repo } : undefined;
  };
  if (begun !== undefined && begun.after !== "") {
    const rest = await ask(begun.tenant, begun.after);
    if (rest !== undefined) return answered(context, mirrors, rest);
  }
  // Every name comes after the empty one.
  let done = begun?.tenant ?? "";
  const { items, more } = await api.directory().tenants(done, PAGE.tenants);
  for (const { name: tenant } of items) {
    const rest = mirrors.length < limit ? await ask(tenant, "") : { tenant: done, after: "" };
    if (rest !== undefined) return answered(context, mirrors, rest);
    done = tenant;
  }
  return answered(context, mirrors, more ? { tenant: done, after: "" } : undefined);
}

const LIST = {
  tag: "mirrors",
  access: "token",
  query: { ...PAGING, state: { about: "`failing`: only those whose last sync failed." } },
  answers: { 200: { about: "A page.", json: page } },
} as const;

/** The route of a tenant's mirrors, below `/api/v1/tenants`. */
export function tenantMirrorRoutes(): Hono<ApiEnv> {
  const routes = new Hono<ApiEnv>();
  routes.get(
    "/:tenant/mirrors",
    describe({
      ...LIST,
      summary: "Lists a tenant's mirrors and how they go",
      about:
        "By name, as each reported at the end of its last sync. `lag` is how many seconds ago the upstream was seen whole.",
    }),
    listOfTenant,
  );
  return routes;
}

/** The route of all mirrors. */
export function mirrorListRoutes(): Hono<ApiEnv> {
  const routes = new Hono<ApiEnv>();
  routes.get(
    "/",
    describe({
      ...LIST,
      summary: "Lists the mirrors of all tenants and how they go",
      about: "For the operator. A page may be short, or empty, and yet have a cursor: its share of tenants was asked.",
    }),
    listOfAll,
  );
  return routes;
}
