/**
 * `/{tenant}/{repo}` and `/{tenant}/{repo}/tree/{rev}/{path}`: a directory, with its README.
 *
 * @packageDocumentation
 */
import type { Context } from "hono";
import { raw } from "hono/html";
import type { Child } from "hono/jsx";
import { readBlob } from "../browse/blob.ts";
import { blobSizes, findPath, listEntries } from "../browse/tree-at.ts";
import { itemAt } from "../bytes/assert.ts";
import { requestedRevision } from "../http/content-address.ts";
import { found } from "../http/content.ts";
import { recentPlot } from "./activity-page.tsx";
import type { BegunChanges } from "./begun-changes.ts";
import { byContent } from "./by-content.ts";
import { CommitLine, namedCommit } from "./commit-line.tsx";
import type { ContentPage, Parts, Rendering } from "./content-page.tsx";
import { findChanges } from "./found-changes.ts";
import { directoriesFirst, Entries, type Listing, rowsOf } from "./directory-table.tsx";
import { pathLink, repositoryLink } from "./links.ts";
import { markdownDirectory } from "./markdown-twin.ts";
import { wantsMarkdown } from "./twins.ts";
import { pageAnswer } from "./page-answer.tsx";
import type { PageEnv } from "./page-host.ts";
import { crumbsOf, RepositoryFrame, RevisionForm } from "./repository-frame.tsx";
import {
  defaultBranch,
  pageRepository,
  type RepositoryPage,
  rootOf,
  shownNames,
  type ShownRevision,
  withRepository,
  withRevision,
} from "./repository-request.ts";
import { decoded, isMarkdown, LARGEST_README, README, shownBytes, shownCount, shownSize } from "./texts.ts";

/** The most entries of a directory on one page. */
const MOST_ENTRIES = 1000;
/**
 * How far the search for last changes goes with a page that is to be there at once, and with one that was asked to find
 * them all: less than 0.1, and about 2 seconds. The next view of the page goes on where this one ends.
 */
const QUICK_STEPS = 3_000_000;
const QUICK_READS = 60;
const PATIENT_STEPS = 200_000_000;

async function readme(page: RepositoryPage, listing: Listing) {
  const entry = listing.entries.find(({ name, type }) => type === "blob" && README.test(name));
  if (entry === undefined) return null;
  const { bytes, isWhole } = await readBlob(page.session, entry.oid, LARGEST_README);
  if (!isWhole) return null;
  const text = decoded(bytes);
  const { revision, path } = listing;
  const name = shownBytes(entry.name);
  const { rendering } = await import("./rendering.ts");
  const { pacer } = page.session.repository;
  const place = { name: page.name, revision, directory: path };
  const prose = isMarkdown(entry.name) ? await pacer.finish(rendering.renderMarkdown(text, place)) : undefined;
  return (
    <section class="readme" aria-label={name}>
      <h2>
        <bdi>{name}</bdi>
      </h2>
      {prose === undefined ? <pre class="text">{text}</pre> : <div class="prose">{raw(prose)}</div>}
    </section>
  );
}

type CloneBoxProps = { readonly origin: string; readonly page: RepositoryPage; readonly sshPort: string | undefined };

/** Returns the address for clients of SSH: the short form where the port is the usual one. */
function sshAddress(origin: string, link: string, port: string): string {
  const { hostname } = new URL(origin);
  return port === "22" ? `git@${hostname}:${link.slice(1)}.git` : `ssh://git@${hostname}:${port}${link}.git`;
}

function CloneBox({ origin, page, sshPort }: CloneBoxProps) {
  const link = repositoryLink(page.name);
  const url = `${origin}${link}.git`;
  return (
    <details class="clone">
      <summary>Clone</summary>
      <p>
        <label>
          With HTTPS
          <input class="copy" readonly value={url} size={44} />
        </label>
      </p>
      {sshPort === undefined ? null : (
        <p>
          <label>
            With SSH
            <input class="copy" readonly value={sshAddress(origin, link, sshPort)} size={44} />
          </label>
        </p>
      )}
      <p class="note">
        A private repository asks for a token: <code>thinpack login {origin} --git</code> keeps it for git, as its
        credential helper.
      </p>
    </details>
  );
}

/** Archives; those with the files of Git LFS too where attributes say which files may be such. */
function Archives({ page, listing }: { readonly page: RepositoryPage; readonly listing: Listing }) {
  const { revision, entries } = listing;
  const base = `${repositoryLink(page.name)}/archive/`;
  const name = pathLink(page.name, "tree", revision).slice(pathLink(page.name, "tree", "").length);
  return (
    <span class="archives">
      Download <a href={`${base}${name}.zip`}>zip</a> or <a href={`${base}${name}.tar.gz`}>tar.gz</a>
      {entries.some((entry) => entry.name === ".gitattributes") ? (
        <>
          , or with Git LFS files <a href={`${base}${name}.zip?lfs=1`}>zip</a> or{" "}
          <a href={`${base}${name}.tar.gz?lfs=1`}>tar.gz</a>
        </>
      ) : null}
    </span>
  );
}

/** Answers with the page of a directory. */
async function directory(context: Context<PageEnv>, page: RepositoryPage, shown: ShownRevision): Promise<Response> {
  if (wantsMarkdown(context.req.raw)) return await markdownDirectory(context, page, shown);
  return await byContent(context, page, shown.object.name, async () => await shownDirectory(context, page, shown));
}

async function shownDirectory(
  context: Context<PageEnv>,
  page: RepositoryPage,
  shown: ShownRevision,
): Promise<Response | ContentPage> {
  const { session } = page;
  const { revision, path } = shown;
  const root = await rootOf(session, shown.object);
  const entry = found(await findPath(session, root.name, path));
  if (entry.type !== "tree") return context.redirect(pathLink(page.name, "blob", revision, path), 302);
  const { commit } = root;
  const last = commit === undefined ? undefined : await namedCommit(session, commit);
  const entries = await listEntries(session, entry.oid, { first: 0, count: MOST_ENTRIES + 1 });
  const hasMore = entries.length > MOST_ENTRIES;
  const listing: Listing = { revision, path, entries: entries.slice(0, MOST_ENTRIES), hasMore };
  const isPatient = context.req.query("changes") === "all";
  return {
    ...(path === "" ? {} : { title: shownBytes(path) }),
    description: page.record.description,
    tab: "files",
    revision,
    at: shown,
    alternates: [
      { type: "application/atom+xml", href: `${repositoryLink(page.name)}/feed/commits`, title: "Commits" },
      { type: "application/json", href: `/api/v1/repos${pathLink(page.name, "tree", revision, path)}` },
    ],
    head: (
      <>
        <div class="bar">
          <RevisionForm shown={page} word="tree" revision={revision} path={path} />
          <Archives page={page} listing={listing} />
          <span class="note">{shownSize(page.record.sizeBytes)} in git</span>
          <CloneBox origin={new URL(context.req.url).origin} page={page} sshPort={context.var.page.sshPort} />
        </div>
        {last === undefined ? null : <CommitLine name={page.name} named={last} />}
      </>
    ),
    content: async (rendering) =>
      await partsOf(page, listing, { commit, isPatient, rendering, begun: context.var.page.changes }),
  };
}

/** Finds what changed each entry last, and the activity of a root, before anything of it is shown. */
async function partsOf(
  page: RepositoryPage,
  listing: Listing,
  {
    commit,
    isPatient,
    rendering,
    begun,
  }: {
    readonly commit: Uint8Array | undefined;
    readonly isPatient: boolean;
    readonly rendering: Rendering;
    readonly begun: BegunChanges;
  },
): Promise<Parts> {
  const { session } = page;
  const { revision, path, entries, hasMore } = listing;
  const effort = isPatient ? { steps: PATIENT_STEPS } : { steps: QUICK_STEPS, reads: QUICK_READS };
  const shown = directoriesFirst(entries);
  const sizes = await blobSizes(session, shown);
  const last = commit === undefined ? [] : await findChanges(session, begun, { commit, path, entries }, effort);
  const changes = new Map([...last].map(([at, each]) => [itemAt(entries, at).name, each] as const));
  const hasAll = commit === undefined || changes.size === entries.length;
  rendering.isPartial = !hasAll;
  const plot = path === "" && commit !== undefined ? await recentPlot(session, commit, { rendering, begun }) : null;
  return (async function* parts(): AsyncGenerator<Child> {
    yield (
      <Entries page={page} listing={listing} rows={await rowsOf(page, listing, { entries: shown, sizes, changes })} />
    );
    if (!hasAll && !isPatient) {
      yield (
        <p class="note">
          <a href="?changes=all">Show the last change of every entry</a>
        </p>
      );
    }
    if (hasMore) {
      yield <p class="note">Only the first {shownCount(MOST_ENTRIES)} entries are shown. The API lists them all.</p>;
    }
    if (plot !== null) {
      yield (
        <div class="plots">
          <div>
            {plot}
            <a href={pathLink(page.name, "activity", revision)}>Activity and contributors</a>
          </div>
        </div>
      );
    }
    await session.awake();
    yield await readme(page, listing);
  })();
}

function FirstPush({ origin, page }: { readonly origin: string; readonly page: RepositoryPage }) {
  const branch = shownBytes(defaultBranch(page.record));
  const lines = [
    `git remote add origin ${origin}${repositoryLink(page.name)}.git`,
    `git push -u origin ${/^[\w./-]+$/.test(branch) ? branch : "HEAD"}`,
  ];
  return (
    <section class="notice">
      <h2>There is nothing in it yet</h2>
      <p>Push a repository that you have:</p>
      <pre class="text">{lines.join("\n")}</pre>
    </section>
  );
}

/** Answers with a repository's front page. */
export async function frontPage(context: Context<PageEnv>): Promise<Response> {
  const { pathname, search } = new URL(context.req.url);
  if (/\.git\/?$/i.test(pathname)) return context.redirect(repositoryLink(pageRepository(context)) + search, 302);
  return await withRepository(context, [requestedRevision("HEAD")], async (page) => {
    const { session, record } = page;
    const { head } = session;
    if (head !== undefined) {
      const object = { kind: "found", name: head, type: "commit", commit: head } as const;
      return await directory(context, page, { revision: "HEAD", path: "", object });
    }
    const { tenant, repo } = shownNames(page.name);
    return await pageAnswer(context, {
      title: `${tenant}/${repo}`,
      isPublic: record.visibility === "public",
      crumbs: crumbsOf(page),
      body: (
        <RepositoryFrame shown={page} tab="files">
          <FirstPush origin={new URL(context.req.url).origin} page={page} />
        </RepositoryFrame>
      ),
    });
  });
}

/** Answers with the page of a directory at a revision. */
export async function treePage(context: Context<PageEnv>): Promise<Response> {
  return await withRevision(context, async (page, shown) => await directory(context, page, shown));
}
