/**
 * `/api/v1/repos/{tenant}/{repo}/tree`, `/commits`: a repository's content as JSON.
 *
 * @packageDocumentation
 */
import { Hono, type Context } from "hono";
import * as v from "valibot";
import { treeOf } from "../../browse/commit.ts";
import type { BrowseSession } from "../../browse/browse-session.ts";
import { CommitLog } from "../../browse/commit-log.ts";
import { peelToTree, resolveCommit } from "../../browse/revision.ts";
import { blobSizes, findPath, listEntries, type DirectoryEntry } from "../../browse/tree-at.ts";
import { toHex } from "../../bytes/hex.ts";
import { found, withSession } from "../../http/content.ts";
import { requestedRevision } from "../../http/content-address.ts";
import { Problem } from "../../http/problem.ts";
import { chosenText } from "../../http/text-forms.ts";
import type { ApiEnv } from "../api-host.ts";
import { entryJson, namedBytes } from "./content-json.ts";
import { atRequestedPath, openSession, queryLimit, queryPath, queryRevision, streamedJson } from "./content-request.ts";
import { formatCursor, nextPage, parseCursor } from "./cursor.ts";
import { filesPage, jsonHeaders, MOST_MESSAGES, number, oidText, PAGE, commitByName } from "./content-pages.ts";
import { compareRevisions } from "./content-compare.ts";
import { DESCRIPTIONS } from "./content-descriptions.ts";
import { showActivity } from "./content-activity.ts";
import { blameFile, lastChanges } from "./content-history.ts";
import { formatLogCursor, resumedLog } from "./log-cursor.ts";
import { diffRevisions, sendCommitPatch } from "./content-diff.ts";
import { askedForms } from "./diff-forms.ts";
import { showBlob } from "./content-blob.ts";
import { archiveFile } from "./content-archive.ts";
import { findFilesByPath, searchContent } from "./content-search.ts";
import { rawFile } from "./content-raw.ts";

const treeCursor = v.strictObject({ tree: oidText, at: number });
const filesCursor = v.strictObject({ commit: oidText, behind: v.string() });

/** Returns the entries as JSON, with the sizes of those that are blobs. */
async function withSizes(session: BrowseSession, entries: readonly DirectoryEntry[]): Promise<object[]> {
  const sizes = await blobSizes(session, entries);
  return entries.slice(0, sizes.length).map((entry, i) => entryJson(entry, sizes[i]));
}

async function listTree(context: Context<ApiEnv>): Promise<Response> {
  const limit = queryLimit(context, PAGE.entries, PAGE.mostEntries);
  const cursor = parseCursor(context.req.query("cursor"), treeCursor);
  return await atRequestedPath(context, async (session, object) => {
    try {
      const root = found(await peelToTree(session, object));
      const tree = found(await findPath(session, root.name, object.path));
      if (tree.type !== "tree")
        throw new Problem(422, tree.type === "blob" ? "This is a file; raw/ gives it." : "This is a submodule.");
      const oid = toHex(tree.oid);
      if (cursor !== undefined && cursor.tree !== oid)
        throw new Problem(
          409,
          "The directory has changed since the list began; ask by the commit's name to go on with it.",
        );
      // Without a cursor the list begins at its first entry.
      const from = cursor?.at ?? 0;
      const entries = await listEntries(session, tree.oid, { first: from, count: limit + 1 });
      const shown = await withSizes(session, entries.slice(0, limit));
      const isEnd = shown.length === entries.length;
      const page = nextPage(context, isEnd ? undefined : formatCursor({ tree: oid, at: from + shown.length }));
      return context.json(
        {
          ...(root.commit && { commit: toHex(root.commit) }),
          ...namedBytes("path", object.path),
          oid,
          entries: shown,
          ...page.member,
        },
        200,
        { ...jsonHeaders(session), ...page.headers },
      );
    } finally {
      session.close();
    }
  });
}

/** What a log is of. A path that is followed is that of a file, through its renames. */
type LogSubject = { readonly path: string; readonly follows: boolean };

/** Returns what a log is asked of. @throws Problem */
function logSubject(context: Context<ApiEnv>): LogSubject {
  const path = queryPath(context);
  const text = context.req.query("follow") ?? "false"; // A log follows nothing unless it is asked to.
  if (text !== "true" && text !== "false") throw new Problem(422, "follow: true or false");
  const follows = text === "true";
  if (follows && path === "") throw new Problem(422, "follow: --follow requires exactly one pathspec; path= names it");
  return { path, follows };
}

/** Opens a log that begins at a revision, or that a cursor continues. */
async function openLog(
  context: Context<ApiEnv>,
  session: BrowseSession,
  { path, follows }: LogSubject,
): Promise<CommitLog> {
  const resumed = await resumedLog(context, session, path, follows);
  if (resumed !== undefined) return resumed.log;
  const { name } = found(await resolveCommit(session, queryRevision(context)));
  return await CommitLog.start(session, name, path, { follows });
}

async function* logPage(
  session: BrowseSession,
  log: CommitLog,
  { limit, follows }: { readonly limit: number; readonly follows: boolean },
): AsyncGenerator<object, undefined> {
  let characters = 0;
  for (let count = 0; count < limit && characters < MOST_MESSAGES; count++) {
    const node = await log.next();
    if (node === undefined) return;
    const commit = await commitByName(session, session.graph.nameOf(node));
    yield follows ? { ...commit, ...namedBytes("path", log.listedPath) } : commit;
    characters += commit.message.length;
  }
}

async function listCommits(context: Context<ApiEnv>): Promise<Response> {
  const limit = queryLimit(context, PAGE.commits, PAGE.mostCommits);
  const { path, follows } = logSubject(context);
  const session = await openSession(context, [queryRevision(context)]);
  return await withSession(session, async () => {
    const log = await openLog(context, session, { path, follows });
    return await streamedJson(context, session, async (json) => {
      await json.list("commits", logPage(session, log, { limit, follows }));
      const position = log.position();
      if (position !== undefined) await json.cursor(formatLogCursor(position, path));
      await json.end();
    });
  });
}

async function showCommit(context: Context<ApiEnv>): Promise<Response> {
  const forms = askedForms(context, requestedRevision);
  const limit = queryLimit(context, PAGE.files, PAGE.mostFiles);
  const cursor = parseCursor(context.req.query("cursor"), filesCursor);
  const session = await openSession(
    context,
    forms.map(({ revisions }) => revisions),
  );
  return await withSession(session, async () => {
    const { asked, named } = await chosenText(forms, async (revision) => await resolveCommit(session, revision));
    const [{ format }, { name }] = [asked, named];
    if (format !== "json") return await sendCommitPatch(context, session, name, format);
    const oid = toHex(name);
    if (cursor !== undefined && cursor.commit !== oid)
      throw new Problem(409, "The revision has moved since the list began; ask by the commit's name to go on with it.");
    const commit = await commitByName(session, name);
    const { graph } = session;
    const node = graph.node(name);
    const after = await treeOf(session, name);
    const [parent] = graph.commits.parentsOf(node);
    const before = parent === undefined ? undefined : await treeOf(session, graph.nameOf(parent));
    return await streamedJson(context, session, async (json) => {
      for (const [member, value] of Object.entries(commit)) await json.member(member, value);
      const behind = await json.list("files", filesPage(session, { before, after }, { limit, behind: cursor?.behind }));
      if (behind !== undefined) await json.cursor(formatCursor({ commit: oid, behind }));
      await json.end();
    });
  });
}

/** The routes of a repository's content, below `/api/v1/repos`. */
export function contentRoutes(): Hono<ApiEnv> {
  const routes = new Hono<ApiEnv>();
  routes.get("/:tenant/:repo/tree/:rev_and_path{[^]+}", DESCRIPTIONS.tree, listTree);
  routes.get("/:tenant/:repo/blob/:rev_and_path{[^]+}", DESCRIPTIONS.blob, showBlob);
  routes.get("/:tenant/:repo/commits", DESCRIPTIONS.commits, listCommits);
  routes.get("/:tenant/:repo/commits/:rev{[^]+}", DESCRIPTIONS.commit, showCommit);
  routes.get("/:tenant/:repo/compare/:revs{[^]+}", DESCRIPTIONS.compare, compareRevisions);
  routes.get("/:tenant/:repo/diff/:revs{[^]+}", DESCRIPTIONS.diff, diffRevisions);
  routes.get("/:tenant/:repo/last-changes/:rev_and_path{[^]+}", DESCRIPTIONS.lastChanges, lastChanges);
  routes.get("/:tenant/:repo/blame/:rev_and_path{[^]+}", DESCRIPTIONS.blame, blameFile);
  routes.get("/:tenant/:repo/activity/:rev_and_path{[^]+}", DESCRIPTIONS.activity, showActivity);
  routes.get("/:tenant/:repo/search", DESCRIPTIONS.search, searchContent);
  routes.get("/:tenant/:repo/files/:rev{[^]+}", DESCRIPTIONS.files, findFilesByPath);
  routes.get("/:tenant/:repo/raw/:rev_and_path{[^]+}", DESCRIPTIONS.raw, rawFile);
  routes.get("/:tenant/:repo/archive/:file{[^]+}", DESCRIPTIONS.archive, archiveFile);
  return routes;
}
