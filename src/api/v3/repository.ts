/**
 * `/api/v3/repos/{tenant}/{repo}`, `/branches`, `/tags`, and what is of no repository: the caller, and the root.
 *
 * @packageDocumentation
 */
import { Hono, type Context } from "hono";
import * as v from "valibot";
import { decide } from "../../access/decide.ts";
import { repositoryKey } from "../../access/names.ts";
import { repositoryShape, userShape } from "../../events/github-shapes.ts";
import { isProtected } from "../../refs/ref-policy.ts";
import type { RepositoryRecord } from "../../refs/ref-store.ts";
import type { ApiEnv } from "../api-host.ts";
import { requestedName, requestedRepository } from "../v1/requested.ts";
import { answer, GitHubProblem, notFound, nothing } from "./answers.ts";
import { ask, askAt, done } from "./asking.ts";
import { readBody, readTenantBody } from "./bodies.ts";
import { answerRefs, readCommitJson, readRef, type ReadRef, refInPath, withRevision } from "./reading.ts";
import { commitShape, encodedPath, type Place, placeOf } from "./shapes.ts";

const BRANCHES = "refs/heads/";
const TAGS = "refs/tags/";

const repositoryBody = v.looseObject({
  description: v.nullish(v.string()),
  private: v.optional(v.boolean()),
  visibility: v.optional(v.picklist(["public", "private"])),
  default_branch: v.optional(v.string()),
  archived: v.optional(v.boolean()),
  name: v.optional(v.string()),
});

/** Returns the settings that a body asks for, as version 1 has them. */
function settingsOf(body: v.InferOutput<typeof repositoryBody>): object {
  const { description, private: isPrivate, visibility, default_branch, archived } = body;
  const seen = visibility ?? (isPrivate === undefined ? undefined : isPrivate ? "private" : "public");
  return {
    ...(description === undefined ? {} : { description: description ?? "" }), // `null` takes it away.
    ...(seen === undefined ? {} : { visibility: seen }),
    ...(default_branch === undefined ? {} : { default_branch }),
    ...(archived === undefined ? {} : { read_only: archived }),
  };
}

/** Returns the repository as GitHub shows it, with what the caller may do. */
async function shapeOf(context: Context<ApiEnv>, record: RepositoryRecord): Promise<object> {
  const { origin } = new URL(context.req.url);
  const name = await requestedName(context, "read");
  const { principal } = await context.var.host.identify(name);
  const may = (action: "write" | "administer"): boolean => decide(principal, action, name, record) === "allow";
  const { spelled = repositoryKey(name), head } = record;
  return {
    ...repositoryShape({ name: spelled, origin, repository: record, branch: shortName(head), inSeconds: false }),
    permissions: {
      admin: may("administer"),
      maintain: may("administer"),
      push: may("write"),
      triage: may("write"),
      pull: true,
    },
  };
}

function shortName(head: string): string {
  return head.startsWith(BRANCHES) ? head.slice(BRANCHES.length) : head;
}

async function show(context: Context<ApiEnv>): Promise<Response> {
  const { record } = await requestedRepository(context, "read");
  return answer(context, await shapeOf(context, record));
}

async function change(context: Context<ApiEnv>): Promise<Response> {
  const body = await readBody(context, "administer", repositoryBody);
  await done(await ask(context, { method: "PATCH", path: "", json: settingsOf(body) }));
  return await show(context);
}

async function create(context: Context<ApiEnv>, tenant: string): Promise<Response> {
  const body = await readTenantBody(context, tenant, repositoryBody);
  if (body.name === undefined) throw new GitHubProblem(422, "name: is missing");
  const made = await askAt(context, `/repos/${encodeURIComponent(tenant)}/${encodeURIComponent(body.name)}`, {
    method: "PUT",
    path: "",
    json: settingsOf(body),
  });
  if (made.status === 200) throw new GitHubProblem(422, "name already exists on this account");
  const shown = v.parse(v.looseObject({ id: v.string(), default_branch: v.string() }), await (await done(made)).json());
  const { origin } = new URL(context.req.url);
  const name = `${tenant}/${body.name}`;
  const visibility = body.private === false || body.visibility === "public" ? "public" : "private";
  const { id, default_branch: branch } = shown;
  const repository = { id, visibility, head: BRANCHES + branch, description: body.description ?? "", createdAt: Date.now() } as const; // prettier-ignore
  return answer(context, repositoryShape({ name, origin, repository, branch, inSeconds: false }), 201);
}

/** Returns a branch as lists have it. */
function branchShape(place: Place, { name, oid }: ReadRef, { rules }: RepositoryRecord): object {
  const short = name.slice(BRANCHES.length);
  return {
    name: short,
    commit: { sha: oid, url: `${place.api}/commits/${oid}` },
    protected: isProtected(rules, name),
    protection_url: `${place.api}/branches/${encodedPath(short)}/protection`,
  };
}

async function listBranches(context: Context<ApiEnv>): Promise<Response> {
  const place = placeOf(context);
  return await answerRefs(context, BRANCHES, (refs, record) => refs.map((ref) => branchShape(place, ref, record)));
}

async function showBranch(context: Context<ApiEnv>): Promise<Response> {
  const place = placeOf(context);
  const name = refInPath(context, 1).replace(/^refs\/(?:heads\/)?/, BRANCHES);
  const { ref, record } = await readRef(context, name);
  if (ref === undefined) throw new GitHubProblem(404, "Branch not found");
  return await withRevision(context, ref.oid, async (session, { name: commit }) => {
    const shape = branchShape(place, ref, record);
    const links = { self: `${place.api}/branches/${encodedPath(name.slice(BRANCHES.length))}`, html: place.html };
    return answer(context, {
      ...shape,
      commit: commitShape(place, await readCommitJson(session, commit)),
      _links: links,
    });
  });
}

function tagShape(place: Place, { name, oid, peeled = oid }: ReadRef): object {
  return {
    name: name.slice(TAGS.length),
    zipball_url: `${place.api}/zipball/${encodedPath(name)}`,
    tarball_url: `${place.api}/tarball/${encodedPath(name)}`,
    commit: { sha: peeled, url: `${place.api}/commits/${peeled}` },
    node_id: name,
  };
}

async function listTags(context: Context<ApiEnv>): Promise<Response> {
  const place = placeOf(context);
  return await answerRefs(context, TAGS, (refs) => refs.map((ref) => tagShape(place, ref)));
}

/** Shows the caller, who is known by the name of a token. */
async function showUser(context: Context<ApiEnv>): Promise<Response> {
  const { principal } = await context.var.host.identify();
  const { origin } = new URL(context.req.url);
  if (principal.kind === "operator") return answer(context, userShape("operator", origin));
  if (principal.kind !== "token") throw new GitHubProblem(401, "Bad credentials");
  return answer(context, userShape(principal.name === "" ? principal.id : principal.name, origin));
}

function showRoot(context: Context<ApiEnv>): Response {
  const { origin } = new URL(context.req.url);
  const api = `${origin}/api/v3`;
  return answer(context, {
    current_user_url: `${api}/user`,
    repository_url: `${api}/repos/{owner}/{repo}`,
    rate_limit_url: `${api}/rate_limit`,
  });
}

/** The routes, below `/api/v3`. */
export function repositoryRoutes(): Hono<ApiEnv> {
  const routes = new Hono<ApiEnv>();
  const repository = "/repos/:tenant/:repo";
  routes.get("/", showRoot);
  routes.get("/user", showUser);
  routes.get("/rate_limit", () => {
    throw new GitHubProblem(404, "Rate limiting is not enabled.");
  });
  routes.post("/orgs/:org/repos", async (context) => await create(context, context.req.param("org")));
  routes.get(repository, show);
  routes.patch(repository, change);
  routes.delete(repository, async (context) => {
    await done(await ask(context, { method: "DELETE", path: "" }));
    return nothing();
  });
  routes.get(`${repository}/branches`, listBranches);
  routes.get(`${repository}/branches/:rev{[^]+}/protection`, () => {
    throw notFound();
  });
  routes.get(`${repository}/branches/:rev{[^]+}`, showBranch);
  routes.get(`${repository}/tags`, listTags);
  return routes;
}
