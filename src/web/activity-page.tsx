/**
 * `/{tenant}/{repo}/activity/{rev}/{path}`: how many commits there were over time, and by whom.
 *
 * @packageDocumentation
 */
import type { Context } from "hono";
import type { Child } from "hono/jsx";
import {
  type Activity,
  type Contributor,
  countActivity,
  mailmapOf,
  recentWeeks,
  weekBegins,
} from "../browse/activity.ts";
import type { BrowseSession } from "../browse/browse-session.ts";
import { CommitLog } from "../browse/commit-log.ts";
import { peelToCommit } from "../browse/revision.ts";
import { toHex } from "../bytes/hex.ts";
import { found } from "../http/content.ts";
import { type BegunChanges, weeksKey } from "./begun-changes.ts";
import { pageOfRevision } from "./by-content.ts";
import type { ContentPage, Rendering } from "./content-page.tsx";
import { pathLink } from "./links.ts";
import { ListTable } from "./list-table.tsx";
import type { PageEnv } from "./page-host.ts";
import { type Bar, Plot } from "./plot.tsx";
import { RevisionForm } from "./repository-frame.tsx";
import { entryAt, type RepositoryPage, type ShownRevision } from "./repository-request.ts";
import { pageOfJson } from "./twins.ts";
import { machineTime, shownBytes, shownCount, shownPerson, shownTime } from "./texts.ts";

/** The commits that the page counts, and the steps that it takes for them: about two seconds. */
const MOST_COUNTED = 200_000;
const MOST_STEPS = 200_000_000;
/** The most bars of a plot. Each stands for as many weeks as there have to be. */
const MOST_BARS = 104;
/** The contributors that the page lists. */
const MOST_LISTED = 200;
/** The weeks of the front page's plot, and the steps that are taken for it: some hundredths of a second. */
const RECENT_WEEKS = 52;
const RECENT_STEPS = 4_000_000;
/** About the bytes that a week takes where it is remembered. */
const WEEK_BYTES = 64;
const DAY_CHARACTERS = 10;

/** Returns the day of a time in seconds since the epoch. */
function dayOf(time: number): string {
  return shownTime(time).slice(0, DAY_CHARACTERS);
}

function commitsText(count: number): string {
  return `${shownCount(count)} ${count === 1 ? "commit" : "commits"}`;
}

/** Returns the bars of weeks, from the first one with commits to the last. */
function barsOf(weeks: Activity["weeks"]): Bar[] {
  const numbers = [...weeks.keys()].filter((week) => machineTime(weekBegins(week)) !== undefined).sort((a, b) => a - b);
  const [first, last] = [numbers[0], numbers.at(-1)];
  if (first === undefined || last === undefined) return [];
  const width = Math.ceil((last - first + 1) / MOST_BARS);
  const bars = Array.from({ length: Math.ceil((last - first + 1) / width) }, (_, at) => {
    const begins = dayOf(weekBegins(first + at * width));
    const value = numbers
      .filter((week) => Math.floor((week - first) / width) === at)
      .reduce((sum, week) => sum + (weeks.get(week) ?? 0), 0); // Each of these weeks has commits.
    return { label: width === 1 ? `week of ${begins}` : `${width} weeks from ${begins}`, value };
  });
  return bars;
}

/** The plot of the last year of a revision, for the repository's front page; nothing where no week is known whole. */
export async function recentPlot(
  session: BrowseSession,
  commit: Uint8Array,
  { rendering, begun }: { readonly rendering: Rendering; readonly begun: BegunChanges },
) {
  const key = weeksKey(session.answer.record.id, toHex(commit));
  let weeks = begun.weeks.read(key);
  if (weeks === undefined) {
    const recent = await recentWeeks(session, commit, { most: RECENT_WEEKS, steps: RECENT_STEPS });
    ({ weeks } = recent);
    if (recent.isCut) rendering.isPartial = true;
    // Fewer weeks are those of a search that ended early.
    else if (weeks.length === RECENT_WEEKS) begun.weeks.keep(key, weeks, WEEK_BYTES * weeks.length);
  }
  const [first] = weeks;
  if (first === undefined || machineTime(weekBegins(first.week)) === undefined) return null;
  const bars = weeks.map(({ week, commits }) => ({ label: `week of ${dayOf(weekBegins(week))}`, value: commits }));
  return <Plot title="Commits per week" bars={bars} text={commitsText} />;
}

function ContributorRow({ person }: { readonly person: Contributor }) {
  const { name, email, commits, first, last } = person;
  return (
    <tr>
      <td title={email}>
        <bdi>{shownPerson({ name, email, time: first, zone: "+0000" })}</bdi>
      </td>
      <td class="size">{shownCount(commits)}</td>
      <td>
        <span class="day">{dayOf(first)}</span> to <span class="day">{dayOf(last)}</span>
      </td>
    </tr>
  );
}

function Contributors({ people }: { readonly people: readonly Contributor[] }) {
  return (
    <section>
      <h3>Contributors</h3>
      <ListTable label="Contributors" heads={["Name", "Commits", "First to last"]}>
        {people.slice(0, MOST_LISTED).map((person) => (
          <ContributorRow person={person} />
        ))}
      </ListTable>
      {people.length <= MOST_LISTED ? null : (
        <p class="note">
          The first {shownCount(MOST_LISTED)} of {shownCount(people.length)} are shown. The API lists them all.
        </p>
      )}
    </section>
  );
}

/** Answers with the page. */
export async function activityPage(context: Context<PageEnv>): Promise<Response> {
  return await pageOfRevision(context, shownActivity);
}

async function shownActivity(
  context: Context<PageEnv>,
  page: RepositoryPage,
  shown: ShownRevision,
): Promise<ContentPage> {
  const { session, name } = page;
  const { revision, path } = shown;
  const tip = found(await peelToCommit(session, shown.object)).name;
  const count = async (): Promise<Counted> => await counted(session, tip, path);
  // Whether there is a page of this name decides the status, if there may be one without the end of the name. A file that is there
  // has a commit, though perhaps none among those that were looked at.
  const known = pageOfJson(context.req.url) === undefined ? undefined : await count();
  if (known?.activity.commits === 0) await entryAt(session, shown);
  const of = path === "" ? shownBytes(revision) : shownBytes(path);
  return {
    title: `Activity of ${of}`,
    tab: "commits",
    revision,
    at: shown,
    alternates: [{ type: "application/json", href: `/api/v1/repos${pathLink(name, "activity", revision, path)}` }],
    head: (
      <>
        <h2>
          Activity of <bdi>{of}</bdi>
        </h2>
        <div class="bar">
          <RevisionForm shown={page} word="activity" revision={revision} path={path} />
          <a href={pathLink(name, "commits", revision, path)}>Commits</a>
        </div>
      </>
    ),
    content: async (rendering) => {
      const { activity, isPartial } = known ?? (await count()); // Counted above where the status needs it.
      rendering.isPartial = isPartial;
      return activityParts(activity, isPartial);
    },
  };
}

/** The activity, and whether it is of the youngest commits alone. */
type Counted = { readonly activity: Activity; readonly isPartial: boolean };

async function counted(session: BrowseSession, tip: Uint8Array, path: string): Promise<Counted> {
  const log = await CommitLog.start(session, tip, path, { bounds: { commits: MOST_COUNTED, steps: MOST_STEPS } });
  const activity = await countActivity(session, log, await mailmapOf(session, tip));
  return { activity, isPartial: log.position() !== undefined };
}

function activityParts({ commits, weeks, contributors }: Activity, isPartial: boolean): readonly Child[] {
  const whose = contributors.length === 1 ? "1 contributor" : `${shownCount(contributors.length)} contributors`;
  return [
    <p>
      {commitsText(commits)} by {whose}.
      {isPartial ? " These are the youngest ones; the API goes on with the others." : ""}
    </p>,
    <Plot title="Commits" bars={barsOf(weeks)} text={commitsText} />,
    <Contributors people={contributors} />,
  ];
}
