/**
 * Activity: how many commits a revision, or a path in it, had in each week, and by whom. People are told apart as
 * `git shortlog -se` does it, by the `.mailmap` of the revision.
 *
 * @packageDocumentation
 * @see git-shortlog(1), gitmailmap(5)
 */
import { readAuthor } from "../object/commit.ts";
import { Mailmap } from "../object/mailmap.ts";
import { CommitQueue } from "../graph/commit-queue.ts";
import { readBlob } from "./blob.ts";
import type { BrowseSession } from "./browse-session.ts";
import { treeOf } from "./commit.ts";
import type { CommitLog } from "./commit-log.ts";
import { findPath } from "./tree-at.ts";

/** Somebody who made commits. Times are in seconds since the epoch, and those of authors. */
export type Contributor = {
  readonly name: string;
  readonly email: string;
  commits: number;
  first: number;
  last: number;
};

/** What commits come to. */
export type Activity = {
  /** The number of commits. */
  readonly commits: number;
  /** The commits of each week by {@link weekOf}. */
  readonly weeks: ReadonlyMap<number, number>;
  /** Those with the most commits first. */
  readonly contributors: readonly Contributor[];
};

const DAY = 24 * 3600;
const WEEK_DAYS = 7;
/** The first day of the epoch was a Thursday, three days after a Monday. */
const EPOCH_DAYS_AFTER_MONDAY = 3;
/** The largest mailmap that is read, in bytes. */
const LARGEST_MAILMAP = 256 * 1024;
/** About the bytes of memory that a mailmap takes for each of its own, and the steps of reading one. */
const MAILMAP_BYTES = 20;
const MAILMAP_STEPS = 20;
/** The bytes of people, about, after which a page ends. */
const MOST_PEOPLE_BYTES = 2 * 1024 * 1024;
/** The overhead in bytes of somebody who is counted. */
const PERSON_BYTES = 200;
/** The steps of reading a commit's author, beside those of reading the commit. */
const AUTHOR_STEPS = 500;
/** The steps of taking a commit out of the queue and putting its parents in. */
const COMMIT_STEPS = 200;

/** Returns the number of the week of a time in seconds since the epoch. Weeks begin on Mondays, in UTC. */
export function weekOf(time: number): number {
  return Math.floor((Math.floor(time / DAY) + EPOCH_DAYS_AFTER_MONDAY) / WEEK_DAYS);
}

/** Returns when a week begins, in seconds since the epoch. */
export function weekBegins(week: number): number {
  return (week * WEEK_DAYS - EPOCH_DAYS_AFTER_MONDAY) * DAY;
}

/** Reads the mailmap of a commit (raw name). One that is too large counts as none, as does what is no file. */
export async function mailmapOf(session: BrowseSession, commit: Uint8Array): Promise<Mailmap> {
  const entry = await findPath(session, await treeOf(session, commit), ".mailmap");
  if (entry.kind !== "found" || entry.type !== "blob") return new Mailmap();
  const { bytes, isWhole } = await readBlob(session, entry.oid, LARGEST_MAILMAP);
  if (!isWhole) return new Mailmap();
  session.keep(MAILMAP_BYTES * bytes.length);
  await session.work(MAILMAP_STEPS * bytes.length);
  return new Mailmap(new TextDecoder().decode(bytes));
}

/** Counts the commits that a log has left on this page. A commit without an author counts for nobody, as in git. */
export async function countActivity(session: BrowseSession, log: CommitLog, mailmap: Mailmap): Promise<Activity> {
  const { graph } = session;
  const weeks = new Map<number, number>();
  const people = new Map<string, Contributor>();
  let commits = 0;
  let bytesOfPeople = 0;
  while (bytesOfPeople < MOST_PEOPLE_BYTES) {
    const node = await log.next();
    if (node === undefined) break;
    await session.work(AUTHOR_STEPS);
    commits++;
    const week = weekOf(graph.commits.timeOf(node));
    weeks.set(week, (weeks.get(week) ?? 0) + 1); // A week without commits so far has none.
    const { bytes } = await graph.reader.readCopy(graph.nameOf(node));
    const author = readAuthor(bytes);
    if (author === undefined) continue;
    const person = mailmap.properOf(author);
    const key = `${person.name}\n${person.email}`;
    const known = people.get(key);
    if (known === undefined) {
      people.set(key, { ...person, commits: 1, first: author.time, last: author.time });
      bytesOfPeople += 4 * key.length + PERSON_BYTES;
      session.keep(4 * key.length + PERSON_BYTES);
      continue;
    }
    known.commits++;
    known.first = Math.min(known.first, author.time);
    known.last = Math.max(known.last, author.time);
  }
  const contributors = [...people.values()].sort((a, b) => b.commits - a.commits || inOrder(a, b));
  return { commits, weeks, contributors };
}

function inOrder(a: Contributor, b: Contributor): number {
  const [left, right] = [`${a.name} <${a.email}>`, `${b.name} <${b.email}>`];
  return left < right ? -1 : left > right ? 1 : 0;
}

/** The commits of a week by {@link weekOf}. */
export type WeekOfCommits = { readonly week: number; readonly commits: number };

/**
 * Counts the commits of the weeks up to that of a commit (raw name), oldest first, from times alone: no commit is read
 * that the commit-graph has. Returns fewer weeks than `most` if `steps` were taken before. A commit that is dated
 * outside of these weeks is not counted, and what lies behind one that is older is not looked at. `isCut` says that reads of
 * the bucket ended it, of which a later request may need fewer.
 */
export async function recentWeeks(
  session: BrowseSession,
  tip: Uint8Array,
  { most, steps }: { readonly most: number; readonly steps: number },
): Promise<{ readonly weeks: readonly WeekOfCommits[]; readonly isCut: boolean }> {
  const { graph } = session;
  const queue = new CommitQueue();
  const seen = new Set<number>();
  const put = (node: number): void => {
    if (seen.has(node)) return;
    seen.add(node);
    queue.push(node, graph.commits.timeOf(node));
  };
  const begin = graph.node(tip);
  await graph.loadCommit(begin);
  put(begin);
  const last = weekOf(queue.youngestTime);
  const counts = Array.from({ length: most }, () => 0);
  const mayTake = session.repository.pacer.steps + steps;
  // The first week whose commits were all met.
  let first = last - most + 1;
  let isCut = false;
  for (let node = queue.pop(); node !== undefined; node = queue.pop()) {
    const week = weekOf(graph.commits.timeOf(node));
    if (week <= last - most) break;
    if (session.hasSpent(mayTake)) {
      first = week + 1;
      isCut = session.repository.pacer.steps < mayTake;
      break;
    }
    const { pacer } = session.repository;
    pacer.add(COMMIT_STEPS);
    if (pacer.isDue) await pacer.pace();
    const at = week - (last - most + 1);
    if (at < most) counts[at] = (counts[at] ?? 0) + 1; // A parent may be younger than the tip.
    const parents = graph.commits.parentsOf(node).slice();
    // Nothing is awaited where the commit-graph has them: that would take longer than to look them up.
    const loading = graph.loadCommits(parents);
    if (loading !== undefined) await loading;
    parents.forEach(put);
  }
  const weeks = counts.map((commits, at) => ({ week: last - most + 1 + at, commits }));
  return { weeks: weeks.filter(({ week }) => week >= first), isCut };
}
