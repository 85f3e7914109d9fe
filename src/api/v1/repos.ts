/**
 * `/api/v1/repos/{tenant}/{repo}`: a repository's life, settings, refs and export.
 *
 * @packageDocumentation
 */
import { Hono, type Context } from "hono";
import * as v from "valibot";
import { repositoryKey, type RepositoryName } from "../../access/names.ts";
import { streamedResponse } from "../../http/body.ts";
import { authorize } from "../../http/denied.ts";
import { Problem } from "../../http/problem.ts";
import { exportedFiles, isExported } from "../../maintenance/export.ts";
import { writeServerInfo } from "../../maintenance/server-info.ts";
import { objectFormat } from "../../object/object-id.ts";
import { checkRefFormat } from "../../object/ref-name.ts";
import { toHex } from "../../bytes/hex.ts";
import { decodeRefRows } from "../../refs/ref-rows.ts";
import type { MirrorSummary, RepositoryRecord } from "../../refs/ref-store.ts";
import type { ApiEnv } from "../api-host.ts";
import { readJson } from "../json-body.ts";
import { administeredName, requestedName, requestedRepository } from "./requested.ts";

const BRANCHES = "refs/heads/";

/** What `git branch` would make: it also refuses what would be taken for an option, or for HEAD itself. */
function isBranchName(name: string): boolean {
  return !name.startsWith("-") && name !== "HEAD" && checkRefFormat(BRANCHES + name);
}

const visibility = v.picklist(["private", "public"]);
const description = v.pipe(v.string(), v.maxLength(1000));
const defaultBranch = v.pipe(
  v.string(),
  v.maxLength(250),
  v.check((name) => isBranchName(name), "not a name that git allows for a branch"),
);

const creation = v.strictObject({
  visibility: v.optional(visibility, "private"),
  default_branch: v.optional(defaultBranch, "main"),
  description: v.optional(description, ""),
  object_format: v.optional(v.picklist(["sha1", "sha256"]), "sha1"),
});

const change = v.strictObject({
  visibility: v.optional(visibility),
  default_branch: v.optional(defaultBranch),
  description: v.optional(description),
});

function shownMirror({ upstream, interval, syncedAt }: MirrorSummary): object {
  return { upstream, interval, synced_at: syncedAt === undefined ? null : new Date(syncedAt).toISOString() };
}

/** Shows a repository. Times are ISO 8601. */
function shown(context: Context<ApiEnv>, name: RepositoryName, record: RepositoryRecord): object {
  const { origin } = new URL(context.req.url);
  return {
    tenant: name.tenant,
    name: name.repo,
    id: record.id,
    visibility: record.visibility,
    default_branch: record.head.startsWith(BRANCHES) ? record.head.slice(BRANCHES.length) : record.head,
    description: record.description,
    object_format: record.objectFormat,
    read_only: record.readOnly,
    ...(record.mirror === undefined ? {} : { mirror: shownMirror(record.mirror) }),
    size_bytes: record.sizeBytes,
    pushed_at: record.pushedAt === undefined ? null : new Date(record.pushedAt).toISOString(),
    created_at: new Date(record.createdAt).toISOString(),
    git_url: `${origin}/${repositoryKey(name)}.git`,
  };
}

/** Writes the derived files and gives the repository's id. */
async function refreshed(context: Context<ApiEnv>, name: RepositoryName): Promise<string> {
  const { api, host } = context.var;
  const written = await writeServerInfo(host.repository(name), (id) => api.bareFiles(id));
  if (written === undefined) throw new Problem(404, "There is no such repository.");
  await api.settings(name).derivedFilesWritten(written.id, written.version);
  return written.id;
}

async function listRefs(context: Context<ApiEnv>): Promise<Response> {
  const { host } = context.var;
  const name = await requestedName(context, "read");
  const prefix = context.req.query("prefix") ?? "";
  const snapshot = await host.repository(name).refs.open({ refPrefixes: [prefix] });
  await authorize(host, "read", name, snapshot.kind === "found" ? snapshot.record : undefined);
  if (snapshot.kind === "missing") throw new Problem(404, "There is no such repository.");
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
  const key = context.req.param("key") ?? "";
  if (snapshot.kind === "missing" || !isExported(key, snapshot.packs)) throw new Problem(404, "There is no such file.");
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

/** The routes below `/api/v1/repos`. */
export function repoRoutes(): Hono<ApiEnv> {
  const routes = new Hono<ApiEnv>();
  routes.put("/:tenant/:repo", async (context) => {
    // Before anything is read of the body.
    const name = await administeredName(context);
    const asked = await readJson(context.req.raw, creation);
    const made = await context.var.api.settings(name).create({
      objectFormat: asked.object_format,
      visibility: asked.visibility,
      head: BRANCHES + asked.default_branch,
      description: asked.description,
    });
    return context.json(shown(context, name, made.record), made.kind === "created" ? 201 : 200);
  });
  routes.get("/:tenant/:repo", async (context) => {
    const { name, record } = await requestedRepository(context, "read");
    return context.json(shown(context, name, record));
  });
  routes.patch("/:tenant/:repo", async (context) => {
    const name = await administeredName(context);
    const asked = await readJson(context.req.raw, change);
    const record = await context.var.api.settings(name).change({
      ...(asked.visibility === undefined ? {} : { visibility: asked.visibility }),
      ...(asked.default_branch === undefined ? {} : { head: BRANCHES + asked.default_branch }),
      ...(asked.description === undefined ? {} : { description: asked.description }),
    });
    context.var.host.formats.forget(repositoryKey(name));
    if (record === undefined) throw new Problem(404, "There is no such repository.");
    return context.json(shown(context, name, record));
  });
  routes.delete("/:tenant/:repo", async (context) => {
    const name = await administeredName(context);
    const removed = await context.var.api.settings(name).remove();
    context.var.host.formats.forget(repositoryKey(name));
    if (!removed) throw new Problem(404, "There is no such repository.");
    return context.body(null, 204);
  });
  routes.get("/:tenant/:repo/refs", listRefs);
  routes.get("/:tenant/:repo/export", exportList);
  routes.get("/:tenant/:repo/export/:key{.+}", exportFile);
  return routes;
}
