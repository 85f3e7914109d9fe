/**
 * `/{tenant}/{repo}/blob/{rev}/{path}`: a file, with the number of each line.
 *
 * @packageDocumentation
 */
import type { Context } from "hono";
import { raw } from "hono/html";
import type { Child } from "hono/jsx";
import { type LfsPointer, lfsPointerIn } from "../object/lfs-pointer.ts";
import { isText, readBlob } from "../browse/blob.ts";
import { toHex } from "../bytes/hex.ts";
import type { Pacer } from "../bytes/pacer.ts";
import { Problem } from "../http/problem.ts";
import { pageOfRevision } from "./by-content.ts";
import { type ContentPage, htmlOf } from "./content-page.tsx";
import { parseTable, separatorOf } from "./csv.ts";
import { generatedReason } from "./generated-file.ts";
import { pathLink } from "./links.ts";
import { mediaKindOf, mediaOf } from "./media-type.ts";
import type { PageEnv } from "./page-host.ts";
import { RevisionForm } from "./repository-frame.tsx";
import { rawPage } from "./raw-page.ts";
import { entryAt, type RepositoryPage, restOfPage, type ShownRevision } from "./repository-request.ts";
import { MARKDOWN_HEADERS, MARKDOWN_TAG, wantsMarkdown } from "./twins.ts";
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

/** A text: as a document, or its lines, which are folded where a program wrote them. */
function Text({
  html,
  lines,
  isProse,
  path,
}: {
  readonly html: string;
  readonly lines: number;
  readonly isProse: boolean;
  readonly path: string;
}) {
  if (isProse) return <article class="prose">{raw(html)}</article>;
  const reason = generatedReason(path);
  if (reason === undefined) return <Lines html={html} lines={lines} />;
  return (
    <details class="diff">
      <summary>
        <span class="note">Folded: {reason}</span>
      </summary>
      <Lines html={html} lines={lines} />
    </details>
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
    case "pdf":
      return (
        <p class="notice">
          This is a PDF. <a href={href}>Open it</a>: a browser shows it by its own means, in a sandbox.
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

/** A table. Its head and its rows are HTML. */
function TableText({ head, rows }: { readonly head: string; readonly rows: string }) {
  return (
    <div class="scroll" role="region" aria-label="Table" tabindex={0}>
      <table class="csv">
        <thead>{raw(head)}</thead>
        <tbody>{raw(rows)}</tbody>
      </table>
    </div>
  );
}

/** The steps of a cell of a table, apart from its characters, and of one of these. */
const CELL_STEPS = 200;
const CHARACTER_STEPS = 1;

/** Returns the HTML of a row of a table. */
async function rowHtml(row: readonly string[], isHead: boolean, pacer: Pacer): Promise<string> {
  for (const cell of row) pacer.add(CELL_STEPS + cell.length * CHARACTER_STEPS);
  const html = await htmlOf(<tr>{row.map((cell) => (isHead ? <th scope="col">{cell}</th> : <td>{cell}</td>))}</tr>);
  if (pacer.isDue) await pacer.pace();
  return html;
}

/** Renders a table, whose first row is its head. It gives way to others: there may be 20,000 cells. */
async function tableOf([head = [], ...others]: readonly (readonly string[])[], pacer: Pacer): Promise<Child> {
  const headHtml = await rowHtml(head, true, pacer);
  let rows = "";
  for (const row of others) rows += await rowHtml(row, false, pacer);
  return <TableText head={headHtml} rows={rows} />;
}

/** What a pointer of Git LFS names: its size, and the file itself where a browser shows files of such a name. */
function PointedFile({
  pointer,
  href,
  name,
}: {
  readonly pointer: LfsPointer;
  readonly href: string;
  readonly name: string;
}) {
  const kind = mediaKindOf(name);
  return (
    <>
      <p class="notice">
        This is a pointer of Git LFS to <a href={href}>a file of {shownSize(pointer.size)}</a>.
      </p>
      {kind === undefined ? null : <Media kind={kind} href={href} name={name} />}
    </>
  );
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
        {isMarkdown(path) || separatorOf(path) !== undefined ? (
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

/** Shows what a file has: a table, a document, lines, or what a browser shows by itself. */
async function shownContent(
  page: RepositoryPage,
  shown: ShownRevision,
  content: Content,
  { isPlain, size, name }: { readonly isPlain: boolean; readonly size: number; readonly name: string },
) {
  const { revision, path } = shown;
  if (content.kind !== "text")
    return <Media kind={content.kind} href={pathLink(page.name, "raw", revision, path)} name={name} />;
  const separator = isPlain ? undefined : separatorOf(path);
  const rows = separator === undefined ? undefined : parseTable(content.text, separator);
  if (rows !== undefined) return await tableOf(rows, page.session.repository.pacer);
  const isProse = !isPlain && isMarkdown(path) && size <= LARGEST_README;
  const html = await textHtml(content.text, page, shown, isProse);
  return <Text html={html} lines={content.lines} isProse={isProse} path={path} />;
}

/** Turns an answer with a file into its twin. */
function markdownFile(answer: Response): Response {
  const headers = new Headers(answer.headers);
  for (const [header, value] of Object.entries(MARKDOWN_HEADERS)) headers.set(header, value);
  return new Response(answer.body, { status: answer.status, headers });
}

/** Answers with the page of a file. */
export async function blobPage(context: Context<PageEnv>): Promise<Response> {
  // Markdown is its own twin.
  if (wantsMarkdown(context.req.raw) && isMarkdown(restOfPage(context))) {
    return markdownFile(await rawPage(context, MARKDOWN_TAG));
  }
  return await pageOfRevision(context, shownBlob);
}

async function shownBlob(
  context: Context<PageEnv>,
  page: RepositoryPage,
  shown: ShownRevision,
): Promise<Response | ContentPage> {
  const entry = await entryAt(page.session, shown);
  const { revision, path } = shown;
  if (entry.type === "tree") return context.redirect(pathLink(page.name, "tree", revision, path), 302);
  if (entry.type === "commit") throw new Problem(422, "This is a submodule: its files are in another repository.");
  const name = shownBytes(path === "" ? toHex(entry.oid) : path);
  const isPlain = context.req.query("plain") !== undefined;
  return {
    title: name,
    tab: "files",
    revision,
    at: shown,
    alternates: [{ type: "text/plain", href: pathLink(page.name, "raw", revision, path) }],
    head: (
      <h2 class="path">
        <bdi>{name}</bdi>
      </h2>
    ),
    content: async () => partsOf(page, shown, { oid: entry.oid, name, isPlain }),
  };
}

/** Yields the bar of a file, what a pointer names, and then its content, which may take some time to get its colours. */
async function* partsOf(
  page: RepositoryPage,
  shown: ShownRevision,
  { oid, name, isPlain }: { readonly oid: Uint8Array; readonly name: string; readonly isPlain: boolean },
): AsyncGenerator<Child> {
  const { size, bytes, isWhole } = await readBlob(page.session, oid, LARGEST_SHOWN);
  const content = contentOf(bytes, isWhole);
  const pointer = lfsPointerIn(bytes);
  yield (
    <BlobBar
      page={page}
      shown={shown}
      size={size}
      lines={content.kind === "text" ? content.lines : undefined}
      isPointer={pointer !== undefined}
    />
  );
  if (pointer !== undefined) {
    const href = `${pathLink(page.name, "raw", shown.revision, shown.path)}?lfs=1`;
    yield <PointedFile pointer={pointer} href={href} name={name} />;
  }
  yield await shownContent(page, shown, content, { isPlain, size, name });
}
