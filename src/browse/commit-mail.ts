/**
 * Commits as mails with their patches, which `git am` takes: the text of `git format-patch --full-index --always`.
 *
 * @packageDocumentation
 * @see git-format-patch(1)
 */
import { LimitExceeded } from "../bytes/failure.ts";
import { toHex } from "../bytes/hex.ts";
import { type FileStat, statText } from "../diff/diffstat.ts";
import { type DiffOptions, lineChanges } from "../diff/line-diff.ts";
import { type MailedCommit, mailHead } from "../diff/mail-head.ts";
import { bytesOf } from "../object/byte-text.ts";
import type { BrowseSession } from "./browse-session.ts";
import { readCommit, treeOf } from "./commit.ts";
import { compareCommits } from "./compare.ts";
import { type DiffedFile, diffFiles } from "./file-diff.ts";
import { changedFiles, patchFile, patchText, withoutTypeChanges } from "./patch.ts";

/** The columns of the statistics in a mail. */
const MAIL_WIDTH = 72;

/** Characters of statistics that go out together. */
const PIECE = 32_768;
/** Bytes of what is known of a file for them, beside its path; and the steps of each look at it. */
const STAT_BYTES = 400;
const STAT_STEPS = 150;

/** The most commits of a series, merges among them. */
const MOST_SERIES = 1000;

/** A commit with at most one parent, and the trees of both. Names are raw. */
export type SentCommit = {
  readonly name: Uint8Array;
  readonly before: Uint8Array | undefined;
  readonly after: Uint8Array;
};

/**
 * Yields the mails of the commits that only the second one reaches, oldest first: the text of
 * `git format-patch --full-index --always from..to`. Merges are left out.
 *
 * @throws LimitExceeded if they are too many
 */
export async function* seriesMails(
  session: BrowseSession,
  ends: { readonly from: Uint8Array; readonly to: Uint8Array },
  options: DiffOptions,
): AsyncGenerator<Uint8Array, undefined> {
  const { graph } = session;
  const { ahead, commits } = await compareCommits(session, ends, { first: 0, count: MOST_SERIES });
  if (ahead > MOST_SERIES)
    throw new LimitExceeded("mailed-commits", MOST_SERIES, `a series has at most the mails of ${MOST_SERIES} commits`);
  const sent: { readonly name: Uint8Array; readonly parent: Uint8Array | undefined }[] = [];
  for (const name of commits.toReversed()) {
    const node = graph.node(name);
    await graph.loadCommit(node);
    const [parent, other] = graph.commits.parentsOf(node);
    if (other === undefined) sent.push({ name, parent: parent === undefined ? undefined : graph.nameOf(parent) });
  }
  for (const [at, { name, parent }] of sent.entries()) {
    if (at > 0) yield bytesOf("\n");
    const before = parent === undefined ? undefined : await treeOf(session, parent);
    const commit = { name, before, after: await treeOf(session, name) };
    yield* commitMail(session, commit, options, { number: at + 1, total: sent.length });
  }
}

/** Yields the mail of a commit with at most one parent, in pieces. */
export async function* commitMail(
  session: BrowseSession,
  commit: SentCommit,
  options: DiffOptions,
  place?: MailedCommit["place"],
): AsyncGenerator<Uint8Array, undefined> {
  const { author, message } = await readCommit(session, commit.name);
  const head = mailHead({ oid: toHex(commit.name), author, message, ...(place === undefined ? {} : { place }) });
  yield new TextEncoder().encode(head);
  if (yield* statistics(session, commit, options)) {
    const changes = withoutTypeChanges(changedFiles(session, commit.before, commit.after));
    yield* patchText(diffFiles(session, changes, options), session);
  }
  yield bytesOf("-- \nthinpack\n\n");
}

/** Yields the statistics of a commit's changed files. Returns whether there are any. */
async function* statistics(
  session: BrowseSession,
  commit: SentCommit,
  options: DiffOptions,
): AsyncGenerator<Uint8Array, boolean> {
  const { memory } = session.repository;
  const stats: FileStat[] = [];
  let held = 0;
  try {
    for await (const file of diffFiles(session, changedFiles(session, commit.before, commit.after), options)) {
      const stat = statOf(file);
      if (stat === undefined) continue;
      const bytes = STAT_BYTES + file.change.path.length;
      memory.hold(bytes);
      held += bytes;
      stats.push(stat);
    }
    if (stats.length === 0) return false;
    let text = "---\n";
    for (const part of statText(stats, MAIL_WIDTH)) {
      text += part;
      await session.work(STAT_STEPS + part.length);
      if (text.length < PIECE) continue;
      yield bytesOf(text);
      text = "";
    }
    yield bytesOf(`${text}\n`);
    return true;
  } finally {
    memory.hold(-held);
  }
}

/** Returns the statistics of a file; `undefined` if no line of it counts as changed. */
function statOf({ change, content, isBinary, sizes }: DiffedFile): FileStat | undefined {
  const file = patchFile(change);
  if (isBinary || content.kind === "large") {
    const isSame = content.kind === "same";
    return { ...file, isBinary: true, added: isSame ? 0 : sizes.after, deleted: isSame ? 0 : sizes.before };
  }
  let [added, deleted] = [0, 0];
  if (content.kind === "lines") {
    for (const { before, after } of lineChanges(content.lines)) {
      added += after.end - after.start;
      deleted += before.end - before.start;
    }
  }
  const isNothing = change.status === "M" && added + deleted === 0 && change.before?.mode === change.after?.mode;
  return isNothing ? undefined : { ...file, isBinary: false, added, deleted };
}
