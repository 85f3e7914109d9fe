/**
 * `/api/v1/admin/rows`: all rows of a Durable Object, for the operator's backup, and the way back.
 *
 * @packageDocumentation
 */
import { Hono, type Context } from "hono";
import * as v from "valibot";
import { folded, isTenantName, parseRepositoryName, repositoryKey, type RepositoryName } from "../../access/names.ts";
import {
  type CopiedPage,
  type CopyPlace,
  OBJECT_KINDS,
  type ObjectCopies,
  type ObjectKind,
  PIECE_BYTES,
} from "../../access/object-copies.ts";
import { toHex } from "../../bytes/hex.ts";
import { streamedResponse } from "../../http/body.ts";
import { isKnown } from "../../http/content.ts";
import { authorizeTenant } from "../../http/denied.ts";
import { Problem } from "../../http/problem.ts";
import type { ApiEnv } from "../api-host.ts";
import { describe, NOT_MODIFIED } from "../describe.ts";
import { readJson } from "../json-body.ts";
import { bodySource } from "./bounded-body.ts";
import { pathParam } from "./requested.ts";
import { assertNowhereElse, enterRepository, prepareRestore, sweepStrays } from "./restored-repository.ts";

/** The name of the only directory object. */
const DIRECTORY = "tenants";

/** An object that a path names. */
type NamedObject = { readonly kind: ObjectKind; readonly name: string; readonly repository?: RepositoryName };

const isKind = (text: string): text is ObjectKind => OBJECT_KINDS.some((kind) => kind === text);

/** Returns what addresses an object of a kind; `undefined` if nothing of that name can be one. */
function namedObject(kind: string, text: string): NamedObject | undefined {
  if (!isKind(kind)) return undefined;
  switch (kind) {
    case "directory":
      return text === DIRECTORY ? { kind, name: text } : undefined;
    case "tenant":
      return isTenantName(folded(text)) ? { kind, name: folded(text) } : undefined;
    case "lender":
      return /^[0-9a-f]{32}$/.test(text) ? { kind, name: text } : undefined;
    case "repository": {
      const [tenant = "", repo = "", ...more] = text.split("/");
      const repository = more.length === 0 ? parseRepositoryName(tenant, repo) : undefined;
      return repository === undefined ? undefined : { kind, name: repositoryKey(repository), repository };
    }
  }
}

/** Returns the object that a path names, to the operator. @throws AccessDenied, Problem */
async function requestedObject(context: Context<ApiEnv>): Promise<NamedObject> {
  await authorizeTenant(context.var.host, "operate", "");
  const named = namedObject(pathParam(context, "kind"), pathParam(context, "object"));
  if (named === undefined) throw new Problem(404, "There can be no such object.");
  return named;
}

const GONE = "The object has changed while it was copied. Ask again.";

/** Gives the rows. A copy of one page has a tag, by which an unchanged object is known; of others the end may fail. */
async function giveRows(context: Context<ApiEnv>): Promise<Response> {
  const { kind, name } = await requestedObject(context);
  const { backup } = context.var.api;
  const object = backup.object(kind, name);
  const first = await object.page();
  if (first.kind !== "page") throw new Problem(404, "There is no such object.");
  const headers = new Headers({ "Content-Type": "application/x-ndjson", "Cache-Control": "no-store" });
  if (first.next === undefined) {
    // A tenant must not be able to make a change that has the tag of what was before.
    const etag = `"${toHex(new Uint8Array(await crypto.subtle.digest("SHA-256", new Uint8Array(first.bytes))))}"`;
    headers.set("ETag", etag);
    if (isKnown(context.req.header("If-None-Match"), etag)) {
      return new Response(null, { status: 304, headers });
    }
  }
  const { host } = context.var;
  const answer = {
    headers,
    bodiless: context.req.raw.method === "HEAD",
    memory: backup.memory,
    traffic: host.traffic,
    onGone: () => undefined,
    onFault: () => undefined,
    until: (work: Promise<unknown>) => host.until(work),
  };
  return await streamedResponse(answer, async (output) => {
    let page: Extract<CopiedPage, { kind: "page" }> = first;
    await output.write(page.bytes);
    for (let place: CopyPlace | undefined = page.next; place !== undefined; place = page.next) {
      const next = await object.page(place);
      if (next.kind !== "page") throw new Problem(503, GONE);
      page = next;
      await output.write(page.bytes);
    }
  });
}

const isHere = async (object: ObjectCopies, id: string): Promise<boolean> =>
  (await object.whereabouts(id)).kind === "here";

async function stageBody(context: Context<ApiEnv>, object: ObjectCopies): Promise<void> {
  const source = bodySource(context, context.var.api.backup.memory);
  for (let piece = 0; ; piece++) {
    const bytes = await source.read(new Uint8Array(PIECE_BYTES));
    if (bytes.length === 0) return;
    await object.stage(piece, bytes);
  }
}

/** Makes an object of the staged rows. Returns how many there are. @throws Problem */
async function install(object: ObjectCopies, kind: ObjectKind, replace: boolean): Promise<number> {
  const answer = await object.install(replace);
  if (answer.kind === "taken") throw new Problem(409, `There is a ${kind} of this name.`);
  if (answer.kind === "refused") throw new Problem(422, `The rows can't be taken: ${answer.why}.`);
  return answer.rows;
}

async function takeRows(context: Context<ApiEnv>): Promise<Response> {
  const { kind, name, repository } = await requestedObject(context);
  const { api, host } = context.var;
  const object = api.backup.object(kind, name);
  const replace = context.req.query("replace") === "1";
  if (!replace && repository === undefined && (await object.exists()))
    throw new Problem(409, `There is a ${kind} of this name.`);
  await stageBody(context, object);
  const staged = await object.staged();
  if (!replace && repository !== undefined && staged !== undefined && (await isHere(object, staged.id))) {
    // What an interrupted restore has made is there, and may not be entered everywhere.
    await object.discard();
    await enterRepository(context, repository);
    return context.json({ kind, name, rows: 0 }, 200, { "Cache-Control": "no-store" });
  }
  if (staged !== undefined && (replace || !(await object.exists()))) await prepareRestore(api, name, staged, object);
  const rows = await install(object, kind, replace);
  if (repository !== undefined) await enterRepository(context, repository);
  if (kind === "tenant") host.formats.forgetTenant(name);
  if (kind === "tenant") host.unbounded.forget(name);
  return context.json({ kind, name, rows }, 200, { "Cache-Control": "no-store" });
}

const asked = v.strictObject({ at: v.pipe(v.string(), v.isoTimestamp()) });
const shownRecovery = v.strictObject({ kind: v.string(), name: v.string(), at: v.string(), undo: v.string() });

async function recover(context: Context<ApiEnv>): Promise<Response> {
  const { kind, name, repository } = await requestedObject(context);
  const { at } = await readJson(context.req.raw, asked);
  const { api } = context.var;
  const object = api.backup.object(kind, name);
  // Which of them it was then is not known before it has gone back.
  if (repository !== undefined) await assertNowhereElse(api, name, await object.departed());
  const answer = await object.recover(Date.parse(at));
  if (answer.kind !== "recovered") throw new Problem(answer.kind === "refused" ? 422 : 501, answer.why);
  if (repository !== undefined) {
    await enterRepository(context, repository);
    await sweepStrays(api, repository);
  }
  return context.json({ kind, name, at, undo: answer.undo }, 200, { "Cache-Control": "no-store" });
}

const shownObject = v.strictObject({ kind: v.string(), name: v.string(), exists: v.boolean() });
const restored = v.strictObject({ kind: v.string(), name: v.string(), rows: v.number() });

async function showObject(context: Context<ApiEnv>): Promise<Response> {
  const { kind, name } = await requestedObject(context);
  const exists = await context.var.api.backup.object(kind, name).exists();
  return context.json({ kind, name, exists }, 200, { "Cache-Control": "no-store" });
}

/** The routes of objects as a whole, below `/api/v1/admin`. */
export function backupObjectRoutes(): Hono<ApiEnv> {
  const routes = new Hono<ApiEnv>();
  routes.get(
    "/objects/:kind/:object{.+}",
    describe({
      tag: "host",
      summary: "Says whether an object is there",
      about: "For the operator. `kind` is `directory`, `tenant`, `repository` or `lender`.",
      access: "token",
      answers: { 200: { about: "Whether it is there.", json: shownObject } },
    }),
    showObject,
  );
  routes.get(
    "/rows/:kind/:object{.+}",
    describe({
      tag: "host",
      summary: "Gives all rows of an object, for a backup",
      about:
        "For the operator, as lines of JSON: secrets that sign, and hashes of tokens, are among them in clear. The last line says how many rows there are: where it is missing, " +
        "the object changed meanwhile, and has to be asked for again.",
      access: "token",
      answers: { 200: { about: "The rows.", type: "application/x-ndjson" }, 304: NOT_MODIFIED },
    }),
    giveRows,
  );
  routes.put(
    "/rows/:kind/:object{.+}",
    describe({
      tag: "host",
      summary: "Makes an object of the rows of a backup",
      about:
        "For the operator. All at once or not at all. What is there stays, unless `replace` is 1: then `rows` is 0 where it is the same repository, which is entered with its tenant and its lenders again. A repository that lives under another name by now is refused.",
      access: "token",
      query: { replace: { about: "1: what is there is replaced." } },
      bodyType: "application/x-ndjson",
      answers: { 200: { about: "It was made.", json: restored } },
      problems: [409, 422],
    }),
    takeRows,
  );
  routes.post(
    "/recoveries/:kind/:object{.+}",
    describe({
      tag: "host",
      summary: "Puts an object back to an earlier moment",
      about:
        "For the operator. The platform keeps 30 days of each object's database. `undo` is the platform's bookmark of the moment before. Files in the bucket don't go back. A name that a living repository was renamed from is refused.",
      access: "token",
      body: asked,
      answers: { 200: { about: "It was put back.", json: shownRecovery } },
      problems: [409, 422, 501],
    }),
    recover,
  );
  return routes;
}
