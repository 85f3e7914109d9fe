/**
 * `…/reflog` and `…/push-certificates/{id}`: who moved which ref. They are for those who administer the repository,
 * because they show pushers, values that were forced away, and push options.
 *
 * @packageDocumentation
 */
import { Hono, type Context } from "hono";
import * as v from "valibot";
import { queryBytes } from "../../http/content-address.ts";
import { Problem } from "../../http/problem.ts";
import { readEscapes } from "../../object/escaped-bytes.ts";
import type { CertificateCheck, LoggedPush, RefLogQuery } from "../../refs/ref-log.ts";
import type { ApiEnv } from "../api-host.ts";
import { nextPage } from "./cursor.ts";
import { describe, PAGING } from "../describe.ts";
import { restore, restoredRefs } from "./restore.ts";
import { requestedRepository, pathParam } from "./requested.ts";

const move = v.strictObject({ ref: v.string(), old: v.string(), new: v.string() });
const refLogPage = v.strictObject({
  pushes: v.array(
    v.strictObject({
      id: v.number(),
      actor: v.string(),
      actor_name: v.nullable(v.string()),
      at: v.pipe(v.string(), v.isoTimestamp()),
      push_options: v.array(v.string()),
      certificate: v.nullable(v.looseObject({ id: v.number(), signer: v.string() })),
      updates: v.array(move),
    }),
  ),
  cursor: v.optional(v.string()),
});

/** The most moves on a page. */
const MOST = 100;

/**
 * Returns a whole number that a client wrote.
 *
 * @throws Problem if it is not from 1 to `most`.
 */
function wholeNumber(text: string, what: string, most: number): number {
  const value = /^[1-9][0-9]{0,15}$/.test(text) ? Number(text) : 0;
  if (value < 1 || value > most) throw new Problem(422, `${what} has to be a whole number from 1 to ${most}.`);
  return value;
}

function queryOf(context: Context<ApiEnv>): RefLogQuery {
  const { limit, cursor, ref } = context.req.query();
  const name = readEscapes(queryBytes(context.req.url, "ref"));
  return {
    limit: limit === undefined ? MOST : wholeNumber(limit, "limit", MOST),
    ...(cursor === undefined ? {} : { before: wholeNumber(cursor, "cursor", Number.MAX_SAFE_INTEGER) }),
    ...(ref === undefined ? {} : { name }),
  };
}

function shownCertificate(push: number, check: CertificateCheck): object {
  return {
    id: push,
    signer: check.signer,
    nonce: check.nonce,
    nonce_slop: check.nonceSlop ?? null,
    signature: check.signature,
    key: check.key ?? null,
  };
}

function shownPush({ id, actor, actorName, at, options, certificate, moves }: LoggedPush): object {
  return {
    id,
    actor,
    actor_name: actorName ?? null,
    at: new Date(at).toISOString(),
    push_options: options,
    certificate: certificate === undefined ? null : shownCertificate(id, certificate),
    updates: moves.map(({ name, oldOid, newOid }) => ({ ref: name, old: oldOid, new: newOid })),
  };
}

async function listRefLog(context: Context<ApiEnv>): Promise<Response> {
  const { name } = await requestedRepository(context, "administer");
  const page = await context.var.api.settings(name).refLog(queryOf(context));
  if (page === undefined) throw new Problem(404, "There is no such repository.");
  const { pushes, before } = page;
  const { member, headers } = nextPage(context, before === undefined ? undefined : String(before));
  return context.json({ pushes: pushes.map(shownPush), ...member }, 200, { "Cache-Control": "no-store", ...headers });
}

async function showCertificate(context: Context<ApiEnv>): Promise<Response> {
  const { name } = await requestedRepository(context, "administer");
  const id = pathParam(context, "id");
  const push = /^[1-9][0-9]{0,14}$/.test(id) ? Number(id) : undefined;
  const content = push === undefined ? undefined : await context.var.api.settings(name).pushCertificate(push);
  if (content === undefined) throw new Problem(404, "There is no such push certificate.");
  return new Response(content, {
    headers: {
      "Content-Type": "text/plain; charset=utf-8",
      "Cache-Control": "no-store",
      "X-Content-Type-Options": "nosniff",
    },
  });
}

/** The routes of the reflog and of push certificates, below `/api/v1/repos`. */
export function reflogRoutes(): Hono<ApiEnv> {
  const routes = new Hono<ApiEnv>();
  routes.get(
    "/:tenant/:repo/reflog",
    describe({
      tag: "repositories",
      summary: "Lists pushes and what they moved, the newest first",
      access: "token",
      query: { ...PAGING, ref: { about: "Only the moves of this ref." } },
      answers: { 200: { about: "A page.", json: refLogPage } },
    }),
    listRefLog,
  );
  routes.post(
    "/:tenant/:repo/reflog/:id/restore",
    describe({
      tag: "repositories",
      summary: "Takes a push back: sets the refs that it moved to what they were",
      about:
        "All of them, or none: a ref that has been moved since refuses it. What nothing reaches is kept for 14 days, unless it is purged.",
      access: "token",
      answers: { 200: { about: "The moves that were made.", json: restoredRefs } },
      problems: [409],
    }),
    restore,
  );
  routes.get(
    "/:tenant/:repo/push-certificates/:id",
    describe({
      tag: "repositories",
      summary: "Gives the certificate of a signed push, as it came",
      access: "token",
      answers: { 200: { about: "The certificate.", type: "text/plain" } },
    }),
    showCertificate,
  );
  return routes;
}
