/**
 * Bundles over HTTP: the list of a repository's, and each of them, with ranges, so that a download that broke off goes on.
 *
 * @packageDocumentation
 * @see gitformat-bundle(5), git-clone(1) `--bundle-uri`
 */
import { Hono, type Context } from "hono";
import type { RepositoryName } from "../access/names.ts";
import type { OpenSnapshot } from "../refs/ref-store.ts";
import { listBundles, openBundle, type OpenBundle } from "../service/bundle.ts";
import { formatBundleList } from "../wire/bundle-uri.ts";
import { authorize } from "./denied.ts";
import { answered, GitRefusal, NO_CACHE, isReading, wrongMethod } from "./git-failure.ts";
import type { FileRange, Host, HostEnv } from "./host.ts";
import { namedRepository } from "./named-repository.ts";
import { storedBody } from "./stored-answer.ts";
import { storedFile } from "./stored-file.ts";

const BUNDLE_FILE = /^([0-9a-f]{40}|[0-9a-f]{64})\.bundle$/;

/** Opens a repository with its packs. @throws GitRefusal, AccessDenied */
async function opened(host: Host, name: RepositoryName): Promise<OpenSnapshot> {
  const found = await host.repository(name).refs.open({ packs: true });
  await authorize(host, "read", name, found.kind === "found" ? found.record : undefined);
  if (found.kind === "missing") throw new GitRefusal(404, "Not found.");
  return found;
}

async function listFile(context: Context<HostEnv>): Promise<Response> {
  const { host } = context.var;
  const name = namedRepository(context);
  const snapshot = await opened(host, name);
  const bundles = await listBundles(host.repository(name), snapshot, (path) =>
    host.addressOf(name, path, snapshot.record),
  );
  const headers = { ...NO_CACHE, "Content-Type": "text/plain; charset=utf-8" };
  return new Response(context.req.method === "HEAD" ? null : formatBundleList(bundles), { headers });
}

/** Returns a part of a bundle: of its head, of its pack, or of both. */
async function partOf(host: Host, bundle: OpenBundle, { offset, length }: FileRange): Promise<BodyInit> {
  const { head, pack, home } = bundle;
  const before = head.subarray(offset, offset + length);
  const bytes = length - before.length;
  if (bytes === 0) return before;
  const from = Math.max(0, offset - head.length);
  const body = await host.packBody(home, pack.name, "pack", { offset: from, length: bytes });
  return storedBody({ body, bytes, before }, { traffic: host.traffic, until: (work) => host.until(work) });
}

async function bundleFile(context: Context<HostEnv>, file: string): Promise<Response> {
  const { host } = context.var;
  const name = namedRepository(context);
  const snapshot = await opened(host, name);
  const [, checksum] = BUNDLE_FILE.exec(file) ?? [];
  const bundle = checksum && (await openBundle(host.repository(name), snapshot, checksum));
  if (bundle === undefined || bundle === "") throw new GitRefusal(404, "Not found.");
  return await storedFile(context.req.raw, {
    size: bundle.head.length + bundle.pack.packBytes,
    contentType: "application/x-git-bundle",
    validators: { etag: `"${bundle.tag}"`, modified: bundle.pack.createdAt },
    visibility: snapshot.record.visibility,
    open: (range) => partOf(host, bundle, range),
  });
}

/** The routes of bundles. */
export function bundleRoutes(): Hono<HostEnv> {
  const routes = new Hono<HostEnv>();
  routes.get("/:tenant/:repo/bundles", (context) => answered(() => listFile(context)));
  routes.get("/:tenant/:repo/bundles/:file", (context) =>
    answered(() => bundleFile(context, context.req.param("file"))),
  );
  for (const path of ["bundles", "bundles/:file"]) {
    routes.all(`/:tenant/:repo/${path}`, (context, next) => (isReading(context) ? next() : wrongMethod("GET, HEAD")));
  }
  return routes;
}
