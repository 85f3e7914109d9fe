/**
 * `/api/v1/repos/{tenant}/{repo}/diff/{a}..{b}`: the changed files of two revisions with their lines.
 *
 * @packageDocumentation
 */
import type { Context } from "hono";
import * as v from "valibot";
import { treeOf } from "../../browse/commit.ts";
import type { BrowseSession, Unanswered } from "../../browse/browse-session.ts";
import { compareCommits } from "../../browse/compare.ts";
import { commitMail, seriesMails } from "../../browse/commit-mail.ts";
import { diffFiles } from "../../browse/file-diff.ts";
import { patchChanges, patchText } from "../../browse/patch.ts";
import { type NamedObject, peelToCommit, peelToTree, resolveRevision } from "../../browse/revision.ts";
import type { RevisionSyntax } from "../../browse/revision-syntax.ts";
import { writeCollected } from "../../bytes/collected-sink.ts";
import { toHex } from "../../bytes/hex.ts";
import { DEFAULT_OPTIONS, type DiffOptions } from "../../diff/line-diff.ts";
import { cacheControl, found, withSession } from "../../http/content.ts";
import type { Whitespace } from "../../diff/whitespace.ts";
import { requestedRevision } from "../../http/content-address.ts";
import { Problem } from "../../http/problem.ts";
import { chosenText } from "../../http/text-forms.ts";
import type { ApiEnv } from "../api-host.ts";
import { diffPage } from "./content-diff-json.ts";
import { oidText, PAGE } from "./content-pages.ts";
import { openSession, queryLimit, streamed, streamedJson } from "./content-request.ts";
import { formatCursor, parseCursor } from "./cursor.ts";
import { askedForms } from "./diff-forms.ts";

const diffCursor = v.strictObject({ before: oidText, after: oidText, behind: v.string() });

/** The modes of white space, as the query names them. */
const WHITESPACE = ["exact", "at-eol", "change", "all"] as const;
const MOST_CONTEXT = 1000;

/** The two trees that are compared, raw. */
type Trees = { readonly before: Uint8Array; readonly after: Uint8Array };

/** The same, where the empty tree may be the first. */
type PatchedTrees = { readonly before: Uint8Array | undefined; readonly after: Uint8Array };

/** Returns the white space that counts, by the query. @throws Problem */
export function queryWhitespace(context: Context<ApiEnv>): Whitespace {
  const mode = context.req.query("whitespace");
  const whitespace = WHITESPACE.find((known) => known === (mode ?? "exact"));
  if (whitespace === undefined) throw new Problem(422, `whitespace: one of ${WHITESPACE.join(", ")}`);
  return whitespace;
}

/**
 * Returns how files are compared, by the query.
 *
 * @throws Problem
 */
export function queryDiffOptions(context: Context<ApiEnv>): DiffOptions {
  const whitespace = queryWhitespace(context);
  const lines = context.req.query("context");
  const number = lines === undefined ? DEFAULT_OPTIONS.context : /^\d{1,4}$/.test(lines) ? Number(lines) : Infinity;
  if (number > MOST_CONTEXT) throw new Problem(422, `context: a number from 0 to ${MOST_CONTEXT}`);
  const blanks = context.req.query("ignore_blank_lines");
  if (blanks !== undefined && blanks !== "true" && blanks !== "false")
    throw new Problem(422, "ignore_blank_lines: true or false");
  return { whitespace, context: number, ignoreBlankLines: blanks === "true" };
}

/** Two revisions, and whether the second is compared with their merge base. */
type RevisionRange = {
  readonly revisions: readonly [RevisionSyntax, RevisionSyntax];
  readonly isSinceBase: boolean;
};

/** Splits `{a}...{b}` or `{a}..{b}`. A missing revision is `HEAD`, as in git. */
function requestedRange(text: string): RevisionRange {
  const [, left = "", dots = "", right = ""] = /^(.*?)(\.\.\.?)(.*)$/s.exec(text) ?? [];
  if (dots === "") throw new Problem(404, "Two revisions with .. or ... between them are compared.");
  const one = requestedRevision(left === "" ? "HEAD" : left);
  const two = requestedRevision(right === "" ? "HEAD" : right);
  return { revisions: [one, two], isSinceBase: dots === "..." };
}

/** The two ends of a range, as far as they were found. */
type RangeEnds = {
  readonly kind: "found";
  readonly ends: readonly [NamedObject, NamedObject];
  readonly isSinceBase: boolean;
};

async function endsOf(
  session: BrowseSession,
  { revisions, isSinceBase }: RevisionRange,
): Promise<RangeEnds | Unanswered> {
  const one = await resolveRevision(session, revisions[0]);
  const two = await resolveRevision(session, revisions[1]);
  if (one.kind !== "found") return one;
  return two.kind === "found" ? { kind: "found", ends: [one, two], isSinceBase } : two;
}

/** Returns both ends as commits (raw names). @throws Problem */
async function commitsOfEnds(session: BrowseSession, { ends }: RangeEnds): Promise<ComparedCommits> {
  const from = found(await peelToCommit(session, ends[0])).name;
  return { from, to: found(await peelToCommit(session, ends[1])).name };
}

async function treesOf(session: BrowseSession, range: RangeEnds): Promise<Trees> {
  if (!range.isSinceBase) {
    const before = found(await peelToTree(session, range.ends[0])).name;
    return { before, after: found(await peelToTree(session, range.ends[1])).name };
  }
  return await treesSinceBase(session, await commitsOfEnds(session, range));
}

/** Two commits, raw. */
type ComparedCommits = { readonly from: Uint8Array; readonly to: Uint8Array };

async function treesSinceBase(session: BrowseSession, { from, to }: ComparedCommits): Promise<Trees> {
  const { mergeBases } = await compareCommits(session, { from, to }, { first: 0, count: 0 });
  const [base] = mergeBases;
  if (base === undefined) throw new Problem(422, "The two revisions have no merge base: give them with .. between.");
  return { before: await treeOf(session, base), after: await treeOf(session, to) };
}

/** Answers with the changed files of two revisions. */
export async function diffRevisions(context: Context<ApiEnv>): Promise<Response> {
  const forms = askedForms(context, requestedRange, "differences");
  const options = queryDiffOptions(context);
  const session = await openSession(
    context,
    forms.flatMap(({ revisions }) => revisions.revisions),
  );
  return await withSession(session, async () => {
    const { asked, named } = await chosenText(forms, async (range) => await endsOf(session, range));
    const { format } = asked;
    if (format === "patch") return await sendSeries(context, session, await commitsOfEnds(session, named));
    const trees = await treesOf(session, named);
    return format === "diff"
      ? await sendPatch(context, session, trees, options)
      : await sendJson(context, session, trees, options);
  });
}

/** Answers with what differs between the merge base of two commits and the second one. */
export async function sendComparedPatch(
  context: Context<ApiEnv>,
  session: BrowseSession,
  commits: ComparedCommits,
): Promise<Response> {
  return await sendPatch(context, session, await treesSinceBase(session, commits), queryDiffOptions(context));
}

/** Answers with the mails of the commits that only the second one reaches. */
export async function sendSeries(
  context: Context<ApiEnv>,
  session: BrowseSession,
  commits: ComparedCommits,
): Promise<Response> {
  return await sendText(context, session, "text/x-patch", seriesMails(session, commits, queryDiffOptions(context)));
}

/** Answers with the patch between two trees. */
async function sendPatch(
  context: Context<ApiEnv>,
  session: BrowseSession,
  { before, after }: PatchedTrees,
  options: DiffOptions,
): Promise<Response> {
  const changes = patchChanges(session, before, after);
  return await sendText(context, session, "text/x-diff", patchText(diffFiles(session, changes, options)));
}

async function sendText(
  context: Context<ApiEnv>,
  session: BrowseSession,
  type: "text/x-diff" | "text/x-patch",
  pieces: AsyncIterable<Uint8Array>,
): Promise<Response> {
  const headers = new Headers({
    "Content-Type": `${type}; charset=utf-8`,
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": cacheControl(session),
    Vary: "Authorization, Accept",
  });
  return await streamed(context, session, { headers }, async (output) => {
    session.parkWhileWaiting();
    session.allowStream();
    await writeCollected(output, pieces);
  });
}

/** Answers with what a commit (raw name) changed beside its first parent, or with the commit as a mail. */
export async function sendCommitPatch(
  context: Context<ApiEnv>,
  session: BrowseSession,
  name: Uint8Array,
  format: "diff" | "patch",
): Promise<Response> {
  const options = queryDiffOptions(context);
  const { graph } = session;
  const after = await treeOf(session, name);
  const [parent, other] = graph.commits.parentsOf(graph.node(name)).slice();
  const before = parent === undefined ? undefined : await treeOf(session, graph.nameOf(parent));
  if (format === "diff") return await sendPatch(context, session, { before, after }, options);
  if (other !== undefined)
    throw new Problem(422, "A merge is no patch that can be mailed; format=diff shows its changes.");
  return await sendText(context, session, "text/x-patch", commitMail(session, { name, before, after }, options));
}

async function sendJson(
  context: Context<ApiEnv>,
  session: BrowseSession,
  { before, after }: Trees,
  options: DiffOptions,
): Promise<Response> {
  const limit = queryLimit(context, PAGE.files, PAGE.mostFiles);
  const cursor = parseCursor(context.req.query("cursor"), diffCursor);
  const ends = { before: toHex(before), after: toHex(after) };
  if (cursor !== undefined && (cursor.before !== ends.before || cursor.after !== ends.after))
    throw new Problem(409, "A revision has moved since the list began; ask by the commits' names to go on with it.");
  return await streamedJson(context, session, async (json) => {
    await json.member("old_tree", ends.before);
    await json.member("new_tree", ends.after);
    const page = { limit, behind: cursor?.behind };
    const last = await json.list("files", diffPage(session, { before, after, options }, page));
    if (last !== undefined) await json.cursor(formatCursor({ ...ends, behind: last }));
    await json.end();
  });
}
