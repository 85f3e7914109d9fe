/**
 * `POST /api/v1/repos/{tenant}/{repo}/blobs/read`: many files of a revision, or many blobs by name, in one answer.
 * `POST …/blobs`: a blob that commits of the next day may name.
 *
 * @packageDocumentation
 */
import { Hono, type Context } from "hono";
import * as v from "valibot";
import type { BrowseSession } from "../../browse/browse-session.ts";
import { peelToTree, resolveRevision } from "../../browse/revision.ts";
import { findPath } from "../../browse/tree-at.ts";
import type { ByteSink } from "../../bytes/byte-stream.ts";
import { concat } from "../../bytes/chunk.ts";
import { fromHex, toHex } from "../../bytes/hex.ts";
import { found, withSession } from "../../http/content.ts";
import { requestedRevision } from "../../http/content-address.ts";
import { InvalidRequest, Problem } from "../../http/problem.ts";
import { admitWriter } from "../../http/pusher.ts";
import { MOST_KEPT } from "../../refs/kept-blobs.ts";
import { textOf } from "../../object/byte-text.ts";
import { typeOfNumber } from "../../object/object-type.ts";
import { modeText } from "../../object/tree.ts";
import type { ApiEnv } from "../api-host.ts";
import { describe } from "../describe.ts";
import { checkJson, mediaType, parseJson } from "../json-body.ts";
import { bodySource, readWhole, strictText } from "./bounded-body.ts";
import { openSession, streamed, streamedJson } from "./content-request.ts";
import { requestedName } from "./requested.ts";

/** Blobs of one request, bytes of its body, and bytes of all contents. */
const MOST_BLOBS = 1000;
const MOST_BODY_BYTES = 1024 * 1024;
const MOST_CONTENT_BYTES = 64 * 1024 * 1024;
/** The steps for a byte of a blob that is read and written. */
const BYTE_STEPS = 2;
/** Blobs whose beginnings are read ahead together. */
const BATCH = 64;
const BOUNDARY_BYTES = 16;

const encoder = new TextEncoder();

const readBody = v.strictObject({
  rev: v.optional(v.string()),
  paths: v.optional(v.pipe(v.array(v.string()), v.maxLength(MOST_BLOBS))),
  oids: v.optional(v.pipe(v.array(v.string()), v.maxLength(MOST_BLOBS))),
});
const blobJson = v.strictObject({
  path: v.optional(v.string()),
  mode: v.optional(v.string()),
  oid: v.optional(v.string()),
  size: v.optional(v.number()),
  content: v.optional(v.string()),
  error: v.optional(v.picklist(["missing", "not_a_blob", "too_large", "too_much"])),
});

/** What is asked for: what names it, and the blob, if there is one. */
type Wanted = {
  readonly named: { readonly path: string } | { readonly oid: string };
  readonly blob?: { readonly oid: Uint8Array; readonly mode?: number };
  readonly error?: "missing" | "not_a_blob";
};

/** A blob that was read, or why it was not. */
type Read = Wanted["named"] & {
  readonly mode?: string;
  readonly oid?: string;
  readonly size?: number;
  readonly error?: v.InferOutput<typeof blobJson>["error"];
  readonly bytes?: Uint8Array;
};

async function atPaths(session: BrowseSession, rev: string, paths: readonly string[]): Promise<Wanted[]> {
  const object = found(await resolveRevision(session, requestedRevision(byteText(rev))));
  const tree = found(await peelToTree(session, object));
  const wanted: Wanted[] = [];
  for (const path of paths) {
    const entry = await findPath(session, tree.name, byteText(path));
    if (entry.kind !== "found") wanted.push({ named: { path }, error: "missing" });
    else if (entry.type !== "blob") wanted.push({ named: { path }, error: "not_a_blob" });
    else wanted.push({ named: { path }, blob: { oid: entry.oid, mode: entry.mode } });
  }
  return wanted;
}

async function byNames(session: BrowseSession, oids: readonly string[]): Promise<Wanted[]> {
  const names = oids.map((oid) => fromHex(oid.toLowerCase()));
  const whole = names.flatMap((name) => (name?.length === session.format.rawSize ? [name] : []));
  const shown = new Set((await session.shownOf(whole)).map((name) => toHex(name)));
  const wanted: Wanted[] = [];
  for (const [at, oid] of oids.entries()) {
    const name = names[at];
    const isHere = name !== undefined && shown.has(toHex(name));
    const type = isHere ? typeOfNumber(await session.graph.reader.typeOf(name)) : undefined;
    if (!isHere) wanted.push({ named: { oid }, error: "missing" });
    else
      wanted.push(type === "blob" ? { named: { oid }, blob: { oid: name } } : { named: { oid }, error: "not_a_blob" });
  }
  return wanted;
}

function byteText(text: string): string {
  return textOf(encoder.encode(text));
}

/** Reads the blobs, one after the other. Beyond the bound on all of them, only sizes are told. */
async function* readBlobs(session: BrowseSession, wanted: readonly Wanted[]): AsyncGenerator<Read> {
  let left = MOST_CONTENT_BYTES;
  for (let at = 0; at < wanted.length; at += BATCH) {
    const batch = wanted.slice(at, at + BATCH);
    await session.graph.reader.prefetch(concat(batch.flatMap(({ blob }) => blob?.oid ?? [])));
    for (const each of batch) {
      const blob = await readBlob(session, each, left);
      const bytes = blob.bytes?.length ?? 0; // Nothing was read.
      left -= bytes;
      await session.work(bytes * BYTE_STEPS);
      yield blob;
    }
  }
}

async function readBlob(session: BrowseSession, { named, blob, error }: Wanted, left: number): Promise<Read> {
  if (blob === undefined) return { ...named, ...(error === undefined ? {} : { error }) };
  const { reader, inflating } = session.graph;
  const size = await reader.sizeOf(blob.oid);
  const known = {
    ...named,
    oid: toHex(blob.oid),
    size,
    ...(blob.mode === undefined ? {} : { mode: modeText(blob.mode) }),
  };
  if (size > inflating.wholeBytes) return { ...known, error: "too_large" };
  if (size > left) return { ...known, error: "too_much" };
  return { ...known, bytes: (await reader.readCopy(blob.oid)).bytes };
}

/** Writes the blobs as parts, each with its name, its mode and its size in headers. */
async function writeParts(output: ByteSink, boundary: string, blobs: AsyncGenerator<Read>): Promise<void> {
  for await (const { bytes, ...known } of blobs) {
    const about = JSON.stringify(known).replaceAll(
      /[^\x20-\x7e]/g,
      (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`,
    );
    const length = bytes?.length ?? 0; // A part that was not read is empty.
    const head = `--${boundary}\r\nContent-Type: application/octet-stream\r\nContent-Length: ${length}\r\nBlob: ${about}\r\n\r\n`;
    await output.write(encoder.encode(head));
    if (bytes !== undefined) await output.write(bytes);
    await output.write(encoder.encode("\r\n"));
  }
  await output.write(encoder.encode(`--${boundary}--\r\n`));
}

type Asked = v.InferOutput<typeof readBody>;

async function askedOf(context: Context<ApiEnv>): Promise<Asked> {
  if (mediaType(context.req.raw) !== "application/json") throw new Problem(415, "The body has to be application/json.");
  const { memory } = context.var.host.repository(await requestedName(context, "read"));
  const bytes = await readWhole(bodySource(context, memory), MOST_BODY_BYTES, () => undefined);
  const asked = checkJson(parseJson(strictText(bytes)), readBody);
  if ((asked.paths === undefined) === (asked.oids === undefined)) {
    throw new InvalidRequest("invalid_member", [
      { pointer: "#/paths", detail: "paths: either these or oids are given" },
    ]);
  }
  return asked;
}

async function read(context: Context<ApiEnv>): Promise<Response> {
  const { rev = "HEAD", paths, oids = [] } = await askedOf(context);
  const session = await openSession(context, paths === undefined ? [] : [requestedRevision(byteText(rev))]);
  return await withSession(session, async () => {
    const wanted = paths === undefined ? await byNames(session, oids) : await atPaths(session, rev, paths);
    const blobs = readBlobs(session, wanted);
    const accepted = context.req.header("Accept")?.toLowerCase();
    if (accepted?.startsWith("multipart/mixed") !== true) {
      return await streamedJson(context, session, async (json) => {
        await json.contents("blobs", blobs);
        await json.end();
      });
    }
    const boundary = toHex(crypto.getRandomValues(new Uint8Array(BOUNDARY_BYTES)));
    const headers = { "Content-Type": `multipart/mixed; boundary=${boundary}`, "Cache-Control": "no-store" };
    return await streamed(context, session, { headers }, (output) => writeParts(output, boundary, blobs));
  });
}

/** Returns how many bytes the body says that it has. @throws Problem */
function announcedSize(context: Context<ApiEnv>): number {
  const length = context.req.header("Content-Length");
  if (length === undefined) throw new Problem(411, "A blob's length has to be said before it is sent.");
  if (!/^\d{1,15}$/.test(length)) throw new Problem(400, "Content-Length is no length.");
  return Number(length);
}

async function keep(context: Context<ApiEnv>): Promise<Response> {
  const { host, api } = context.var;
  const name = await requestedName(context, "write");
  const { exchange } = await admitWriter({ host, name });
  const size = announcedSize(context);
  const { keepBlob } = await import("../../writing/commit/keep-blob.ts");
  const source = bodySource(context, exchange.repository.memory);
  const oid = await keepBlob(exchange, api.settings(name), { source, size });
  if (oid === undefined)
    throw new Problem(409, `A repository keeps ${MOST_KEPT} blobs at once. Name some in a commit, or wait.`);
  return context.json({ oid, size }, 201, { "Cache-Control": "no-store" });
}

/** The routes, below `/api/v1/repos`. */
export function blobReadRoutes(): Hono<ApiEnv> {
  const routes = new Hono<ApiEnv>();
  routes.post(
    "/:tenant/:repo/blobs",
    describe({
      tag: "content",
      access: "token",
      summary: "Takes a blob for commits to name",
      about:
        "The body is the content, of any size that a push may have. It is kept for a day: a commit's action names it as `blob`.",
      bodyType: "application/octet-stream",
      answers: { 201: { about: "Its name.", json: v.strictObject({ oid: v.string(), size: v.number() }) } },
      problems: [403, 404, 409, 411, 413],
    }),
    keep,
  );
  routes.post(
    "/:tenant/:repo/blobs/read",
    describe({
      tag: "content",
      summary: "Reads many files or blobs at once",
      about:
        "`paths` are those of `rev` (`HEAD`); `oids` are full names. Contents are base64; with `Accept: multipart/mixed`, parts whose header " +
        "`Blob` has the other members. What can't be given says why in `error`: a large file is for `raw/`.",
      body: readBody,
      answers: {
        200: { about: "The blobs, in the order asked for.", json: v.strictObject({ blobs: v.array(blobJson) }) },
      },
      problems: [404, 409, 413, 415, 422],
    }),
    read,
  );
  return routes;
}
