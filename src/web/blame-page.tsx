/**
 * `/{tenant}/{repo}/blame/{rev}/{path}`: a file, with the commit that each of its lines comes from.
 *
 * @packageDocumentation
 */
import type { Context } from "hono";
import { raw } from "hono/html";
import type { RepositoryName } from "../access/names.ts";
import { Blame, type BlameOptions } from "../browse/blame.ts";
import { readBlob } from "../browse/blob.ts";
import type { BrowseSession } from "../browse/browse-session.ts";
import { IGNORED_REVISIONS_FILE, readIgnoredRevisions } from "../browse/ignored-revisions.ts";
import { findPath } from "../browse/tree-at.ts";
import { Problem } from "../http/problem.ts";
import { found } from "../http/content.ts";
import type { LineCommit } from "./begun-blames.ts";
import { pageOfRevision } from "./by-content.ts";
import type { ContentPage } from "./content-page.tsx";
import { findLines } from "./found-lines.ts";
import { escapeHtml } from "./html-filter.ts";
import { commitLink, pathLink } from "./links.ts";
import type { PageEnv } from "./page-host.ts";
import { type RepositoryPage, rootOf, type ShownRevision } from "./repository-request.ts";
import { decoded, shortOid, shownBytes } from "./texts.ts";

/** The largest file, in bytes, and the most lines that are shown. */
const LARGEST = 1024 * 1024;
const MOST_LINES = 20_000;
/** The steps of writing the row of a line. */
const ROW_STEPS = 500;

/** Lines, each with the commit that it comes from; `undefined` where that was not found in time. */
type BlamedText = { readonly lines: readonly string[]; readonly commits: readonly (LineCommit | undefined)[] };

/** Reads the lines of the file. @throws Problem */
async function linesOf(session: BrowseSession, { object, path }: ShownRevision): Promise<string[]> {
  const root = await rootOf(session, object);
  const entry = found(await findPath(session, root.name, path));
  if (entry.type !== "blob") throw new Problem(422, "This is no file.");
  const { bytes, isWhole } = await readBlob(session, entry.oid, LARGEST);
  if (!isWhole) throw new Problem(413, "This file is too large to be shown with its commits.");
  const lines = decoded(bytes).split("\n");
  if (lines.at(-1) === "") lines.pop();
  if (lines.length > MOST_LINES) throw new Problem(413, "This file has too many lines to be shown with their commits.");
  return lines;
}

function rowHtml(name: RepositoryName, { lines, commits }: BlamedText, at: number): string {
  const commit = commits[at];
  const isFirst = at === 0 || commit !== commits[at - 1];
  const number = `<td class="n"><a id="L${at + 1}" href="#L${at + 1}" tabindex="-1">${at + 1}</a></td>`;
  const code = `<td class="l">${escapeHtml(lines[at] ?? "")}</td>`; // Each row is of a line.
  if (!isFirst || commit === undefined)
    return `<tr${isFirst ? ' class="first"' : ""}><td class="oid"></td><td class="who"></td>${number}${code}</tr>`;
  const { author, day, subject } = commit;
  const title = escapeHtml(subject);
  return (
    `<tr class="first"><td class="oid"><a href="${commitLink(name, commit.oid)}" title="${title}">${shortOid(commit.oid)}</a></td>` +
    `<td class="who"><bdi>${escapeHtml(author)}</bdi> ${day}</td>${number}${code}</tr>`
  );
}

/** Returns the address of the page with these choices. */
function blameLink(
  name: RepositoryName,
  { revision, path }: ShownRevision,
  { ignoresSpace, passesOver }: { readonly ignoresSpace: boolean; readonly passesOver: boolean },
): string {
  const choices = [...(ignoresSpace ? ["w=1"] : []), ...(passesOver ? [] : ["all=1"])].join("&");
  return `${pathLink(name, "blame", revision, path)}${choices === "" ? "" : `?${choices}`}`;
}

/** Answers with the page. */
export async function blamePage(context: Context<PageEnv>): Promise<Response> {
  return await pageOfRevision(context, shownBlame);
}

async function shownBlame(context: Context<PageEnv>, page: RepositoryPage, shown: ShownRevision): Promise<ContentPage> {
  const { session, name } = page;
  const { revision, path } = shown;
  const { commit, name: tree } = await rootOf(session, shown.object);
  if (commit === undefined) throw new Problem(422, "A commit is needed here: a tree has no history.");
  const ignoresSpace = context.req.query("w") === "1";
  const passesOver = context.req.query("all") !== "1";
  // A list that can't be read counts as none: the page shows the file all the same.
  const list = await readIgnoredRevisions(session, tree, IGNORED_REVISIONS_FILE);
  const ignored = passesOver && list.kind === "found" ? list.names : new Set<string>();
  const lines = await linesOf(session, shown);
  const count = await Blame.countLines(session, commit, path);
  if (count === undefined) throw new Problem(404, "There is no file at this path.");
  return {
    title: `Blame of ${shownBytes(path)}`,
    tab: "files",
    revision,
    at: shown,
    alternates: [{ type: "application/json", href: `/api/v1/repos${pathLink(name, "blame", revision, path)}` }],
    head: (
      <>
        <h2>
          Blame of <bdi>{shownBytes(path)}</bdi>
        </h2>
        <p class="bar">
          <a href={pathLink(name, "blob", revision, path)}>File</a>
          <a href={pathLink(name, "commits", revision, path)}>History</a>
          <a href={blameLink(name, shown, { ignoresSpace: !ignoresSpace, passesOver })}>
            {ignoresSpace ? "With white space" : "Without white space"}
          </a>
          {list.kind === "found" ? (
            <a href={blameLink(name, shown, { ignoresSpace, passesOver: !passesOver })}>
              {passesOver ? "With all commits" : `Without those of ${IGNORED_REVISIONS_FILE}`}
            </a>
          ) : null}
        </p>
        {ignored.size === 0 ? null : (
          <p class="note">
            Commits that <code>{IGNORED_REVISIONS_FILE}</code> lists are passed over.
          </p>
        )}
      </>
    ),
    content: async (rendering) => {
      const options: BlameOptions = { whitespace: ignoresSpace ? "all" : "exact", ignored };
      const choices = `${options.whitespace} ${passesOver ? "passes" : "all"}`;
      const file = { commit, path, count, options, choices };
      const commits = await findLines(session, context.var.page.blames, file);
      const text = { lines, commits };
      rendering.isPartial = commits.includes(undefined);
      let rows = "";
      await session.repository.pacer.forEach(lines.length, ROW_STEPS, (at) => {
        rows += rowHtml(name, text, at);
      });
      return [
        rendering.isPartial ? (
          <p class="note">
            The commits of some lines were not found in time. <a href="">Load the page again</a> to go on with the
            search.
          </p>
        ) : null,
        <div class="scroll" role="region" aria-label="Lines" tabindex={0}>
          <table class="blame">
            <tbody>{raw(rows)}</tbody>
          </table>
        </div>,
      ];
    },
  };
}
