/**
 * Git over plain files, for clients that know nothing else. They get what `git update-server-info` would have written,
 * made from the Durable Object's snapshot so that it is never behind, and the packs, untouched.
 *
 * Packs are named by their checksum here, as git names them. Only packs in which everything is reachable from refs are
 * served. If that is not all of them, a client that asks for the refs is told to use smart HTTP, which sends what is
 * reachable. There are no loose objects and no alternates: a client that asks for them gets http-backend's 404, and
 * goes on in the packs.
 *
 * @packageDocumentation
 * @see gitrepository-layout(5), http-backend.c
 */
import { Hono, type Context } from "hono";
import { streamedResponse } from "./body.ts";
import { wholePacks } from "../repository/view.ts";
import { authorize } from "./denied.ts";
import { answered, GitRefusal, NO_CACHE, isReading, wrongMethod } from "./git-failure.ts";
import type { HostEnv, PlainFile } from "./host.ts";
import { namedRepository } from "./named-repository.ts";
import { storedFile } from "./stored-file.ts";

const PACK_FILE = /^pack-([0-9a-f]{40}|[0-9a-f]{64})\.(pack|idx)$/;
/** The files that http-backend serves beside packs and the files made from a snapshot. */
const NEVER_THERE = [
  "objects/info/alternates",
  "objects/info/http-alternates",
  "objects/:fan{[0-9a-f]{2}}/:rest{[0-9a-f]{38}|[0-9a-f]{62}}",
];

const PLAIN_FILES: readonly (readonly [PlainFile, string])[] = [
  ["HEAD", "text/plain"],
  ["info/refs", "text/plain"],
  ["objects/info/packs", "text/plain; charset=utf-8"],
];

/** Checks whether the repository may be read at all, so that missing files look the same everywhere. */
async function admitted(context: Context<HostEnv>): Promise<void> {
  const { host } = context.var;
  const name = namedRepository(context);
  const found = await host.repository(name).refs.open({});
  await authorize(host, "read", name, found.kind === "found" ? found.record : undefined);
}

async function plainFile(context: Context<HostEnv>, file: PlainFile, contentType: string): Promise<Response> {
  const { host } = context.var;
  const name = namedRepository(context);
  const pieces = await host.plainFile(name, file, (subject) => authorize(host, "read", name, subject));
  return streamedResponse(
    {
      memory: host.repository(name).memory,
      traffic: host.traffic,
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

/** A pack's file that the requester may read. */
type PackFile = {
  readonly id: string;
  /** The name that it is stored under. */
  readonly name: string;
  readonly extension: "pack" | "idx";
  readonly size: number;
  /** The file itself, if the pack is in the tail. */
  readonly bytes?: Uint8Array<ArrayBuffer>;
  readonly checksum: string;
  /** When the pack was made, in milliseconds since the epoch. */
  readonly createdAt: number;
  readonly visibility: "public" | "private";
};

/**
 * Finds a pack's file. A pack with an object that no ref reaches counts as missing.
 *
 * @throws GitRefusal, AccessDenied
 */
async function findPackFile(context: Context<HostEnv>, file: string): Promise<PackFile> {
  const { host } = context.var;
  const name = namedRepository(context);
  const found = await host.repository(name).refs.open({ packs: true });
  await authorize(host, "read", name, found.kind === "found" ? found.record : undefined);
  const [, checksum, extension] = PACK_FILE.exec(file) ?? [];
  const pack = found.kind === "found" ? wholePacks(found).find((each) => each.checksum === checksum) : undefined;
  if (found.kind === "missing" || pack === undefined || (extension !== "pack" && extension !== "idx")) {
    throw new GitRefusal(404, "Not found.");
  }
  return {
    id: pack.loan?.home ?? found.record.id,
    name: pack.name,
    extension,
    size: extension === "pack" ? pack.packBytes : pack.indexBytes,
    ...(pack.tail === undefined ? {} : { bytes: (extension === "pack" ? pack.tail : pack.indexHead).slice() }),
    checksum: pack.checksum,
    createdAt: pack.createdAt,
    visibility: found.record.visibility,
  };
}

async function packFile(context: Context<HostEnv>, file: string): Promise<Response> {
  const { host } = context.var;
  const { id, name, extension, size, bytes, checksum, createdAt, visibility } = await findPackFile(context, file);
  return await storedFile(context.req.raw, {
    size,
    contentType: extension === "pack" ? "application/x-git-packed-objects" : "application/x-git-packed-objects-toc",
    // A pack determines its index, so the checksum stands for both.
    validators: { etag: `"${checksum}-${extension}"`, modified: createdAt },
    visibility,
    open: async ({ offset, length }) =>
      bytes?.subarray(offset, offset + length) ?? (await host.packBody(id, name, extension, { offset, length })),
  });
}

/** The routes of dumb HTTP. Any other path below a repository is not found, for a caller that may read it. */
export function dumbRoutes(): Hono<HostEnv> {
  const routes = new Hono<HostEnv>();
  for (const [file, contentType] of PLAIN_FILES) {
    routes.get(`/:tenant/:repo/${file}`, (context) => answered(() => plainFile(context, file, contentType)));
  }
  routes.get("/:tenant/:repo/objects/pack/:file", (context) =>
    answered(() => packFile(context, context.req.param("file"))),
  );
  const files = [...PLAIN_FILES.map(([file]) => file), "objects/pack/:file", ...NEVER_THERE];
  for (const file of files) {
    routes.all(`/:tenant/:repo/${file}`, (context, next) => (isReading(context) ? next() : wrongMethod("GET, HEAD")));
  }
  routes.all("/:tenant/:repo/*", (context) =>
    answered(async () => {
      await admitted(context);
      throw new GitRefusal(404, "Not found.");
    }),
  );
  return routes;
}
