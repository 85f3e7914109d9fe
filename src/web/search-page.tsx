/**
 * `/{tenant}/{repo}/search`: lines of a revision, or files, that a visitor looks for.
 *
 * @packageDocumentation
 */
import type { Context } from "hono";
import { peelToTree, resolveRevision } from "../browse/revision.ts";
import type { FoundFile, FoundLine, SearchPosition, UnsearchedFile } from "../browse/search.ts";
import { queryBytes, requestedRevision, percentEncoded, withoutSlashes } from "../http/content-address.ts";
import { found } from "../http/content.ts";
import { Problem } from "../http/problem.ts";
import { byContent } from "./by-content.ts";
import { pathLink, repositoryLink } from "./links.ts";
import { pageAnswer } from "./page-answer.tsx";
import type { PageEnv } from "./page-host.ts";
import { Pager } from "./pager.tsx";
import { crumbsOf, RepositoryFrame } from "./repository-frame.tsx";
import { type RepositoryPage, shownNames, withRepository } from "./repository-request.ts";
import { decoded, shownBytes } from "./texts.ts";

/** The most lines, and the most files, of a page. */
const PAGE_LINES = 100;
const PAGE_FILES = 200;

/** What a visitor looks for. Texts have one character per byte. */
type Question = {
  readonly text: string;
  readonly revision: string;
  readonly path: string;
  readonly isRegexp: boolean;
  readonly isForFiles: boolean;
  readonly from: SearchPosition;
};

/** What was found. */
type Findings =
  | { readonly kind: "files"; readonly files: readonly FoundFile[]; readonly next: SearchPosition | undefined }
  | {
      readonly kind: "lines";
      readonly lines: readonly FoundLine[];
      readonly unsearched: readonly UnsearchedFile[];
      readonly next: SearchPosition | undefined;
    };

/** Reads the query. @throws Problem */
function questionOf({ req }: Context<PageEnv>): Question {
  const query = (name: string): string => queryBytes(req.url, name);
  const line = query("line");
  if (!/^\d{0,9}$/.test(line)) throw new Problem(422, "line: not a place that a search gave.");
  const behind = query("behind");
  return {
    text: query("q"),
    revision: query("rev") === "" ? "HEAD" : query("rev"),
    path: withoutSlashes(query("path")),
    isRegexp: query("regexp") === "true",
    isForFiles: query("in") === "names",
    from: { line: Number(line), ...(behind === "" ? {} : { behind }) },
  };
}

/** A search that can be made: `find` does all of it. */
type Search = { readonly kind: "search"; readonly find: () => Promise<Findings> };

/** Prepares a search of a tree (raw name). @throws Problem */
async function searchOf(
  { session }: RepositoryPage,
  tree: Uint8Array,
  { text, path, isRegexp, isForFiles, from }: Question,
): Promise<Search | { readonly kind: "wrong"; readonly detail: string }> {
  const { ContentSearch, findFiles } = await import("../browse/search.ts");
  if (isForFiles) {
    const find = async (): Promise<Findings> => {
      const { files, next } = await findFiles(session, tree, { text, behind: from.behind, limit: PAGE_FILES });
      return { kind: "files", files, next: next === undefined ? undefined : { behind: next, line: 0 } };
    };
    return { kind: "search", find };
  }
  const search = ContentSearch.of(session, { text, isRegexp }, from);
  if (search.kind !== "found") return { kind: "wrong", detail: search.detail.replace(/^q: /, "") };
  return { kind: "search", find: async () => ({ kind: "lines", ...(await search.page(tree, path, PAGE_LINES)) }) };
}

/** Whether a page ends although it has room for more: it took too long. */
function endsEarly(findings: Findings): boolean {
  if (findings.next === undefined) return false;
  if (findings.kind === "files") return findings.files.length < PAGE_FILES;
  return findings.lines.length < PAGE_LINES && findings.unsearched.length < PAGE_LINES;
}

function SearchForm({ page, question }: { readonly page: RepositoryPage; readonly question: Question }) {
  const { text, revision, path, isRegexp, isForFiles } = question;
  return (
    <form class="bar search" method="get" role="search" action={`${repositoryLink(page.name)}/search`}>
      <label>
        Look for <input type="search" name="q" value={shownBytes(text)} required spellcheck={false} size={30} />
      </label>
      <label>
        in{" "}
        <select name="in">
          <option value="text">the text of files</option>
          <option value="names" selected={isForFiles}>
            names of files
          </option>
        </select>
      </label>
      <label>
        of <input name="rev" value={shownBytes(revision)} spellcheck={false} autocomplete="off" size={12} />
      </label>
      <label>
        below <input name="path" value={shownBytes(path)} placeholder="everything" spellcheck={false} size={16} />
      </label>
      <label>
        <input type="checkbox" name="regexp" value="true" checked={isRegexp} /> regular expression
      </label>
      <button>Search</button>
    </form>
  );
}

/** Groups lines by their files, which follow one another. */
function byFile(lines: readonly FoundLine[]): (readonly FoundLine[])[] {
  const groups: FoundLine[][] = [];
  for (const line of lines) {
    const last = groups.at(-1);
    if (last?.[0]?.path === line.path) last.push(line);
    else groups.push([line]);
  }
  return groups;
}

type Place = { readonly page: RepositoryPage; readonly revision: string };

function FileLines({ page, revision, lines }: Place & { readonly lines: readonly FoundLine[] }) {
  const path = lines[0]?.path ?? ""; // A group has at least one line.
  const href = `${pathLink(page.name, "blob", revision, path)}?plain=1`;
  const name = shownBytes(path);
  return (
    <section class="found">
      <h2 class="path">
        <a href={pathLink(page.name, "blob", revision, path)}>
          <bdi>{name}</bdi>
        </a>
      </h2>
      <div class="lines" role="region" aria-label={`Lines of ${name}`} tabindex={0}>
        <table>
          <caption class="hidden">Lines of {name}</caption>
          <tbody>
            {lines.map(({ line, text, isCut }) => (
              <tr>
                <td class="n">
                  <a href={`${href}#L${line}`}>{line}</a>
                </td>
                <td class="l">
                  {decoded(text)}
                  {isCut ? <span class="note"> (the line goes on)</span> : null}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function FileList({ page, revision, files }: Place & { readonly files: readonly FoundFile[] }) {
  return (
    <ul class="changes">
      {files.map(({ path }) => (
        <li>
          <a href={pathLink(page.name, "blob", revision, path)}>
            <bdi>{shownBytes(path)}</bdi>
          </a>
        </li>
      ))}
    </ul>
  );
}

function Results({ page, revision, findings }: Place & { readonly findings: Findings }) {
  switch (findings.kind) {
    case "files":
      if (findings.files.length === 0) return <p class="note">No file was found on this page.</p>;
      return <FileList page={page} revision={revision} files={findings.files} />;
    case "lines":
      return (
        <>
          {findings.lines.length === 0 ? <p class="note">No line was found on this page.</p> : null}
          {byFile(findings.lines).map((lines) => (
            <FileLines page={page} revision={revision} lines={lines} />
          ))}
          {findings.unsearched.length === 0 ? null : (
            <>
              <p class="note">These files are too large to be looked at:</p>
              <FileList page={page} revision={revision} files={findings.unsearched} />
            </>
          )}
        </>
      );
  }
}

/** Returns the address of the next page. */
function nextLink({ name }: RepositoryPage, question: Question, next: SearchPosition): string {
  const { text, revision, path, isRegexp, isForFiles } = question;
  const query: readonly (readonly [string, string])[] = [
    ["q", text],
    ["in", isForFiles ? "names" : "text"],
    ["rev", revision],
    ["path", path],
    ["regexp", String(isRegexp)],
    ["behind", next.behind ?? ""], // Without it the search goes on in the first file.
    ["line", String(next.line)],
  ];
  const pairs = query.map(([key, value]) => `${key}=${percentEncoded(value)}`);
  return `${repositoryLink(name)}/search?${pairs.join("&")}`;
}

/** Answers with the page of a question without a search: nothing was asked, or what can't be looked for. */
async function formAnswer(
  context: Context<PageEnv>,
  page: RepositoryPage,
  question: Question,
  wrong?: string,
): Promise<Response> {
  const { tenant, repo } = shownNames(page.name);
  return await pageAnswer(context, {
    title: `${titleOf(question)} - ${tenant}/${repo}`,
    status: wrong === undefined ? 200 : 422,
    isPublic: page.record.visibility === "public",
    crumbs: crumbsOf(page),
    body: (
      <RepositoryFrame shown={page} tab="search" revision={question.revision}>
        <SearchForm page={page} question={question} />
        {wrong === undefined ? (
          <p class="note">A text is looked for as it is; small and capital letters differ in it.</p>
        ) : (
          <p class="error">This can't be looked for: {wrong}.</p>
        )}
      </RepositoryFrame>
    ),
  });
}

function titleOf({ text }: Question): string {
  return text === "" ? "Search" : `Search for ${shownBytes(text)}`;
}

/** Answers with the page. */
export async function searchPage(context: Context<PageEnv>): Promise<Response> {
  const question = questionOf(context);
  const { revision, text } = question;
  return await withRepository(context, [requestedRevision(revision)], async (page) => {
    if (text === "") return await formAnswer(context, page, question);
    const object = found(await resolveRevision(page.session, requestedRevision(revision)));
    const { name: tree } = found(await peelToTree(page.session, object));
    const search = await searchOf(page, tree, question);
    if (search.kind === "wrong") return await formAnswer(context, page, question, search.detail);
    return await byContent(context, page, tree, async () => ({
      title: titleOf(question),
      tab: "search",
      revision,
      head: <SearchForm page={page} question={question} />,
      content: async (rendering) => {
        const findings = await search.find();
        rendering.isPartial = endsEarly(findings);
        const { next } = findings;
        return [
          <Results page={page} revision={revision} findings={findings} />,
          <Pager href={next === undefined ? undefined : nextLink(page, question, next)} words="Look further" />,
        ];
      },
    }));
  });
}
