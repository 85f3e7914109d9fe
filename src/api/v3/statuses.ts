/**
 * `/api/v3/repos/{tenant}/{repo}/statuses`, `/commits/{ref}/statuses`, `/commits/{ref}/status`.
 *
 * @packageDocumentation
 */
import { Hono, type Context } from "hono";
import * as v from "valibot";
import { toHex } from "../../bytes/hex.ts";
import { combinedState, type CommitStatus, countStatuses } from "../../refs/commit-statuses.ts";
import type { ApiEnv } from "../api-host.ts";
import { pathParam, requestedName } from "../v1/requested.ts";
import { answer, answerPage, GitHubProblem, requestedPage } from "./answers.ts";
import { ask, done } from "./asking.ts";
import { readBody } from "./bodies.ts";
import { restOf, withRevision } from "./reading.ts";
import { placeOf, statusShape } from "./shapes.ts";

const statusBody = v.looseObject({
  state: v.string(),
  target_url: v.nullish(v.string()),
  description: v.nullish(v.string()),
  context: v.optional(v.string(), "default"),
});

/** Returns the statuses of the commit that a revision names, the newest first, with its name. */
async function statusesAt(
  context: Context<ApiEnv>,
  revision: string,
): Promise<{ readonly oid: string; readonly statuses: readonly CommitStatus[] }> {
  const { host } = context.var;
  const name = await requestedName(context, "read");
  return await withRevision(context, revision, async (session, { name: commit }) => {
    const oid = toHex(commit);
    const { id, statusChanges } = session.answer.record;
    if (statusChanges === undefined) return { oid, statuses: [] };
    const found = await host.statuses(name).statuses({ kind: "list", id, oid });
    const statuses = found.kind === "listed" ? found.statuses : [];
    return { oid, statuses: statuses.toSorted((a, b) => b.id - a.id) };
  });
}

/** Returns the revision in a path that ends in a word. */
function revisionBefore(context: Context<ApiEnv>, word: string): string {
  return restOf(context, 1).slice(0, -word.length - 1);
}

async function list(context: Context<ApiEnv>): Promise<Response> {
  const place = placeOf(context);
  const { oid, statuses } = await statusesAt(context, revisionBefore(context, "statuses"));
  return await answerPage(context, statuses, (status) => statusShape(place, oid, status));
}

async function combined(context: Context<ApiEnv>): Promise<Response> {
  const place = placeOf(context);
  const { oid, statuses } = await statusesAt(context, revisionBefore(context, "status"));
  const { number, size } = requestedPage(context);
  return answer(context, {
    state: combinedState(countStatuses(statuses)) ?? "pending",
    statuses: statuses.slice((number - 1) * size, number * size).map((status) => statusShape(place, oid, status)),
    sha: oid,
    total_count: statuses.length,
    commit_url: `${place.api}/commits/${oid}`,
    url: `${place.api}/commits/${oid}/status`,
  });
}

async function set(context: Context<ApiEnv>): Promise<Response> {
  const sha = pathParam(context, "oid");
  const { state, target_url, description, context: title } = await readBody(context, "write", statusBody);
  const json = { context: title, state, description: description ?? null, target_url: target_url ?? null };
  await done(await ask(context, { method: "POST", path: `/commits/${encodeURIComponent(sha)}/statuses`, json }));
  const { oid, statuses } = await statusesAt(context, sha);
  const made = statuses.find((status) => status.context === title);
  if (made === undefined) throw new GitHubProblem(409, "The status was taken away again meanwhile.");
  return answer(context, statusShape(placeOf(context), oid, made), 201);
}

/** The routes, below `/api/v3`. */
export function statusRoutes(): Hono<ApiEnv> {
  const routes = new Hono<ApiEnv>();
  const repository = "/repos/:tenant/:repo";
  routes.get(`${repository}/commits/:rev{[^]+}/statuses`, list);
  routes.get(`${repository}/commits/:rev{[^]+}/status`, combined);
  routes.get(`${repository}/statuses/:rev{[^]+}`, async (context) => {
    const place = placeOf(context);
    const { oid, statuses } = await statusesAt(context, restOf(context, 1));
    return await answerPage(context, statuses, (status) => statusShape(place, oid, status));
  });
  routes.post(`${repository}/statuses/:oid`, set);
  return routes;
}
