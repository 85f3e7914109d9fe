/**
 * `/api/v1/repos/{tenant}/{repo}/refs` and `/export`: a repository's refs, and the files of the bare repository in the
 * bucket.
 *
 * @packageDocumentation
 */
import { Hono, type Context } from "hono";
import * as v from "valibot";
import { needsPublic } from "../../access/decide.ts";
import { parseMoment, type RepositoryName } from "../../access/names.ts";
import type { ByteSink } from "../../bytes/byte-stream.ts";
import { contentTag } from "../../bytes/content-tag.ts";
import { toHex } from "../../bytes/hex.ts";
import { type StreamedAnswer, streamedResponse } from "../../http/body.ts";
import { authorize } from "../../http/denied.ts";
import { isKnown } from "../../http/content.ts";
import { queryBytes } from "../../http/content-address.ts";
import { Problem } from "../../http/problem.ts";
import { exportedFiles, exportedRefs, homeOf } from "../../maintenance/export.ts";
import { isPublished } from "../../maintenance/publish.ts";
import { SERVER_INFO_REQUEST } from "../../maintenance/server-info.ts";
import { readEscapes } from "../../object/escaped-bytes.ts";
import { objectFormat } from "../../object/object-id.ts";
import { NO_SUCH_MOMENT, showsMoment } from "../../repository/view.ts";
import { decodeRefRows } from "../../refs/ref-rows.ts";
import type { OpenSnapshot } from "../../refs/ref-store.ts";
import { encodeBase64 } from "../../signing/ssh-reader.ts";
import type { ApiEnv } from "../api-host.ts";
import { describe, NOT_MODIFIED } from "../describe.ts";
import { requestedName, requestedRepository, pathParam } from "./requested.ts";

const refList = v.strictObject({
  head: v.string(),
  refs: v.array(v.strictObject({ name: v.string(), oid: v.string(), peeled: v.optional(v.string()) })),
});
const exportAnswer = v.strictObject({
  id: v.string(),
  version: v.number(),
  object_format: v.picklist(["sha1", "sha256"]),
  files: v.array(v.strictObject({ key: v.string(), size: v.number() })),
  contents: v.strictObject({ HEAD: v.string(), "packed-refs": v.string() }),
});

const encoder = new TextEncoder();

function requestedMoment(text: string | undefined): number | undefined {
  const at = text === undefined ? undefined : parseMoment(text);
  if (text !== undefined && at === undefined) throw new Problem(422, "at: not a time, such as 2026-01-31T12:00:00Z.");
  return at;
}

/** Describes an answer of JSON that is written piece by piece. */
function streamedJson(context: Context<ApiEnv>, name: RepositoryName): StreamedAnswer {
  return {
    headers: { "Content-Type": "application/json", "Cache-Control": "no-store" },
    bodiless: context.req.raw.method === "HEAD",
    memory: context.var.host.repository(name).memory,
    traffic: context.var.host.traffic,
    onGone: () => undefined,
    onFault: () => undefined,
    until: (work) => context.var.host.until(work),
  };
}

/** Returns the headers by which a client knows a list of refs, at one address, that it has had before. */
function refsHeaders({ record, version }: OpenSnapshot): Headers {
  return new Headers({
    "Content-Type": "application/json",
    "Cache-Control": "private, no-cache",
    ETag: `"${contentTag(JSON.stringify([record.id, version, record.head]))}"`,
    Vary: "Authorization",
  });
}

async function listRefs(context: Context<ApiEnv>): Promise<Response> {
  const { host } = context.var;
  const name = await requestedName(context, "read");
  // Without a prefix all refs are listed.
  const prefix = readEscapes(queryBytes(context.req.url, "prefix"));
  const at = requestedMoment(context.req.query("at"));
  const { refs } = at === undefined ? host.repository(name) : host.historic(name, at);
  const snapshot = await refs.open({ refPrefixes: [prefix] });
  await authorize(host, "read", name, snapshot.kind === "found" ? snapshot.record : undefined);
  if (snapshot.kind === "missing") throw new Problem(404, "There is no such repository.");
  if (at !== undefined) {
    const { principal } = await host.identify(name);
    const reader = { needsPublic: needsPublic(principal, name), now: Date.now() };
    if (!showsMoment(snapshot.record, at, reader)) throw new Problem(404, NO_SUCH_MOMENT);
  }
  const { rawSize } = objectFormat(snapshot.record.objectFormat);
  const answer = streamedJson(context, name);
  // The past is told by its time, and has no version.
  const headers = at === undefined ? refsHeaders(snapshot) : answer.headers;
  const etag = new Headers(headers).get("ETag");
  if (etag !== null && isKnown(context.req.header("If-None-Match"), etag)) {
    return new Response(null, { status: 304, headers });
  }
  return streamedResponse({ ...answer, headers }, async (output) => {
    let text = `{"head":${JSON.stringify(snapshot.record.head)},"refs":[`;
    let first = true;
    for (const row of decodeRefRows(snapshot.refs, rawSize)) {
      const peeled = row.peeled === undefined ? {} : { peeled: toHex(row.peeled) };
      text += (first ? "" : ",") + JSON.stringify({ name: row.name, oid: toHex(row.oid), ...peeled });
      first = false;
      if (text.length < 65_536) continue;
      await output.write(encoder.encode(text));
      text = "";
    }
    await output.write(encoder.encode(`${text}]}`));
  });
}

/** Snapshots that an export tries, where pushes keep coming. */
const MOST_SNAPSHOTS = 10;

/** Yields bytes as base64 in pieces, whatever the lengths of the input's pieces. */
function* base64Pieces(pieces: Iterable<Uint8Array>): Generator<Uint8Array> {
  let rest: Uint8Array = new Uint8Array();
  for (const piece of pieces) {
    const bytes = new Uint8Array(rest.length + piece.length);
    bytes.set(rest);
    bytes.set(piece, rest.length);
    const whole = bytes.length - (bytes.length % 3);
    yield encoder.encode(encodeBase64(bytes.subarray(0, whole)));
    rest = bytes.subarray(whole);
  }
  yield encoder.encode(encodeBase64(rest));
}

/** Writes the answer that `exportAnswer` describes. Refs are in base64, since their names need not be UTF-8. */
async function writeExport(snapshot: OpenSnapshot, output: ByteSink): Promise<void> {
  const { record, version } = snapshot;
  const files = exportedFiles(snapshot).map(({ name: key, size }) => ({ key, size }));
  const known = { id: record.id, version, object_format: record.objectFormat, files };
  await output.write(encoder.encode(`${JSON.stringify(known).slice(0, -1)},"contents":{`));
  for (const [at, file] of (["HEAD", "packed-refs"] as const).entries()) {
    await output.write(encoder.encode(`${at === 0 ? "" : ","}"${file}":"`));
    for (const piece of base64Pieces(exportedRefs(file, snapshot))) await output.write(piece);
    await output.write(encoder.encode('"'));
  }
  await output.write(encoder.encode("}}"));
}

/**
 * Opens a snapshot of which all packs are in the bucket; `undefined` if there is no repository.
 *
 * @throws Problem if pushes keep coming.
 */
async function publishedSnapshot(
  { var: { host, api } }: Context<ApiEnv>,
  name: RepositoryName,
): Promise<OpenSnapshot | undefined> {
  for (let attempt = 0; attempt < MOST_SNAPSHOTS; attempt++) {
    const snapshot = await host.repository(name).refs.open(SERVER_INFO_REQUEST);
    if (snapshot.kind === "missing") return undefined;
    if (isPublished(snapshot)) return snapshot;
    await api.flushTail(name);
  }
  throw new Problem(503, "Pushes keep coming. Try again in a moment.", { "Retry-After": "5" });
}

async function exportList(context: Context<ApiEnv>): Promise<Response> {
  // All refs are read only for a caller that may have them: the time would tell others that there are any.
  const { name, record } = await requestedRepository(context, "administer");
  const snapshot = await publishedSnapshot(context, name);
  if (snapshot?.record.id !== record.id) throw new Problem(404, "There is no such repository.");
  return await streamedResponse(streamedJson(context, name), (output) => writeExport(snapshot, output));
}

async function exportFile(context: Context<ApiEnv>): Promise<Response> {
  const name = await requestedName(context, "administer");
  const { host, api } = context.var;
  const snapshot = await host.repository(name).refs.open({ packs: true, replaced: true });
  await authorize(host, "administer", name, snapshot.kind === "found" ? snapshot.record : undefined);
  if (snapshot.kind === "missing") throw new Problem(404, "There is no such repository.");
  const key = pathParam(context, "key");
  // Maintenance may have replaced packs since they were listed.
  const { replaced = [], graphs = [] } = snapshot;
  const stored = snapshot.packs.map(({ name: pack, loan }) => ({ name: pack, ...(loan === undefined ? {} : loan) }));
  const home = homeOf(key, { id: snapshot.record.id, packs: [...stored, ...graphs, ...replaced] });
  if (home === undefined) throw new Problem(404, "There is no such file.");
  const file = await api.bareFiles(home).open(key);
  if (file === undefined) throw new Problem(404, "There is no such file.");
  return new Response(file.body, {
    headers: {
      "Content-Type": "application/octet-stream",
      "Content-Length": String(file.size),
      "Cache-Control": "no-store",
      "X-Content-Type-Options": "nosniff",
    },
  });
}

/** The routes of refs and export, below `/api/v1/repos`. */
export function repoFileRoutes(): Hono<ApiEnv> {
  const routes = new Hono<ApiEnv>();
  routes.get(
    "/:tenant/:repo/refs",
    describe({
      tag: "repositories",
      summary: "Lists refs",
      about: "All that begin with `prefix`, in git's order.",
      query: {
        prefix: { about: "As in `refs/heads/`." },
        at: {
          about:
            "A time, as in `2026-01-31T12:00:00Z`: the refs as they were, of a mirror, or of a repository with `show_past` within its grace period.",
        },
      },
      answers: { 200: { about: "HEAD's branch, and the refs.", json: refList }, 304: NOT_MODIFIED },
    }),
    listRefs,
  );
  routes.get(
    "/:tenant/:repo/export",
    describe({
      tag: "repositories",
      summary: "Describes the bare repository, as one snapshot",
      about:
        "`files` are those of its packs, which never change: fetch each by its `key`. Those that end in `.graph` are the layers of its " +
        "commit-graph, the lowest first. `contents` has the other two files of that same moment, in base64. Pushes that land meanwhile don't matter to the copy.",
      access: "token",
      answers: { 200: { about: "The snapshot.", json: exportAnswer } },
    }),
    exportList,
  );
  routes.get(
    "/:tenant/:repo/export/:key{.+}",
    describe({
      tag: "repositories",
      summary: "Gives a file of the bare repository",
      access: "token",
      answers: { 200: { about: "The file.", type: "application/octet-stream" } },
    }),
    exportFile,
  );
  return routes;
}
