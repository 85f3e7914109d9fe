/**
 * The search for the commits of a file's lines that goes on where the last view of its blame ended.
 *
 * @packageDocumentation
 */
import type { BrowseSession } from "../browse/browse-session.ts";
import { Blame, type BlameOptions, type BlameRange, type PendingLines } from "../browse/blame.ts";
import { toHex } from "../bytes/hex.ts";
import type { BegunBlame, BegunBlames, LineCommit } from "./begun-blames.ts";
import { namedCommit } from "./commit-line.tsx";
import { copied } from "./remembered.ts";
import { shownPerson, shownTime, splitMessage } from "./texts.ts";

/** A file of a commit (raw name), and how its lines are blamed. */
export type BlamedFile = {
  readonly commit: Uint8Array;
  /** One character per byte. */
  readonly path: string;
  /** The number of its lines as git counts them. */
  readonly count: number;
  readonly options: BlameOptions;
  /** Names the choices from which, and from the commit, `options` were made. */
  readonly choices: string;
};

const DAY_CHARACTERS = 10;

/**
 * Goes on with a blame until the request has taken `steps`, or as many as a page may. The visitor has been shown the
 * commit. Returns the commit of each line; `undefined` where it was not found yet.
 */
export async function findLines(
  session: BrowseSession,
  begun: BegunBlames,
  { commit, path, count, options, choices }: BlamedFile,
  steps?: number,
): Promise<(LineCommit | undefined)[]> {
  const key = `${session.answer.record.id} ${toHex(commit)} ${choices} ${path}`;
  const whole = count === 0 ? [] : [{ commit, path, lines: [{ line: 0, count, source: 0 }] }];
  const known: BegunBlame = begun.read(key) ?? { commits: [], lines: new Uint32Array(count), pending: whole };
  const blame = known.pending.length === 0 ? undefined : await Blame.resume(session, known.pending, options);
  if (blame === undefined) return shown(known);
  const ranges: BlameRange[] = [];
  for await (const range of blame.run(steps)) ranges.push(range);
  const further = { ...(await withRanges(session, known, ranges)), pending: blame.pending().map(ownPlace) };
  begun.keep(key, further);
  return shown(further);
}

function shown({ commits, lines }: BegunBlame): (LineCommit | undefined)[] {
  return Array.from(lines, (number) => commits[number - 1]);
}

/** Returns what was known, with lines that were found since. */
async function withRanges(
  session: BrowseSession,
  known: BegunBlame,
  ranges: readonly BlameRange[],
): Promise<Pick<BegunBlame, "commits" | "lines">> {
  const commits = [...known.commits];
  const lines = known.lines.slice();
  const numbers = new Map(commits.map(({ oid }, at) => [oid, at + 1] as const));
  for (const { commit, line, count } of ranges) {
    const oid = toHex(commit);
    let number = numbers.get(oid);
    if (number === undefined) {
      number = commits.push(await lineCommit(session, commit));
      numbers.set(oid, number);
    }
    lines.fill(number, line, line + count);
  }
  return { commits, lines };
}

async function lineCommit(session: BrowseSession, name: Uint8Array): Promise<LineCommit> {
  const { oid, commit } = await namedCommit(session, name);
  const { author, message } = commit;
  return {
    oid,
    subject: copied(splitMessage(message).subject),
    author: copied(shownPerson(author)),
    day: author === undefined ? "" : copied(shownTime(author.time, author.zone).slice(0, DAY_CHARACTERS)),
  };
}

/** Returns a place where the search goes on, of which nothing is a view of something larger. */
function ownPlace({ commit, path, lines }: PendingLines): PendingLines {
  return { commit, path: copied(path), lines };
}
