/**
 * `/api/v1/repos/{tenant}/{repo}/archive/{rev}.tar.gz`: a tree with everything in it, as one file.
 *
 * @packageDocumentation
 */
import { pathParam } from "./requested.ts";
import type { Context } from "hono";
import { writeArchive, type ArchiveFormat, type ArchiveRequest } from "../../browse/archive.ts";
import type { BrowseSession } from "../../browse/browse-session.ts";
import { peelToTree, resolveRevision } from "../../browse/revision.ts";
import type { RevisionSyntax } from "../../browse/revision-syntax.ts";
import { toHex } from "../../bytes/hex.ts";
import { Problem } from "../../http/problem.ts";
import type { ApiEnv } from "../api-host.ts";
import {
  cacheControl,
  found,
  isKnown,
  openSession,
  queryBytes,
  requestedRevision,
  restOfPath,
  streamed,
  withSession,
} from "./content-request.ts";

const FORMATS: Readonly<Record<string, readonly [ArchiveFormat, string]>> = {
  ".tar.gz": ["tar.gz", "application/gzip"],
  ".tgz": ["tar.gz", "application/gzip"],
  ".tar": ["tar", "application/x-tar"],
  ".zip": ["zip", "application/zip"],
};
const MOST_PREFIX = 1024;

function takeApart(rest: string): { readonly revision: string; readonly ending: string } {
  // A path without a known ending is refused below.
  const ending = Object.keys(FORMATS).find((candidate) => rest.endsWith(candidate)) ?? "";
  if (ending === "") throw new Problem(404, "An archive's name ends in .tar.gz, .tgz, .tar or .zip.");
  return { revision: rest.slice(0, -ending.length), ending };
}

/**
 * Returns the prefix of all paths.
 *
 * @throws Problem if it leads out of the directory in which the archive is unpacked.
 */
function requestedPrefix(context: Context<ApiEnv>): string {
  const prefix = queryBytes(context, "prefix");
  // The archive may be unpacked on a system where a backslash is a slash and a colon follows a drive.
  const isAbsolute = /^[/\\]|^[a-z]:/i.test(prefix);
  const isBad = prefix.length > MOST_PREFIX || isAbsolute || Array.from(prefix).some((c) => c < " " || c === "\x7f");
  const leadsAstray = prefix.split(/[/\\]/).some((part) => part === ".." || part.toLowerCase() === ".git");
  if (isBad || leadsAstray) throw new Problem(422, "prefix: a relative path, without .. or .git");
  return prefix;
}

async function archived(session: BrowseSession, revision: RevisionSyntax, prefix: string): Promise<ArchiveRequest> {
  const object = found(await resolveRevision(session, revision));
  const root = found(await peelToTree(session, object));
  // a tree that was requested as a tree is archived as git does it: without a commit, and with the present time
  const isTree = object.type === "tree" || root.commit === undefined;
  return { tree: root.name, prefix, ...(!isTree && root.commit && { commit: root.commit }) };
}

/** Answers with an archive. */
export async function archiveFile(context: Context<ApiEnv>): Promise<Response> {
  const { revision: text, ending } = takeApart(restOfPath(context));
  const [format = "tar", type = ""] = FORMATS[ending] ?? [];
  const revision = requestedRevision(text);
  const prefix = requestedPrefix(context);
  const session = await openSession(context, [revision]);
  return await withSession(session, async () => {
    const request = await archived(session, revision, prefix);
    const name = `${pathParam(context, "repo")}-${text.replaceAll(/[^A-Za-z0-9._-]/g, "-")}${ending}`;
    const headers = new Headers({
      "Content-Type": type,
      "Content-Disposition": `attachment; filename="${name}"`,
      "Cache-Control": cacheControl(session),
      "X-Content-Type-Options": "nosniff",
      Vary: "Authorization",
    });
    if (request.commit !== undefined) {
      const etag = `"${toHex(request.commit)}-${toHex(request.tree)}-${format}-${encodeURIComponent(prefix)}"`;
      headers.set("ETag", etag);
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
      await writeArchive(session, request, format, output);
    });
  });
}
