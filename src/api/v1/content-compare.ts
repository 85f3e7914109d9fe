/**
 * `/api/v1/repos/{tenant}/{repo}/compare/{a}...{b}`.
 *
 * @packageDocumentation
 */
import type { Context } from "hono";
import * as v from "valibot";
import { treeOf } from "../../browse/commit.ts";
import type { BrowseSession } from "../../browse/browse-session.ts";
import { compareCommits, type Comparison } from "../../browse/compare.ts";
import { toHex } from "../../bytes/hex.ts";
import { requestedComparison, resolveComparison } from "../../http/compared-commits.ts";
import { withSession } from "../../http/content.ts";
import { Problem } from "../../http/problem.ts";
import { chosenText } from "../../http/text-forms.ts";
import type { ApiEnv } from "../api-host.ts";
import { filesPage, number, oidText, MOST_MESSAGES, PAGE, commitByName } from "./content-pages.ts";
import { sendComparedPatch, sendSeries } from "./content-diff.ts";
import { openSession, queryLimit, streamedJson, type JsonWriter } from "./content-request.ts";
import { formatCursor, parseCursor } from "./cursor.ts";
import { askedForms } from "./diff-forms.ts";

const commitsCursor = v.strictObject({ from: oidText, to: oidText, at: number });
const filesCursor = v.strictObject({ from: oidText, to: oidText, behind: v.string() });

type Ends = { readonly from: string; readonly to: string };

function statusOf({ ahead, behind }: Comparison): string {
  if (ahead > 0) return behind > 0 ? "diverged" : "ahead";
  return behind > 0 ? "behind" : "identical";
}

/** Yields the commits of a page, which ends early where their messages are long. Returns how many there were. */
async function* commitsPage(session: BrowseSession, names: readonly Uint8Array[]): AsyncGenerator<object, number> {
  let [count, characters] = [0, 0];
  for (const name of names) {
    if (characters >= MOST_MESSAGES) break;
    const commit = await commitByName(session, name);
    characters += commit.message.length;
    count++;
    yield commit;
  }
  return count;
}

/**
 * Refuses to continue a list whose ends have moved.
 *
 * @throws Problem
 */
function assertSame(cursor: Ends | undefined, ends: Ends): void {
  if (cursor === undefined || (cursor.from === ends.from && cursor.to === ends.to)) return;
  throw new Problem(409, "A revision has moved since the list began; ask by the commits' names to go on with it.");
}

/** Returns the tree that the files are compared with: that of the merge base, or of the youngest of several. */
async function baseTree(session: BrowseSession, { mergeBases }: Comparison): Promise<Uint8Array | undefined> {
  const [base] = mergeBases;
  return base === undefined ? undefined : await treeOf(session, base);
}

/** Answers with the relation of two revisions, with their differences, or with the mails of the commits between. */
export async function compareRevisions(context: Context<ApiEnv>): Promise<Response> {
  const forms = askedForms(context, requestedComparison);
  const count = queryLimit(context, PAGE.commits, PAGE.mostCommits);
  const cursor = parseCursor(context.req.query("cursor"), commitsCursor);
  const fileCursor = parseCursor(context.req.query("files_cursor"), filesCursor);
  const session = await openSession(
    context,
    forms.flatMap(({ revisions }) => revisions),
  );
  return await withSession(session, async () => {
    const { asked, named } = await chosenText(forms, async (ends) => await resolveComparison(session, ends));
    const { format } = asked;
    const { from, to } = named;
    if (format === "diff") return await sendComparedPatch(context, session, named);
    if (format === "patch") return await sendSeries(context, session, named);
    const ends = { from: toHex(from), to: toHex(to) };
    assertSame(cursor, ends);
    assertSame(fileCursor, ends);
    // Without a cursor the list begins at its first entry.
    const first = cursor?.at ?? 0;
    const comparison = await compareCommits(session, { from, to }, { first, count });
    const before = await baseTree(session, comparison);
    const after = await treeOf(session, to);
    return await streamedJson(context, session, async (json) => {
      await json.member("from", ends.from);
      await json.member("to", ends.to);
      await json.member("status", statusOf(comparison));
      await json.member("ahead", comparison.ahead);
      await json.member("behind", comparison.behind);
      await json.member(
        "merge_bases",
        comparison.mergeBases.map((name) => toHex(name)),
      );
      const next = first + (await json.list("commits", commitsPage(session, comparison.commits)));
      if (next < comparison.ahead) await json.cursor(formatCursor({ ...ends, at: next }));
      await writeFiles(json, session, { before, after, ends, behind: fileCursor?.behind });
      await json.end();
    });
  });
}

type Files = {
  readonly before: Uint8Array | undefined;
  readonly after: Uint8Array;
  readonly ends: Ends;
  readonly behind: string | undefined;
};

/** Unrelated histories have no base to compare files with, so no files are listed; `git diff a...b` refuses. */
async function writeFiles(
  json: JsonWriter,
  session: BrowseSession,
  { before, after, ends, behind }: Files,
): Promise<void> {
  if (before === undefined) {
    await json.member("files", null);
    return;
  }
  const last = await json.list("files", filesPage(session, { before, after }, { limit: PAGE.files, behind }));
  if (last !== undefined) await json.member("files_cursor", formatCursor({ ...ends, behind: last }));
}
