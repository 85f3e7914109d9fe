/** What views of a directory's page remember of its last changes, against what git says of them. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterAll, beforeAll, expect, it } from "vitest";
import { BrowseSession } from "../../../src/browse/browse-session.ts";
import { listEntries } from "../../../src/browse/tree-at.ts";
import { Pacer } from "../../../src/bytes/pacer.ts";
import { recentPlot } from "../../../src/web/activity-page.tsx";
import { BegunChanges } from "../../../src/web/begun-changes.ts";
import { findChanges } from "../../../src/web/found-changes.ts";
import { makeEdits } from "../../support/edited-history.ts";
import { GitRepository } from "../../support/git-repository.ts";
import { pseudoRandom, rawName, TestStore } from "../../support/store.ts";

setFlagsFromString("--expose-gc");

const STEPS = 5000;
const git = new GitRepository();
const store = new TestStore();

beforeAll(async () => {
  makeEdits(git, pseudoRandom(3), 120);
  store.packs = [{ ...(await store.push(git.pack(["--all"]), git.tips())), marked: true }];
});

afterAll(() => {
  git.dispose();
});

/** A view of the root of a commit. Returns the names of entries with their commits, how many entries there are, and the steps. */
async function view(
  begun: BegunChanges,
  tip: string,
): Promise<{ readonly found: Map<string, string>; readonly count: number; readonly steps: number }> {
  const pacer = new Pacer(async () => {});
  const session = await BrowseSession.open({ ...store.repository(), pacer }, store.answer(new Uint8Array(0)));
  try {
    const entries = await listEntries(session, rawName(git.oid(`${tip}^{tree}`)), { first: 0, count: 1000 });
    const before = pacer.steps;
    const found = await findChanges(
      session,
      begun,
      { commit: rawName(git.oid(tip)), path: "", entries },
      { steps: before + STEPS },
    );
    const named = [...found].map(([at, commit]) => [entries[at]?.name ?? "", commit.oid] as const);
    return { found: new Map(named), count: entries.length, steps: pacer.steps - before };
  } finally {
    session.close();
  }
}

it("goes on where the last view ended, and looks for nothing that was found", async () => {
  const begun = new BegunChanges();
  let views = 1;
  let last = await view(begun, "c119");
  for (; last.found.size < last.count; last = await view(begun, "c119")) views++;
  expect(views).toBeGreaterThan(2);
  for (const [name, commit] of last.found)
    expect([name, commit]).toEqual([name, git.text(["log", "-1", "--format=%H", "c119", "--", name])]);
  expect(await view(begun, "c119")).toMatchObject({ found: last.found, steps: 0 });
  // Another commit has a search of its own.
  expect((await view(begun, "c118")).found.size).toBeLessThan(last.count);
});

it("counts the commits of the weeks that the front page plots once", async () => {
  const begun = new BegunChanges();
  const plot = async (tip: string): Promise<{ readonly html: string; readonly steps: number }> => {
    const pacer = new Pacer(async () => {});
    const session = await BrowseSession.open({ ...store.repository(), pacer }, store.answer(new Uint8Array(0)));
    try {
      const shown = await recentPlot(session, rawName(git.oid(tip)), { rendering: { isPartial: false }, begun });
      return { html: String(shown), steps: pacer.steps };
    } finally {
      session.close();
    }
  };
  const first = await plot("c119");
  expect(first.html).toContain("Commits per week");
  expect(first.steps).toBeGreaterThan(0);
  expect(await plot("c119")).toEqual({ html: first.html, steps: 0 });
  expect((await plot("c118")).steps).toBeGreaterThan(0);
  expect(begun.weeks.bytes).toBeGreaterThan(0);
});

it("remembers as much as it may", async () => {
  const begun = new BegunChanges(12_000);
  for (const tip of ["c119", "c100", "c80", "c60"]) {
    await view(begun, tip);
    expect(begun.bytes).toBeLessThanOrEqual(12_000);
  }
  expect(begun.bytes).toBeGreaterThan(0);
  const none = new BegunChanges(0);
  const first = await view(none, "c119");
  expect([none.bytes, await view(none, "c119")]).toEqual([0, first]);
});

it("keeps nothing of the messages and names of which it shows a part", async () => {
  const all = new TestStore();
  const begun = new BegunChanges();
  const tree = git.oid("c0^{tree}");
  const tips = Array.from({ length: 24 }, (_, i) =>
    git
      .git(
        ["commit-tree", tree, "-F", "-"],
        `a subject that is not as short as a word ${i}\n\n${"x".repeat(250_000)}\n`,
        {
          GIT_COMMITTER_NAME: "y".repeat(100_000),
        },
      )
      .toString()
      .trim(),
  );
  all.packs = [{ ...(await all.push(git.pack(tips), tips)), marked: true }];
  const collect = runInNewContext("gc") as () => void;
  collect();
  const before = process.memoryUsage().heapUsed;
  for (const tip of tips) {
    const session = await BrowseSession.open(all.repository(), all.answer(new Uint8Array(0)));
    try {
      const entries = await listEntries(session, rawName(tree), { first: 0, count: 1000 });
      const directory = { commit: rawName(tip), path: "", entries };
      for (let found = 0; found < entries.length;)
        found = (await findChanges(session, begun, directory, { steps: Infinity })).size;
    } finally {
      session.close();
    }
  }
  collect();
  // A message and a name of each commit would be 8 MB.
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(3_000_000);
  expect(begun.bytes).toBeGreaterThan(24_000);
});
