/**
 * `/api/v1/repos/{tenant}/{repo}/archive/{rev}.tar.gz`: a tree with everything in it, as one file.
 *
 * @packageDocumentation
 */
import type { FindBehind } from "../../browse/lfs-pointers.ts";
import { pathParam, requestedName } from "./requested.ts";
import type { Context } from "hono";
import { writeArchive, type ArchiveFormat, type ArchiveRequest } from "../../browse/archive.ts";
import { isSafePrefix } from "../../browse/archive-arguments.ts";
import type { BrowseSession } from "../../browse/browse-session.ts";
import { peelToTree, resolveRevision } from "../../browse/revision.ts";
import type { RevisionSyntax } from "../../browse/revision-syntax.ts";
import { toHex } from "../../bytes/hex.ts";
import { withoutEmptySegments } from "../../http/path-segments.ts";
import { cacheControl, found, isKnown, withSession } from "../../http/content.ts";
import { percentEncoded, queryBytes, requestedRevision } from "../../http/content-address.ts";
import { asksForLfs, filesBehind } from "../../http/lfs-content.ts";
import { Problem } from "../../http/problem.ts";
import type { ApiEnv } from "../api-host.ts";
import { openSession, restOfPath, streamed } from "./content-request.ts";

const FORMATS: Readonly<Record<string, readonly [ArchiveFormat, string]>> = {
  ".tar.gz": ["tar.gz", "application/gzip"],
  ".tgz": ["tar.gz", "application/gzip"],
  ".tar": ["tar", "application/x-tar"],
  ".zip": ["zip", "application/zip"],
};
/** Pieces of the path before the archive's name: `/api/v1/repos/{tenant}/{repo}/archive`, and an empty one. */
const PIECES_BEFORE_FILE = 7;

function takeApart(rest: string): { readonly revision: string; readonly ending: string } {
  // A path without a known ending is refused below.
  const ending = Object.keys(FORMATS).find((candidate) => rest.endsWith(candidate)) ?? "";
  if (ending === "") throw new Problem(404, "An archive's name ends in .tar.gz, .tgz, .tar or .zip.");
  return { revision: rest.slice(0, -ending.length), ending };
}

/** Returns the name of an archive without its ending, which is also the name of its top directory by default. */
function stemOf(context: Context<ApiEnv>, revision: string): string {
  return `${pathParam(context, "repo")}-${revision.replaceAll(/[^A-Za-z0-9._-]/g, "-")}`;
}

/**
 * Returns the prefix of all paths. By default it is a directory, as forges have it: clients of packages drop the first
 * part of each path.
 *
 * @throws Problem if it leads out of the directory in which the archive is unpacked.
 */
function requestedPrefix(context: Context<ApiEnv>, revision: string): string {
  if (context.req.query("prefix") === undefined) return `${stemOf(context, revision)}/`;
  const prefix = queryBytes(context.req.url, "prefix");
  if (!isSafePrefix(prefix)) throw new Problem(422, "prefix: a relative path, without .. or .git");
  return prefix;
}

async function archived(session: BrowseSession, revision: RevisionSyntax, prefix: string): Promise<ArchiveRequest> {
  const object = found(await resolveRevision(session, revision));
  const root = found(await peelToTree(session, object));
  // a tree that was requested as a tree is archived as git does it: without a commit, and with the present time
  const isTree = object.type === "tree" || root.commit === undefined;
  return { tree: root.name, prefix, ...(!isTree && root.commit && { commit: root.commit }) };
}

/**
 * Returns the address under which this archive will always be found. It names the commit a second time, for clients
 * that read the commit from the query.
 *
 * @see The lockable HTTP tarball protocol, in Nix's manual
 */
function immutableLink(context: Context<ApiEnv>, commit: string, ending: string): string {
  const { origin, pathname, searchParams } = new URL(context.req.url);
  const path = withoutEmptySegments(pathname).split("/").slice(0, PIECES_BEFORE_FILE).join("/");
  const prefix = searchParams.has("prefix") ? `prefix=${percentEncoded(queryBytes(context.req.url, "prefix"))}&` : "";
  return `<${origin}${path}/${commit}${ending}?${prefix}rev=${commit}>; rel="immutable"`;
}

/**
 * Checks that the archive is of the commit that the query expects, if it expects one.
 *
 * @throws Problem if it is of another.
 */
function assertExpected(context: Context<ApiEnv>, commit: Uint8Array | undefined): void {
  const expected = context.req.query("rev");
  if (expected === undefined || (commit !== undefined && toHex(commit) === expected)) return;
  throw new Problem(409, "rev: the archive is of another commit.");
}

/** Returns what finds the files behind pointers, which cost reads as the repository's objects do. */
async function behindOf(context: Context<ApiEnv>, session: BrowseSession): Promise<FindBehind> {
  const caller = { host: context.var.host, name: await requestedName(context, "read") };
  return filesBehind(caller, session.answer.record.id, () => session.countRead());
}

/** Answers with an archive. */
export async function archiveFile(context: Context<ApiEnv>): Promise<Response> {
  const { revision: text, ending } = takeApart(restOfPath(context));
  const [format = "tar", type = ""] = FORMATS[ending] ?? [];
  const revision = requestedRevision(text);
  const prefix = requestedPrefix(context, text);
  const isBehind = asksForLfs(context.req.raw);
  const session = await openSession(context, [revision]);
  return await withSession(session, async () => {
    const request = await archived(session, revision, prefix);
    const files = isBehind ? { findBehind: await behindOf(context, session) } : {};
    assertExpected(context, request.commit);
    const headers = new Headers({
      "Content-Type": type,
      "Content-Disposition": `attachment; filename="${stemOf(context, text)}${ending}"`,
      "Cache-Control": cacheControl(session),
      "X-Content-Type-Options": "nosniff",
      Vary: "Authorization",
    });
    // Which files behind pointers are here is not for the commit to say.
    if (request.commit !== undefined && !isBehind) {
      const etag = `"${toHex(request.commit)}-${toHex(request.tree)}-${format}-${encodeURIComponent(prefix)}"`;
      headers.set("ETag", etag);
      headers.set("Link", immutableLink(context, toHex(request.commit), ending));
      if (isKnown(context.req.header("If-None-Match"), etag)) {
        session.close();
        return new Response(null, { status: 304, headers });
      }
    }
    if (context.req.raw.method === "HEAD") {
      session.close();
      return new Response(null, { headers });
    }
    return await streamed(context, session, { headers }, async (output) => {
      session.parkWhileWaiting();
      await writeArchive(session, { ...request, ...files }, format, output);
    });
  });
}
