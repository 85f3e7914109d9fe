/**
 * `/api/v1/repos/{tenant}/{repo}`: a repository's life and settings.
 *
 * @packageDocumentation
 */
import { Hono, type Context } from "hono";
import * as v from "valibot";
import { DEFAULT_TENANT } from "../../access/directory.ts";
import { repositoryKey, type RepositoryName, spellingOf } from "../../access/names.ts";
import { actorNameOf, actorOf } from "../../access/principal.ts";
import { DetailedProblem, Problem } from "../../http/problem.ts";
import { registeredName } from "../../http/registered-name.ts";
import { explainRegisterRefusal } from "../../http/register-refusal.ts";
import { settingsTag } from "../../refs/repository-settings.ts";
import type { ApiEnv } from "../api-host.ts";
import { describe, NOT_MODIFIED } from "../describe.ts";
import { readJson } from "../json-body.ts";
import { assertAsAsked } from "./as-asked.ts";
import { askedName, isSameName, rename, respelled } from "./rename.ts";
import { answeredSettings, assertCurrent, expectedTags, isConditional, staleSettings } from "./if-match.ts";
import {
  changeOf,
  creationOf,
  repositoryChange,
  repositoryCreation,
  type NamedRepository,
  settingsSeenBy,
  shownRepository,
  showRepository,
} from "./repo-settings.ts";
import { issuedToken, issueToken, repositoryToken } from "./tokens.ts";
import { administeredName, requestedRepository } from "./requested.ts";

/**
 * Returns the problem that there is no repository of a name.
 *
 * @throws RepositoryMoved if it was renamed.
 */
async function noRepositoryAt(context: Context<ApiEnv>, name: RepositoryName): Promise<Problem> {
  await context.var.api.settings(name).describe();
  return new Problem(404, "There is no such repository.");
}

async function answered(context: Context<ApiEnv>, found: NamedRepository, status: 200 | 201 = 200): Promise<Response> {
  const { principal } = await context.var.host.identify(found.name);
  const tag = settingsTag(found.record, settingsSeenBy(principal, found));
  return answeredSettings(context, showRepository(context, principal, found), tag, status);
}

/** The settings that a repository may be made with, and the token that may be made together with it. */
const creation = v.strictObject({ ...repositoryCreation.entries, token: v.optional(repositoryToken) });
const createdRepository = v.strictObject({ ...shownRepository.entries, token: v.optional(issuedToken) });

/** Makes a repository. If it is new, also makes the token that the body asks for. */
async function makeRepository(context: Context<ApiEnv>): Promise<Response> {
  // This comes before anything of the body is read.
  const name = await administeredName(context);
  const { token: askedToken, ...body } = await readJson(context.req.raw, creation);
  if (askedToken === undefined) return await createRepository(context, name, body);
  const { principal } = await context.var.host.identify(name);
  if (principal.kind === "operator") {
    await context.var.api.tenant(name.tenant).create(DEFAULT_TENANT, spellingOf(name).tenant);
  }
  // The token comes first: what forbids it has to forbid the repository, too.
  const token = await issueToken(context, name.tenant, { ...askedToken, repos: [name.repo] });
  let made: Response | undefined;
  try {
    made = await createRepository(context, name, body);
  } finally {
    if (made?.status !== 201) await context.var.api.tenant(name.tenant).revoke(token.id);
  }
  if (made.status !== 201) return made;
  const { headers, status } = made;
  return new Response(JSON.stringify({ ...(await made.json<object>()), token: token.shown }), { headers, status });
}

async function createRepository(
  context: Context<ApiEnv>,
  name: RepositoryName,
  body: v.InferOutput<typeof repositoryCreation>,
): Promise<Response> {
  const { host, api } = context.var;
  const asked = creationOf(body);
  const { principal } = await host.identify(name);
  const { objectFormat, visibility } = asked;
  const byOperator = principal.kind === "operator";
  const spelling = spellingOf(name);
  const by = { actor: actorOf(principal), ...actorNameOf(principal) };
  const entered = await api
    .tenant(name.tenant)
    .register({ repo: name.repo, tenant: spelling.tenant, objectFormat, visibility, byPush: false, byOperator, by });
  if (entered.kind === "refused") {
    const { status, detail } = explainRegisterRefusal(entered.why);
    throw new Problem(status, detail);
  }
  const made = await api.settings(name).create({ ...asked, ...registeredName(name, entered) });
  if (made.kind === "gone" || made.kind === "stale") {
    const { status, detail } = explainRegisterRefusal("removing");
    throw new Problem(status, detail);
  }
  const found = { name, record: made.record };
  if (made.kind === "exists") assertAsAsked(context, body, showRepository(context, principal, found));
  return await answered(context, found, made.kind === "created" ? 201 : 200);
}

/**
 * Refuses to have everything signed where there is no key to sign with: nothing could be made any more. A repository that
 * goes to another tenant is signed with the key of that one.
 *
 * @throws DetailedProblem
 */
async function assertSigningKey(
  context: Context<ApiEnv>,
  name: RepositoryName,
  { sign, tenant = name.tenant }: { readonly sign: "host" | null | undefined; readonly tenant: string | undefined },
): Promise<void> {
  const { api } = context.var;
  const isMoved = tenant !== name.tenant;
  const isSigned = sign === undefined ? isMoved && (await api.settings(name).describe())?.hostSigns : sign === "host";
  if (isSigned !== true || (await api.tenant(tenant).hostKey()) !== undefined) return;
  const detail = isMoved
    ? "tenant: what is made in the repository is signed, and the other tenant has no signing key here. PUT …/signing-key makes one."
    : "sign: the tenant has no signing key here. PUT …/signing-key makes one.";
  throw new DetailedProblem(409, detail, { code: "no_signing_key" });
}

async function changeRepository(context: Context<ApiEnv>): Promise<Response> {
  const name = await administeredName(context);
  const { host, api } = context.var;
  const body = await readJson(context.req.raw, repositoryChange);
  const target = await askedName(context, name, body);
  const isRespelled = target !== undefined && isSameName(name, target);
  await assertSigningKey(context, name, { sign: body.sign, tenant: target?.tenant });
  const change = { ...changeOf(body), ...(isRespelled ? { spelled: respelled(name, target) } : {}) };
  const record = await api.settings(name).change(change, expectedTags(context));
  if (record === "stale") throw staleSettings();
  host.formats.forget(repositoryKey(name));
  if (record === undefined) throw await noRepositoryAt(context, name);
  if (change.visibility !== undefined) await api.tenant(name.tenant).noteVisibility(name.repo, change.visibility);
  if (change.offloadFrom !== undefined) await api.tenant(name.tenant).noteOffload(name.repo, change.offloadFrom);
  if (target === undefined || isRespelled) return await answered(context, { name, record });
  const renamed = await rename(context, { name, record }, target);
  if (record.offloadFrom !== undefined) await api.tenant(target.tenant).noteOffload(target.repo, record.offloadFrom);
  return await answered(context, { name: target, record: renamed });
}

async function removeRepository(context: Context<ApiEnv>): Promise<Response> {
  const name = await administeredName(context);
  if (isConditional(context)) {
    const record = await context.var.api.settings(name).describe();
    if (record !== undefined) assertCurrent(context, settingsTag(record));
  }
  const removed = await context.var.api.tenant(name.tenant).removeRepo(name.repo);
  context.var.host.formats.forget(repositoryKey(name));
  if (!removed) throw await noRepositoryAt(context, name);
  return context.body(null, 204);
}

/** The routes of repositories themselves, below `/api/v1/repos`. */
export function repoRoutes(): Hono<ApiEnv> {
  const routes = new Hono<ApiEnv>();
  const shown = { about: "The repository.", json: shownRepository };
  routes.put(
    "/:tenant/:repo",
    describe({
      tag: "repositories",
      summary: "Makes a repository",
      about:
        "One that exists stays as it is: an error where it differs in what is asked for, or with `If-None-Match: *`. Where no `default_branch` is given, HEAD goes to the first branch that is pushed: `main` or `master` " +
        "where it is among them. With `token`, a token for this repository alone is made together with it; its text is shown only here.",
      access: "token",
      body: creation,
      answers: {
        200: { ...shown, about: "It existed, and is as asked; no token was made." },
        201: { about: "It was made.", json: createdRepository },
      },
      problems: [409, 412],
    }),
    makeRepository,
  );
  routes.get(
    "/:tenant/:repo",
    describe({ tag: "repositories", summary: "Shows a repository", answers: { 200: shown, 304: NOT_MODIFIED } }),
    async (context) => await answered(context, await requestedRepository(context, "read")),
  );
  routes.patch(
    "/:tenant/:repo",
    describe({
      tag: "repositories",
      summary: "Changes a repository's settings",
      about:
        "With `If-Match`, only where they are still those of the `ETag` that was shown with them. A push changes only what follows the `-` in it, which is not compared. `name` and " +
        "`tenant` rename the repository: its old address answers git with 301 and the API with 308 until a repository is made there.",
      access: "token",
      body: repositoryChange,
      answers: { 200: shown },
      problems: [409, 412],
    }),
    changeRepository,
  );
  routes.delete(
    "/:tenant/:repo",
    describe({
      tag: "repositories",
      summary: "Deletes a repository",
      about: "Its name is free at once; its bytes go in the background.",
      access: "token",
      answers: { 204: { about: "It is not there any more." } },
    }),
    removeRepository,
  );
  return routes;
}
