/**
 * Git over plain files, for clients that know nothing else: what `git update-server-info` would have written, made from the Durable
 * Object's snapshot, so that it is never behind; and the packs, untouched.
 *
 * There are no loose objects and no alternates. Packs are named by their checksum here, as git names them.
 *
 * @packageDocumentation
 * @see gitrepository-layout(5), http-backend.c
 */
import { Hono, type Context } from "hono";
import { parseGitRepositoryName, type RepositoryName } from "../access/names.ts";
import { parseRange } from "./byte-range.ts";
import { streamedResponse } from "./body.ts";
import { authorize } from "./denied.ts";
import { gitFailure, GitRefusal, NO_CACHE } from "./git-failure.ts";
import type { HostEnv, PlainFile } from "./host.ts";

const PACK_FILE = /^pack-([0-9a-f]{40}|[0-9a-f]{64})\.(pack|idx)$/;
/** A year: what a pack is called says what is in it. Only where everybody may read it. */
const FOREVER = "public, max-age=31536000, immutable";

const PLAIN_FILES: readonly (readonly [PlainFile, string])[] = [
  ["HEAD", "text/plain"],
  ["info/refs", "text/plain"],
  ["objects/info/packs", "text/plain; charset=utf-8"],
];

async function namedRepository(context: Context<HostEnv>): Promise<RepositoryName> {
  const { tenant = "", repo = "" } = context.req.param();
  const name = parseGitRepositoryName(tenant, repo);
  if (name !== undefined) return name;
  await authorize(context.var.host, "read", { tenant, repo }, undefined);
  throw new GitRefusal(404, "Repository not found.");
}

/** Asks whether this may be read at all, so that what is not there looks the same everywhere. */
async function admitted(context: Context<HostEnv>): Promise<void> {
  const { host } = context.var;
  const name = await namedRepository(context);
  const found = await host.repository(name).refs.open({});
  await authorize(host, "read", name, found.kind === "found" ? found.record : undefined);
}

async function plainFile(context: Context<HostEnv>, file: PlainFile, contentType: string): Promise<Response> {
  const { host } = context.var;
  const name = await namedRepository(context);
  const pieces = await host.plainFile(name, file, (subject) => authorize(host, "read", name, subject));
  return streamedResponse(
    {
      headers: { ...NO_CACHE, "Content-Type": contentType },
      bodiless: context.req.raw.method === "HEAD",
      onGone: () => undefined,
      onFault: () => undefined,
      until: (work) => host.until(work),
    },
    async (output) => {
      for (const piece of pieces) await output.write(piece);
    },
  );
}

async function packFile(context: Context<HostEnv>, file: string): Promise<Response> {
  const { host } = context.var;
  const name = await namedRepository(context);
  const found = await host.repository(name).refs.open({ packs: true });
  await authorize(host, "read", name, found.kind === "found" ? found.record : undefined);
  const [, checksum, extension] = PACK_FILE.exec(file) ?? [];
  if (found.kind === "missing") throw new GitRefusal(404, "Not found.");
  const pack = found.packs.find((candidate) => candidate.checksum === checksum);
  if (pack === undefined || (extension !== "pack" && extension !== "idx")) throw new GitRefusal(404, "Not found.");
  const size = extension === "pack" ? pack.packBytes : pack.indexBytes;
  const headers = new Headers({
    "Content-Type": extension === "pack" ? "application/x-git-packed-objects" : "application/x-git-packed-objects-toc",
    "Accept-Ranges": "bytes",
    ...(found.record.visibility === "public" ? { "Cache-Control": FOREVER } : NO_CACHE),
  });
  const range = parseRange(context.req.header("Range"), size);
  if (range === "unsatisfiable") {
    return new Response(null, { status: 416, headers: { ...NO_CACHE, "Content-Range": `bytes */${size}` } });
  }
  const { offset, length } = range ?? { offset: 0, length: size };
  headers.set("Content-Length", String(length));
  if (range !== undefined) headers.set("Content-Range", `bytes ${offset}-${offset + length - 1}/${size}`);
  const bodiless = context.req.raw.method === "HEAD";
  const body = bodiless ? null : await host.packBody(found.record.id, pack.name, extension, { offset, length });
  return new Response(body, { status: range === undefined ? 200 : 206, headers });
}

async function answered(work: () => Promise<Response>): Promise<Response> {
  try {
    return await work();
  } catch (error) {
    return gitFailure(error);
  }
}

/** The routes of dumb HTTP. Whatever else lies below a repository is not found, for who may read it. */
export function dumbRoutes(): Hono<HostEnv> {
  const routes = new Hono<HostEnv>();
  for (const [file, contentType] of PLAIN_FILES) {
    routes.get(`/:tenant/:repo/${file}`, (context) => answered(() => plainFile(context, file, contentType)));
  }
  routes.get("/:tenant/:repo/objects/pack/:file", (context) =>
    answered(() => packFile(context, context.req.param("file"))),
  );
  routes.all("/:tenant/:repo/*", (context) =>
    answered(async () => {
      await admitted(context);
      throw new GitRefusal(404, "Not found.");
    }),
  );
  return routes;
}
