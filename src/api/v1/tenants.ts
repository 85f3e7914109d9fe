/**
 * `/api/v1/tenants`: tenants, and the list of a tenant's repositories.
 *
 * @packageDocumentation
 */
import { Hono, type Context } from "hono";
import * as v from "valibot";
import { DEFAULT_TENANT, type TenantRecord, type TenantSettings } from "../../access/directory.ts";
import type { Page } from "../../access/token-store.ts";
import type { Quotas } from "../../access/quotas.ts";
import { parseRepositoryName } from "../../access/names.ts";
import { contentTag } from "../../bytes/content-tag.ts";
import { authorizeTenant } from "../../http/denied.ts";
import { unlessMoved } from "../../http/moved.ts";
import { Problem } from "../../http/problem.ts";
import type { ApiEnv } from "../api-host.ts";
import { describe, NOT_MODIFIED, PAGING } from "../describe.ts";
import { readJson } from "../json-body.ts";
import { queryLimit } from "./content-request.ts";
import { formatCursor, nextPage, parseCursor } from "./cursor.ts";
import { assertAsAsked } from "./as-asked.ts";
import { answeredSettings, assertCurrent, isConditional } from "./if-match.ts";
import { shownRepository, showRepository } from "./repo-settings.ts";
import { pathParam, requestedTenant } from "./requested.ts";

/** The usual and the most tenants and repositories of a page. A page of repositories calls each of them. */
const PAGE = { tenants: 100, mostTenants: 1000, repos: 30, mostRepos: 100 };

const quota = v.nullish(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(Number.MAX_SAFE_INTEGER)));
const quotas = v.strictObject({ repos: quota, bytes: quota, objects: quota, largest_blob: quota });
/** Seconds: thirty days are the longest interval that a mirror may have. */
const leastInterval = v.nullable(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(30 * 24 * 3600)));
const settings = v.strictObject({
  push_to_create: v.optional(v.boolean()),
  quotas: v.optional(quotas),
  least_mirror_interval: v.optional(leastInterval),
});

const shownQuota = v.nullable(v.number());
const shownTenant = v.strictObject({
  name: v.string(),
  created_at: v.pipe(v.string(), v.isoTimestamp()),
  repos: v.number(),
  push_to_create: v.boolean(),
  least_mirror_interval: v.nullable(v.number()),
  usage: v.strictObject({ repos: v.number(), bytes: v.number(), objects: v.number() }),
  quotas: v.strictObject({ repos: shownQuota, bytes: shownQuota, objects: shownQuota, largest_blob: shownQuota }),
});
const listedTenant = v.strictObject({ name: v.string(), created_at: v.pipe(v.string(), v.isoTimestamp()) });
const nameCursor = v.strictObject({ after: v.pipe(v.string(), v.maxLength(100)) });

function shown({ name, createdAt, repoCount, usage, settings: current }: TenantRecord): object {
  const { pushToCreate, quotas: bounds, leastMirrorInterval = 0 } = current;
  return {
    name,
    created_at: new Date(createdAt).toISOString(),
    repos: repoCount,
    push_to_create: pushToCreate,
    least_mirror_interval: leastMirrorInterval === 0 ? null : leastMirrorInterval,
    usage: { repos: repoCount, bytes: usage.bytes, objects: usage.objects },
    quotas: {
      repos: bounds.repos ?? null,
      bytes: bounds.bytes ?? null,
      objects: bounds.objects ?? null,
      largest_blob: bounds.blobBytes ?? null,
    },
  };
}

function tagOf({ createdAt, settings: current }: TenantRecord): string {
  return contentTag(JSON.stringify([createdAt, current]));
}

function answered(context: Context<ApiEnv>, record: TenantRecord, status: 200 | 201 = 200): Response {
  return answeredSettings(context, shown(record), tagOf(record), status);
}

function quotasOf(asked: v.InferOutput<typeof quotas>): Quotas {
  const { repos, bytes, objects, largest_blob: blobBytes } = asked;
  return {
    ...(typeof repos === "number" ? { repos } : {}),
    ...(typeof bytes === "number" ? { bytes } : {}),
    ...(typeof objects === "number" ? { objects } : {}),
    ...(typeof blobBytes === "number" ? { blobBytes } : {}),
  };
}

function settingsOf(asked: v.InferOutput<typeof settings>): Partial<TenantSettings> {
  return {
    ...(asked.push_to_create === undefined ? {} : { pushToCreate: asked.push_to_create }),
    ...(asked.quotas === undefined ? {} : { quotas: quotasOf(asked.quotas) }),
    // `null` and 0 both remove the bound.
    ...(asked.least_mirror_interval === undefined ? {} : { leastMirrorInterval: asked.least_mirror_interval ?? 0 }),
  };
}

const noTenant = (): Problem => new Problem(404, "There is no such tenant.");

async function listTenants(context: Context<ApiEnv>): Promise<Response> {
  await authorizeTenant(context.var.host, "operate", "");
  const limit = queryLimit(context, PAGE.tenants, PAGE.mostTenants);
  // Every name comes after the empty one.
  const after = parseCursor(context.req.query("cursor"), nameCursor)?.after ?? "";
  const { items, more } = await context.var.api.directory().tenants(after, limit);
  const last = items.at(-1);
  const tenants = items.map(({ name, spelled = name, createdAt }) => ({
    name: spelled,
    created_at: new Date(createdAt).toISOString(),
  }));
  const cursor = more && last !== undefined ? formatCursor({ after: last.name }) : undefined;
  const { member, headers } = nextPage(context, cursor);
  return context.json({ tenants, ...member }, 200, { "Cache-Control": "no-store", ...headers });
}

async function makeTenant(context: Context<ApiEnv>): Promise<Response> {
  const tenant = await requestedTenant(context, "operate");
  const body = await readJson(context.req.raw, settings);
  const asked = settingsOf(body);
  const made = await context.var.api
    .tenant(tenant)
    .create({ ...DEFAULT_TENANT, ...asked }, pathParam(context, "tenant"));
  context.var.host.unbounded.forget(tenant);
  if (made.kind === "leaving") {
    throw new Problem(409, "A tenant of this name is being deleted. Try again when its repositories have gone.");
  }
  if (made.kind === "exists") assertAsAsked(context, body, shown(made.record));
  return answered(context, made.record, made.kind === "created" ? 201 : 200);
}

async function showTenant(context: Context<ApiEnv>): Promise<Response> {
  const tenant = await requestedTenant(context, "show");
  const record = await context.var.api.tenant(tenant).describe();
  if (record === undefined) throw noTenant();
  return answered(context, record);
}

async function changeTenant(context: Context<ApiEnv>): Promise<Response> {
  const tenant = await requestedTenant(context, "administer");
  const asked = settingsOf(await readJson(context.req.raw, settings));
  // A tenant must not set its own bounds.
  if (asked.quotas !== undefined || asked.leastMirrorInterval !== undefined)
    await authorizeTenant(context.var.host, "operate", tenant);
  const registry = context.var.api.tenant(tenant);
  const before = await registry.describe();
  if (before === undefined) throw noTenant();
  assertCurrent(context, tagOf(before));
  const record = await registry.change(asked);
  context.var.host.unbounded.forget(tenant);
  if (record === undefined) throw noTenant();
  return answered(context, record);
}

async function removeTenant(context: Context<ApiEnv>): Promise<Response> {
  const tenant = await requestedTenant(context, "operate");
  const registry = context.var.api.tenant(tenant);
  const before = isConditional(context) ? await registry.describe() : undefined;
  if (before !== undefined) assertCurrent(context, tagOf(before));
  const removed = await registry.remove();
  context.var.host.formats.forgetTenant(tenant);
  if (!removed) throw noTenant();
  return context.body(null, 204);
}

/** Returns a page of the repositories that a token is for. */
function pageOf(only: readonly string[], after: string, limit: number): Page<string> {
  // Names are ASCII: this is the order of the tenant's list.
  const items = only.filter((repo) => repo > after).toSorted((a, b) => (a < b ? -1 : 1));
  return { items: items.slice(0, limit), more: items.length > limit };
}

/**
 * Lists repositories, each with its present state. One that is listed but does not exist is left out: it is just being
 * made or removed.
 */
async function listRepos(context: Context<ApiEnv>): Promise<Response> {
  const { host, api } = context.var;
  const tenant = await requestedTenant(context, "show");
  const { principal } = await host.identify();
  const limit = queryLimit(context, PAGE.repos, PAGE.mostRepos);
  // Every name comes after the empty one.
  const after = parseCursor(context.req.query("cursor"), nameCursor)?.after ?? "";
  // A token must not learn the names of other repositories either, and a cursor would contain one.
  const only = principal.kind === "token" ? principal.repos : undefined;
  const page = only === undefined ? await api.tenant(tenant).repos(after, limit) : pageOf(only, after, limit);
  if (page === undefined) throw noTenant();
  const names = page.items;
  const repos = await Promise.all(
    names.map(async (repo) => {
      const name = parseRepositoryName(tenant, repo);
      const record = name === undefined ? undefined : await api.settings(name).describe().catch(unlessMoved);
      return name === undefined || record === undefined ? [] : [showRepository(context, principal, { name, record })];
    }),
  );
  const last = page.items.at(-1);
  const cursor = page.more && last !== undefined ? formatCursor({ after: last }) : undefined;
  const { member, headers } = nextPage(context, cursor);
  return context.json({ repos: repos.flat(), ...member }, 200, { "Cache-Control": "no-store", ...headers });
}

const cursor = v.optional(v.string());
const shownAnswer = { about: "The tenant.", json: shownTenant };

/** Adds the route of a tenant's repositories. */
function listingRoutes(routes: Hono<ApiEnv>): void {
  routes.get(
    "/:tenant/repos",
    describe({
      tag: "repositories",
      summary: "Lists a tenant's repositories",
      about: "By name. With a token that is for some repositories only, those.",
      access: "token",
      query: PAGING,
      answers: { 200: { about: "A page.", json: v.strictObject({ repos: v.array(shownRepository), cursor }) } },
    }),
    listRepos,
  );
}

/** The routes of tenants, below `/api/v1/tenants`. */
export function tenantRoutes(): Hono<ApiEnv> {
  const routes = new Hono<ApiEnv>();
  routes.get(
    "/",
    describe({
      tag: "tenants",
      summary: "Lists the tenants",
      about: "For the operator. By name.",
      access: "token",
      query: PAGING,
      answers: { 200: { about: "A page.", json: v.strictObject({ tenants: v.array(listedTenant), cursor }) } },
    }),
    listTenants,
  );
  routes.put(
    "/:tenant",
    describe({
      tag: "tenants",
      summary: "Makes a tenant",
      about:
        "For the operator. One that exists stays as it is: that is an error where it differs in what is asked for, or with `If-None-Match: *`.",
      access: "token",
      body: settings,
      answers: {
        200: { about: "It existed, and is as asked.", json: shownTenant },
        201: { about: "It was made.", json: shownTenant },
      },
      problems: [409, 412],
    }),
    makeTenant,
  );
  routes.get(
    "/:tenant",
    describe({
      tag: "tenants",
      summary: "Shows a tenant",
      access: "token",
      answers: { 200: shownAnswer, 304: NOT_MODIFIED },
    }),
    showTenant,
  );
  routes.patch(
    "/:tenant",
    describe({
      tag: "tenants",
      summary: "Changes a tenant's settings",
      about:
        "Only the operator may set `quotas` and `least_mirror_interval`. All quotas are replaced; a missing or null quota means unlimited. " +
        "`least_mirror_interval`, in seconds, holds for the timers of mirrors that are set from then on; `null` means the deployment's.",
      access: "token",
      body: settings,
      answers: { 200: shownAnswer },
      problems: [412],
    }),
    changeTenant,
  );
  routes.delete(
    "/:tenant",
    describe({
      tag: "tenants",
      summary: "Deletes a tenant with all its repositories",
      about: "For the operator. Its tokens end at once. Its name is free again when the last repository has gone.",
      access: "token",
      answers: { 204: { about: "It was deleted." } },
    }),
    removeTenant,
  );
  listingRoutes(routes);
  return routes;
}
