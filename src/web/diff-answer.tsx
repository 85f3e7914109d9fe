/**
 * The differences of two trees: as the last part of a page, in which each file follows as it is compared, and as text.
 *
 * @packageDocumentation
 */
import type { Context } from "hono";
import { raw } from "hono/html";
import type { Child } from "hono/jsx";
import { diffFiles } from "../browse/file-diff.ts";
import { patchChanges, patchText } from "../browse/patch.ts";
import type { ChangedFile } from "../browse/renames.ts";
import { writeCollected } from "../bytes/collected-sink.ts";
import { DEFAULT_OPTIONS, type DiffOptions } from "../diff/line-diff.ts";
import { cacheControl, streamContent } from "../http/content.ts";
import type { Parts } from "./content-page.tsx";
import { DiffWriter, type DiffView, STATUS_WORDS } from "./diff-view.ts";
import { escapeHtml } from "./html-filter.ts";
import type { PageEnv } from "./page-host.ts";
import type { RepositoryPage } from "./repository-request.ts";
import { shownBytes, shownCount } from "./texts.ts";

/** The most changed files that a page has. */
const MOST_FILES = 1000;
/** Steps of computing after which a page shows the lines of no further file. */
const MOST_STEPS = 200_000_000;

/** Steps of showing a file, however few lines of it changed, and of each character of its HTML. */
const SHOWN_STEPS = 8000;
const CHARACTER_STEPS = 4;
/** Characters of HTML that go out together: many small files are on one page. */
const GATHERED = 16_384;

/** Two trees, raw; without the first all files are new. */
export type ComparedTrees = { readonly before: Uint8Array | undefined; readonly after: Uint8Array };

/** The revisions of the compared trees, one character per byte, whose files are linked. */
export type ComparedRevisions = Pick<DiffView, "before" | "after">;

/** Returns how lines are compared, by the query: `w=1` leaves white space out, as `git diff -w` does. */
export function diffOptionsOf(context: Context<PageEnv>): DiffOptions {
  return { ...DEFAULT_OPTIONS, whitespace: context.req.query("w") === "1" ? "all" : "exact" };
}

/** Returns the changed files that a page shows, and whether there are more. */
export async function changedFiles(
  { session }: RepositoryPage,
  { before, after }: ComparedTrees,
): Promise<{ readonly files: readonly ChangedFile[]; readonly hasMore: boolean }> {
  const files: ChangedFile[] = [];
  for await (const change of patchChanges(session, before, after)) {
    if (files.length === MOST_FILES || session.pageIsFull) return { files, hasMore: true };
    files.push(change);
  }
  return { files, hasMore: false };
}

/** A file in the list of those that changed. There may be a thousand, so they are written as text: elements take ten times as long. */
function fileItem({ status, path }: ChangedFile, at: number): string {
  const word = STATUS_WORDS[status];
  const link = `<a href="#file-${at + 1}"><bdi>${escapeHtml(shownBytes(path))}</bdi></a>`;
  return `<li><span class="status ${word.replace(" ", "-")}">${word}</span> ${link}</li>`;
}

/** The list of changed files, each with a link to its lines, and the switches of how they are shown. */
function DiffSummary({
  context,
  files,
  hasMore,
}: {
  readonly context: Context<PageEnv>;
  readonly files: readonly ChangedFile[];
  readonly hasMore: boolean;
}) {
  const { pathname } = new URL(context.req.url);
  const isSplit = context.req.query("view") === "split";
  const ignoresSpace = context.req.query("w") === "1";
  const link = (split: boolean, space: boolean): string => {
    const query = [...(split ? ["view=split"] : []), ...(space ? ["w=1"] : [])].join("&");
    return query === "" ? pathname : `${pathname}?${query}`;
  };
  return (
    <section>
      <h2>
        {shownCount(files.length)}
        {hasMore ? " or more" : ""} changed file{files.length === 1 && !hasMore ? "" : "s"}
      </h2>
      <p class="bar">
        <a href={link(!isSplit, ignoresSpace)}>{isSplit ? "In one column" : "Side by side"}</a>
        <a href={link(isSplit, !ignoresSpace)}>{ignoresSpace ? "With white space" : "Without white space"}</a>
        <a href={`${pathname}.diff`}>As text</a>
        <a href={`${pathname}.patch`}>{pathname.includes("/commit/") ? "As a mail" : "As mails"}</a>
      </p>
      <ul class="changes">{raw(files.map(fileItem).join(""))}</ul>
      {hasMore ? <p class="note">Only the first files are shown. The text has them all.</p> : null}
    </section>
  );
}

/** Yields the files with their lines, each as it is compared. */
async function* fileParts(
  context: Context<PageEnv>,
  { session, name }: RepositoryPage,
  files: readonly ChangedFile[],
  view: ComparedRevisions,
): AsyncGenerator<Child> {
  const writer = new DiffWriter({ ...view, name, isSplit: context.req.query("view") === "split" });
  session.allowStream();
  const { pacer } = session.repository;
  let left = files.length;
  let html = "";
  for await (const file of diffFiles(session, files, diffOptionsOf(context))) {
    pacer.add(SHOWN_STEPS);
    for (const piece of writer.file(file)) {
      html += piece;
      pacer.add(piece.length * CHARACTER_STEPS);
      // What is there goes out before others get their turn.
      if (html.length < GATHERED && !pacer.isDue) continue;
      yield raw(html);
      html = "";
      await pacer.pace();
    }
    left--;
    const isFull = writer.isFull || pacer.steps >= MOST_STEPS;
    if (left > 0 && isFull) {
      yield raw(html);
      yield <p class="note">The other files are left out here.</p>;
      return;
    }
    await session.awake();
  }
  yield raw(html);
}

/** Compares two trees for a page. Returns its parts: those `above` first, then the list of changed files, and the files themselves. */
export async function diffParts(
  context: Context<PageEnv>,
  page: RepositoryPage,
  trees: ComparedTrees,
  { above = null, view }: { readonly above?: Child; readonly view: ComparedRevisions },
): Promise<Parts> {
  const { files, hasMore } = await changedFiles(page, trees);
  return (async function* parts(): AsyncGenerator<Child> {
    yield above;
    yield <DiffSummary context={context} files={files} hasMore={hasMore} />;
    await page.session.awake();
    yield* fileParts(context, page, files, view);
  })();
}

/** Answers with the differences as `git diff` prints them. The session is closed when the answer ends. */
export async function diffTextAnswer(
  context: Context<PageEnv>,
  page: RepositoryPage,
  { before, after }: ComparedTrees,
): Promise<Response> {
  const changes = patchChanges(page.session, before, after);
  return await textAnswer(context, page, patchText(diffFiles(page.session, changes, diffOptionsOf(context))));
}

/** Answers with pieces of text. The session is closed when the answer ends. */
export async function textAnswer(
  context: Context<PageEnv>,
  page: RepositoryPage,
  pieces: AsyncIterable<Uint8Array>,
): Promise<Response> {
  const { session } = page;
  const headers = {
    "Content-Type": "text/plain; charset=utf-8",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cache-Control": cacheControl(session),
    Vary: "Cookie, Authorization",
  };
  page.handOver();
  const bodiless = context.req.raw.method === "HEAD";
  return await streamContent(context.var.host, session, { headers, bodiless }, async (output) => {
    session.parkWhileWaiting();
    session.allowStream();
    await writeCollected(output, pieces);
  });
}
