/**
 * Pages that are Markdown in another way than what `html-to-markdown.ts` makes of them, as less has to be read for it: a
 * directory with its README as it is, and a commit or a comparison with the names of its files. The bar of the page
 * leads to their differences as text.
 *
 * @packageDocumentation
 */
import type { Context } from "hono";
import { readBlob } from "../browse/blob.ts";
import { findPath, listEntries } from "../browse/tree-at.ts";
import { toHex } from "../bytes/hex.ts";
import type { Identity } from "../object/identity.ts";
import type { ChangedFile } from "../browse/renames.ts";
import { found } from "../http/content.ts";
import { type NamedCommit, namedCommit } from "./commit-line.tsx";
import { STATUS_WORDS } from "./diff-view.ts";
import { plainMarkdown } from "./html-to-markdown.ts";
import { commitLink, pathLink, repositoryLink } from "./links.ts";
import { MARKDOWN_HEADERS } from "./twins.ts";
import type { PageEnv } from "./page-host.ts";
import { type RepositoryPage, rootOf, shownNames, type ShownRevision } from "./repository-request.ts";
import { taggedAnswer } from "./tagged-answer.ts";
import { decoded, LARGEST_README, README, shownBytes, shownPerson, shownTime, splitMessage } from "./texts.ts";

/** The most entries of a directory. */
const MOST_ENTRIES = 1000;

/** Writes text as a block of code, whatever it has in it. */
function block(text: string): string {
  return text
    .split("\n")
    .map((line) => `    ${line}`)
    .join("\n");
}

function markdownAnswer(context: Context<PageEnv>, page: RepositoryPage, parts: readonly string[]): Response {
  const isShared = page.record.visibility === "public" && context.var.page.isAnonymous;
  return taggedAnswer(context, `${parts.filter((part) => part !== "").join("\n\n")}\n`, {
    ...MARKDOWN_HEADERS,
    "Cache-Control": `${isShared ? "public" : "private"}, no-cache`,
  });
}

function commitText({ oid, commit }: NamedCommit): string {
  const { subject } = splitMessage(commit.message);
  return `\`${oid}\` ${plainMarkdown(subject)}, ${plainMarkdown(shownPerson(commit.author))}`;
}

/** Answers with a directory: its entries, and its README as it is. */
export async function markdownDirectory(
  context: Context<PageEnv>,
  page: RepositoryPage,
  { object, revision, path }: ShownRevision,
): Promise<Response> {
  const { session, name, record } = page;
  const root = await rootOf(session, object);
  const entry = found(await findPath(session, root.name, path));
  if (entry.type !== "tree") return context.redirect(pathLink(name, "blob", revision, path), 302);
  const all = await listEntries(session, entry.oid, { first: 0, count: MOST_ENTRIES + 1 });
  const entries = all.slice(0, MOST_ENTRIES);
  const { tenant, repo } = shownNames(name);
  const { origin } = new URL(context.req.url);
  const lines = entries.map((each) => {
    const text = plainMarkdown(shownBytes(each.name));
    if (each.type === "commit") return `- ${text} (submodule at \`${toHex(each.oid)}\`)`;
    const below = path === "" ? each.name : `${path}/${each.name}`;
    const isTree = each.type === "tree";
    return `- [${text}${isTree ? "/" : ""}](${pathLink(name, isTree ? "tree" : "blob", revision, below)})`;
  });
  const readme = entries.find((each) => each.type === "blob" && README.test(each.name));
  const text = readme === undefined ? undefined : await readBlob(session, readme.oid, LARGEST_README);
  return markdownAnswer(context, page, [
    `# ${plainMarkdown(`${tenant}/${repo}`)}${path === "" ? "" : `: ${plainMarkdown(shownBytes(path))}`}`,
    plainMarkdown(record.description),
    `Clone it with \`git clone ${origin}${repositoryLink(name)}.git\`.`,
    root.commit === undefined ? "" : `At ${commitText(await namedCommit(session, root.commit))}.`,
    "## Files",
    lines.join("\n"),
    all.length > entries.length ? `Only the first ${MOST_ENTRIES} entries are listed.` : "",
    readme === undefined || text?.isWhole !== true
      ? ""
      : `## ${plainMarkdown(shownBytes(readme.name))}\n\n${decoded(text.bytes)}`,
  ]);
}

function personText(role: string, person: Identity | undefined): string {
  return person === undefined
    ? ""
    : `- ${role}: ${plainMarkdown(shownPerson(person))}, ${shownTime(person.time, person.zone)}`;
}

/** The changed files that a page names, and whether there are more. */
type ChangedFiles = { readonly files: readonly ChangedFile[]; readonly hasMore: boolean };

/** Answers with a commit: its message, who made it, and the files that it changed. */
export function markdownCommit(
  context: Context<PageEnv>,
  page: RepositoryPage,
  { oid, commit }: NamedCommit,
  changes: ChangedFiles,
): Response {
  const { name } = page;
  const { subject, body } = splitMessage(commit.message);
  const facts = [
    `- Commit: \`${oid}\``,
    personText("Author", commit.author),
    personText("Committer", commit.committer),
    ...commit.parents.map((parent) => `- Parent: [\`${parent}\`](${commitLink(name, parent)})`),
    `- Differences: [as text](${commitLink(name, oid)}.diff), [as a mail](${commitLink(name, oid)}.patch)`,
  ];
  return markdownAnswer(context, page, [
    `# ${plainMarkdown(subject)}`,
    body === "" ? "" : block(body),
    facts.filter((fact) => fact !== "").join("\n"),
    ...changesText(changes),
  ]);
}

function changesText({ files, hasMore }: ChangedFiles): string[] {
  const lines = files.map((change) => {
    const from = change.status === "R" ? `${plainMarkdown(shownBytes(change.from))} to ` : "";
    return `- ${STATUS_WORDS[change.status]}: ${from}${plainMarkdown(shownBytes(change.path))}`;
  });
  return ["## Changed files", lines.join("\n"), hasMore ? "Only the first files are listed." : ""];
}

/** Answers with a comparison: its commits, and the files that differ. */
export function markdownComparison(
  context: Context<PageEnv>,
  page: RepositoryPage,
  shown: { readonly title: string; readonly relation: string; readonly commits: readonly NamedCommit[] },
  changes: ChangedFiles | undefined,
): Response {
  const { pathname } = new URL(context.req.url);
  const differences = [
    `- Differences: [as text](${pathname}.diff), [as mails](${pathname}.patch)`,
    ...changesText(changes ?? { files: [], hasMore: false }), // Without a merge base nothing is compared.
  ];
  return markdownAnswer(context, page, [
    `# ${plainMarkdown(shown.title)}`,
    shown.relation,
    shown.commits.map((each) => `- ${commitText(each)}`).join("\n"),
    ...(changes === undefined
      ? ["Their histories have nothing in common, so their files are not compared."]
      : differences),
  ]);
}
