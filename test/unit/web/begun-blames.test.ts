/** What views of a blame remember of it, against what git says of the lines. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { Blame } from "../../../src/browse/blame.ts";
import { BrowseSession } from "../../../src/browse/browse-session.ts";
import { itemAt } from "../../../src/bytes/assert.ts";
import { Pacer } from "../../../src/bytes/pacer.ts";
import { BegunBlames } from "../../../src/web/begun-blames.ts";
import { findLines } from "../../../src/web/found-lines.ts";
import { makeEdits } from "../../support/edited-history.ts";
import { GitRepository } from "../../support/git-repository.ts";
import { pseudoRandom, rawName, TestStore } from "../../support/store.ts";

const STEPS = 5000;
const git = new GitRepository();
const store = new TestStore();
let path = "";

beforeAll(async () => {
  makeEdits(git, pseudoRandom(3), 120);
  store.packs = [{ ...(await store.push(git.pack(["--all"]), git.tips())), marked: true }];
  // The file whose lines come from most commits.
  const paths = git.lines(["ls-tree", "-r", "--name-only", "c119"]);
  path = itemAt(
    paths.toSorted((a, b) => new Set(blameByGit("c119", b)).size - new Set(blameByGit("c119", a)).size),
    0,
  );
});

afterAll(() => {
  git.dispose();
});

/** The commit of each line. */
function blameByGit(tip: string, of: string, flags: readonly string[] = []): string[] {
  const porcelain = git.text(["blame", "--line-porcelain", ...flags, tip, "--", of]);
  return [...porcelain.matchAll(/^([0-9a-f]{40}) /gm)].map(([, oid]) => String(oid));
}

type View = { readonly lines: readonly (string | undefined)[]; readonly missing: number; readonly steps: number };

/** A view of a blame: what it has of each line, and the steps that it took. */
async function view(begun: BegunBlames, tip: string, choices: "exact" | "all" = "exact"): Promise<View> {
  const pacer = new Pacer(async () => {});
  const session = await BrowseSession.open({ ...store.repository(), pacer }, store.answer(new Uint8Array(0)));
  try {
    const commit = rawName(git.oid(tip));
    const count = (await Blame.countLines(session, commit, path)) ?? 0;
    const before = pacer.steps;
    const file = { commit, path, count, options: { whitespace: choices }, choices };
    const lines = await findLines(session, begun, file, before + STEPS);
    const oids = lines.map((each) => each?.oid);
    return { lines: oids, missing: oids.filter((oid) => oid === undefined).length, steps: pacer.steps - before };
  } finally {
    session.close();
  }
}

it("goes on where the last view ended, and looks for nothing that was found", async () => {
  const begun = new BegunBlames();
  let views = 1;
  let last = await view(begun, "c119");
  for (let missing = last.missing; last.missing > 0; views++) {
    last = await view(begun, "c119");
    expect(last.missing).toBeLessThanOrEqual(missing);
    missing = last.missing;
  }
  expect(views).toBeGreaterThan(2);
  expect(last.lines).toEqual(blameByGit("c119", path));
  expect(await view(begun, "c119")).toEqual({ ...last, steps: 0 });
  // Another commit, and another choice, have a blame of their own.
  expect((await view(begun, "c119", "all")).missing).toBeGreaterThan(0);
});

it("keeps the blames of several commits and choices apart", async () => {
  const begun = new BegunBlames();
  for (const [tip, choices, flags] of [
    ["c119", "exact", []],
    ["c119", "all", ["-w"]],
    ["c110", "exact", []],
  ] as const) {
    const names = git.lines(["ls-tree", "-r", "--name-only", tip]);
    if (!names.includes(path)) continue;
    let last = await view(begun, tip, choices);
    while (last.missing > 0) last = await view(begun, tip, choices);
    expect(last.lines).toEqual(blameByGit(tip, path, flags));
  }
});

it("remembers as much as it may", async () => {
  const begun = new BegunBlames(6000);
  for (let at = 0; at < 30; at++) {
    await view(begun, "c119", at % 2 === 0 ? "exact" : "all");
    expect(begun.bytes).toBeLessThanOrEqual(6000);
  }
  const none = new BegunBlames(0);
  const first = await view(none, "c119");
  expect([none.bytes, await view(none, "c119")]).toEqual([0, first]);
});
