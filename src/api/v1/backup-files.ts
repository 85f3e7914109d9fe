/**
 * `/api/v1/admin/files`: the files of the bucket as they lie there, for the operator's backup, and the way back.
 *
 * @packageDocumentation
 */
import { Hono, type Context } from "hono";
import * as v from "valibot";
import { parseRange } from "../../http/byte-range.ts";
import type { FileRange } from "../../http/host.ts";
import { authorizeTenant } from "../../http/denied.ts";
import { Problem } from "../../http/problem.ts";
import type { ApiEnv } from "../api-host.ts";
import { describe, PAGING } from "../describe.ts";
import { readJson } from "../json-body.ts";
import { queryLimit } from "./content-request.ts";
import { nextPage } from "./cursor.ts";
import { pathParam } from "./requested.ts";

/** The usual and the most files of a page: R2 lists no more at once. */
const PAGE = 1000;
/** The keys that a backup may write: what else is in the bucket is made from these and the objects. */
const RESTORED = /^(?:repos\/[0-9a-f]{32}\.git|lfs\/[a-z0-9._-]+)\/[A-Za-z0-9._/-]+$/;
/** The most bytes of a key: R2 takes no more. */
const MOST_KEY_BYTES = 1024;
/** The most parts of an upload: R2 takes no more. */
const MOST_PARTS = 10_000;

const storedFile = v.strictObject({ key: v.string(), size: v.number(), etag: v.string() });
const listed = v.strictObject({ files: v.array(storedFile), cursor: v.optional(v.string()) });
const written = v.strictObject({ key: v.string() });
const part = v.strictObject({
  number: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(MOST_PARTS)),
  etag: v.string(),
});
const begunUpload = v.strictObject({ key: v.string(), upload: v.string() });
const endedUpload = v.strictObject({
  key: v.string(),
  upload: v.string(),
  parts: v.pipe(v.array(part), v.maxLength(MOST_PARTS)),
});

async function authorizeOperator(context: Context<ApiEnv>): Promise<void> {
  await authorizeTenant(context.var.host, "operate", "");
}

/** Returns a key that may be written. @throws Problem */
function restoredKey(key: string): string {
  if (key.length <= MOST_KEY_BYTES && RESTORED.test(key) && !key.split("/").includes("..")) return key;
  throw new Problem(422, "key: no file of a backup has this key.");
}

async function listFiles(context: Context<ApiEnv>): Promise<Response> {
  await authorizeOperator(context);
  const limit = queryLimit(context, PAGE, PAGE);
  // Without a prefix all files are listed.
  const prefix = context.req.query("prefix") ?? "";
  const page = await context.var.api.backup.bucket.list(prefix, context.req.query("cursor"), limit);
  const { member, headers } = nextPage(context, page.cursor);
  return context.json({ files: page.files, ...member }, 200, { "Cache-Control": "no-store", ...headers });
}

/** Returns the part of a file that is asked for; `undefined` for all of it. @throws Problem */
async function askedRange(context: Context<ApiEnv>, key: string): Promise<FileRange | undefined> {
  const header = context.req.header("Range");
  if (header === undefined) return undefined;
  // A key comes before all that begin with it.
  const [file] = (await context.var.api.backup.bucket.list(key, undefined, 1)).files;
  if (file?.key !== key) throw new Problem(404, "There is no such file.");
  const range = parseRange(header, file.size);
  if (range === "unsatisfiable") throw new Problem(416, `The file has ${file.size} bytes.`);
  return range;
}

async function giveFile(context: Context<ApiEnv>): Promise<Response> {
  await authorizeOperator(context);
  const key = pathParam(context, "stored");
  if (new TextEncoder().encode(key).length > MOST_KEY_BYTES) throw new Problem(404, "There is no such file.");
  const range = await askedRange(context, key);
  const etag = context.req.header("If-Match")?.replaceAll('"', "");
  const file = await context.var.api.backup.bucket.open(key, range, etag);
  if (file === undefined) throw new Problem(404, "There is no such file.");
  if (file === "changed") throw new Problem(412, "The file is another by now.");
  const headers = new Headers({
    "Content-Type": "application/octet-stream",
    "Content-Length": String(range?.length ?? file.size),
    "Cache-Control": "no-store",
    ETag: `"${file.etag}"`,
  });
  if (range === undefined) return new Response(file.body, { headers });
  headers.set("Content-Range", `bytes ${range.offset}-${range.offset + range.length - 1}/${file.size}`);
  return new Response(file.body, { status: 206, headers });
}

async function takeFile(context: Context<ApiEnv>): Promise<Response> {
  await authorizeOperator(context);
  const key = restoredKey(pathParam(context, "stored"));
  const sha256 = context.req.query("sha256");
  if (sha256 === undefined || !/^[0-9a-f]{64}$/.test(sha256))
    throw new Problem(422, "sha256: not the SHA-256 of the file.");
  const isRight = await context.var.api.backup.bucket.write(key, context.req.raw.body, sha256);
  if (!isRight) throw new Problem(422, "The bytes have another SHA-256.");
  return context.json({ key }, 200, { "Cache-Control": "no-store" });
}

async function beginUpload(context: Context<ApiEnv>): Promise<Response> {
  await authorizeOperator(context);
  const key = restoredKey((await readJson(context.req.raw, written)).key);
  const upload = await context.var.api.backup.bucket.beginUpload(key);
  return context.json({ key, upload }, 201, { "Cache-Control": "no-store" });
}

async function takePart(context: Context<ApiEnv>): Promise<Response> {
  await authorizeOperator(context);
  const number = Number(pathParam(context, "part"));
  const { key = "", upload = "" } = context.req.query();
  restoredKey(key);
  const { body } = context.req.raw;
  if (body === null || !v.is(part.entries.number, number)) throw new Problem(422, "There can be no such part.");
  const etag = await context.var.api.backup.bucket.writePart({ key, upload }, number, body);
  return context.json({ number, etag }, 200, { "Cache-Control": "no-store" });
}

async function endUpload(context: Context<ApiEnv>): Promise<Response> {
  await authorizeOperator(context);
  const { key, upload, parts } = await readJson(context.req.raw, endedUpload);
  const size = await context.var.api.backup.bucket.endUpload({ key: restoredKey(key), upload }, parts);
  return context.json({ key, size }, 200, { "Cache-Control": "no-store" });
}

/** Adds the routes of files in parts, for those that are larger than a request may be. */
function uploadRoutes(routes: Hono<ApiEnv>): void {
  routes.post(
    "/file-uploads",
    describe({
      tag: "host",
      summary: "Begins to write a file of a backup in parts",
      about: "For the operator. All parts but the last have one size, of 5 MiB or more.",
      access: "token",
      body: written,
      answers: { 201: { about: "It has begun.", json: begunUpload } },
    }),
    beginUpload,
  );
  routes.put(
    "/file-uploads/parts/:part",
    describe({
      tag: "host",
      summary: "Writes a part of a file of a backup",
      about: "For the operator.",
      access: "token",
      query: { key: { about: "The file's key." }, upload: { about: "The upload, as it was begun." } },
      bodyType: "application/octet-stream",
      answers: { 200: { about: "It is there; `etag` is the MD5 of its bytes.", json: part } },
    }),
    takePart,
  );
  routes.post(
    "/file-uploads/complete",
    describe({
      tag: "host",
      summary: "Makes a file of the parts of an upload",
      about: "For the operator.",
      access: "token",
      body: endedUpload,
      answers: { 200: { about: "It is there.", json: v.strictObject({ key: v.string(), size: v.number() }) } },
    }),
    endUpload,
  );
}

/** The routes of files, below `/api/v1/admin`. */
export function backupFileRoutes(): Hono<ApiEnv> {
  const routes = new Hono<ApiEnv>();
  routes.get(
    "/files",
    describe({
      tag: "host",
      summary: "Lists the files of the bucket",
      about: "For the operator. By key.",
      access: "token",
      query: { ...PAGING, prefix: { about: "What the keys begin with." } },
      answers: { 200: { about: "A page.", json: listed } },
    }),
    listFiles,
  );
  routes.get(
    "/files/:stored{.+}",
    describe({
      tag: "host",
      summary: "Gives a file of the bucket",
      about: "For the operator. With `Range`, a part of it; with `If-Match`, if it still is that file.",
      access: "token",
      answers: {
        200: { about: "The file.", type: "application/octet-stream" },
        206: { about: "The part of the file.", type: "application/octet-stream" },
      },
      problems: [412, 416],
    }),
    giveFile,
  );
  routes.put(
    "/files/:stored{.+}",
    describe({
      tag: "host",
      summary: "Writes a file of a backup",
      about: "For the operator. The bucket checks the SHA-256.",
      access: "token",
      query: { sha256: { about: "The SHA-256 of the file, in hexadecimal." } },
      bodyType: "application/octet-stream",
      answers: { 200: { about: "It is there.", json: written } },
      problems: [422],
    }),
    takeFile,
  );
  uploadRoutes(routes);
  return routes;
}
