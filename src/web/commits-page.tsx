/**
 * `/{tenant}/{repo}/commits/{rev}/{path}`: the log of a revision, or of a path in it.
 *
 * @packageDocumentation
 */
import type { Context } from "hono";
import type { Child } from "hono/jsx";
import type { RepositoryName } from "../access/names.ts";
import { graphRows, type GraphRow } from "../browse/commit-graph-column.ts";
import { CommitLog, type LogPosition } from "../browse/commit-log.ts";
import { peelToCommit } from "../browse/revision.ts";
import { fromHex, toHex } from "../bytes/hex.ts";
import { Problem } from "../http/problem.ts";
import { percentEncoded, queryBytes } from "../http/content-address.ts";
import { found } from "../http/content.ts";
import { pageOfRevision } from "./by-content.ts";
import type { ContentPage } from "./content-page.tsx";
import { type NamedCommit, namedCommit, When } from "./commit-line.tsx";
import type { StatusCounts } from "../refs/commit-statuses.ts";
import { GraphCell, lanesOf } from "./graph-cell.tsx";
import { commitLink, pathLink, repositoryLink } from "./links.ts";
import type { PageEnv } from "./page-host.ts";
import { Pager } from "./pager.tsx";
import { RevisionForm } from "./repository-frame.tsx";
import { entryAt, type RepositoryPage, type ShownRevision } from "./repository-request.ts";
import { StatusBadge, statusCountsOf } from "./statuses.tsx";
import { pageOfJson } from "./twins.ts";
import { shortOid, shownBytes, shownPerson, splitMessage } from "./texts.ts";

/** The commits of a page. */
const PAGE_COMMITS = 50;
/** The text of a page without commits. */
const NO_COMMIT = "No commit was found on this page.";
const POSITION = /^([0-9a-f]{40}|[0-9a-f]{64})-(\d{1,9})-(\d{1,15})-((?:[0-9a-f]{40}|[0-9a-f]{64}|\.)*)$/;
/** The most commits that a position names as next: it is a part of a URL. */
const MOST_NEXT = 64;

/** Writes the place where the next page begins, as a part of its address. */
function formatPosition({ tip, walked, oldest, next }: LogPosition): string {
  return [toHex(tip), walked, oldest, next.map((name) => toHex(name)).join(".")].join("-");
}

/** Reads a place that {@link formatPosition} wrote. @throws Problem */
function parsePosition(text: string, rawSize: number): LogPosition {
  const wrong = (): Problem => new Problem(422, "after: not a place that a list of commits gave.");
  const [, tip = "", walked, oldest, names = ""] = POSITION.exec(text) ?? [];
  const next = names === "" ? [] : names.split(".");
  const raws = [tip, ...next].map((hex) => fromHex(hex));
  const [first, ...rest] = raws.filter((name) => name?.length === rawSize);
  if (first === undefined || rest.length !== next.length || next.length > MOST_NEXT) throw wrong();
  return {
    tip: first,
    walked: Number(walked),
    oldest: Number(oldest),
    next: rest.filter((name) => name !== undefined),
  };
}

/** A commit, and the path that its log's file has in it, where that is another one. */
type LoggedCommit = NamedCommit & { readonly formerPath?: string };

type Row = {
  readonly name: RepositoryName;
  readonly named: LoggedCommit;
  readonly counts: StatusCounts | undefined;
  /** Its part of the graph, if the list has one. */
  readonly row: GraphRow | undefined;
  readonly lanes: number;
};

function CommitRow({ name, named, counts, row, lanes }: Row) {
  const { oid, commit, formerPath } = named;
  const { subject } = splitMessage(commit.message);
  return (
    <tr>
      {row === undefined ? null : <GraphCell row={row} lanes={lanes} />}
      <td class="subject">
        <a href={commitLink(name, oid)}>
          <bdi>{subject}</bdi>
        </a>
        <span class="note">
          <bdi>{shownPerson(commit.author)}</bdi>, <When person={commit.committer} />
          {formerPath === undefined ? null : (
            <>
              , as{" "}
              <a href={pathLink(name, "blob", oid, formerPath)}>
                <bdi>{shownBytes(formerPath)}</bdi>
              </a>
            </>
          )}
        </span>{" "}
        <StatusBadge counts={counts} />
      </td>
      <td class="oid">
        <a href={commitLink(name, oid)}>
          <code>{shortOid(oid)}</code>
        </a>
      </td>
      <td class="actions">
        <a href={pathLink(name, "tree", oid)}>Files</a>
      </td>
    </tr>
  );
}

/** Whether the address asks to follow a file through renames. */
function followsRenames({ req }: Context<PageEnv>): boolean {
  return req.query("follow") === "1";
}

/** Opens the log that the address asks for. */
async function openLog(
  context: Context<PageEnv>,
  { session }: RepositoryPage,
  shown: ShownRevision,
): Promise<CommitLog> {
  const { req } = context;
  const after = req.query("after");
  const options = { follows: followsRenames(context) };
  if (after === undefined) {
    const { name } = found(await peelToCommit(session, shown.object));
    return await CommitLog.start(session, name, shown.path, options);
  }
  const followed = queryBytes(req.url, "at");
  const position = { ...parsePosition(after, session.format.rawSize), ...(followed === "" ? {} : { followed }) };
  const log = await CommitLog.resume(session, position, shown.path, options);
  if (log === undefined) throw new Problem(422, "after: not a place that a list of commits gave.");
  return log;
}

/** Returns the address of the page behind this one. */
function olderLink(here: string, position: LogPosition | undefined): string | undefined {
  if (position === undefined) return undefined;
  const { followed } = position;
  const follow = followed === undefined ? "" : `follow=1&at=${percentEncoded(followed)}&`;
  return `${here}?${follow}after=${formatPosition(position)}`;
}

/** Answers with a page of the log. */
export async function commitsPage(context: Context<PageEnv>): Promise<Response> {
  return await pageOfRevision(context, shownLog);
}

/** Reads the commits of a page. Those that have the file `followed` elsewhere say where. */
async function listedCommits(
  { session }: RepositoryPage,
  log: CommitLog,
  followed: string | undefined,
): Promise<LoggedCommit[]> {
  const commits: LoggedCommit[] = [];
  while (commits.length < PAGE_COMMITS) {
    const node = await log.next();
    if (node === undefined) break;
    const named = await namedCommit(session, session.graph.nameOf(node));
    const isElsewhere = followed !== undefined && log.listedPath !== followed;
    commits.push(isElsewhere ? { ...named, formerPath: log.listedPath } : named);
  }
  return commits;
}

async function shownLog(context: Context<PageEnv>, page: RepositoryPage, shown: ShownRevision): Promise<ContentPage> {
  const { name } = page;
  const { revision, path } = shown;
  const log = await openLog(context, page, shown);
  const follows = followsRenames(context) && path !== "";
  const list = async (): Promise<LoggedCommit[]> => await listedCommits(page, log, follows ? path : undefined);
  // Whether there is a page of this name decides the status, if there may be one without the end of the name. A file that is there
  // has a commit, though perhaps none on this page.
  const listed = pageOfJson(context.req.url) === undefined ? undefined : await list();
  if (listed?.length === 0) await entryAt(page.session, shown);
  const here = pathLink(name, "commits", revision, path);
  const of = path === "" ? shownBytes(revision) : shownBytes(path);
  return {
    title: `Commits of ${of}`,
    tab: "commits",
    revision,
    at: shown,
    alternates: [{ type: "application/atom+xml", href: `${repositoryLink(name)}/feed/commits`, title: "Commits" }],
    head: (
      <>
        <h2>
          Commits of <bdi>{of}</bdi>
        </h2>
        <div class="bar">
          <RevisionForm shown={page} word="commits" revision={revision} path={path} />
          <a href={pathLink(name, "activity", revision, path)}>Activity</a>
          {path === "" ? null : (
            <a href={follows ? here : `${here}?follow=1`}>{follows ? "Under this name alone" : "Through renames"}</a>
          )}
        </div>
      </>
    ),
    content: async (rendering) => {
      const commits = listed ?? (await list()); // Listed above where the status needs it.
      const position = log.position();
      rendering.isPartial = position !== undefined && commits.length < PAGE_COMMITS;
      return await commitsOf(context, page, { shown, commits, older: olderLink(here, position) });
    },
  };
}

/** What a page of the log lists, and the address of the page behind it. */
type Listed = {
  readonly shown: ShownRevision;
  readonly commits: readonly LoggedCommit[];
  readonly older: string | undefined;
};

async function commitsOf(
  context: Context<PageEnv>,
  page: RepositoryPage,
  { shown, commits, older }: Listed,
): Promise<readonly Child[]> {
  const { name } = page;
  const { path } = shown;
  const counts = await statusCountsOf(
    context,
    page,
    commits.map(({ oid }) => oid),
  );
  // The log of a path leaves out commits, and so the lines between those that it has.
  const rows = path === "" ? graphRows(commits.map(({ oid, commit }) => ({ oid, parents: commit.parents }))) : [];
  const lanes = lanesOf(rows);
  return [
    <table class="commits">
      <caption class="hidden">Commits</caption>
      <thead class="hidden">
        <tr>
          {rows.length === 0 ? null : <th scope="col">Graph</th>}
          <th scope="col">Commit</th>
          <th scope="col">Name</th>
          <th scope="col">Files</th>
        </tr>
      </thead>
      <tbody>
        {commits.map((named, at) => (
          <CommitRow name={name} named={named} counts={counts.get(named.oid)} row={rows[at]} lanes={lanes} />
        ))}
      </tbody>
    </table>,
    commits.length === 0 ? <p class="note">{NO_COMMIT}</p> : null,
    <Pager href={older} words="Older" />,
  ];
}
