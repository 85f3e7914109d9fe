/**
 * `/api/v1/tenants/{tenant}/hooks`: webhooks that are told of every repository of a tenant.
 *
 * @packageDocumentation
 */
import { Hono, type Context } from "hono";
import * as v from "valibot";
import type { TenantHook } from "../../access/tenant-hook.ts";
import { Problem } from "../../http/problem.ts";
import type { ApiEnv } from "../api-host.ts";
import { describe } from "../describe.ts";
import { readJson } from "../json-body.ts";
import { hookChange, hookCreation, turnedOff, noHook, target, withoutDoubles } from "./hooks.ts";
import { pathParam, requestedTenant } from "./requested.ts";

const instant = v.pipe(v.string(), v.isoTimestamp());
const hookJson = v.looseObject({
  id: v.string(),
  url: v.string(),
  has_secret: v.boolean(),
  events: v.array(v.string()),
  active: v.boolean(),
  created_at: instant,
  updated_at: instant,
});

const pingJson = v.looseObject({
  delivered: v.boolean(),
  status: v.nullable(v.number()),
  error: v.nullable(v.string()),
  duration_ms: v.number(),
});

/** Shows a webhook, without its secret. */
function shown({ id, url, secret, events, active, createdAt, updatedAt }: TenantHook): object {
  return {
    id,
    url,
    has_secret: secret !== undefined,
    events,
    active,
    created_at: new Date(createdAt).toISOString(),
    updated_at: new Date(updatedAt).toISOString(),
  };
}

async function list(context: Context<ApiEnv>): Promise<Response> {
  const tenant = await requestedTenant(context, "administer");
  const hooks = await context.var.api.tenant(tenant).hooks();
  if (hooks === undefined) throw new Problem(404, "There is no such tenant.");
  return context.json({ hooks: hooks.map(shown) }, 200, { "Cache-Control": "no-store" });
}

async function add(context: Context<ApiEnv>): Promise<Response> {
  const tenant = await requestedTenant(context, "administer");
  const asked = await readJson(context.req.raw, hookCreation);
  const hook = await context.var.api.tenant(tenant).addHook({
    url: target(context, asked.url),
    events: withoutDoubles(asked.events),
    active: asked.active,
    origin: new URL(context.req.url).origin,
    ...(asked.secret === "" ? {} : { secret: asked.secret }),
  });
  if (hook === undefined) throw new Problem(404, "There is no such tenant.");
  if (hook === "too-many") throw new Problem(422, "The tenant has as many webhooks as it may.");
  if (hook.active) context.var.host.until(context.var.api.pingTenantHook(tenant, hook));
  return context.json(shown(hook), 201);
}

async function ping(context: Context<ApiEnv>): Promise<Response> {
  const tenant = await requestedTenant(context, "administer");
  const hooks = await context.var.api.tenant(tenant).hooks();
  const hook = hooks?.find(({ id }) => id === context.req.param("hook"));
  if (hook === undefined) throw noHook();
  if (!hook.active) throw turnedOff();
  const { outcome, status = null, error = null, duration } = await context.var.api.pingTenantHook(tenant, hook);
  return context.json({ delivered: outcome === "delivered", status, error, duration_ms: duration });
}

async function edit(context: Context<ApiEnv>): Promise<Response> {
  const tenant = await requestedTenant(context, "administer");
  const asked = await readJson(context.req.raw, hookChange);
  const hook = await context.var.api.tenant(tenant).changeHook(pathParam(context, "hook"), {
    origin: new URL(context.req.url).origin,
    ...(asked.url === undefined ? {} : { url: target(context, asked.url) }),
    ...(asked.secret === undefined ? {} : { secret: asked.secret }),
    ...(asked.events === undefined ? {} : { events: withoutDoubles(asked.events) }),
    ...(asked.active === undefined ? {} : { active: asked.active }),
  });
  if (hook === undefined) throw noHook();
  return context.json(shown(hook));
}

async function remove(context: Context<ApiEnv>): Promise<Response> {
  const tenant = await requestedTenant(context, "administer");
  if (!(await context.var.api.tenant(tenant).removeHook(pathParam(context, "hook")))) throw noHook();
  return context.body(null, 204);
}

/** The routes of tenants' webhooks, below `/api/v1/tenants`. */
export function tenantHookRoutes(): Hono<ApiEnv> {
  const routes = new Hono<ApiEnv>();
  const path = "/:tenant/hooks";
  const base = { tag: "webhooks", access: "token" } as const;
  const one = { about: "The webhook.", json: hookJson };
  const all = { about: "All of them.", json: v.looseObject({ hooks: v.array(hookJson) }) };
  routes.get(path, describe({ ...base, summary: "Lists a tenant's webhooks", answers: { 200: all } }), list);
  routes.post(
    path,
    describe({
      ...base,
      summary: "Adds a webhook for all repositories of a tenant",
      about:
        "It is sent a `ping`, and told of every repository, also of those that are made later. Its deliveries are listed with each repository, by its id: " +
        "`GET /api/v1/repos/{tenant}/{repo}/hooks/{hook}/deliveries`.",
      body: hookCreation,
      answers: { 201: one },
    }),
    add,
  );
  routes.post(
    `${path}/:hook/pings`,
    describe({
      ...base,
      summary: "Sends a ping, and waits for what the receiver answers",
      answers: { 200: { about: "Whether it was taken, and with which status.", json: pingJson } },
      problems: [409],
    }),
    ping,
  );
  routes.patch(
    `${path}/:hook`,
    describe({ ...base, summary: "Changes a tenant's webhook", body: hookChange, answers: { 200: one } }),
    edit,
  );
  routes.delete(
    `${path}/:hook`,
    describe({
      ...base,
      summary: "Removes a tenant's webhook",
      answers: { 204: { about: "It is told nothing more." } },
    }),
    remove,
  );
  return routes;
}
