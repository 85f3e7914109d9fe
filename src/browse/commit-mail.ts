/**
 * A commit as a mail with its patch, which `git am` takes: the text of `git format-patch --full-index --always`.
 *
 * @packageDocumentation
 * @see git-format-patch(1)
 */
import { toHex } from "../bytes/hex.ts";
import { type FileStat, statText, summaryText } from "../diff/diffstat.ts";
import { type DiffOptions, lineChanges } from "../diff/line-diff.ts";
import { mailHead } from "../diff/mail-head.ts";
import { bytesOf } from "../object/byte-text.ts";
import type { BrowseSession } from "./browse-session.ts";
import { readCommit } from "./commit.ts";
import { boundedSearch, type DiffedFile, diffFiles } from "./file-diff.ts";
import { changedFiles, patchFile, patchText, withoutTypeChanges } from "./patch.ts";

/** The columns of the statistics in a mail. */
const MAIL_WIDTH = 72;

/** Yields the mail of a commit with at most one parent, in pieces. */
export async function* commitMail(
  session: BrowseSession,
  commit: { readonly name: Uint8Array; readonly before: Uint8Array | undefined; readonly after: Uint8Array },
  options: DiffOptions,
): AsyncGenerator<Uint8Array, undefined> {
  const { author, message } = await readCommit(session, commit.name);
  yield new TextEncoder().encode(mailHead({ oid: toHex(commit.name), author, message }));
  const stats: FileStat[] = [];
  for await (const file of diffFiles(
    session,
    changedFiles(session, commit.before, commit.after),
    boundedSearch(options),
  )) {
    const stat = statOf(file);
    if (stat !== undefined) stats.push(stat);
  }
  if (stats.length > 0) {
    yield bytesOf(`---\n${statText(stats, MAIL_WIDTH)}${summaryText(stats)}\n`);
    const changes = withoutTypeChanges(changedFiles(session, commit.before, commit.after));
    yield* patchText(diffFiles(session, changes, boundedSearch(options)), session);
  }
  yield bytesOf("-- \nthinpack\n\n");
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
