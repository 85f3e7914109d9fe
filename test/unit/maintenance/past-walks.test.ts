/**
 * A repository whose past is shown is walked when it makes a difference, and not meanwhile.
 *
 * @module-tag thorough
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { linear } from "../../support/git-fixtures.ts";
import { GitRepository } from "../../support/git-repository.ts";
import { MaintainedBed } from "../../support/maintained.ts";

const MAIN = "refs/heads/main";
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

let source: GitRepository;
beforeAll(() => {
  source = new GitRepository();
  source.import(linear(8));
});
afterAll(() => source.dispose());

/** A repository whose main went back by `back` commits an hour after its past began to be shown, and was walked since. */
async function wentBack(back = 2): Promise<MaintainedBed> {
  const bed = new MaintainedBed(source);
  const commits = source.lines(["rev-list", "--reverse", "main"]);
  for (const commit of commits) await bed.set(MAIN, commit);
  await bed.refs.change({ showsPast: true, graceDays: 7 });
  bed.now += HOUR;
  bed.tip = commits.at(-1 - back) ?? "";
  await bed.set(MAIN, bed.tip);
  bed.now += 2 * MINUTE;
  expect(await bed.settle()).toMatchObject([{ step: "walk", undecided: true }]);
  return bed;
}

const walksIn = async (bed: MaintainedBed, time: number): Promise<number> => {
  let walks = 0;
  for (const end = bed.now + time; bed.now < end; bed.now += 20 * MINUTE)
    walks += (await bed.settle()).filter(({ step }) => step === "walk").length;
  return walks;
};

describe("a repository whose past is shown", () => {
  it("is not walked again until the oldest value leaves the past, and then decided", async () => {
    const bed = await wentBack();
    expect(bed.refs.database.maintenance.nextDue(bed.now)).toBeGreaterThan(bed.now + 6 * DAY);
    expect(await walksIn(bed, 6.9 * DAY)).toBe(0);
    expect(await bed.marks()).toContain(false);
    expect(await walksIn(bed, DAY)).toBe(1);
    expect(await bed.marks()).not.toContain(false);
    expect(await bed.refs.maintenance()).toMatchObject({ unreachable: { packs: 1 }, unmarked: { packs: 0 } });
    expect(await walksIn(bed, DAY)).toBe(0);
  });

  it("is walked a minute after a ref moves other than forward", async () => {
    const bed = await wentBack();
    bed.now += DAY;
    const back = source.oid(`${bed.tip}~2`);
    bed.tip = back;
    await bed.set(MAIN, back);
    expect(bed.refs.database.maintenance.nextDue(bed.now)).toBeLessThanOrEqual(bed.now + MINUTE);
    bed.now += MINUTE;
    expect(await bed.settle()).toMatchObject([{ step: "walk", undecided: true }]);
    // The first value leaves sooner than the second.
    expect(bed.refs.database.maintenance.nextDue(bed.now)).toBeLessThan(bed.now + 6.1 * DAY);
    expect(await walksIn(bed, 8 * DAY)).toBeLessThanOrEqual(2);
    expect(await bed.marks()).not.toContain(false);
  });

  it("is walked soon when its past is no longer shown, or for a shorter time, and at once for a purge", async () => {
    for (const change of [{ showsPast: false }, { graceDays: 1 }]) {
      const bed = await wentBack();
      bed.now += 2 * DAY;
      expect(await bed.settle()).toEqual([]);
      await bed.refs.change(change);
      bed.now += MINUTE;
      expect(await bed.settle()).toMatchObject([{ step: "walk", outcome: "done" }]);
      expect(await bed.refs.maintenance()).toMatchObject({ unreachable: { packs: 1 }, unmarked: { packs: 0 } });
    }
    const bed = await wentBack();
    await bed.refs.askForMaintenance(true);
    expect((await bed.settle())[0]).toMatchObject({ step: "walk", outcome: "done" });
    expect(await bed.refs.maintenance()).toMatchObject({ unreachable: { packs: 0 }, unmarked: { packs: 0 } });
  });

  it("is walked in minutes where a value counts that came before its past began", async () => {
    const bed = new MaintainedBed(source);
    const [first = "", second = ""] = source.lines(["rev-list", "--reverse", "main"]);
    await bed.set(MAIN, first);
    await bed.set(MAIN, second);
    await bed.set(MAIN, first);
    bed.now += MINUTE;
    await bed.refs.change({ showsPast: true });
    bed.now += MINUTE;
    expect(await bed.settle()).toMatchObject([{ step: "walk", undecided: true }]);
    expect(bed.refs.database.maintenance.nextDue(bed.now)).toBeLessThanOrEqual(bed.now + 12 * MINUTE);
    bed.now += 12 * MINUTE;
    expect(await bed.settle()).toMatchObject([{ step: "walk", outcome: "done" }]);
    expect(await bed.refs.maintenance()).toMatchObject({ unreachable: { packs: 1 } });
  });
});
