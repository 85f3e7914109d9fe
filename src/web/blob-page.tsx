/**
 * `/{tenant}/{repo}/blob/{rev}/{path}`: a file, with the number of each line.
 *
 * @packageDocumentation
 */
import type { Context } from "hono";
import { raw } from "hono/html";
import { lfsPointerIn } from "../object/lfs-pointer.ts";
import { isText, readBlob } from "../browse/blob.ts";
import type { BrowseSession } from "../browse/browse-session.ts";
import { findPath, type FoundEntry } from "../browse/tree-at.ts";
import { toHex } from "../bytes/hex.ts";
import { Problem } from "../http/problem.ts";
import { found } from "../http/content.ts";
import { pageOfRevision } from "./by-content.ts";
import { pathLink } from "./links.ts";
import { mediaOf } from "./media-type.ts";
import { pageAnswer } from "./page-answer.tsx";
import type { PageEnv } from "./page-host.ts";
import { crumbsOf, RepositoryFrame, RevisionForm } from "./repository-frame.tsx";
import { type RepositoryPage, rootOf, shownNames, type ShownRevision } from "./repository-request.ts";
import { decoded, isMarkdown, LARGEST_README, shownBytes, shownCount, shownSize } from "./texts.ts";

/** The largest file, in bytes, whose lines are shown. */
const LARGEST_SHOWN = 1024 * 1024;
/** The most lines that are shown. */
const MOST_LINES = 20_000;

/** What is shown of a file. */
type Content =
  | { readonly kind: "text"; readonly text: string; readonly lines: number }
  | { readonly kind: "image" | "audio" | "video" | "pdf" }
  | { readonly kind: "binary" | "large" };

function lineCount(text: string): number {
  let count = text === "" || text.endsWith("\n") ? 0 : 1;
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) count++;
  return count;
}

function contentOf(bytes: Uint8Array, isWhole: boolean): Content {
  const media = mediaOf(bytes);
  if (media !== undefined) return { kind: media.kind };
  if (!isText(bytes)) return { kind: "binary" };
  if (!isWhole) return { kind: "large" };
  const text = decoded(bytes);
  const lines = lineCount(text);
  return lines > MOST_LINES ? { kind: "large" } : { kind: "text", text, lines };
}

/** A file's lines. The numbers stand in a column of their own, so that a copy of the text has none. */
function Lines({ html, lines }: { readonly html: string; readonly lines: number }) {
  let numbers = "";
  for (let line = 1; line <= lines; line++) numbers += `<a id="L${line}" href="#L${line}" tabindex="-1">${line}</a>\n`;
  return (
    <div class="code" role="region" aria-label="Content" tabindex={0}>
      <pre class="numbers" aria-hidden="true">
        {raw(numbers)}
      </pre>
      <pre class="source">
        <code>{raw(html)}</code>
      </pre>
    </div>
  );
}

function Media({ kind, href, name }: { readonly kind: Content["kind"]; readonly href: string; readonly name: string }) {
  switch (kind) {
    case "image":
      return (
        <p class="media">
          <img src={href} alt={name} />
        </p>
      );
    case "audio":
      return (
        <p class="media">
          <audio controls src={href} />
        </p>
      );
    case "video":
      return (
        <p class="media">
          <video controls src={href} />
        </p>
      );
    default:
      return (
        <p class="notice">
          {kind === "large" ? "This file is too large to be shown." : "This file is not text."}{" "}
          <a href={href}>Get it as it is</a>.
        </p>
      );
  }
}

/** Returns the entry at the page's path. @throws Problem */
async function entryAt(session: BrowseSession, { object, path }: ShownRevision): Promise<FoundEntry> {
  if (path === "" && object.type === "blob") return { kind: "found", mode: 0o100644, oid: object.name, type: "blob" };
  const root = await rootOf(session, object);
  return found(await findPath(session, root.name, path));
}

function BlobBar({
  page,
  shown,
  size,
  lines,
  isPointer,
}: {
  readonly page: RepositoryPage;
  readonly shown: ShownRevision;
  readonly size: number;
  readonly lines: number | undefined;
  readonly isPointer: boolean;
}) {
  const { revision, path } = shown;
  const here = pathLink(page.name, "blob", revision, path);
  return (
    <div class="bar">
      <RevisionForm shown={page} word="tree" revision={revision} path={path} />
      <span class="note">
        {lines === undefined ? "" : `${shownCount(lines)} line${lines === 1 ? "" : "s"}, `}
        {shownSize(size)}
      </span>
      <span class="actions">
        {isMarkdown(path) ? (
          <>
            <a href={here}>Preview</a> <a href={`${here}?plain=1`}>Code</a>{" "}
          </>
        ) : null}
        {isPointer ? <a href={`${pathLink(page.name, "raw", revision, path)}?lfs=1`}>Git LFS file</a> : null}{" "}
        <a href={pathLink(page.name, "raw", revision, path)}>Raw</a>{" "}
        <a href={pathLink(page.name, "blame", revision, path)}>Blame</a>{" "}
        <a href={pathLink(page.name, "commits", revision, path)}>History</a>
      </span>
    </div>
  );
}

/** Returns a text as HTML: as a document, or as lines in the colours of its language. */
async function textHtml(
  text: string,
  { name, session }: RepositoryPage,
  { revision, path }: ShownRevision,
  isProse: boolean,
): Promise<string> {
  const { rendering } = await import("./rendering.ts");
  const slash = path.lastIndexOf("/");
  if (!isProse) {
    const language = rendering.languageOf(path.slice(slash + 1));
    return await session.repository.pacer.finish(rendering.highlightedInParts(text, language));
  }
  const place = { name, revision, directory: path.slice(0, Math.max(slash, 0)) };
  return await session.repository.pacer.finish(rendering.renderMarkdown(text, place));
}

/** Answers with the page of a file. */
export async function blobPage(context: Context<PageEnv>): Promise<Response> {
  return await pageOfRevision(context, renderedBlob);
}

async function renderedBlob(context: Context<PageEnv>, page: RepositoryPage, shown: ShownRevision): Promise<Response> {
  const { session } = page;
  const entry = await entryAt(session, shown);
  const { revision, path } = shown;
  if (entry.type === "tree") return context.redirect(pathLink(page.name, "tree", revision, path), 302);
  if (entry.type === "commit") throw new Problem(422, "This is a submodule: its files are in another repository.");
  const { size, bytes, isWhole } = await readBlob(session, entry.oid, LARGEST_SHOWN);
  const content = contentOf(bytes, isWhole);
  const { tenant, repo } = shownNames(page.name);
  const isDocument = content.kind === "text" && isMarkdown(path) && size <= LARGEST_README;
  const isProse = isDocument && context.req.query("plain") === undefined;
  const name = shownBytes(path === "" ? toHex(entry.oid) : path);
  const html = content.kind === "text" ? await textHtml(content.text, page, shown, isProse) : undefined;
  return await pageAnswer(context, {
    title: `${name} - ${tenant}/${repo}`,
    isPublic: page.record.visibility === "public",
    crumbs: crumbsOf(page, shown),
    alternates: [{ type: "text/plain", href: pathLink(page.name, "raw", revision, path) }],
    body: (
      <RepositoryFrame shown={page} tab="files" revision={revision}>
        <h2 class="path">
          <bdi>{name}</bdi>
        </h2>
        <BlobBar
          page={page}
          shown={shown}
          size={size}
          lines={content.kind === "text" ? content.lines : undefined}
          isPointer={lfsPointerIn(bytes) !== undefined}
        />
        {html !== undefined && content.kind === "text" ? (
          isProse ? (
            <article class="prose">{raw(html)}</article>
          ) : (
            <Lines html={html} lines={content.lines} />
          )
        ) : (
          <Media kind={content.kind} href={pathLink(page.name, "raw", revision, path)} name={name} />
        )}
      </RepositoryFrame>
    ),
  });
}
