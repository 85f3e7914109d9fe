/**
 * The common parts of the lists that the routes of a repository's content answer with.
 *
 * @packageDocumentation
 */
import * as v from "valibot";
import type { BrowseSession } from "../../browse/browse-session.ts";
import { MOST_MESSAGE, readCutCommit } from "../../browse/commit.ts";
import { diffTrees } from "../../browse/tree-diff.ts";
import { fromHex, toHex } from "../../bytes/hex.ts";
import { cacheControl } from "../../http/content.ts";
import { Problem } from "../../http/problem.ts";
import { changeJson, commitJson, type ShownCommit } from "./content-json.ts";

/** The usual and the most commits, entries and files of a page. */
export const PAGE = { commits: 30, mostCommits: 100, entries: 100, mostEntries: 1000, files: 300, mostFiles: 3000 };

/** Characters of messages after which a page of commits ends before it is full. */
export const MOST_MESSAGES = 1024 * 1024;
/** Characters of each further message of a list that can't end before it is full. */
const SHORT_MESSAGE = 1000;

/** A full object name. */
export const oidText = v.pipe(v.string(), v.regex(/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/));
/** A position in a list, or a time. */
export const number = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(Number.MAX_SAFE_INTEGER));
/** The headers of an answer in JSON. */
export function jsonHeaders(session: BrowseSession): Record<string, string> {
  return { "Content-Type": "application/json", "Cache-Control": cacheControl(session) };
}

/**
 * Returns an object name from a cursor, raw.
 *
 * @throws Problem if it is not a name of the repository's hash function.
 */
export function rawOid(session: BrowseSession, hex: string): Uint8Array {
  const raw = fromHex(hex);
  if (raw === undefined || raw.length !== session.format.rawSize)
    throw new Problem(422, "cursor: not one that this list gave");
  return raw;
}

/** Reads a commit, and shows it as JSON, with at most this many characters of its message. */
export async function commitByName(
  session: BrowseSession,
  name: Uint8Array,
  most = MOST_MESSAGE,
): Promise<ShownCommit> {
  return commitJson(name, await readCutCommit(session, name, most));
}

/** Yields the commits of these names, each once. Where their messages are long, the later ones are shown in part. */
export async function* commitsOf(
  session: BrowseSession,
  names: Iterable<Uint8Array>,
): AsyncGenerator<object, undefined> {
  const unique = new Map([...names].map((name) => [toHex(name), name]));
  let characters = 0;
  for (const name of unique.values()) {
    const commit = await commitByName(session, name, characters < MOST_MESSAGES ? undefined : SHORT_MESSAGE);
    characters += commit.message.length;
    yield commit;
  }
}

/** The number of files on a page, and the path after which it begins. */
export type FilesPage = { readonly limit: number; readonly behind: string | undefined };

/** Yields the changed files of a page. Returns the path after which the next page begins. */
export async function* filesPage(
  session: BrowseSession,
  trees: { readonly before: Uint8Array | undefined; readonly after: Uint8Array },
  { limit, behind }: FilesPage,
): AsyncGenerator<object, string | undefined> {
  let last: string | undefined;
  let count = 0;
  for await (const change of diffTrees(session, trees.before, trees.after, behind)) {
    if (count++ === limit || (session.pageIsFull && last !== undefined)) return last;
    yield changeJson(change);
    last = change.path;
  }
  return undefined;
}
