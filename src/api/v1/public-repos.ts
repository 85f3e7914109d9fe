/**
 * `/api/v1/repos`: the public repositories of all tenants.
 *
 * @packageDocumentation
 */
import { Hono, type Context } from "hono";
import * as v from "valibot";
import { folded, isTenantName, parseRepositoryName, type RepositoryName } from "../../access/names.ts";
import type { ListedRepository } from "../../access/public-list.ts";
import { authorizeTenant } from "../../http/denied.ts";
import { unlessMoved } from "../../http/moved.ts";
import { Problem } from "../../http/problem.ts";
import type { DescribedRepository } from "../../refs/ref-store.ts";
import type { ApiEnv, PublicPage, PublicRepository } from "../api-host.ts";
import { describe, PAGING } from "../describe.ts";
import { queryLimit } from "./content-request.ts";
import { formatCursor, nextPage, parseCursor } from "./cursor.ts";
import { showRepository } from "./repo-settings.ts";

/** The usual and the most repositories of a page: each of them is called. */
const PAGE = { publicRepos: 20, mostPublicRepos: 50 };

const time = v.nullable(v.pipe(v.string(), v.isoTimestamp()));
const publicRepository = v.looseObject({
  tenant: v.string(),
  name: v.string(),
  visibility: v.literal("public"),
  description: v.string(),
  default_branch: v.string(),
  size_bytes: v.number(),
  pushed_at: time,
  created_at: time,
  mirror: v.optional(v.looseObject({ synced_at: time })),
  git_url: v.string(),
});
const name = v.pipe(v.string(), v.maxLength(100));
const listCursor = v.strictObject({ tenant: name, repo: name });

/** Returns what everybody may see of a repository. Settings are left out: a page is remembered, and they may be long. */
function shown(
  context: Context<ApiEnv>,
  found: { name: RepositoryName; record: DescribedRepository },
): PublicRepository {
  const all = v.parse(publicRepository, showRepository(context, { kind: "anonymous" }, found));
  const {
    tenant,
    name: repo,
    visibility,
    description,
    default_branch,
    size_bytes,
    pushed_at,
    created_at,
    mirror,
  } = all;
  const path = new URL(all.git_url).pathname;
  const kept = { tenant, name: repo, visibility, description, default_branch, size_bytes, pushed_at, created_at };
  return { ...kept, ...(mirror === undefined ? {} : { mirror: { synced_at: mirror.synced_at } }), path };
}

/** Asks each listed repository what it is now: one that is not public any more, or has gone, is left out. */
async function readPublic(
  context: Context<ApiEnv>,
  listed: readonly ListedRepository[],
): Promise<readonly PublicRepository[]> {
  const found = listed.map(async ({ tenant, repo }) => {
    const asked = parseRepositoryName(tenant, repo);
    if (asked === undefined) return [];
    const record = await context.var.api.settings(asked).describe(true).catch(unlessMoved);
    return record?.visibility === "public" ? [shown(context, { name: asked, record })] : [];
  });
  return (await Promise.all(found)).flat();
}

/** Returns the tenant whose repositories are asked for; `undefined` for those of all. @throws Problem */
function askedTenant(context: Context<ApiEnv>): string | undefined {
  const tenant = context.req.query("tenant");
  if (tenant === undefined) return undefined;
  if (!isTenantName(tenant)) throw new Problem(422, "tenant: no tenant can have this name.");
  return folded(tenant);
}

async function listPublic(context: Context<ApiEnv>): Promise<Response> {
  const { host, api } = context.var;
  const { principal } = await host.identify();
  // Wrong credentials are told, as everywhere; and what they could read, which is nothing, is not remembered for others.
  if (principal.kind === "invalid") await authorizeTenant(host, "show", "");
  const tenant = askedTenant(context);
  const limit = queryLimit(context, PAGE.publicRepos, PAGE.mostPublicRepos);
  const after = parseCursor(context.req.query("cursor"), listCursor);
  if (!api.listsPublic) throw new Problem(404, "This host does not list its public repositories.");
  const key = JSON.stringify([tenant, limit, after]);
  const { repos, next } = await api.publicPages.get(key, async (): Promise<PublicPage> => {
    const query = { limit, ...(after && { after }), ...(tenant === undefined ? {} : { tenant }) };
    const { items, more } = await api.directory().publicRepos(query);
    const last = items.at(-1);
    return { repos: await readPublic(context, items), ...(more && last !== undefined ? { next: last } : {}) };
  });
  const { origin } = new URL(context.req.url);
  const { member, headers } = nextPage(context, next === undefined ? undefined : formatCursor(next));
  const body = { repos: repos.map(({ path, ...repo }) => ({ ...repo, git_url: origin + path })), ...member };
  return context.json(body, 200, { "Cache-Control": "no-store", ...headers });
}

/** The route of the list, below `/api/v1/repos`. */
export function publicRepoRoutes(): Hono<ApiEnv> {
  const routes = new Hono<ApiEnv>();
  routes.get(
    "/",
    describe({
      tag: "repositories",
      summary: "Lists public repositories",
      about:
        "Those of all tenants, by the names of the tenants and then by their own. One that was made public, or private, is on the list, or off it, after some seconds. A page may have fewer than `limit`, and yet not be the last. " +
        "404 where the operator has switched the list off.",
      access: "everybody",
      problems: [401, 404],
      query: { ...PAGING, tenant: { about: "Only those of this tenant." } },
      answers: {
        200: {
          about: "A page.",
          json: v.looseObject({ repos: v.array(publicRepository), cursor: v.optional(v.string()) }),
        },
      },
    }),
    listPublic,
  );
  return routes;
}
