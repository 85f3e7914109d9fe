/**
 * `/api/v1/repos/{tenant}/{repo}/uploads`: pushes whose packs are larger than a request may be. The pack comes in
 * parts, in any order and each as often as necessary. Then `complete`, with the part of a push that comes before its
 * pack, lands it like any other push.
 *
 * @packageDocumentation
 */
import { Hono, type Context } from "hono";
import * as v from "valibot";
import type { RepositoryName } from "../../access/names.ts";
import { toHex } from "../../bytes/hex.ts";
import { authorize, describeMirror } from "../../http/denied.ts";
import { servePartedPush } from "../../http/git-routes.ts";
import { Problem } from "../../http/problem.ts";
import type { RepositoryRecord } from "../../refs/ref-store.ts";
import {
  MOST_PARTS,
  MOST_UPLOADS,
  MOST_UPLOADS_OF_ONE,
  type Upload,
  type UploadAnswer,
  type UploadPart,
} from "../../refs/upload-store.ts";
import type { ApiEnv } from "../api-host.ts";
import { describe } from "../describe.ts";
import { readJson } from "../json-body.ts";
import { assertSize, keepParts, uploadedObject } from "./upload-lfs.ts";
import { requestedRepository, pathParam } from "./requested.ts";

/** Bytes of the largest part. Except on its largest plans, the platform takes less in one request. */
const MOST_PART_BYTES = 500_000_000;
const NAME_BYTES = 20;
const NO_STORE = { "Cache-Control": "no-store" };

const partJson = v.strictObject({ number: v.number(), bytes: v.number() });
const uploadJson = v.strictObject({
  id: v.string(),
  started_at: v.pipe(v.string(), v.isoTimestamp()),
  expires_at: v.pipe(v.string(), v.isoTimestamp()),
  parts: v.array(partJson),
});

const noUpload = (): Problem => new Problem(404, "There is no such upload, or it has ended.");

function shown({ name, startedAt, expiresAt }: Upload, parts: readonly UploadPart[]): v.InferOutput<typeof uploadJson> {
  return {
    id: name,
    started_at: new Date(startedAt).toISOString(),
    expires_at: new Date(expiresAt).toISOString(),
    parts: [...parts],
  };
}

/** The repository that a request's path names. */
type Named = { readonly name: RepositoryName; readonly record: RepositoryRecord };

/**
 * Returns the repository to a caller that may push to it.
 *
 * @throws AccessDenied, Problem
 */
async function pushedTo(context: Context<ApiEnv>): Promise<Named> {
  // A caller that may read a mirror is told that it is one.
  const named = await requestedRepository(context, "read");
  const { mirror } = named.record;
  if (mirror !== undefined) {
    throw new Problem(403, await describeMirror(context.var.host, named.name, mirror));
  }
  await authorize(context.var.host, "write", named.name, named.record);
  return named;
}

function found(answer: UploadAnswer): Upload {
  switch (answer.kind) {
    case "found":
      return answer.upload;
    case "missing":
      throw noUpload();
    case "full":
      throw new Problem(409, `A repository may have ${MOST_UPLOADS} uploads under way. Complete or delete some first.`);
    case "share-full":
      throw new Problem(
        409,
        `A token may have ${MOST_UPLOADS_OF_ONE} uploads to a repository under way. Complete or delete some first.`,
      );
    case "over-quota":
      throw new Problem(
        413,
        `over quota: with what is being uploaded the repository has ${answer.used} bytes already, and this part is too much`,
      );
  }
}

async function begin(context: Context<ApiEnv>): Promise<Response> {
  const { name } = await pushedTo(context);
  const fresh = toHex(crypto.getRandomValues(new Uint8Array(NAME_BYTES)));
  const { principal } = await context.var.host.identify(name);
  const holder = principal.kind === "token" ? { holder: principal.id } : {};
  const upload = found(await context.var.api.settings(name).upload({ kind: "begin", name: fresh, ...holder }));
  return context.json(shown(upload, []), 201, NO_STORE);
}

async function show(context: Context<ApiEnv>): Promise<Response> {
  const { name, record } = await pushedTo(context);
  const { api } = context.var;
  const upload = found(await api.settings(name).upload({ kind: "show", name: pathParam(context, "upload") }));
  return context.json(shown(upload, await api.uploadParts(record.id).list(upload.name)), 200, NO_STORE);
}

/**
 * Reads the number and length of the part. They are known before the part is read, so that it can be refused, and
 * stored as it comes.
 */
function requestedPart(context: Context<ApiEnv>): UploadPart {
  const { part = "" } = context.req.param();
  const number = /^[1-9]\d{0,3}$/.test(part) ? Number(part) : 0;
  if (number < 1 || number > MOST_PARTS) throw new Problem(422, `Parts are numbered from 1 to ${MOST_PARTS}.`);
  const length = context.req.header("Content-Length");
  if (length === undefined) throw new Problem(411, "A part's length has to be said before it is sent.");
  const bytes = Number(length);
  if (!Number.isSafeInteger(bytes) || bytes < 1) throw new Problem(422, "A part has at least one byte.");
  if (bytes > MOST_PART_BYTES) throw new Problem(413, `A part may have ${MOST_PART_BYTES} bytes.`);
  return { number, bytes };
}

async function takePart(context: Context<ApiEnv>): Promise<Response> {
  const { name, record } = await pushedTo(context);
  const part = requestedPart(context);
  const { api, host } = context.var;
  const { bytes: all, elsewhere } = await host.allowance(name);
  const request = { kind: "announce", name: pathParam(context, "upload"), part } as const;
  // This repository may have all that is left of the tenant's bound. A tenant without other repositories has nothing
  // elsewhere.
  const most = all === undefined ? undefined : Math.max(0, all - (elsewhere?.bytes ?? 0));
  const upload = found(await api.settings(name).upload(most === undefined ? request : { ...request, most }));
  const writing = writePart(context, { name, record }, { upload: upload.name, part });
  // It continues if the client has gone: what the bucket contains has to be known.
  host.until(writing);
  if (!(await writing)) {
    // Nothing is stored of a part that broke off. Whether the bucket caused it can't be told; the client tries again.
    throw new Problem(503, "The part did not come whole. Send it again.", { "Retry-After": "1" });
  }
  return context.json(part, 200, NO_STORE);
}

/** A part of an upload, by the upload's name. */
type PartOf = { readonly upload: string; readonly part: UploadPart };

/**
 * Writes a part and records the result. Returns whether it is stored whole.
 *
 * @throws Problem if the upload has ended meanwhile
 */
async function writePart(
  context: Context<ApiEnv>,
  { name, record }: Named,
  { upload, part }: PartOf,
): Promise<boolean> {
  const { api } = context.var;
  const isWhole = await storePart(context, record.id, { upload, part });
  const store = api.settings(name);
  const { kind } = await store.upload({ kind: "written", name: upload, number: part.number, isWhole });
  if (kind !== "missing") return isWhole;
  // The request that ended it could not delete what was still being written.
  await api.uploadParts(record.id).clear(upload);
  await store.upload({ kind: "end", name: upload });
  throw noUpload();
}

/** Returns whether a part came whole. One that broke off leaves the earlier content. */
async function storePart(context: Context<ApiEnv>, id: string, { upload, part }: PartOf): Promise<boolean> {
  const { body } = context.req.raw;
  if (body === null) return false;
  try {
    await context.var.api.uploadParts(id).write(upload, part, body);
    return true;
  } catch {
    return false;
  }
}

/**
 * Checks that every announced part has come.
 *
 * @throws Problem if one has not, or if none was announced.
 */
function assertWhole({ parts }: Upload, stored: readonly UploadPart[]): void {
  if (parts.length === 0) throw new Problem(409, "The upload has no parts.");
  for (const [at, { number, bytes }] of parts.entries()) {
    if (number !== at + 1) throw new Problem(409, `Part ${at + 1} is missing.`);
    if (stored.find((part) => part.number === number)?.bytes !== bytes)
      throw new Problem(409, `Part ${number} has not come whole.`);
  }
}

async function complete(context: Context<ApiEnv>): Promise<Response> {
  const { name, record } = await pushedTo(context);
  const { api, host } = context.var;
  const store = api.settings(name);
  const upload = found(await store.upload({ kind: "hold", name: pathParam(context, "upload") }));
  const files = api.uploadParts(record.id);
  assertWhole(upload, await files.list(upload.name));
  return await servePartedPush(host, context.req.raw, {
    name,
    id: record.id,
    upload,
    ended: async () => await dispose(context, { name, record }, upload.name),
  });
}

/** Makes a Git LFS object of an upload's parts. */
async function completeObject(context: Context<ApiEnv>): Promise<Response> {
  const { name, record } = await pushedTo(context);
  const object = await readJson(context.req.raw, uploadedObject);
  const { api, host } = context.var;
  const upload = found(await api.settings(name).upload({ kind: "hold", name: pathParam(context, "upload") }));
  assertWhole(upload, await api.uploadParts(record.id).list(upload.name));
  assertSize(object, upload);
  await keepParts({ host, name }, object, upload);
  await dispose(context, { name, record }, upload.name);
  return context.json(object, 200, NO_STORE);
}

/**
 * Deletes an upload's parts. If that fails, the push still stands, and the sweep at the end of the lease deletes them.
 */
async function dispose(context: Context<ApiEnv>, { name, record }: Named, upload: string): Promise<void> {
  const { api } = context.var;
  try {
    await api.uploadParts(record.id).clear(upload);
    await api.settings(name).upload({ kind: "end", name: upload });
  } catch {
    // See above: the sweep deletes the rest.
  }
}

async function abandon(context: Context<ApiEnv>): Promise<Response> {
  const { name, record } = await pushedTo(context);
  const { api } = context.var;
  const upload = pathParam(context, "upload");
  found(await api.settings(name).upload({ kind: "show", name: upload }));
  await api.uploadParts(record.id).clear(upload);
  await api.settings(name).upload({ kind: "end", name: upload });
  return context.body(null, 204);
}

/** The routes of uploads, below `/api/v1/repos`. */
export function uploadRoutes(): Hono<ApiEnv> {
  const routes = new Hono<ApiEnv>();
  const uploads = "/:tenant/:repo/uploads";
  const base = { tag: "repositories", access: "token" } as const;
  const shownAnswer = { about: "The upload, with the parts that have come.", json: uploadJson };
  routes.post(
    uploads,
    describe({
      ...base,
      summary: "Begins to upload the pack of a push in parts",
      about:
        "For packs larger than a request may be here. The parts follow, then `complete`. What nothing is heard of for a day is dropped.",
      answers: { 201: shownAnswer },
      problems: [409],
    }),
    begin,
  );
  routes.get(
    `${uploads}/:upload`,
    describe({ ...base, summary: "Shows an upload", answers: { 200: shownAnswer } }),
    show,
  );
  routes.put(
    `${uploads}/:upload/parts/:part`,
    describe({
      ...base,
      summary: "Takes a part of the pack",
      about: "From 1, in any order; the same number again replaces it.",
      bodyType: "application/octet-stream",
      answers: { 200: { about: "It has come whole.", json: partJson } },
      problems: [411, 413, 422, 503],
    }),
    takePart,
  );
  routes.post(
    `${uploads}/:upload/complete`,
    describe({
      ...base,
      summary: "Pushes what was uploaded",
      about:
        "The body is that of a `git-receive-pack` request up to its pack: commands, push options, a certificate; the pack is the parts " +
        "in order. All that holds of a push holds here. The upload has ended with the answer, whatever that says.",
      bodyType: "application/x-git-receive-pack-request",
      answers: { 200: { about: "What git answers to a push.", type: "application/x-git-receive-pack-result" } },
      problems: [409, 415],
    }),
    complete,
  );
  routes.post(
    `${uploads}/:upload/lfs`,
    describe({
      ...base,
      summary: "Makes a Git LFS object of what was uploaded",
      about:
        "For objects larger than a request may be. The parts in order have to have this SHA-256 and size, and all but the last have to be of one size. The upload " +
        "ends if they do; after a refusal its parts may be sent again.",
      body: uploadedObject,
      answers: { 200: { about: "The object is here.", json: uploadedObject } },
      problems: [409, 413, 422, 503],
    }),
    completeObject,
  );
  routes.delete(
    `${uploads}/:upload`,
    describe({ ...base, summary: "Gives an upload up", answers: { 204: { about: "It has gone, and its parts." } } }),
    abandon,
  );
  return routes;
}
