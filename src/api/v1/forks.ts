/**
 * `POST /api/v1/repos/{tenant}/{repo}/forks`: copies a repository without copying its objects.
 *
 * @packageDocumentation
 */
import { Hono, type Context } from "hono";
import * as v from "valibot";
import { decide } from "../../access/decide.ts";
import {
  isRepositoryName,
  isTenantName,
  parseRepositoryName,
  repositoryKey,
  type RepositoryName,
  spellingOf,
  splitKey,
} from "../../access/names.ts";
import { actorNameOf, actorOf, pusherOf } from "../../access/principal.ts";
import { authorize } from "../../http/denied.ts";
import { missingLfs } from "../../http/lfs-admission.ts";
import { unlessMoved } from "../../http/moved.ts";
import { Problem } from "../../http/problem.ts";
import { registeredName } from "../../http/registered-name.ts";
import { explainRegisterRefusal } from "../../http/register-refusal.ts";
import { shareIfNone, shareLfsObjects, shareNamedLfs } from "../../lfs/share.ts";
import { type ForkAnswer, forkRepository } from "../../maintenance/fork.ts";
import { type SyncBranchAnswer, syncBranch } from "../../maintenance/sync-branch.ts";
import { checkRefFormat } from "../../object/ref-name.ts";
import { isZeroOid } from "../../refs/ref-plan.ts";
import type { ApiEnv } from "../api-host.ts";
import { describe } from "../describe.ts";
import { readJson } from "../json-body.ts";
import { type NamedRepository, shownRepository, showRepository } from "./repo-settings.ts";
import { requestedRepository } from "./requested.ts";
import { explainMove } from "./restore.ts";

const wantedFork = v.strictObject({
  tenant: v.pipe(v.string(), v.check(isTenantName, "not a tenant's name")),
  repo: v.optional(v.pipe(v.string(), v.check(isRepositoryName, "not a repository's name"))),
});

/** Seconds after which it is worth asking again, where a repository's maintenance has to come first. */
const MAINTENANCE_SECONDS = 120;

/** Names that a parent may have had since the fork was made, and is still found. */
const MOST_RENAMES = 10;
const NO_PARENT = "The repository that this is a fork of is gone, or may not be read.";
const BRANCHES = "refs/heads/";
const isBranch = (name: string): boolean => checkRefFormat(BRANCHES + name);

const TAKEN = "repo: there is a repository of this name.";

/** Returns the fork's name to a caller that may make a repository of it. */
async function targetName(
  context: Context<ApiEnv>,
  parent: RepositoryName,
  { tenant, repo }: v.InferOutput<typeof wantedFork>,
): Promise<RepositoryName> {
  const target = parseRepositoryName(tenant, repo ?? spellingOf(parent).repo);
  if (target === undefined) throw new Problem(422, "repo: no repository can have this name.");
  const { principal } = await context.var.host.identify();
  const decision = decide(principal, "administer", target, undefined);
  if (decision === "challenge") await authorize(context.var.host, "administer", target, undefined);
  if (decision !== "allow") throw new Problem(403, "tenant: the token may not make this repository.");
  const existing = await context.var.api.settings(target).describe().catch(unlessMoved);
  if (existing !== undefined) throw new Problem(409, TAKEN);
  return target;
}

/** Enters the fork in its tenant's list. */
async function register(context: Context<ApiEnv>, { record }: NamedRepository, target: RepositoryName) {
  const { host, api } = context.var;
  const { principal } = await host.identify();
  const entered = await api.tenant(target.tenant).register({
    repo: target.repo,
    tenant: spellingOf(target).tenant,
    objectFormat: record.objectFormat,
    visibility: record.visibility,
    byPush: false,
    byOperator: principal.kind === "operator",
    by: { actor: actorOf(principal), ...actorNameOf(principal) },
  });
  if (entered.kind === "registered") return registeredName(target, entered);
  const { status, detail } = explainRegisterRefusal(entered.why);
  throw new Problem(status, detail);
}

function refusalOf(kind: Exclude<ForkAnswer["kind"], "created">): Problem {
  switch (kind) {
    case "missing":
      return new Problem(404, "There is no such repository.");
    case "exists":
      return new Problem(409, TAKEN);
    case "gone": {
      const { status, detail } = explainRegisterRefusal("removing");
      return new Problem(status, detail);
    }
    case "unsettled":
      return new Problem(
        409,
        "The repository still holds objects that no ref reaches. Its maintenance takes them out; try again in a few minutes.",
        { "Retry-After": String(MAINTENANCE_SECONDS) },
      );
    case "too-deep":
      return new Problem(409, "The repository is a fork of too many forks.");
    case "busy":
      return new Problem(409, "The repository is being purged. Try again in a moment.");
  }
}

async function fork(context: Context<ApiEnv>): Promise<Response> {
  const { host, api } = context.var;
  const parent = await requestedRepository(context, "read");
  const target = await targetName(context, parent.name, await readJson(context.req.raw, wantedFork));
  const { id, ...naming } = await register(context, parent, target);
  const key = repositoryKey(target);
  const made = await forkRepository(
    {
      parent: api.lending(parent.name),
      flushTail: () => api.flushTail(parent.name),
      target: api.settings(target),
      lender: (home) => api.lender(home),
    },
    {
      ...naming,
      borrower: { id, name: key },
      parent: { id: parent.record.id, name: parent.record.spelled ?? repositoryKey(parent.name) },
    },
  );
  host.formats.forget(key);
  if (made.kind !== "created") {
    // Nothing is there of a fork that was not made: its name would stay taken, and be told as one that is there.
    if (made.kind !== "exists") await api.tenant(target.tenant).retractRepo(target.repo, id);
    throw refusalOf(made.kind);
  }
  const stores = { parent: api.lfs(parent.name), fork: api.lfs(target), links: (home: string) => api.lfsLinks(home) };
  await shareLfsObjects(stores, id);
  const { principal } = await host.identify();
  return context.json(showRepository(context, principal, { name: target, record: made.record }), 201);
}

const wantedBranch = v.strictObject({ branch: v.optional(v.pipe(v.string(), v.check(isBranch, "not a branch"))) });
const syncedBranch = v.looseObject({ branch: v.string(), old: v.nullable(v.string()), oid: v.string() });

/**
 * Returns the parent of a fork under its present name, as far as the caller may see it.
 *
 * @throws Problem if the repository is no fork.
 */
async function parentOf(context: Context<ApiEnv>, { record }: NamedRepository) {
  const { host, api } = context.var;
  const { forkOf } = record;
  if (forkOf === undefined) throw new Problem(409, "This repository is no fork.");
  let name = parseRepositoryName(...splitKey(forkOf.name));
  for (let hops = 0; name !== undefined && hops < MOST_RENAMES; hops++) {
    const moved = await api.settings(name).forward();
    if (moved === undefined) return { name, repository: host.repository(name), id: forkOf.id };
    name = parseRepositoryName(...splitKey(moved.to));
  }
  throw new Problem(404, NO_PARENT);
}

function answerOf(context: Context<ApiEnv>, branch: string, answer: SyncBranchAnswer): Response {
  switch (answer.kind) {
    case "missing":
      throw new Problem(404, "There is no such repository.");
    case "no-parent":
      throw new Problem(404, NO_PARENT);
    case "no-branch":
      throw new Problem(404, `The parent has no branch ${branch}.`);
    case "diverged":
      throw new Problem(409, `${branch} has commits that the parent's has not: merge them, and push.`);
    case "up-to-date":
      return context.json({ branch, old: answer.oid, oid: answer.oid });
    case "done": {
      const { outcome, old, oid } = answer;
      if (outcome.kind === "rejected") throw new Problem(409, `Nothing was changed: ${explainMove(outcome)}.`);
      return context.json({ branch, old: isZeroOid(old) ? null : old, oid });
    }
  }
}

/** Brings a branch of a fork up to its parent's. */
async function sync(context: Context<ApiEnv>): Promise<Response> {
  const found = await requestedRepository(context, "write");
  const { name, record } = found;
  const { host, api } = context.var;
  const asked = await readJson(context.req.raw, wantedBranch);
  const branch = asked.branch ?? record.head.slice(BRANCHES.length);
  const parent = await parentOf(context, found);
  const { principal } = await host.identify(name);
  const stores = { parent: api.lfs(parent.name), fork: api.lfs(name), links: (home: string) => api.lfsLinks(home) };
  const answer = await syncBranch({
    fork: host.repository(name),
    parent: parent.repository,
    parentId: parent.id,
    ref: BRANCHES + branch,
    allowance: await host.allowance(name),
    shareLfs: async (oids) => {
      if (oids === "all") await shareLfsObjects(stores, record.id);
      else await shareNamedLfs(stores, oids, record.id);
    },
    missingLfs: (oids) => missingLfs(host, name, oids),
    by: { actor: actorOf(principal), ...actorNameOf(principal), pusher: pusherOf(principal) },
  });
  if (answer.kind === "done" || answer.kind === "up-to-date") await shareIfNone(stores, record.id);
  return answerOf(context, branch, answer);
}

/** The routes of forks, below `/api/v1/repos`. */
export function forkRoutes(): Hono<ApiEnv> {
  const routes = new Hono<ApiEnv>();
  routes.post(
    "/:tenant/:repo/forks",
    describe({
      tag: "repositories",
      summary: "Forks a repository",
      about:
        "The fork has the refs, the default branch, the description and the visibility that the repository has now, and sees nothing of what comes " +
        "later. No object is copied: the fork reads those of the repository until it has its own. Git LFS objects are shared, too. Rules, webhooks, locks and the log of refs are not taken over. " +
        "Without `repo` it gets the same name in the other tenant.",
      access: "token",
      body: wantedFork,
      answers: { 201: { about: "The fork.", json: shownRepository } },
      problems: [409],
    }),
    fork,
  );
  routes.post(
    "/:tenant/:repo/sync",
    describe({
      tag: "repositories",
      summary: "Brings a branch of a fork up to its parent's",
      about:
        "Only forward: a branch that has commits of its own stays as it is. Without `branch`, the default branch. The branch is made where the fork has none of that " +
        "name. It counts as a push. `old` is null for a new branch, and equal to `oid` where there was nothing to do.",
      access: "token",
      body: wantedBranch,
      answers: { 200: { about: "Where the branch is now.", json: syncedBranch } },
      problems: [409],
    }),
    sync,
  );
  return routes;
}
