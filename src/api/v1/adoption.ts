/**
 * `POST /api/v1/tenants/{tenant}/adoption`: names with capitals. An earlier build compared names by their case, and
 * addressed tenants and repositories by what was written. They are found no more, since names are looked up in lower
 * case, until they have moved to the objects of those names.
 *
 * It is a request of the operator's and no look-up in two places: a name that is missing would cost everybody a second
 * call, and tell by its time what is missing.
 *
 * @packageDocumentation
 */
import { Hono, type Context } from "hono";
import * as v from "valibot";
import { parseRepositoryName, repositoryKey, type RepositoryName } from "../../access/names.ts";
import { unlessMoved } from "../../http/moved.ts";
import { Problem } from "../../http/problem.ts";
import type { ApiEnv } from "../api-host.ts";
import { describe } from "../describe.ts";
import { readJson } from "../json-body.ts";
import { rename } from "./rename.ts";
import { requestedTenant } from "./requested.ts";

/** Repositories that one request moves, and names that it looks at: each costs some ten calls. */
const MOST_MOVED = 50;
const PAGE = 500;

const asked = v.strictObject({ merge: v.optional(v.boolean(), false) });
const left = v.strictObject({ name: v.string(), why: v.string() });
const shownAdoption = v.strictObject({
  tenants: v.array(v.string()),
  repos: v.array(v.string()),
  left: v.array(left),
  more: v.boolean(),
});
type Adoption = v.InferOutput<typeof shownAdoption>;

/** Moves one repository. Returns why it stays; `undefined` if it does not. */
async function moveRepository(context: Context<ApiEnv>, tenant: string, repo: string): Promise<string | undefined> {
  const target = parseRepositoryName(tenant, repo);
  if (target === undefined) return "name: no repository can have this name.";
  const name: RepositoryName = { tenant, repo };
  const record = await context.var.api.settings(name).describe().catch(unlessMoved);
  // One that was deleted, or has moved, leaves the list by itself.
  if (record === undefined) return "There is no such repository.";
  try {
    await rename(context, { name, record }, target);
    return undefined;
  } catch (error) {
    if (error instanceof Problem) return error.message;
    throw error;
  }
}

/** Moves the repositories of the tenant that is stored as `from`. Returns whether the tenant has none left. */
async function moveRepositories(context: Context<ApiEnv>, from: string, adoption: Adoption): Promise<boolean> {
  let hasLeft = false;
  for (let after = ""; ;) {
    const page = await context.var.api.tenant(from).repos(after, PAGE);
    for (const repo of page?.items ?? []) {
      after = repo;
      const name = `${from}/${repo}`;
      const target = parseRepositoryName(from, repo);
      if (target !== undefined && repositoryKey(target) === name) continue;
      if (adoption.repos.length + adoption.left.length >= MOST_MOVED) {
        adoption.more = true;
        return false;
      }
      const why = await moveRepository(context, from, repo);
      if (why === undefined) adoption.repos.push(name);
      else adoption.left.push({ name, why });
      hasLeft ||= why !== undefined;
    }
    if (page?.more !== true) return !hasLeft;
  }
}

/**
 * Makes the tenant of what is stored under another spelling of its name, or has its repositories moved into the one that
 * is there.
 *
 * @throws Problem if both are there, and nobody asked for them to be merged: the tokens of one give rights in the other.
 */
async function takeOver(
  { var: { api } }: Context<ApiEnv>,
  tenant: string,
  spelling: string,
  isMerged: boolean,
): Promise<boolean> {
  const belongings = await api.tenant(spelling).belongings();
  if (belongings === undefined) return false;
  if (await api.tenant(tenant).takeOver(belongings)) return true;
  const present = await api.tenant(tenant).describe();
  // One that was made by an adoption that was interrupted has the time at which the other was made.
  if (present?.createdAt === belongings.record.createdAt || isMerged) return true;
  throw new Problem(
    409,
    `${spelling} and ${tenant} are two tenants. With \`merge\` the repositories of ${spelling} move to ${tenant}, and its tokens and keys end.`,
  );
}

async function adopt(context: Context<ApiEnv>): Promise<Response> {
  const tenant = await requestedTenant(context, "operate");
  const { merge } = await readJson(context.req.raw, asked);
  const { api, host } = context.var;
  const adoption: Adoption = { tenants: [], repos: [], left: [], more: false };
  const spellings = await api.directory().earlierSpellings(tenant);
  for (const spelling of spellings) {
    if (!(await takeOver(context, tenant, spelling, merge))) continue;
    const isEmpty = await moveRepositories(context, spelling, adoption);
    if (!isEmpty) continue;
    await api.tenant(spelling).remove();
    adoption.tenants.push(spelling);
  }
  if ((await api.tenant(tenant).describe()) === undefined) throw new Problem(404, "There is no such tenant.");
  await moveRepositories(context, tenant, adoption);
  host.unbounded.forget(tenant);
  return context.json(adoption, 200, { "Cache-Control": "no-store" });
}

/** The route of names with capitals, below `/api/v1/tenants`. */
export function adoptionRoutes(): Hono<ApiEnv> {
  const routes = new Hono<ApiEnv>();
  routes.post(
    "/:tenant/adoption",
    describe({
      tag: "tenants",
      summary: "Makes found what an earlier build stored with capitals in its name",
      about:
        "For the operator, after an upgrade from a build that told names apart by their case. The tenant with its settings, tokens and keys, " +
        "and its repositories, are found by their names in any case from then on. `left` are repositories that could not move, as where the name is taken; " +
        "with `more`, ask again. Two tenants whose names differ in their case alone are joined only with `merge`.",
      access: "token",
      body: asked,
      answers: { 200: { about: "What was adopted, by its earlier names.", json: shownAdoption } },
      problems: [409],
    }),
    adopt,
  );
  return routes;
}
