/**
 * `/api/v1/tenants/{tenant}/audit`: who did what in a tenant.
 *
 * @packageDocumentation
 */
import { Hono, type Context } from "hono";
import * as v from "valibot";
import type { AuditRecord } from "../../access/audit.ts";
import { Problem } from "../../http/problem.ts";
import type { ApiEnv } from "../api-host.ts";
import { describe, PAGING } from "../describe.ts";
import { queryLimit } from "./content-request.ts";
import { formatCursor, nextPage, parseCursor } from "./cursor.ts";
import { requestedTenant } from "./requested.ts";

/** Entries on a page. */
const PAGE = { entries: 100, most: 1000 };

const auditCursor = v.strictObject({ before: v.pipe(v.number(), v.integer(), v.minValue(1)) });
const page = v.looseObject({
  entries: v.array(
    v.looseObject({
      id: v.number(),
      at: v.pipe(v.string(), v.isoTimestamp()),
      actor: v.string(),
      actor_name: v.nullable(v.string()),
      action: v.string(),
      subject: v.string(),
      details: v.record(v.string(), v.any()),
    }),
  ),
  cursor: v.optional(v.string()),
});

function shown({ id, at, actor, actorName, action, subject, details }: AuditRecord): object {
  return { id, at: new Date(at).toISOString(), actor, actor_name: actorName ?? null, action, subject, details };
}

async function listAudit(context: Context<ApiEnv>): Promise<Response> {
  const tenant = await requestedTenant(context, "administer");
  const limit = queryLimit(context, PAGE.entries, PAGE.most);
  const { before } = parseCursor(context.req.query("cursor"), auditCursor) ?? {};
  const action = context.req.query("action");
  const found = await context.var.api.tenant(tenant).auditLog({
    limit,
    ...(before === undefined ? {} : { before }),
    ...(action === undefined ? {} : { action }),
  });
  if (found === undefined) throw new Problem(404, "There is no such tenant.");
  const last = found.items.at(-1);
  const cursor = found.more && last !== undefined ? formatCursor({ before: last.id }) : undefined;
  const { member, headers } = nextPage(context, cursor);
  return context.json({ entries: found.items.map(shown), ...member }, 200, { "Cache-Control": "no-store", ...headers });
}

/** The route of the audit log, below `/api/v1/tenants`. */
export function auditRoutes(): Hono<ApiEnv> {
  const routes = new Hono<ApiEnv>();
  routes.get(
    "/:tenant/audit",
    describe({
      tag: "tenants",
      summary: "Lists who did what, the newest first",
      about:
        "Tokens made and revoked, settings, rules, webhooks and mirrors changed, repositories created, renamed and deleted, and refused " +
        "logins. The newest 10,000 entries are kept. What was pushed is in each repository's ref log.",
      access: "token",
      query: { ...PAGING, action: { about: "Only the entries of this action, such as `token.create`." } },
      answers: { 200: { about: "A page.", json: page } },
    }),
    listAudit,
  );
  return routes;
}
