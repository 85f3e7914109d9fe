/**
 * `POST /api/v3/repos/{tenant}/{repo}/merges`, `/merge-upstream`, `/forks`: branches that are merged, and forks that follow their parents.
 *
 * @packageDocumentation
 */
import { Hono, type Context } from "hono";
import * as v from "valibot";
import { repositoryShape } from "../../events/github-shapes.ts";
import { fromHex } from "../../bytes/hex.ts";
import type { ApiEnv } from "../api-host.ts";
import { openSession } from "../v1/content-request.ts";
import { answer, GitHubProblem, nothing } from "./answers.ts";
import { ask, askJson, done } from "./asking.ts";
import { readBody } from "./bodies.ts";
import { readCommitJson } from "./reading.ts";
import { commitShape, placeOf } from "./shapes.ts";

const mergeBody = v.looseObject({ base: v.string(), head: v.string(), commit_message: v.nullish(v.string()) });
const upstreamBody = v.looseObject({ branch: v.string() });
const forkBody = v.looseObject({ organization: v.nullish(v.string()), name: v.nullish(v.string()) });

const madeJson = v.object({ oid: v.string() });
const syncedJson = v.object({ old: v.nullable(v.string()), oid: v.string() });
const parentJson = v.object({ fork_of: v.optional(v.object({ name: v.optional(v.string()) })) });
const forkJson = v.object({
  tenant: v.string(),
  name: v.string(),
  id: v.string(),
  visibility: v.picklist(["private", "public"]),
  default_branch: v.string(),
  description: v.string(),
});
const faultsJson = v.looseObject({ errors: v.optional(v.array(v.looseObject({ pointer: v.optional(v.string()) }))) });

/** Whether a refusal says that the head of a merge is nothing here. */
async function lacksHead(answered: Response): Promise<boolean> {
  if (answered.status !== 422) return false;
  const { errors = [] } = v.parse(faultsJson, await answered.clone().json()); // A refusal of another kind has none.
  return errors.some(({ pointer }) => pointer === "#/head");
}

async function merge(context: Context<ApiEnv>): Promise<Response> {
  const { base, head, commit_message: message } = await readBody(context, "write", mergeBody);
  const json = { base, head, ...(message ? { message } : {}) };
  const answered = await ask(context, { method: "POST", path: "/merges", json });
  if (answered.status === 200) return nothing();
  if (answered.status === 404) throw new GitHubProblem(404, "Base does not exist");
  if (await lacksHead(answered)) throw new GitHubProblem(404, "Head does not exist");
  const made = v.parse(madeJson, await (await merged(answered)).json());
  const session = await openSession(context, []);
  try {
    const name = fromHex(made.oid);
    if (name === undefined) throw new Error("a commit that was made has no name");
    return answer(context, commitShape(placeOf(context), await readCommitJson(session, name)), 201);
  } finally {
    session.close();
  }
}

/** Answers as version 1 did, with conflicts in GitHub's words. @throws GitHubProblem */
async function merged(answered: Response): Promise<Response> {
  try {
    return await done(answered);
  } catch (error) {
    if (error instanceof GitHubProblem && error.code === "merge_conflict")
      throw new GitHubProblem(409, "Merge conflict", { code: error.code });
    throw error;
  }
}

/** Brings a branch of a fork up to its parent's, if it can move forward. */
async function mergeUpstream(context: Context<ApiEnv>): Promise<Response> {
  const { branch } = await readBody(context, "write", upstreamBody);
  const { fork_of: parent } = await askJson(context, { path: "" }, parentJson);
  const { old, oid } = await askJson(context, { method: "POST", path: "/sync", json: { branch } }, syncedJson);
  const [owner = ""] = (parent?.name ?? "").split("/"); // The name of a private parent is not told to everybody.
  const upstream = `${owner}:${branch}`;
  return old === oid
    ? answer(context, { message: `This branch is not behind the upstream ${upstream}.`, merge_type: "none", base_branch: upstream }) // prettier-ignore
    : answer(context, { message: `Successfully fetched and fast-forwarded from upstream ${upstream}.`, merge_type: "fast-forward", base_branch: upstream }); // prettier-ignore
}

/** Forks into the organisation that is named, or else into the caller's own tenant. */
async function fork(context: Context<ApiEnv>): Promise<Response> {
  const body = await readBody(context, "read", forkBody);
  // go-github sends them in the address.
  const { organization = context.req.query("organization"), name = context.req.query("name") } = body;
  const { principal } = await context.var.host.identify();
  const { tenant: home = "" } = context.req.param(); // Every route here has one.
  const own = principal.kind === "token" ? principal.tenant : home;
  const json = { tenant: organization ?? own, ...(name ? { repo: name } : {}) };
  const made = await askJson(context, { method: "POST", path: "/forks", json }, forkJson);
  const { origin } = new URL(context.req.url);
  const { default_branch: branch, id, visibility, description } = made;
  const repository = { id, visibility, head: `refs/heads/${branch}`, description, createdAt: Date.now() } as const;
  const shape = repositoryShape({ name: `${made.tenant}/${made.name}`, origin, repository, branch, inSeconds: false });
  return answer(context, { ...shape, fork: true }, 202);
}

/** The routes, below `/api/v3`. */
export function mergingRoutes(): Hono<ApiEnv> {
  const routes = new Hono<ApiEnv>();
  const repository = "/repos/:tenant/:repo";
  routes.post(`${repository}/merges`, merge);
  routes.post(`${repository}/merge-upstream`, mergeUpstream);
  routes.post(`${repository}/forks`, fork);
  return routes;
}
