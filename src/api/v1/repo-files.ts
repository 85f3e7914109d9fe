/**
 * `/api/v1/repos/{tenant}/{repo}/refs` and `/export`: a repository's refs, and the files of the bare repository that it is.
 *
 * @packageDocumentation
 */
import { Hono, type Context } from "hono";
import * as v from "valibot";
import { parseMoment, repositoryKey, type RepositoryName } from "../../access/names.ts";
import { toHex } from "../../bytes/hex.ts";
import { streamedResponse } from "../../http/body.ts";
import { authorize } from "../../http/denied.ts";
import { Problem } from "../../http/problem.ts";
import { exportedFiles, isExported } from "../../maintenance/export.ts";
import { writeServerInfo } from "../../maintenance/server-info.ts";
import { objectFormat } from "../../object/object-id.ts";
import { decodeRefRows } from "../../refs/ref-rows.ts";
import type { ApiEnv } from "../api-host.ts";
import { describe } from "../describe.ts";
import { requestedName, requestedRepository } from "./requested.ts";

const refList = v.strictObject({
  head: v.string(),
  refs: v.array(v.strictObject({ name: v.string(), oid: v.string(), peeled: v.optional(v.string()) })),
});
const fileList = v.strictObject({
  id: v.string(),
  files: v.array(v.strictObject({ key: v.string(), size: v.number() })),
});

/** Writes the derived files and gives the repository's id. */
async function refreshed(context: Context<ApiEnv>, name: RepositoryName): Promise<string> {
  const { api, host } = context.var;
  const written = await writeServerInfo(host.repository(name), (id) => api.bareFiles(id), {
    repository: repositoryKey(name),
  });
  if (written === undefined) throw new Problem(404, "There is no such repository.");
  await api.settings(name).derivedFilesWritten(written.id, written.version);
  return written.id;
}

function requestedMoment(text: string | undefined): number | undefined {
  const at = text === undefined ? undefined : parseMoment(text);
  if (text !== undefined && at === undefined) throw new Problem(422, "at: not a time, such as 2026-01-31T12:00:00Z.");
  return at;
}

async function listRefs(context: Context<ApiEnv>): Promise<Response> {
  const { host } = context.var;
  const name = await requestedName(context, "read");
  const prefix = context.req.query("prefix") ?? "";
  const at = requestedMoment(context.req.query("at"));
  const { refs } = at === undefined ? host.repository(name) : host.historic(name, at);
  const snapshot = await refs.open({ refPrefixes: [prefix] });
  await authorize(host, "read", name, snapshot.kind === "found" ? snapshot.record : undefined);
  if (snapshot.kind === "missing") throw new Problem(404, "There is no such repository.");
  if (at !== undefined && snapshot.record.mirror === undefined) {
    throw new Problem(404, "Only a mirror can be read as it was.");
  }
  const { rawSize } = objectFormat(snapshot.record.objectFormat);
  const encoder = new TextEncoder();
  const headers = { "Content-Type": "application/json", "Cache-Control": "no-store" };
  const bodiless = context.req.raw.method === "HEAD";
  return streamedResponse(
    { headers, bodiless, onGone: () => undefined, onFault: () => undefined, until: (work) => host.until(work) },
    async (output) => {
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
    },
  );
}

async function exportList(context: Context<ApiEnv>): Promise<Response> {
  const { name } = await requestedRepository(context, "administer");
  const id = await refreshed(context, name);
  const snapshot = await context.var.host.repository(name).refs.open({ packs: true });
  if (snapshot.kind === "missing" || snapshot.record.id !== id) throw new Problem(404, "There is no such repository.");
  const files = await exportedFiles(context.var.api.bareFiles(id), snapshot.packs);
  return context.json({ id, files: files.map((file) => ({ key: file.name, size: file.size })) });
}

async function exportFile(context: Context<ApiEnv>): Promise<Response> {
  const name = await requestedName(context, "administer");
  const { host, api } = context.var;
  const snapshot = await host.repository(name).refs.open({ packs: true });
  await authorize(host, "administer", name, snapshot.kind === "found" ? snapshot.record : undefined);
  if (snapshot.kind === "missing") throw new Problem(404, "There is no such repository.");
  const key = context.req.param("key") ?? "";
  if (!isExported(key, snapshot.packs)) throw new Problem(404, "There is no such file.");
  const file = await api.bareFiles(snapshot.record.id).open(key);
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
        at: { about: "A time, as in `2026-01-31T12:00:00Z`: a mirror's refs as they were." },
      },
      answers: { 200: { about: "HEAD's branch, and the refs.", json: refList } },
    }),
    listRefs,
  );
  routes.get(
    "/:tenant/:repo/export",
    describe({
      tag: "repositories",
      summary: "Lists the files of the bare repository",
      access: "token",
      answers: { 200: { about: "The files.", json: fileList } },
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
