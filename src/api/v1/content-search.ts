/**
 * `/api/v1/repos/{tenant}/{repo}/search`, `/files`: lines and files of a revision that a caller looks for.
 *
 * @packageDocumentation
 */
import type { Context } from "hono";
import * as v from "valibot";
import type { BrowseSession } from "../../browse/browse-session.ts";
import { type NamedObject, peelToTree, resolveRevision } from "../../browse/revision.ts";
import type { RevisionSyntax } from "../../browse/revision-syntax.ts";
import type { FoundFile, FoundLine } from "../../browse/search.ts";
import { toHex } from "../../bytes/hex.ts";
import { textOf } from "../../object/byte-text.ts";
import { found, withSession } from "../../http/content.ts";
import { queryBytes, requestedRevision } from "../../http/content-address.ts";
import { Problem } from "../../http/problem.ts";
import { modeText } from "../../object/tree.ts";
import type { ApiEnv } from "../api-host.ts";
import { namedBytes } from "./content-json.ts";
import { number, oidText, PAGE } from "./content-pages.ts";
import { openSession, queryLimit, queryPath, queryRevision, restOfPath, streamedJson } from "./content-request.ts";
import { formatCursor, parseCursor } from "./cursor.ts";

const searchCursor = v.strictObject({ tree: oidText, behind: v.nullable(v.string()), line: number });
const filesCursor = v.strictObject({ tree: oidText, behind: v.string() });

/** Opens the tree of a revision, and runs `serve`. A cursor has to be of this tree. */
async function atTree(
  context: Context<ApiEnv>,
  { revision, cursor }: { readonly revision: RevisionSyntax; readonly cursor: { readonly tree: string } | undefined },
  serve: (session: BrowseSession, root: NamedObject) => Promise<Response>,
): Promise<Response> {
  const session = await openSession(context, [revision]);
  return await withSession(session, async () => {
    const object = found(await resolveRevision(session, revision));
    const root = found(await peelToTree(session, object));
    if (cursor !== undefined && cursor.tree !== toHex(root.name))
      throw new Problem(409, "The revision has moved since the list began; ask by its name to go on with it.");
    return await serve(session, root);
  });
}

function rootJson({ name, commit }: NamedObject): [string, string][] {
  return [...(commit === undefined ? [] : ([["commit", toHex(commit)]] as [string, string][])), ["tree", toHex(name)]];
}

function fileJson({ path, oid, mode }: FoundFile): object {
  return { ...namedBytes("path", path), oid: toHex(oid), mode: modeText(mode) };
}

function lineJson({ line, text, isCut, ...file }: FoundLine): object {
  const { path, oid } = file;
  return { ...namedBytes("path", path), oid: toHex(oid), line, ...namedBytes("text", textOf(text)), cut: isCut };
}

/** Whether the pattern is a regular expression. @throws Problem */
function queryRegexp(context: Context<ApiEnv>): boolean {
  const text = context.req.query("regexp");
  if (text !== undefined && text !== "true" && text !== "false") throw new Problem(422, "regexp: true or false");
  return text === "true";
}

/** Answers with the lines that have a pattern. */
export async function searchContent(context: Context<ApiEnv>): Promise<Response> {
  const limit = queryLimit(context, PAGE.entries, PAGE.mostEntries);
  const path = queryPath(context);
  const asked = { text: queryBytes(context.req.url, "q"), isRegexp: queryRegexp(context) };
  const cursor = parseCursor(context.req.query("cursor"), searchCursor);
  return await atTree(context, { revision: queryRevision(context), cursor }, async (session, root) => {
    const { ContentSearch } = await import("../../browse/search.ts");
    const from = cursor === undefined ? undefined : { line: cursor.line, ...(cursor.behind !== null && { behind: cursor.behind }) }; // prettier-ignore
    const search = found(ContentSearch.of(session, asked, from));
    const { lines, unsearched, next } = await search.page(root.name, path, limit);
    return await streamedJson(context, session, async (json) => {
      for (const [member, value] of rootJson(root)) await json.member(member, value);
      await json.member("matches", lines.map(lineJson));
      await json.member("unsearched", unsearched.map(fileJson));
      const { behind = null, line = 0 } = next ?? {}; // Only a page that has a next one is told.
      if (next !== undefined) await json.cursor(formatCursor({ tree: toHex(root.name), behind, line }));
      await json.end();
    });
  });
}

/** Answers with the files whose paths have the words of the query. */
export async function findFilesByPath(context: Context<ApiEnv>): Promise<Response> {
  const revision = requestedRevision(restOfPath(context));
  const limit = queryLimit(context, PAGE.entries, PAGE.mostEntries);
  const cursor = parseCursor(context.req.query("cursor"), filesCursor);
  const text = queryBytes(context.req.url, "q");
  return await atTree(context, { revision, cursor }, async (session, root) => {
    const { findFiles } = await import("../../browse/search.ts");
    const { files, next } = await findFiles(session, root.name, { text, limit, behind: cursor?.behind });
    return await streamedJson(context, session, async (json) => {
      for (const [member, value] of rootJson(root)) await json.member(member, value);
      await json.member("files", files.map(fileJson));
      if (next !== undefined) await json.cursor(formatCursor({ tree: toHex(root.name), behind: next }));
      await json.end();
    });
  });
}
