/**
 * `/api/v1/repos/{tenant}/{repo}/last-changes`, `/blame`: which commits the entries of a directory, and the lines of a
 * file, come from.
 *
 * @packageDocumentation
 */
import type { Context } from "hono";
import * as v from "valibot";
import { Blame, type BlameRange, type PendingLines } from "../../browse/blame.ts";
import type { BrowseSession } from "../../browse/browse-session.ts";
import { LastChanges, type PendingEntries } from "../../browse/last-changes.ts";
import { peelToTree } from "../../browse/revision.ts";
import { type DirectoryEntry, findPath, listEntries } from "../../browse/tree-at.ts";
import { readIgnoredRevisions } from "../../browse/ignored-revisions.ts";
import { itemAt } from "../../bytes/assert.ts";
import { equal } from "../../bytes/chunk.ts";
import { toHex } from "../../bytes/hex.ts";
import { queryBytes, withoutSlashes } from "../../http/content-address.ts";
import { found } from "../../http/content.ts";
import { Problem } from "../../http/problem.ts";
import type { ApiEnv } from "../api-host.ts";
import { entryJson, namedBytes } from "./content-json.ts";
import { number, oidText, PAGE, rawOid, commitsOf } from "./content-pages.ts";
import { queryWhitespace } from "./content-diff.ts";
import { atRequestedPath, queryLimit, streamedJson } from "./content-request.ts";
import { formatCursor, parseCursor } from "./cursor.ts";
import { cutPending, linesOf, numbersOf, rangesOf } from "./history-cursor.ts";

const lastChangesCursor = v.strictObject({
  commit: oidText,
  at: number,
  pending: v.nullable(v.array(v.tuple([oidText, v.array(number)]))),
});
const blameCursor = v.strictObject({
  commit: oidText,
  /** How the lines are compared, and the list of commits that are passed over. */
  by: v.string(),
  rest: number,
  pending: v.array(v.tuple([oidText, v.string(), v.array(number)])),
});

/** A commit and a path in it. Names are raw. */
type Place = { readonly commit: Uint8Array; readonly tree: Uint8Array; readonly path: string };

const BAD_CURSOR = "cursor: not one that this list gave";

/** Runs `serve` for the commit and path in the address. */
async function atPlace(
  context: Context<ApiEnv>,
  serve: (session: BrowseSession, place: Place) => Promise<Response>,
): Promise<Response> {
  return await atRequestedPath(context, async (session, object) => {
    const root = found(await peelToTree(session, object));
    if (root.commit === undefined) throw new Problem(422, "A commit is needed here: a tree has no history.");
    return await serve(session, { commit: root.commit, tree: root.name, path: object.path });
  });
}

function assertUnmoved(cursor: { readonly commit: string } | undefined, commit: Uint8Array): void {
  if (cursor !== undefined && cursor.commit !== toHex(commit))
    throw new Problem(409, "The revision has moved since the list began; ask by the commit's name to go on with it.");
}

/** Answers with the last changes of a directory's entries. */
export async function lastChanges(context: Context<ApiEnv>): Promise<Response> {
  const limit = queryLimit(context, PAGE.entries, PAGE.entries * 3);
  const cursor = parseCursor(context.req.query("cursor"), lastChangesCursor);
  return await atPlace(context, async (session, { commit, tree, path }) => {
    assertUnmoved(cursor, commit);
    const directory = found(await findPath(session, tree, path));
    if (directory.type !== "tree") throw new Problem(422, "This is no directory; commits?path= lists its changes.");
    const at = cursor?.at ?? 0; // Without a cursor the list begins at its first entry.
    const all = await listEntries(session, directory.oid, { first: at, count: limit + 1 });
    const entries = all.slice(0, limit);
    const begun = cursor?.pending ?? undefined; // A page that begins with its entries has none.
    const pending = begun === undefined ? undefined : pendingEntries(session, begun, entries.length);
    const search = await LastChanges.start(session, path, entries, pending ?? [wholeOf(commit, entries)]);
    if (search === undefined) throw new Problem(422, BAD_CURSOR);
    const changes = new Map<number, Uint8Array>();
    for await (const change of search.run()) changes.set(change.entry, change.commit);
    const next = nextEntries(search.pending(), { at, entries, isLast: all.length === entries.length });
    return await streamedJson(context, session, async (json) => {
      await json.member("commit", toHex(commit));
      for (const [member, value] of Object.entries(namedBytes("path", path))) await json.member(member, value);
      await json.list("entries", changedEntries(entries, changes));
      await json.list("commits", commitsOf(session, changes.values()));
      if (next !== undefined) await json.cursor(formatCursor({ commit: toHex(commit), ...next }));
      await json.end();
    });
  });
}

function pendingEntries(
  session: BrowseSession,
  pending: NonNullable<v.InferOutput<typeof lastChangesCursor>["pending"]>,
  most: number,
): PendingEntries[] {
  const numbers = numbersOf(
    pending.map(([, ranges]) => ranges),
    most,
  );
  return pending.map(([oid], at) => ({ commit: rawOid(session, oid), entries: itemAt(numbers, at) }));
}

function pendingLines(
  session: BrowseSession,
  pending: v.InferOutput<typeof blameCursor>["pending"],
  most: number,
): PendingLines[] {
  const lines = linesOf(
    pending.map(([, , triples]) => triples),
    most,
  );
  return pending.map(([oid, path], at) => ({ commit: rawOid(session, oid), path, lines: itemAt(lines, at) }));
}

function wholeOf(commit: Uint8Array, entries: readonly DirectoryEntry[]): PendingEntries {
  return { commit, entries: entries.map((_, at) => at) };
}

type EntriesPage = {
  readonly at: number;
  readonly entries: readonly DirectoryEntry[];
  readonly isLast: boolean;
};

/** Returns where the list goes on: with entries whose change was not found, else with those behind them. */
function nextEntries(pending: readonly PendingEntries[], page: EntriesPage): object | undefined {
  if (pending.length > 0)
    return { at: page.at, pending: pending.map(({ commit, entries }) => [toHex(commit), rangesOf(entries)]) };
  if (page.isLast) return undefined;
  return { at: page.at + page.entries.length, pending: null };
}

async function* changedEntries(
  entries: readonly DirectoryEntry[],
  changes: ReadonlyMap<number, Uint8Array>,
): AsyncGenerator<object, undefined> {
  for (const [at, entry] of entries.entries()) {
    const commit = changes.get(at);
    if (commit !== undefined) yield { ...entryJson(entry, undefined), commit: toHex(commit) };
  }
}

/** Returns the path of the list of commits that are passed over; "" if there is none. */
function ignoredPath(context: Context<ApiEnv>): string {
  return withoutSlashes(queryBytes(context.req.url, "ignore_revs"));
}

/** Returns the commits that the query has passed over: those of the list at `ignore_revs`. @throws Problem */
async function queryIgnored(
  context: Context<ApiEnv>,
  session: BrowseSession,
  tree: Uint8Array,
): Promise<ReadonlySet<string>> {
  const path = ignoredPath(context);
  if (path === "") return new Set();
  const list = await readIgnoredRevisions(session, tree, path);
  if (list.kind !== "found") throw new Problem(422, `ignore_revs: ${list.detail}`);
  return list.names;
}

/** Answers with the commits that the lines of a file come from. */
export async function blameFile(context: Context<ApiEnv>): Promise<Response> {
  const cursor = parseCursor(context.req.query("cursor"), blameCursor);
  const whitespace = queryWhitespace(context);
  const by = `${whitespace} ${ignoredPath(context)}`;
  if (cursor !== undefined && cursor.by !== by) throw new Problem(422, BAD_CURSOR);
  return await atPlace(context, async (session, { commit, tree, path }) => {
    assertUnmoved(cursor, commit);
    const ignored = await queryIgnored(context, session, tree);
    const count = await Blame.countLines(session, commit, path);
    if (count === undefined) throw new Problem(404, "There is no file at this path.");
    const rest = Math.min(cursor?.rest ?? count, count);
    const begun = cursor === undefined ? undefined : pendingLines(session, cursor.pending, rest);
    const isBegun = begun !== undefined && begun.length > 0;
    const from = cursor === undefined ? 0 : rest;
    const pending = isBegun ? begun : [{ commit, path, lines: [{ line: from, count: count - from, source: from }] }];
    const blame = await Blame.start(session, pending, { whitespace, ignored });
    if (blame === undefined) throw new Problem(422, BAD_CURSOR);
    const ranges: BlameRange[] = [];
    for await (const range of blame.run()) ranges.push(range);
    const end = isBegun ? rest : count;
    const { fitting, rest: cut } = cutPending(blame.pending(), end);
    const shown = joined(ranges.filter(({ line }) => line < cut));
    return await streamedJson(context, session, async (json) => {
      await json.member("commit", toHex(commit));
      for (const [member, value] of Object.entries(namedBytes("path", path))) await json.member(member, value);
      await json.member("lines", count);
      await json.member("ranges", shown.map(rangeJson));
      await json.list(
        "commits",
        commitsOf(
          session,
          shown.map((range) => range.commit),
        ),
      );
      if (fitting.length > 0 || cut < count)
        await json.cursor(formatCursor({ commit: toHex(commit), by, rest: cut, pending: fitting.map(pendingJson) }));
      await json.end();
    });
  });
}

function rangeJson({ line, count, source, commit, path }: BlameRange): object {
  return { line: line + 1, count, commit: toHex(commit), ...namedBytes("path", path), original_line: source + 1 };
}

function pendingJson({ commit, path, lines }: PendingLines): [string, string, number[]] {
  return [toHex(commit), path, lines.flatMap(({ line, count, source }) => [line, count, source])];
}

/** Returns ranges in the order of their lines. Those that follow each other in both files are joined. */
function joined(ranges: readonly BlameRange[]): BlameRange[] {
  const result: BlameRange[] = [];
  for (const range of ranges.toSorted((a, b) => a.line - b.line)) {
    const last = result.at(-1);
    const follows =
      last !== undefined &&
      last.line + last.count === range.line &&
      last.source + last.count === range.source &&
      last.path === range.path &&
      equal(last.commit, range.commit);
    if (follows) result[result.length - 1] = { ...last, count: last.count + range.count };
    else result.push(range);
  }
  return result;
}
