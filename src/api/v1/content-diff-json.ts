/**
 * Shows changed files with their lines as JSON.
 *
 * @packageDocumentation
 */
import type { BrowseSession } from "../../browse/browse-session.ts";
import { type DiffedFile, diffFiles } from "../../browse/file-diff.ts";
import { patchChanges } from "../../browse/patch.ts";
import type { ChangedFile } from "../../browse/renames.ts";
import { concat } from "../../bytes/chunk.ts";
import { hunkBody } from "../../diff/hunk-lines.ts";
import { diffHunks, type DiffOptions, type Hunk, type LineDiff } from "../../diff/line-diff.ts";
import { textOf } from "../../object/byte-text.ts";
import { changeJson, namedBytes } from "./content-json.ts";
import type { FilesPage } from "./content-pages.ts";

/** The bytes of a file's hunks that are shown. */
const MOST_HUNK_BYTES = 512 * 1024;

/** What is compared, and how. */
export type DiffedTrees = {
  readonly before: Uint8Array | undefined;
  readonly after: Uint8Array;
  readonly options: DiffOptions;
};

/** Yields the changed files of a page with their lines. Returns the path after which the next page begins. */
export async function* diffPage(
  session: BrowseSession,
  { before, after, options }: DiffedTrees,
  { limit, behind }: FilesPage,
): AsyncGenerator<object, string | undefined> {
  let last: string | undefined;
  let count = 0;
  const changes = laterThan(patchChanges(session, before, after), behind);
  for await (const file of diffFiles(session, changes, options)) {
    const { path } = file.change;
    // Both parts of a file that became of another type are on one page.
    if (path !== last && (count++ === limit || (session.pageIsFull && last !== undefined))) return last;
    yield diffedJson(file);
    last = path;
  }
  return undefined;
}

/** Yields the changes behind a path. Those before are needed, too: a rename may go from one side to the other. */
async function* laterThan(
  changes: AsyncIterable<ChangedFile>,
  behind: string | undefined,
): AsyncGenerator<ChangedFile, undefined> {
  for await (const change of changes) if (behind === undefined || change.path > behind) yield change;
}

function diffedJson({ change, content }: DiffedFile): object {
  const shown = content.kind === "lines" ? hunksJson(content.lines) : { additions: 0, deletions: 0, hunks: null };
  return {
    ...changeJson(change),
    binary: content.kind === "binary",
    too_large: content.kind === "large" || (content.kind === "lines" && shown.hunks === null),
    ...shown,
    ...(content.kind === "same" && { hunks: [] }),
  };
}

function hunksJson(lines: LineDiff): { additions: number; deletions: number; hunks: object[] | null } {
  let [additions, deletions, bytes] = [0, 0, 0];
  const hunks: object[] = [];
  for (const hunk of diffHunks(lines)) {
    for (const { before, after } of hunk.changes) {
      additions += after.end - after.start;
      deletions += before.end - before.start;
    }
    if (bytes > MOST_HUNK_BYTES) continue;
    const pieces: Uint8Array[] = [];
    for (const piece of hunkBody(lines, hunk)) {
      bytes += piece.length;
      if (bytes > MOST_HUNK_BYTES) break;
      pieces.push(piece);
    }
    hunks.push(hunkJson(hunk, concat(pieces)));
  }
  return { additions, deletions, hunks: bytes > MOST_HUNK_BYTES ? null : hunks };
}

function hunkJson({ before, after, heading }: Hunk, body: Uint8Array): object {
  return {
    old_start: before.start + 1,
    old_lines: before.end - before.start,
    new_start: after.start + 1,
    new_lines: after.end - after.start,
    ...namedBytes("heading", textOf(heading)),
    ...namedBytes("text", textOf(body)),
  };
}
