/**
 * `/{tenant}/{repo}/feed/commits` and `/feed/tags`: Atom feeds of the newest commits of the default branch, and of tags.
 *
 * @packageDocumentation
 * @see RFC 4287
 */
import type { Context } from "hono";
import { CommitLog } from "../browse/commit-log.ts";
import { toHex } from "../bytes/hex.ts";
import { byteTextOf } from "../object/escaped-bytes.ts";
import { decodeRefRows } from "../refs/ref-rows.ts";
import { requestedRevision } from "../http/content-address.ts";
import { cacheControl } from "../http/content.ts";
import { type NamedCommit, namedCommit } from "./commit-line.tsx";
import { escapeHtml } from "./html-filter.ts";
import { commitLink, pathLink, repositoryLink } from "./links.ts";
import type { PageEnv } from "./page-host.ts";
import { taggedAnswer } from "./tagged-answer.ts";
import { type RepositoryPage, shownNames, withRepository } from "./repository-request.ts";
import { machineTime, shownBytes, shownPerson, splitMessage } from "./texts.ts";

/** The entries of a feed. */
const FEED_ENTRIES = 30;
/** The most tags that are looked at for the newest ones. */
const MOST_TAGS = 2000;
/** The most characters of a message in an entry. */
const LONGEST_TEXT = 4000;
const EPOCH = new Date(0).toISOString();

/** An entry. `href` is a path of this host. */
type Entry = {
  readonly title: string;
  readonly href: string;
  readonly time: string;
  readonly author: string;
  readonly text: string;
};

/** Escapes text for XML, and leaves out the characters that XML has no way to write. */
function xmlText(text: string): string {
  const allowed = Array.from(text).filter((c) => c >= " " || c === "\n" || c === "\t");
  return escapeHtml(allowed.join("").replaceAll(/[\uFFFE\uFFFF]/g, "\uFFFD"));
}

function entryXml(origin: string, { title, href, time, author, text }: Entry): string {
  const url = escapeHtml(origin + href);
  return (
    `<entry><id>${url}</id><title>${xmlText(title)}</title><link href="${url}"/><updated>${time}</updated>` +
    `<author><name>${xmlText(author)}</name></author><content type="text">${xmlText(text)}</content></entry>`
  );
}

function feedAnswer(
  context: Context<PageEnv>,
  page: RepositoryPage,
  { title, entries }: { readonly title: string; readonly entries: readonly Entry[] },
): Response {
  const { origin, pathname } = new URL(context.req.url);
  const { tenant, repo } = shownNames(page.name);
  const updated = entries.map(({ time }) => time).reduce((a, b) => (a > b ? a : b), EPOCH);
  const self = escapeHtml(origin + pathname);
  const xml =
    `<?xml version="1.0" encoding="utf-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom"><id>${self}</id>` +
    `<title>${xmlText(`${title} of ${tenant}/${repo}`)}</title><link rel="self" href="${self}"/>` +
    `<link href="${escapeHtml(origin + repositoryLink(page.name))}"/><updated>${updated}</updated>` +
    `${entries.map((entry) => entryXml(origin, entry)).join("")}</feed>\n`;
  return taggedAnswer(context, xml, {
    "Content-Type": "application/atom+xml; charset=utf-8",
    "Cache-Control": cacheControl(page.session),
    Vary: "Cookie, Authorization",
  });
}

function timeOf({ commit }: NamedCommit): string {
  // A commit without a committer, or with a time that no calendar has, has the epoch.
  return machineTime(commit.committer?.time ?? 0) ?? EPOCH;
}

/** Answers with the feed of the newest commits. */
export async function commitsFeed(context: Context<PageEnv>): Promise<Response> {
  return await withRepository(context, [requestedRevision("HEAD")], async (page) => {
    const { session, name } = page;
    const entries: Entry[] = [];
    const { head } = session;
    if (head !== undefined) {
      const log = await CommitLog.start(session, head, "");
      while (entries.length < FEED_ENTRIES) {
        const node = await log.next();
        if (node === undefined) break;
        const named = await namedCommit(session, session.graph.nameOf(node));
        const { subject } = splitMessage(named.commit.message);
        const author = shownPerson(named.commit.author);
        entries.push({ title: subject, href: commitLink(name, named.oid), time: timeOf(named), author, text: named.commit.message.slice(0, LONGEST_TEXT) }); // prettier-ignore
      }
    }
    return feedAnswer(context, page, { title: "Commits", entries });
  });
}

/** Answers with the feed of the newest tags. */
export async function tagsFeed(context: Context<PageEnv>): Promise<Response> {
  const work = async (page: RepositoryPage): Promise<Response> => {
    const { session, name } = page;
    const { graph } = session;
    const tags: { readonly tag: string; readonly oid: Uint8Array }[] = [];
    for (const row of decodeRefRows(session.answer.refs, session.format.rawSize)) {
      if (tags.length === MOST_TAGS) break;
      const tag = byteTextOf(row.name).slice("refs/tags/".length);
      tags.push({ tag, oid: (row.peeled ?? row.oid).slice() }); // Only an annotated tag peels.
    }
    await graph.prefetch(tags.map(({ oid }) => graph.node(oid)));
    const dated: { readonly tag: string; readonly oid: Uint8Array; readonly time: number }[] = [];
    for (const { tag, oid } of tags) {
      const node = graph.node(oid);
      if (await graph.loadCommit(node)) dated.push({ tag, oid, time: graph.commits.timeOf(node) });
    }
    const newest = dated.toSorted((a, b) => b.time - a.time).slice(0, FEED_ENTRIES);
    const entries: Entry[] = [];
    for (const { tag, oid } of newest) {
      const named = await namedCommit(session, oid);
      const author = shownPerson(named.commit.author);
      const text = `${toHex(oid)} ${splitMessage(named.commit.message).subject}`;
      entries.push({ title: shownBytes(tag), href: pathLink(name, "tree", tag), time: timeOf(named), author, text });
    }
    return feedAnswer(context, page, { title: "Tags", entries });
  };
  return await withRepository(context, [], work, ["refs/tags/"]);
}
