/**
 * `/api/v3/repos/{tenant}/{repo}/git/ref`, `/git/refs`, `/git/matching-refs`.
 *
 * @packageDocumentation
 */
import { Hono, type Context } from "hono";
import * as v from "valibot";
import type { ApiEnv } from "../api-host.ts";
import { openSession } from "../v1/content-request.ts";
import { requestedRepository } from "../v1/requested.ts";
import { answer, GitHubProblem, notFound, nothing } from "./answers.ts";
import { ask, done } from "./asking.ts";
import { readBody } from "./bodies.ts";
import { answerRefs, readRef, type ReadRef, refInPath } from "./reading.ts";
import { encodedPath, type Place, placeOf, refShape } from "./shapes.ts";
import { fromHex } from "../../bytes/hex.ts";
import { isPushableRefName, isTooLong } from "../../object/ref-name.ts";
import { typeOfNumber } from "../../object/object-type.ts";

const BRANCHES = "refs/heads/";
const createBody = v.looseObject({ ref: v.string(), sha: v.string() });
const moveBody = v.looseObject({ sha: v.string(), force: v.optional(v.boolean(), false) });
const NO_REF = "Reference does not exist";

/** Returns the refs with the types of what they name. A branch names a commit, and what peels is a tag. */
async function shapesOf(context: Context<ApiEnv>, place: Place, refs: readonly ReadRef[]): Promise<object[]> {
  const unknown = refs.filter(({ name, peeled }) => peeled === undefined && !name.startsWith(BRANCHES));
  const types = new Map<string, string>();
  if (unknown.length > 0) {
    const session = await openSession(context, []);
    try {
      for (const { oid } of unknown) {
        const raw = fromHex(oid);
        const type = raw === undefined ? undefined : typeOfNumber(await session.graph.reader.typeOf(raw));
        if (type !== undefined) types.set(oid, type);
      }
    } finally {
      session.close();
    }
  }
  return refs.map(({ name, oid, peeled }) =>
    refShape(place, { ref: name, sha: oid, type: peeled === undefined ? (types.get(oid) ?? "commit") : "tag" }),
  );
}

async function show(context: Context<ApiEnv>): Promise<Response> {
  const { ref } = await readRef(context, refInPath(context, 2));
  const [shape] = await shapesOf(context, placeOf(context), ref === undefined ? [] : [ref]);
  if (shape === undefined) throw notFound();
  return answer(context, shape);
}

async function list(context: Context<ApiEnv>, prefix: string): Promise<Response> {
  const place = placeOf(context);
  return await answerRefs(context, prefix, async (refs) => await shapesOf(context, place, refs));
}

/** Answers as version 1 did, in GitHub's words where clients go by them. */
async function moved(answered: Response): Promise<void> {
  try {
    await done(answered);
  } catch (error) {
    if (!(error instanceof GitHubProblem)) throw error;
    if (error.code === "not_forward") throw new GitHubProblem(422, "Update is not a fast forward");
    if (error.code === "missing_objects") throw new GitHubProblem(422, "Object does not exist");
    throw error;
  }
}

async function create(context: Context<ApiEnv>): Promise<Response> {
  const { ref, sha } = await readBody(context, "write", createBody);
  if (!/^refs\/[^/]+\/./.test(ref)) throw new GitHubProblem(422, "Reference name must start with 'refs/' and have at least two slashes"); // prettier-ignore
  if (!isPushableRefName(ref) || isTooLong(ref)) throw new GitHubProblem(422, `${ref} is not a valid ref name.`);
  const path = `/${encodedPath(ref)}`;
  const answered = await ask(context, { method: "PUT", path, json: { oid: sha, expected: null } });
  if (answered.status === 409) throw new GitHubProblem(422, "Reference already exists");
  await moved(answered);
  return await after(context, ref, 201);
}

async function after(context: Context<ApiEnv>, name: string, status: number): Promise<Response> {
  const place = placeOf(context);
  const { ref } = await readRef(context, name);
  const [shape] = await shapesOf(context, place, ref === undefined ? [] : [ref]);
  if (shape === undefined) throw new GitHubProblem(409, "The reference was moved again meanwhile.");
  const { origin } = new URL(context.req.url);
  return answer(context, shape, status, { Location: new URL(`${place.api}/git/${encodedPath(name)}`, origin).href });
}

async function move(context: Context<ApiEnv>): Promise<Response> {
  const name = refInPath(context, 2);
  const { sha, force } = await readBody(context, "write", moveBody);
  const { ref } = await readRef(context, name);
  if (ref === undefined) throw new GitHubProblem(422, NO_REF);
  const json = { oid: sha, force, expected: ref.oid };
  await moved(await ask(context, { method: "PUT", path: `/${encodedPath(name)}`, json }));
  return await after(context, name, 200);
}

/** Returns what is said of a ref that is not there. @throws GitHubProblem if the repository is what is missing */
async function missing(context: Context<ApiEnv>, name: string): Promise<GitHubProblem> {
  const { ref } = await readRef(context, name);
  return ref === undefined ? new GitHubProblem(422, NO_REF) : notFound();
}

async function remove(context: Context<ApiEnv>): Promise<Response> {
  const name = refInPath(context, 2);
  if (!isPushableRefName(name)) {
    await requestedRepository(context, "write");
    throw await missing(context, name);
  }
  const answered = await ask(context, { method: "DELETE", path: `/${encodedPath(name)}` });
  if (answered.status === 404) throw await missing(context, name);
  await done(answered);
  return nothing();
}

/** The routes, below `/api/v3`. */
export function refRoutes(): Hono<ApiEnv> {
  const routes = new Hono<ApiEnv>();
  const git = "/repos/:tenant/:repo/git";
  routes.get(`${git}/ref/:rev{[^]+}`, show);
  routes.get(`${git}/refs`, async (context) => await list(context, "refs/"));
  routes.get(`${git}/refs/:rev{[^]+}`, show);
  routes.get(`${git}/matching-refs/:rev{[^]+}`, async (context) => await list(context, refInPath(context, 2)));
  routes.post(`${git}/refs`, create);
  routes.patch(`${git}/refs/:rev{[^]+}`, move);
  routes.delete(`${git}/refs/:rev{[^]+}`, remove);
  return routes;
}
