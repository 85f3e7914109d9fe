/**
 * Pages as Markdown, for programs that read text: a directory with its README, and a commit. A request asks for them with
 * `Accept: text/markdown`.
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
import { commitLink, pathLink, repositoryLink } from "./links.ts";
import type { PageEnv } from "./page-host.ts";
import { type RepositoryPage, rootOf, shownNames, type ShownRevision } from "./repository-request.ts";
import { taggedAnswer } from "./tagged-answer.ts";
import { decoded, LARGEST_README, README, shownBytes, shownPerson, shownTime, splitMessage } from "./texts.ts";

/** The most entries of a directory. */
const MOST_ENTRIES = 1000;

/** Whether a client wants Markdown rather than a page. */
export function wantsMarkdown({ headers }: Request): boolean {
  const accept = headers.get("Accept") ?? ""; // A client without the header takes a page.
  return accept.includes("text/markdown") && !accept.includes("text/html");
}

/** Writes text so that nothing in it is Markdown, in one line. */
function plain(text: string): string {
  return text.replaceAll(/[\\`*_{}[\]<>()#+\-.!|~&]/g, String.raw`\$&`).replaceAll(/\s+/g, " ");
}

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
    "Content-Type": "text/markdown; charset=utf-8",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cache-Control": `${isShared ? "public" : "private"}, no-cache`,
    Vary: "Cookie, Authorization, Accept",
  });
}

function commitText({ oid, commit }: NamedCommit): string {
  const { subject } = splitMessage(commit.message);
  return `\`${oid}\` ${plain(subject)}, ${plain(shownPerson(commit.author))}`;
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
    const text = plain(shownBytes(each.name));
    if (each.type === "commit") return `- ${text} (submodule at \`${toHex(each.oid)}\`)`;
    const below = path === "" ? each.name : `${path}/${each.name}`;
    const isTree = each.type === "tree";
    return `- [${text}${isTree ? "/" : ""}](${pathLink(name, isTree ? "tree" : "blob", revision, below)})`;
  });
  const readme = entries.find((each) => each.type === "blob" && README.test(each.name));
  const text = readme === undefined ? undefined : await readBlob(session, readme.oid, LARGEST_README);
  return markdownAnswer(context, page, [
    `# ${plain(`${tenant}/${repo}`)}${path === "" ? "" : `: ${plain(shownBytes(path))}`}`,
    plain(record.description),
    `Clone it with \`git clone ${origin}${repositoryLink(name)}.git\`.`,
    root.commit === undefined ? "" : `At ${commitText(await namedCommit(session, root.commit))}.`,
    "## Files",
    lines.join("\n"),
    all.length > entries.length ? `Only the first ${MOST_ENTRIES} entries are listed.` : "",
    readme === undefined || text?.isWhole !== true
      ? ""
      : `## ${plain(shownBytes(readme.name))}\n\n${decoded(text.bytes)}`,
  ]);
}

function personText(role: string, person: Identity | undefined): string {
  return person === undefined ? "" : `- ${role}: ${plain(shownPerson(person))}, ${shownTime(person.time, person.zone)}`;
}

/** Answers with a commit: its message, who made it, and the files that it changed. */
export function markdownCommit(
  context: Context<PageEnv>,
  page: RepositoryPage,
  { oid, commit }: NamedCommit,
  { files, hasMore }: { readonly files: readonly ChangedFile[]; readonly hasMore: boolean },
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
  const changes = files.map((change) => {
    const from = change.status === "R" ? `${plain(shownBytes(change.from))} to ` : "";
    return `- ${STATUS_WORDS[change.status]}: ${from}${plain(shownBytes(change.path))}`;
  });
  return markdownAnswer(context, page, [
    `# ${plain(subject)}`,
    body === "" ? "" : block(body),
    facts.filter((fact) => fact !== "").join("\n"),
    "## Changed files",
    changes.join("\n"),
    hasMore ? "Only the first files are listed." : "",
  ]);
}
