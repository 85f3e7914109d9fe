/**
 * `/api/v1/tenants/{tenant}/tokens`: a tenant's tokens. The text of a token is shown once, when it is made.
 *
 * @packageDocumentation
 */
import { createHash } from "node:crypto";
import { Hono, type Context } from "hono";
import * as v from "valibot";
import { isRepositoryName } from "../../access/names.ts";
import { listedIdOf, type Principal } from "../../access/principal.ts";
import { SCOPES } from "../../access/scope.ts";
import { excessOver } from "../../access/token-bounds.ts";
import { type Excess, MOST_TOKENS, type TokenRecord } from "../../access/token-store.ts";
import { formatToken, TOKEN_RANDOM_BYTES } from "../../access/token.ts";
import { present } from "../../bytes/assert.ts";
import { Problem } from "../../http/problem.ts";
import type { ApiEnv } from "../api-host.ts";
import { describe, PAGING } from "../describe.ts";
import { readJson } from "../json-body.ts";
import { shownName } from "../shown-text.ts";
import { queryLimit } from "./content-request.ts";
import { formatCursor, nextPage, parseCursor } from "./cursor.ts";
import { requestedTenant, pathParam } from "./requested.ts";

/** Tokens on a page. */
const PAGE = { tokens: 100, mostTokens: 1000 };
/** Repositories that a token may name. */
const MOST_REPOS = 100;
/** Characters of a token's name. */
const LONGEST_NAME = 100;
/** Ten years, in seconds: a longer time is no expiry. */
const LONGEST = 10 * 366 * 24 * 60 * 60;

/** The members of a token that is to be made. */
export const issue = v.strictObject({
  name: shownName(LONGEST_NAME),
  scopes: v.pipe(v.array(v.picklist(SCOPES)), v.minLength(1), v.maxLength(SCOPES.length)),
  repos: v.nullish(
    v.pipe(
      v.array(v.pipe(v.string(), v.check(isRepositoryName, "not a repository's name"))),
      v.minLength(1),
      v.maxLength(MOST_REPOS),
    ),
  ),
  expires_in: v.nullish(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(LONGEST))),
});

/** A token for one repository, which is made together with it. */
export const repositoryToken = v.strictObject({
  name: issue.entries.name,
  scopes: v.pipe(v.array(v.picklist(["repo:read", "repo:write"])), v.minLength(1), v.maxLength(2)),
  expires_in: issue.entries.expires_in,
});

const time = v.nullable(v.pipe(v.string(), v.isoTimestamp()));
const listedToken = {
  id: v.string(),
  name: v.string(),
  scopes: v.array(v.picklist(SCOPES)),
  repos: v.nullable(v.array(v.string())),
  created_at: v.pipe(v.string(), v.isoTimestamp()),
  expires_at: time,
  last_used_at: time,
  created_by: v.nullable(v.string()),
  children: v.number(),
};
/** The form in which a new token is shown, the only time with its text. */
export const issuedToken = v.strictObject({ ...listedToken, token: v.string() });

const shownTime = (at: number | undefined): string | null => (at === undefined ? null : new Date(at).toISOString());

function shown(token: TokenRecord): object {
  return {
    id: token.id,
    name: token.name,
    scopes: token.scopes,
    repos: token.repos ?? null,
    created_at: shownTime(token.createdAt),
    expires_at: shownTime(token.expiresAt),
    last_used_at: shownTime(token.usedAt),
    created_by: token.createdBy ?? null,
    children: present(token.children, "the count of the tokens that one made"),
  };
}

const tokenCursor = v.strictObject({ after: v.pipe(v.string(), v.maxLength(100)) });
const noTenant = (): Problem => new Problem(404, "There is no such tenant.");

/** The messages for a token, or a key, that would give more than its maker has. */
export const EXCESS: Readonly<Record<Excess, string>> = {
  expiry: "expires_in: a token can't outlive the one that makes it. Without it, it ends together with that one.",
  scopes: "scopes: a token can't give a scope that it does not have.",
  repos: "repos: a token can't give repositories that it is not for.",
};

/** Returns the token or key that a request makes something with, as the tenant's list has it. */
export function makerOf(principal: Principal): { readonly createdBy?: string } {
  const id = listedIdOf(principal);
  return id === undefined ? {} : { createdBy: id };
}

/**
 * Checks that what a caller makes may not do more than itself. What the tenant knows of its tokens it compares, too: a binding
 * it does not know.
 *
 * @throws Problem
 */
export function assertWithin(principal: Principal, made: Pick<TokenRecord, "scopes" | "repos" | "expiresAt">): void {
  const excess = principal.kind === "token" ? excessOver(principal, made) : undefined;
  if (excess !== undefined) throw new Problem(422, EXCESS[excess]);
}

/**
 * Makes a token, and returns it as it is shown, with its text. The caller may administer the tenant.
 *
 * @throws Problem
 */
export async function issueToken(
  context: Context<ApiEnv>,
  tenant: string,
  asked: v.InferOutput<typeof issue>,
): Promise<{ readonly id: string; readonly shown: object }> {
  const { principal } = await context.var.host.identify();
  const text = formatToken(tenant, crypto.getRandomValues(new Uint8Array(TOKEN_RANDOM_BYTES)));
  const rights = {
    scopes: SCOPES.filter((scope) => asked.scopes.includes(scope)),
    ...(Array.isArray(asked.repos) ? { repos: [...new Set(asked.repos)].toSorted() } : {}),
    ...(typeof asked.expires_in === "number" ? { expiresAt: Date.now() + asked.expires_in * 1000 } : {}),
  };
  assertWithin(principal, rights);
  const answer = await context.var.api.tenant(tenant).issue({
    hash: createHash("sha256").update(text).digest(),
    name: asked.name,
    ...rights,
    ...makerOf(principal),
  });
  if (answer.kind === "missing") throw noTenant();
  if (answer.kind === "no-maker") throw new Problem(401, "A valid token is needed.");
  if (answer.kind === "excess") throw new Problem(422, EXCESS[answer.of]);
  if (answer.kind === "full") throw new Problem(409, `A tenant may have ${MOST_TOKENS} tokens. Revoke some first.`);
  return { id: answer.token.id, shown: { ...shown(answer.token), token: text } };
}

async function makeToken(context: Context<ApiEnv>): Promise<Response> {
  const tenant = await requestedTenant(context, "administer");
  const made = await issueToken(context, tenant, await readJson(context.req.raw, issue));
  return context.json(made.shown, 201, { "Cache-Control": "no-store" });
}

async function listTokens(context: Context<ApiEnv>): Promise<Response> {
  const tenant = await requestedTenant(context, "administer");
  const limit = queryLimit(context, PAGE.tokens, PAGE.mostTokens);
  // Every id comes after the empty one.
  const after = parseCursor(context.req.query("cursor"), tokenCursor)?.after ?? "";
  const page = await context.var.api.tenant(tenant).tokens(after, limit);
  if (page === undefined) throw noTenant();
  const last = page.items.at(-1);
  const cursor = page.more && last !== undefined ? formatCursor({ after: last.id }) : undefined;
  const { member, headers } = nextPage(context, cursor);
  return context.json({ tokens: page.items.map(shown), ...member }, 200, { "Cache-Control": "no-store", ...headers });
}

async function revokeToken(context: Context<ApiEnv>): Promise<Response> {
  const tenant = await requestedTenant(context, "administer");
  const children = context.req.query("children");
  if (children !== undefined && children !== "1") throw new Problem(422, "children: 1, or nothing");
  const revoked = await context.var.api.tenant(tenant).revoke(pathParam(context, "id"), children === "1");
  if (revoked === 0) throw new Problem(404, "There is no such token.");
  return children === undefined ? context.body(null, 204) : context.json({ revoked });
}

/** The routes of tokens, below `/api/v1/tenants`. */
export function tokenRoutes(): Hono<ApiEnv> {
  const routes = new Hono<ApiEnv>();
  const page = v.strictObject({ tokens: v.array(v.strictObject(listedToken)), cursor: v.optional(v.string()) });
  routes.post(
    "/:tenant/tokens",
    describe({
      tag: "tokens",
      summary: "Makes a token",
      about:
        "The token is shown only in this response. Each scope includes those before it: `repo:read`, `repo:write`, " +
        "`tenant:admin`. `repos` limits it to the repositories listed. A token that makes " +
        "another gives no more than it has, and no longer than it lasts.",
      access: "token",
      body: issue,
      answers: { 201: { about: "The token.", json: issuedToken } },
      problems: [409],
    }),
    makeToken,
  );
  routes.get(
    "/:tenant/tokens",
    describe({
      tag: "tokens",
      summary: "Lists tokens, without their texts",
      about: "`last_used_at` is right to ten minutes.",
      access: "token",
      query: PAGING,
      answers: { 200: { about: "A page.", json: page } },
    }),
    listTokens,
  );
  routes.delete(
    "/:tenant/tokens/:id",
    describe({
      tag: "tokens",
      summary: "Revokes a token",
      about:
        "The very next request with it is refused. Tokens that it made stay, unless `children` is 1; the list says how many there are.",
      access: "token",
      query: {
        children: {
          about:
            "1: the tokens that it made are revoked, too, and those that they made, also if it was revoked before.",
        },
      },
      answers: {
        200: { about: "With `children`: how many were revoked.", json: v.strictObject({ revoked: v.number() }) },
        204: { about: "It is not known any more." },
      },
    }),
    revokeToken,
  );
  return routes;
}
