/**
 * `/api/v1/tenants/{tenant}/ssh-keys` and `/api/v1/repos/{tenant}/{repo}/deploy-keys`: the public keys that may use git
 * by SSH.
 *
 * @packageDocumentation
 */
import { Hono, type Context } from "hono";
import * as v from "valibot";
import { SCOPES, type Scope } from "../../access/scope.ts";
import {
  type AddSshKeyAnswer,
  type AddSshKeyRequest,
  MOST_DEPLOY_KEYS,
  MOST_SSH_KEY_BYTES,
  MOST_SSH_KEYS,
  type SshKeyPlace,
  type SshKeyRecord,
} from "../../access/ssh-key-store.ts";
import { Problem } from "../../http/problem.ts";
import { formatSshKeyLine, parseSshKey, parseSshKeyLine, sshFingerprint } from "../../signing/ssh-key.ts";
import { MalformedSsh } from "../../signing/ssh-reader.ts";
import type { ApiEnv } from "../api-host.ts";
import { describe, PAGING } from "../describe.ts";
import { readJson } from "../json-body.ts";
import { queryLimit } from "./content-request.ts";
import { formatCursor, nextPage, parseCursor } from "./cursor.ts";
import { pathParam, requestedRepository, requestedTenant } from "./requested.ts";
import { assertWithin, EXCESS, issue, makerOf } from "./tokens.ts";

/** Keys on a page. */
const PAGE = { keys: 100, mostKeys: 1000 };

const keyText = v.pipe(v.string(), v.minLength(1), v.maxLength(MOST_SSH_KEY_BYTES));
const addition = v.strictObject({ ...issue.entries, key: keyText });
const deployAddition = v.strictObject({
  name: issue.entries.name,
  key: keyText,
  write: v.nullish(v.boolean()),
  expires_in: issue.entries.expires_in,
});

const time = v.nullable(v.pipe(v.string(), v.isoTimestamp()));
const common = {
  id: v.string(),
  name: v.string(),
  fingerprint: v.string(),
  key: v.string(),
  created_at: v.pipe(v.string(), v.isoTimestamp()),
  expires_at: time,
  last_used_at: time,
  created_by: v.nullable(v.string()),
};
const sshKey = v.strictObject({
  ...common,
  scopes: v.array(v.picklist(SCOPES)),
  repos: v.nullable(v.array(v.string())),
});
const deployKey = v.strictObject({ ...common, write: v.boolean() });

const NO_STORE = { "Cache-Control": "no-store" };
const shownTime = (at: number | undefined): string | null => (at === undefined ? null : new Date(at).toISOString());

function shown({ id, name, fingerprint, key, ...record }: SshKeyRecord): object {
  const rights =
    record.deploys === undefined
      ? { scopes: record.scopes, repos: record.repos ?? null }
      : { write: record.scopes.includes("repo:write") };
  return {
    id,
    name,
    fingerprint,
    key,
    ...rights,
    created_at: shownTime(record.createdAt),
    expires_at: shownTime(record.expiresAt),
    last_used_at: shownTime(record.usedAt),
    created_by: record.createdBy ?? null,
  };
}

/**
 * Reads a line with a public key.
 *
 * @throws Problem if the host can't use the key.
 */
async function readKey(text: string): Promise<Pick<AddSshKeyRequest, "fingerprint" | "key">> {
  try {
    const line = parseSshKeyLine(text);
    parseSshKey(line.blob);
    return { fingerprint: await sshFingerprint(line.blob), key: formatSshKeyLine(line) };
  } catch (error) {
    if (!(error instanceof MalformedSsh)) throw error;
    throw new Problem(422, `This key can't be registered: ${error.message}.`);
  }
}

/** Returns the key that was registered. @throws Problem if it was not. */
function added(answer: AddSshKeyAnswer, isDeploy: boolean): SshKeyRecord {
  switch (answer.kind) {
    case "added":
    case "exists":
      return answer.key;
    case "taken":
      throw new Problem(
        409,
        "The tenant has this key already, in another place or with other rights. Remove it there.",
      );
    case "missing":
      throw new Problem(404, isDeploy ? "There is no such repository." : "There is no such tenant.");
    case "no-maker":
      throw new Problem(401, "A valid token is needed.");
    case "excess":
      throw new Problem(422, EXCESS[answer.of]);
    case "full": {
      const deploys = isDeploy ? `, and a repository ${MOST_DEPLOY_KEYS} deploy keys` : "";
      throw new Problem(409, `A tenant may have ${MOST_SSH_KEYS} SSH keys${deploys}. Remove some first.`);
    }
  }
}

/** A key that is to be registered, in a tenant. */
type Addition = {
  readonly tenant: string;
  readonly name: string;
  readonly key: string;
  readonly scopes: readonly Scope[];
  readonly repos?: readonly string[];
  readonly deploys?: string;
  readonly expiresIn?: number | null | undefined;
};

async function add(context: Context<ApiEnv>, { tenant, key: text, expiresIn, ...asked }: Addition): Promise<Response> {
  const key = await readKey(text);
  const { principal } = await context.var.host.identify();
  const until = typeof expiresIn === "number" ? { expiresAt: Date.now() + expiresIn * 1000 } : {};
  assertWithin(principal, { ...asked, ...until });
  const answer = await context.var.api.tenant(tenant).addSshKey({ ...key, ...asked, ...until, ...makerOf(principal) });
  const record = added(answer, asked.deploys !== undefined);
  return context.json(shown(record), answer.kind === "added" ? 201 : 200, NO_STORE);
}

async function addSshKey(context: Context<ApiEnv>): Promise<Response> {
  const tenant = await requestedTenant(context, "administer");
  const { name, key, scopes, repos, expires_in: expiresIn } = await readJson(context.req.raw, addition);
  const limit = Array.isArray(repos) ? { repos: [...new Set(repos)].toSorted() } : {};
  const sorted = SCOPES.filter((scope) => scopes.includes(scope));
  return add(context, { tenant, name, key, scopes: sorted, ...limit, expiresIn });
}

async function addDeployKey(context: Context<ApiEnv>): Promise<Response> {
  const { name: repository } = await requestedRepository(context, "administer");
  const { name, key, write, expires_in: expiresIn } = await readJson(context.req.raw, deployAddition);
  const { tenant, repo } = repository;
  const scopes: readonly Scope[] = write === true ? ["repo:write"] : ["repo:read"];
  return add(context, { tenant, name, key, scopes, repos: [repo], deploys: repo, expiresIn });
}

const keyCursor = v.strictObject({ after: v.pipe(v.string(), v.maxLength(100)) });

async function list(context: Context<ApiEnv>, tenant: string, place: SshKeyPlace): Promise<Response> {
  const limit = queryLimit(context, PAGE.keys, PAGE.mostKeys);
  // Every id comes after the empty one.
  const after = parseCursor(context.req.query("cursor"), keyCursor)?.after ?? "";
  const page = await context.var.api.tenant(tenant).sshKeys(place, after, limit);
  if (page === undefined) throw new Problem(404, "There is no such tenant.");
  const last = page.items.at(-1);
  const cursor = page.more && last !== undefined ? formatCursor({ after: last.id }) : undefined;
  const { member, headers } = nextPage(context, cursor);
  return context.json({ keys: page.items.map(shown), ...member }, 200, { ...NO_STORE, ...headers });
}

async function remove(context: Context<ApiEnv>, tenant: string, place: SshKeyPlace): Promise<Response> {
  const removed = await context.var.api.tenant(tenant).removeSshKey(place, pathParam(context, "id"));
  if (!removed) throw new Problem(404, "There is no such key.");
  return context.body(null, 204);
}

const KINDS = "Ed25519, ECDSA, RSA of 2048 bits and more, and both kinds on a security key";

/** The routes of people's keys, below `/api/v1/tenants`. */
export function sshKeyRoutes(): Hono<ApiEnv> {
  const routes = new Hono<ApiEnv>();
  const page = v.strictObject({ keys: v.array(sshKey), cursor: v.optional(v.string()) });
  routes.get(
    "/:tenant/ssh-keys",
    describe({
      tag: "tenants",
      summary: "Lists the keys that may use git by SSH",
      about: "Deploy keys are listed with their repositories. `last_used_at` is right to ten minutes.",
      access: "token",
      query: PAGING,
      answers: { 200: { about: "A page.", json: page } },
    }),
    async (context) => list(context, await requestedTenant(context, "administer"), {}),
  );
  routes.post(
    "/:tenant/ssh-keys",
    describe({
      tag: "tenants",
      summary: "Registers a key that may use git by SSH",
      about:
        `\`key\` is a line as in \`authorized_keys\` (${KINDS}). The key may do what a token of these scopes and repositories ` +
        "may, by SSH. A tenant has each key once; one that is registered already, with the same rights, is answered as it is.",
      access: "token",
      body: addition,
      answers: {
        200: { about: "It was there.", json: sshKey },
        201: { about: "It is registered.", json: sshKey },
      },
      problems: [409],
    }),
    addSshKey,
  );
  routes.delete(
    "/:tenant/ssh-keys/:id",
    describe({
      tag: "tenants",
      summary: "Removes a key",
      about: "The very next request with it is refused, also within a connection that it has opened.",
      access: "token",
      answers: { 204: { about: "It is not known any more." } },
    }),
    async (context) => remove(context, await requestedTenant(context, "administer"), {}),
  );
  return routes;
}

/** Returns the repository whose deploy keys are asked for. @throws AccessDenied, Problem */
async function deployPlace(context: Context<ApiEnv>): Promise<{ readonly tenant: string; readonly deploys: string }> {
  const { tenant, repo } = (await requestedRepository(context, "administer")).name;
  return { tenant, deploys: repo };
}

/** The routes of deploy keys, below `/api/v1/repos`. */
export function deployKeyRoutes(): Hono<ApiEnv> {
  const routes = new Hono<ApiEnv>();
  const page = v.strictObject({ keys: v.array(deployKey), cursor: v.optional(v.string()) });
  routes.get(
    "/:tenant/:repo/deploy-keys",
    describe({
      tag: "repositories",
      summary: "Lists a repository's deploy keys",
      about: "`last_used_at` is right to ten minutes.",
      access: "token",
      query: PAGING,
      answers: { 200: { about: "A page.", json: page } },
    }),
    async (context) => {
      const { tenant, deploys } = await deployPlace(context);
      return list(context, tenant, { deploys });
    },
  );
  routes.post(
    "/:tenant/:repo/deploy-keys",
    describe({
      tag: "repositories",
      summary: "Registers a key for one repository",
      about:
        `\`key\` is a line as in \`authorized_keys\` (${KINDS}). It may read the repository by SSH, and push with \`write\`. It ` +
        "follows the repository to a new name within its tenant, and goes with it.",
      access: "token",
      body: deployAddition,
      answers: {
        200: { about: "It was there.", json: deployKey },
        201: { about: "It is registered.", json: deployKey },
      },
      problems: [409],
    }),
    addDeployKey,
  );
  routes.delete(
    "/:tenant/:repo/deploy-keys/:id",
    describe({
      tag: "repositories",
      summary: "Removes a deploy key",
      about: "The very next request with it is refused, also within a connection that it has opened.",
      access: "token",
      answers: { 204: { about: "It is not known any more." } },
    }),
    async (context) => {
      const { tenant, deploys } = await deployPlace(context);
      return remove(context, tenant, { deploys });
    },
  );
  return routes;
}
