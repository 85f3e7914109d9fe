/**
 * `/api/v3/repos/{tenant}/{repo}/commits`, `/compare`, `/statuses`: history, differences, and what checks say.
 *
 * @packageDocumentation
 */
import { Hono, type Context } from "hono";
import * as v from "valibot";
import type { BrowseSession } from "../../browse/browse-session.ts";
import { treeOf } from "../../browse/commit.ts";
import { compareCommits } from "../../browse/compare.ts";
import { resolveCommit } from "../../browse/revision.ts";
import { fromHex } from "../../bytes/hex.ts";
import { DEFAULT_OPTIONS } from "../../diff/line-diff.ts";
import { found } from "../../http/content.ts";
import { comparedRevisions, percentEncoded, queryBytes, requestedRevision } from "../../http/content-address.ts";
import type { ApiEnv } from "../api-host.ts";
import { diffPage } from "../v1/content-diff-json.ts";
import { openSession } from "../v1/content-request.ts";
import { acceptedForm, answer, formed, GitHubProblem, linkHeader, requestedPage } from "./answers.ts";
import { ask, askJson, done } from "./asking.ts";
import { readCommitJson, restOf, withRevision } from "./reading.ts";
import { type CommitJson, commitJson, commitShape, encodedPath, type Place, placeOf } from "./shapes.ts";

/** Files of a commit or a comparison that are shown, as many as GitHub shows. */
const MOST_FILES = 300;
/** Characters of messages after which a page ends before it is full. */
const MOST_MESSAGES = 1024 * 1024;
/** Characters of the patches of all files of an answer: the files behind have none. */
const MOST_PATCH_CHARACTERS = 2 * 1024 * 1024;
/** Commits that a page number may pass over. Beyond, clients follow `Link`. */
const MOST_SKIPPED = 1000;
/** Commits that version 1 gives at once, and requests to it for one page. */
const AT_ONCE = 100;
const MOST_REQUESTS = 20;
/** Filters of GitHub's that this host has not: an answer must not look as if they had been applied. */
const UNKNOWN_FILTERS = ["author", "committer"];

const logJson = v.object({ commits: v.array(commitJson), cursor: v.optional(v.string()) });

/** The instants between which commits are listed, in seconds since the epoch. */
type Span = { readonly since: number; readonly until: number };

function instant(context: Context<ApiEnv>, name: string, usual: number): number {
  const text = context.req.query(name);
  if (text === undefined) return usual;
  const time = Date.parse(text);
  if (Number.isNaN(time)) throw new GitHubProblem(422, `${name}: not a time such as 2026-01-31T12:00:00Z`);
  return time / 1000;
}

function isWithin({ committer }: CommitJson, { since, until }: Span): boolean {
  const time = committer?.time ?? 0; // Without a committer, a commit is of the epoch, as for git.
  return time >= since && time <= until;
}

async function list(context: Context<ApiEnv>): Promise<Response> {
  for (const name of UNKNOWN_FILTERS) {
    if (context.req.query(name) !== undefined)
      throw new GitHubProblem(422, `${name}: commits can't be chosen by it here`);
  }
  const page = requestedPage(context);
  const span = { since: instant(context, "since", -Infinity), until: instant(context, "until", Infinity) };
  const given = context.req.query("cursor");
  let skip = given === undefined ? (page.number - 1) * page.size : 0;
  if (skip > MOST_SKIPPED) throw new GitHubProblem(422, "page: follow the links of earlier pages to come here");
  const [sha, path] = ["sha", "path"].map((name) => queryBytes(context.req.url, name));
  const query = { ...(sha === "" ? {} : { rev: sha }), ...(path === "" ? {} : { path }) };
  const commits: CommitJson[] = [];
  let cursor = given;
  let isFull = false;
  for (let requests = 0; requests < MOST_REQUESTS && commits.length < page.size && !isFull; requests++) {
    const limit = String(Math.min(AT_ONCE, skip > 0 ? skip : page.size - commits.length));
    const more = cursor === undefined ? {} : { cursor };
    const log = await askJson(context, { path: "/commits", query: { ...query, limit, ...more } }, logJson);
    const within = log.commits.filter((commit) => isWithin(commit, span));
    if (skip > 0) skip -= within.length;
    else commits.push(...within);
    isFull = commits.reduce((sum, { message }) => sum + message.length, 0) > MOST_MESSAGES;
    cursor = log.cursor;
    if (cursor === undefined) break;
  }
  const place = placeOf(context);
  const next = cursor === undefined ? undefined : { cursor, page: String(page.number + 1) };
  const links = linkHeader(context, page, next);
  return answer(
    context,
    commits.map((commit) => commitShape(place, commit)),
    200,
    links,
  );
}

const hunk = v.object({
  old_start: v.number(),
  old_lines: v.number(),
  new_start: v.number(),
  new_lines: v.number(),
  heading: v.string(),
  text: v.string(),
});
const fileJson = v.object({
  status: v.string(),
  path: v.string(),
  old_path: v.optional(v.string()),
  old_oid: v.optional(v.string()),
  new_oid: v.optional(v.string()),
  additions: v.number(),
  deletions: v.number(),
  hunks: v.nullable(v.array(hunk)),
});
type FileJson = v.InferOutput<typeof fileJson>;

const STATUSES: Readonly<Record<string, string>> = {
  A: "added",
  D: "removed",
  M: "modified",
  T: "changed",
  R: "renamed",
};

function range(start: number, lines: number): string {
  // As in a patch, an empty side begins one line earlier.
  const from = lines === 0 ? start - 1 : start;
  return lines === 1 ? String(from) : `${from},${lines}`;
}

function patchOf(hunks: FileJson["hunks"]): object {
  if (hunks === null || hunks.length === 0) return {};
  const text = hunks
    .map((each) => {
      const heading = each.heading === "" ? "" : ` ${each.heading}`;
      const ranges = `-${range(each.old_start, each.old_lines)} +${range(each.new_start, each.new_lines)}`;
      return `@@ ${ranges} @@${heading}\n${each.text}`;
    })
    .join("");
  return { patch: text.replace(/\n$/, "") };
}

function fileShape(place: Place, ref: string, file: FileJson): object {
  const path = encodedPath(file.path);
  const { additions, deletions } = file;
  return {
    sha: file.new_oid ?? file.old_oid ?? null,
    filename: file.path,
    status: STATUSES[file.status] ?? "changed",
    additions,
    deletions,
    changes: additions + deletions,
    blob_url: `${place.html}/blob/${ref}/${path}`,
    raw_url: `${place.html}/raw/${ref}/${path}`,
    contents_url: `${place.api}/contents/${path}?ref=${ref}`,
    ...(file.old_path === undefined ? {} : { previous_filename: file.old_path }),
    ...patchOf(file.hunks),
  };
}

/** Returns the files in which two trees (raw names) differ. */
async function filesOf(
  session: BrowseSession,
  trees: { readonly before: Uint8Array | undefined; readonly after: Uint8Array },
): Promise<FileJson[]> {
  const files: FileJson[] = [];
  let characters = 0;
  const page = diffPage(session, { ...trees, options: DEFAULT_OPTIONS }, { limit: MOST_FILES, behind: undefined });
  for await (const each of page) {
    const file = v.parse(fileJson, each);
    for (const { text } of file.hunks ?? []) characters += text.length; // A file without hunks has none.
    files.push(characters > MOST_PATCH_CHARACTERS ? { ...file, hunks: null } : file);
  }
  return files;
}

async function show(context: Context<ApiEnv>): Promise<Response> {
  const rev = restOf(context, 1);
  const format = acceptedForm(context);
  if (format === "sha") return await showName(context, rev);
  if (format === "diff" || format === "patch") {
    const text = await done(await ask(context, { path: `/commits/${percentEncoded(rev)}`, query: { format } }));
    return formed(text.body, format);
  }
  const place = placeOf(context);
  return await withRevision(context, rev, async (session, { name }) => {
    const commit = await readCommitJson(session, name);
    const [parent] = commit.parents;
    const raw = parent === undefined ? undefined : fromHex(parent);
    const before = raw === undefined ? undefined : await treeOf(session, raw);
    const files = await filesOf(session, { before, after: await treeOf(session, name) });
    const sum = (member: "additions" | "deletions"): number => files.reduce((all, file) => all + file[member], 0);
    const stats = { additions: sum("additions"), deletions: sum("deletions") };
    return answer(context, {
      ...commitShape(place, commit),
      stats: { total: stats.additions + stats.deletions, ...stats },
      files: files.map((file) => fileShape(place, commit.oid, file)),
    });
  });
}

async function showName(context: Context<ApiEnv>, rev: string): Promise<Response> {
  return await withRevision(context, rev, async (session, { name }) => {
    const { oid } = await readCommitJson(session, name);
    return formed(oid, "sha");
  });
}

/** Takes the owner away that GitHub's clients put before a branch, if it is this repository's. */
function withoutOwner(context: Context<ApiEnv>, revision: string): string {
  const { tenant = "" } = context.req.param(); // Every route here has one.
  const at = revision.indexOf(":");
  if (at < 0) return revision;
  if (revision.slice(0, at).toLowerCase() !== tenant.toLowerCase()) throw new GitHubProblem(404, "Not Found");
  return revision.slice(at + 1);
}

async function compare(context: Context<ApiEnv>): Promise<Response> {
  const given = restOf(context, 1);
  const format = acceptedForm(context);
  const revisions = comparedRevisions(given).map((each) => withoutOwner(context, each));
  if (format === "diff") {
    const path = `/diff/${percentEncoded(revisions.join("..."))}`;
    return formed((await done(await ask(context, { path, query: { format } }))).body, format);
  }
  if (format === "patch") throw new GitHubProblem(415, "A comparison is given as JSON, or as a diff.");
  const parsed = revisions.map((each) => requestedRevision(each));
  const session = await openSession(context, parsed);
  try {
    const names: Uint8Array[] = [];
    for (const revision of parsed) names.push(found(await resolveCommit(session, revision)).name);
    const [from, to] = names;
    if (from === undefined || to === undefined) throw new Error("two revisions are two names");
    return await compared(context, session, { from, to });
  } finally {
    session.close();
  }
}

async function compared(
  context: Context<ApiEnv>,
  session: BrowseSession,
  { from, to }: { readonly from: Uint8Array; readonly to: Uint8Array },
): Promise<Response> {
  const place = placeOf(context);
  const page = requestedPage(context);
  const { mergeBases, ahead, behind, commits: names } = await compareCommits(session, { from, to }, { first: 0, count: Infinity }); // prettier-ignore
  const first = (page.number - 1) * page.size;
  const commits: object[] = [];
  let characters = 0;
  // The oldest come first.
  for (const name of names.toReversed().slice(first, first + page.size)) {
    const commit = await readCommitJson(session, name);
    characters += commit.message.length;
    if (characters > MOST_MESSAGES && commits.length > 0)
      throw new GitHubProblem(
        403,
        "The messages of these commits are too large for one answer: ask with a lower per_page.",
      );
    commits.push(commitShape(place, commit));
  }
  const [base] = mergeBases;
  if (base === undefined) throw new GitHubProblem(404, "No common ancestor between the two");
  const before = await treeOf(session, base);
  const target = await readCommitJson(session, to);
  // Files are on the first page alone, as with GitHub.
  const files = page.number > 1 ? [] : await filesOf(session, { before, after: await treeOf(session, to) });
  const url = `${place.api}/compare/${restOf(context, 1)}`;
  const html = `${place.html}/compare/${restOf(context, 1)}`;
  const next = first + page.size < ahead ? { page: String(page.number + 1) } : undefined;
  const status = ahead > 0 ? (behind > 0 ? "diverged" : "ahead") : behind > 0 ? "behind" : "identical";
  const body = {
    url,
    html_url: html,
    permalink_url: html,
    diff_url: `${html}.diff`,
    patch_url: `${html}.patch`,
    base_commit: commitShape(place, await readCommitJson(session, from)),
    merge_base_commit: commitShape(place, await readCommitJson(session, base)),
    status,
    ahead_by: ahead,
    behind_by: behind,
    total_commits: ahead,
    commits,
    files: files.map((file) => fileShape(place, target.oid, file)),
  };
  return answer(context, body, 200, linkHeader(context, page, next, Math.max(1, Math.ceil(ahead / page.size))));
}

/** The routes, below `/api/v3`. */
export function commitRoutes(): Hono<ApiEnv> {
  const routes = new Hono<ApiEnv>();
  const repository = "/repos/:tenant/:repo";
  routes.get(`${repository}/commits`, list);
  routes.get(`${repository}/commits/:rev{[^]+}`, show);
  routes.get(`${repository}/compare/:revs{[^]+}`, compare);
  return routes;
}
