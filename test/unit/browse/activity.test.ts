/** Activity in a history with merges and odd authors, against what git's shortlog and log say of it. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type Activity,
  type Contributor,
  countActivity,
  mailmapOf,
  recentWeeks,
  weekBegins,
  weekOf,
} from "../../../src/browse/activity.ts";
import { BrowseSession } from "../../../src/browse/browse-session.ts";
import { CommitLog, type LogPosition } from "../../../src/browse/commit-log.ts";
import { Mailmap } from "../../../src/object/mailmap.ts";
import { GitRepository } from "../../support/git-repository.ts";
import { pseudoRandom, rawName, TestStore } from "../../support/store.ts";

const COMMITS = 400;
const WEEK = 7 * 24 * 3600;
const START = 1_500_000_000;

const MAILMAP = `# People of the tests
Ann Other <ann@example.com>
<ann@example.com> <ANN@old.example.com>
 Bea Proper\t <bea@example.com>  Bea <shared@example.com>
Cis Proper <cis@example.com> CIS <Shared@example.com>
<other@example.com> <shared@example.com>
Dee <> <dee@example.com>
Nobody <>
No Address
Left < right
Eve <eve@example.com> <> trailing
Fay <fay@example.com> <fay@one.example.com> <fay@two.example.com>
\xc5sa <asa@example.com>
Zo\u00eb <zoe@example.com> zo\u00eb <zoe@home.example.com>
#Gus Proper <gus@example.com>
`;

const AUTHORS: readonly (string | Buffer)[] = [
  "Ann <ann@example.com>",
  "A. Other <ann@OLD.example.com>",
  "bea <shared@example.com>",
  "Cis <SHARED@example.com>",
  "Somebody <shared@example.com>",
  "D <dee@example.com>",
  "E <>",
  "F1 <fay@one.example.com>",
  "F2 <fay@two.example.com>",
  "Zo\u00eb <zoe@home.example.com>",
  "ZO\u00cb <zoe@home.example.com>",
  "  Gus   <gus@example.com>",
  "<only@example.com>",
];

/** A stream for `git fast-import`: a line of commits with merges, and clocks that go back now and then. */
function stream(random: (below: number) => number): Buffer {
  const parts: (string | Buffer)[] = [`blob\nmark :9000\ndata ${Buffer.byteLength(MAILMAP)}\n`, MAILMAP, "\n"];
  let time = START;
  for (let i = 1; i <= COMMITS; i++) {
    time += random(10) === 0 ? -random(WEEK) : random(WEEK / 3);
    const author = AUTHORS[random(AUTHORS.length)] ?? "";
    parts.push(`blob\nmark :${10_000 + i}\ndata ${String(i).length}\n${i}\n`);
    parts.push(`commit refs/heads/main\nmark :${i}\nauthor `, author);
    parts.push(` ${time - random(100_000)} +0200\ncommitter C <c@example.com> ${time} +0000\ndata 1\n${i % 10}\n`);
    if (i > 1) parts.push(`from :${i - 1}\n`);
    if (i > 10 && random(5) === 0) parts.push(`merge :${i - 2 - random(8)}\n`);
    parts.push(`M 100644 :9000 .mailmap\nM 100644 :${10_000 + i} dir${random(3)}/f${random(4)}\n\n`);
  }
  return Buffer.concat(parts.map((part) => Buffer.from(part)));
}

it("a mailmap of endless white space is read in one go", () => {
  // Ten thousand times as long as it would take, were each space looked at from each other one.
  const spaces = " ".repeat(200_000);
  const mailmap = new Mailmap(`a${spaces}b <x@example.com> <y@example.com>\n${spaces}\n`);
  expect(mailmap.properOf({ name: "", email: "Y@example.com" }).email).toBe("x@example.com");
});

describe("activity", () => {
  const git = new GitRepository();
  const store = new TestStore();

  beforeAll(async () => {
    git.import({ bytes: () => stream(pseudoRandom(5)) });
    // An author in Latin 1, as its header says.
    const tree = git.oid("main^{tree}");
    const latin = Buffer.from(
      `tree ${tree}\nparent ${git.oid("main")}\nauthor Zo\u00eb <zoe@home.example.com> 1600000000 +0000\n` +
        `committer C <c@example.com> ${START + 100 * WEEK} +0000\nencoding ISO-8859-1\n\nm\n`,
      "latin1",
    );
    const tip = git.text(["hash-object", "-t", "commit", "-w", "--stdin"], latin).trim();
    git.text(["update-ref", "refs/heads/main", tip]);
    store.packs = [{ ...(await store.push(git.pack(["--all"]), git.tips())), marked: true }];
  });

  afterAll(() => {
    git.dispose();
  });

  const run = async <T>(work: (session: BrowseSession, tip: Uint8Array) => Promise<T>): Promise<T> => {
    const session = await BrowseSession.open(store.repository(), store.answer(new Uint8Array(0)));
    try {
      return await work(session, rawName(git.oid("main")));
    } finally {
      session.close();
    }
  };

  const byGit = (...paths: string[]): string[] =>
    git
      .lines(["-c", "mailmap.blob=main:.mailmap", "shortlog", "-sne", "main", "--", ...paths])
      .map((line) => line.trim().replace("\t", " "))
      .toSorted();
  const written = (people: readonly Contributor[]): string[] =>
    people.map(({ name, email, commits }) => `${commits} ${name} <${email}>`).toSorted();

  const counted = async (path: string): Promise<Activity> =>
    await run(async (session, tip) => {
      const log = await CommitLog.start(session, tip, path);
      return await countActivity(session, log, await mailmapOf(session, tip));
    });

  it("has whom git shortlog -sne has, by the mailmap", async () => {
    const { contributors, commits } = await counted("");
    expect(commits).toBe(COMMITS + 1);
    expect(written(contributors)).toEqual(byGit());
    expect(contributors.map((person) => person.commits)).toEqual(
      contributors.map((person) => person.commits).toSorted((a, b) => b - a),
    );
    expect(written((await counted("dir1")).contributors)).toEqual(byGit("dir1"));
    // The mailmap says something: without it there are others.
    const plain = await run(async (session, tip) =>
      countActivity(session, await CommitLog.start(session, tip, ""), new Mailmap()),
    );
    expect(written(plain.contributors)).not.toEqual(byGit());
  });

  it("has the first and last time of each author, and the commits of each week", async () => {
    const { contributors, weeks } = await counted("");
    const times = git.lines(["log", "--format=%at", "main"]).map(Number);
    expect(Math.min(...contributors.map(({ first }) => first))).toBe(Math.min(...times));
    expect(Math.max(...contributors.map(({ last }) => last))).toBe(Math.max(...times));
    const byWeek = new Map<string, number>();
    for (const line of git.lines(["log", "--date=format-local:%G-%V", "--format=%cd", "main"]))
      byWeek.set(line, (byWeek.get(line) ?? 0) + 1); // None was met so far.
    const sorted = (counts: Iterable<number>): number[] => [...counts].toSorted((a, b) => a - b);
    expect(sorted(weeks.values())).toEqual(sorted(byWeek.values()));
    expect(new Date(weekBegins(weekOf(START)) * 1000).toISOString()).toBe("2017-07-10T00:00:00.000Z");
  });

  it("goes on page by page, and comes to the same", async () => {
    const whole = await counted("");
    const sums = new Map<string, number>();
    let position: LogPosition | undefined;
    let pages = 0;
    do {
      const page = await run(async (session, tip) => {
        const log =
          position === undefined
            ? await CommitLog.start(session, tip, "", { bounds: { commits: 150, steps: Number.POSITIVE_INFINITY } })
            : await CommitLog.resume(session, position, "");
        if (log === undefined) throw new Error("the position is possible");
        const activity = await countActivity(session, log, await mailmapOf(session, tip));
        return { activity, next: log.position() };
      });
      pages++;
      position = page.next;
      for (const { name, email, commits } of page.activity.contributors)
        sums.set(`${name} <${email}>`, (sums.get(`${name} <${email}>`) ?? 0) + commits); // None was met so far.
    } while (position !== undefined);
    expect(pages).toBe(2);
    expect([...sums].map(([who, commits]) => `${commits} ${who}`).toSorted()).toEqual(written(whole.contributors));
  });

  it("of the last weeks reads no author, and stops where its steps end", async () => {
    const { weeks: recent, isCut } = await run(async (session, tip) =>
      recentWeeks(session, tip, { most: 30, steps: 1e9 }),
    );
    expect(isCut).toBe(false);
    expect(recent).toHaveLength(30);
    const since = weekBegins(recent[0]?.week ?? 0); // There are 30.
    const expected = git.lines(["log", "--format=%ct", "main"]).map(Number);
    const met = expected.filter((time) => time >= since);
    expect(recent.reduce((sum, { commits }) => sum + commits, 0)).toBe(met.length);
    for (const { week, commits } of recent) expect(commits).toBe(met.filter((time) => weekOf(time) === week).length);
    const { weeks: few } = await run(async (session, tip) => recentWeeks(session, tip, { most: 400, steps: 30_000 }));
    expect(few.length).toBeGreaterThan(0);
    expect(few.length).toBeLessThan(300);
    for (const { week, commits } of few) expect(commits).toBe(expected.filter((time) => weekOf(time) === week).length);
  });
});
