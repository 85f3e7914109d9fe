/**
 * The search for the last changes of a directory's entries that goes on where the last view of its page ended.
 *
 * @packageDocumentation
 */
import type { BrowseSession } from "../browse/browse-session.ts";
import { type LastChange, LastChanges } from "../browse/last-changes.ts";
import type { DirectoryEntry } from "../browse/tree-at.ts";
import { toHex } from "../bytes/hex.ts";
import type { Begun, BegunChanges, LastCommit } from "./begun-changes.ts";
import { namedCommit } from "./commit-line.tsx";
import { copied } from "./remembered.ts";
import { splitMessage } from "./texts.ts";

/** A directory of a commit (raw name). */
export type ChangedDirectory = {
  readonly commit: Uint8Array;
  /** One character per byte. */
  readonly path: string;
  /** Its entries, or the first of them, in git's order. */
  readonly entries: readonly DirectoryEntry[];
};

/** How far a search goes on in one view: steps of the whole request, and the search's reads of the store. */
export type Effort = { readonly steps: number; readonly reads?: number };

/**
 * Goes on with the search, as far as `effort` says. The visitor has been shown the commit. Returns the commits that
 * were found so far, by the numbers of entries.
 */
export async function findChanges(
  session: BrowseSession,
  begun: BegunChanges,
  { commit, path, entries }: ChangedDirectory,
  { steps, reads }: Effort,
): Promise<ReadonlyMap<number, LastCommit>> {
  const key = `${session.answer.record.id} ${toHex(commit)} ${entries.length} ${path}`;
  const known: Begun = begun.read(key) ?? {
    found: new Map<number, LastCommit>(),
    pending: [{ commit, entries: entries.map((_, at) => at) }],
  };
  if (known.pending.length === 0) return known.found;
  const search = await LastChanges.resume(session, path, entries, known.pending);
  if (search === undefined) return known.found;
  const changes: LastChange[] = [];
  for await (const change of search.run(steps, reads)) changes.push(change);
  const found = new Map(known.found);
  const commits = new Map<string, LastCommit>();
  for (const { entry, commit: name } of changes) {
    const oid = toHex(name);
    const last = commits.get(oid) ?? (await lastCommit(session, name));
    commits.set(oid, last);
    found.set(entry, last);
  }
  begun.keep(key, { found, pending: search.pending() });
  return found;
}

async function lastCommit(session: BrowseSession, name: Uint8Array): Promise<LastCommit> {
  const { oid, commit } = await namedCommit(session, name);
  const { time = 0, zone = "" } = commit.committer ?? {};
  const committed = commit.committer === undefined ? undefined : { time, zone: copied(zone) };
  return { oid, subject: copied(splitMessage(commit.message).subject), committed };
}
