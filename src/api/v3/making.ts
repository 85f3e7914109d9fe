/**
 * `POST /api/v3/repos/{tenant}/{repo}/git/trees`, `/git/commits`, `/git/tags`: objects that a ref is moved to later.
 *
 * @packageDocumentation
 */
import { Hono, type Context } from "hono";
import * as v from "valibot";
import { admitWriter } from "../../http/pusher.ts";
import type { Identity } from "../../object/identity.ts";
import { FILE_MODE, typeOfMode } from "../../object/tree.ts";
import { wholeLines } from "../../writing/commit/commit-text.ts";
import type { MadeObject, MakingExchange, TreeOrder } from "../../writing/commit/make-objects.ts";
import type { ApiEnv } from "../api-host.ts";
import { asker, personOf } from "../v1/commit-person.ts";
import { ARMOURED, MOST_SIGNATURE } from "../v1/commit-schemas.ts";
import { requestedName } from "../v1/requested.ts";
import { answer, GitHubProblem } from "./answers.ts";
import { readBody } from "./bodies.ts";
import { gitCommitShape, personShape, placeOf } from "./shapes.ts";

/** Entries of one tree that is made. */
const MOST_ENTRIES = 10_000;
/** Parents of one commit that is made. */
const MOST_PARENTS = 100;
const MODES: Readonly<Record<string, number>> = {
  "100644": FILE_MODE.file,
  "100755": FILE_MODE.executable,
  "120000": FILE_MODE.symlink,
  "040000": FILE_MODE.tree,
  "160000": FILE_MODE.gitlink,
};

const entryBody = v.looseObject({
  path: v.string(),
  mode: v.picklist(Object.keys(MODES)),
  sha: v.optional(v.nullable(v.string())),
  content: v.optional(v.string()),
});
const treeBody = v.looseObject({
  base_tree: v.nullish(v.string()),
  tree: v.pipe(v.array(entryBody), v.maxLength(MOST_ENTRIES)),
});
const person = v.looseObject({ name: v.string(), email: v.string(), date: v.optional(v.string()) });
const commitBody = v.looseObject({
  message: v.string(),
  tree: v.string(),
  parents: v.optional(v.pipe(v.array(v.string()), v.maxLength(MOST_PARENTS)), []),
  author: v.optional(person),
  committer: v.optional(person),
  signature: v.nullish(v.pipe(v.string(), v.maxLength(MOST_SIGNATURE))),
});
const tagBody = v.looseObject({
  tag: v.string(),
  message: v.string(),
  object: v.string(),
  type: v.picklist(["commit", "tree", "blob", "tag"]),
  tagger: v.optional(person),
});

/** Returns what the making takes, and who asks, now. */
async function maker(context: Context<ApiEnv>): Promise<{ readonly exchange: MakingExchange; readonly by: Identity }> {
  const { host, api } = context.var;
  const name = await requestedName(context, "write");
  const { exchange, principal } = await admitWriter({ host, name });
  const by = asker(principal, exchange.repository.now());
  return { exchange: { ...exchange, kept: api.settings(name) }, by };
}

/** Returns the name of what was made. @throws GitHubProblem */
function nameOf(made: MadeObject): string {
  if (made.kind === "made") return made.oid;
  if (made.kind === "refused") throw new GitHubProblem(422, made.detail);
  throw new GitHubProblem(409, "As many objects are kept here as may be. Move a ref to some, or wait for a day.");
}

function orderOf({ path, mode, sha, content }: v.InferOutput<typeof entryBody>): TreeOrder {
  const number = MODES[mode] ?? FILE_MODE.file; // It is one of them.
  if (sha === undefined && content === undefined)
    throw new GitHubProblem(422, `tree: ${path} has neither sha nor content`);
  if (content === undefined) return { path, mode: number, object: sha?.toLowerCase() ?? null };
  if (sha !== undefined) throw new GitHubProblem(422, `tree: ${path} has both sha and content`);
  if (typeOfMode(number) !== "blob") throw new GitHubProblem(422, `tree: ${path} has content, and is no file`);
  return { path, mode: number, object: new TextEncoder().encode(content) };
}

async function tree(context: Context<ApiEnv>): Promise<Response> {
  const { base_tree: base, tree: entries } = await readBody(context, "write", treeBody);
  const { exchange } = await maker(context);
  const { makeTree } = await import("../../writing/commit/make-objects.ts");
  const orders = entries.map((entry) => orderOf(entry));
  const sha = nameOf(await makeTree(exchange, base?.toLowerCase(), orders));
  const place = placeOf(context);
  // What is below directories is in trees that are not listed here: a client that wants them asks when a ref names them.
  const shown = entries.filter((entry) => typeof entry.sha === "string" && !entry.path.includes("/"));
  const listed = shown.map(({ path, mode, sha: oid }) => ({ path, mode, sha: oid?.toLowerCase() }));
  return answer(context, { sha, url: `${place.api}/git/trees/${sha}`, tree: listed, truncated: listed.length < entries.length }, 201); // prettier-ignore
}

async function commit(context: Context<ApiEnv>): Promise<Response> {
  const body = await readBody(context, "write", commitBody);
  const signature = body.signature ?? ""; // `null` is none, too.
  if (signature !== "" && !ARMOURED.test(signature))
    throw new GitHubProblem(422, "signature: is no armoured signature");
  if (body.message.trim() === "" || body.message.includes("\0")) throw new GitHubProblem(422, "message: is empty, or has a NUL"); // prettier-ignore
  const { exchange, by } = await maker(context);
  const author = body.author === undefined ? by : personOf("author", body.author, by);
  const committer = body.committer === undefined ? author : personOf("committer", body.committer, by);
  const order = {
    tree: body.tree.toLowerCase(),
    parents: body.parents.map((oid) => oid.toLowerCase()),
    author,
    committer,
  };
  // What was signed elsewhere is taken to the byte.
  const message = signature === "" ? wholeLines(body.message) : body.message;
  const { makeCommitObject } = await import("../../writing/commit/make-objects.ts");
  const signing = signature === "" ? {} : { signing: { isAsked: true, sign: async () => signature } };
  const oid = nameOf(await makeCommitObject({ ...exchange, ...signing }, { ...order, message }));
  return answer(context, gitCommitShape(placeOf(context), { ...order, oid, message }), 201);
}

async function tag(context: Context<ApiEnv>): Promise<Response> {
  const { tag: name, message, object: given, type, tagger: asked } = await readBody(context, "write", tagBody);
  const { exchange, by } = await maker(context);
  const tagger = asked === undefined ? by : personOf("tagger", asked, by);
  const object = given.toLowerCase();
  const { makeTagObject } = await import("../../writing/commit/make-objects.ts");
  const sha = nameOf(await makeTagObject(exchange, { name, object, type, message: wholeLines(message), tagger }));
  const place = placeOf(context);
  return answer(
    context,
    {
      node_id: sha,
      tag: name,
      sha,
      url: `${place.api}/git/tags/${sha}`,
      message,
      tagger: personShape(tagger),
      object: { sha: object, type, url: `${place.api}/git/${type}s/${object}` },
      verification: { verified: false, reason: "unsigned", signature: null, payload: null, verified_at: null },
    },
    201,
  );
}

/** The routes, below `/api/v3`. */
export function makingRoutes(): Hono<ApiEnv> {
  const routes = new Hono<ApiEnv>();
  const git = "/repos/:tenant/:repo/git";
  routes.post(`${git}/trees`, tree);
  routes.post(`${git}/commits`, commit);
  routes.post(`${git}/tags`, tag);
  return routes;
}
