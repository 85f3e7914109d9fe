/**
 * Steps of maintenance: what they do to a catalog, what becomes of one that fails, and of two at once.
 *
 * @module-tag thorough
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { maintain } from "../../../src/maintenance/maintain.ts";
import { DEFAULT_LFS_RULES } from "../../../src/refs/lfs-rules.ts";
import { restorePush } from "../../../src/maintenance/restore.ts";
import type { MaintenanceRun } from "../../../src/refs/maintenance-store.ts";
import { linear } from "../../support/git-fixtures.ts";
import { GitRepository } from "../../support/git-repository.ts";
import { failingAt, MaintainedBed } from "../../support/maintained.ts";
import { create, push } from "../../suites/ref-store.ts";

const source = new GitRepository();
source.import(linear(14));
afterAll(() => source.dispose());

const MAIN = "refs/heads/main";

/** Checks that a clone gets everything. Returns the names of the catalog's packs. */
async function check(bed: MaintainedBed): Promise<string[]> {
  const { objects, names } = await bed.cloned();
  expect(objects).toEqual(source.objects(bed.tip));
  return names;
}

async function filled(): Promise<MaintainedBed> {
  const bed = new MaintainedBed(source);
  await bed.fill();
  return bed;
}

const NO_RULES = { lfs: DEFAULT_LFS_RULES, missingLfs: async () => [] };

describe("maintain", () => {
  it("puts one pack in the place of many, and says what it did", async () => {
    const bed = await filled();
    const run = await maintain(bed.maintained, await bed.id());
    expect(run).toMatchObject({ outcome: "done", packs: 14 });
    expect(run.written).toBeGreaterThan(0);
    expect(await check(bed)).toHaveLength(1);
    const state = await bed.refs.maintenance();
    expect(state).toMatchObject({ due: 0, asked: false, total: { packs: 1 }, unmarked: { packs: 0 }, runs: [run] });
    expect((await maintain(bed.maintained, await bed.id())).outcome).toBe("nothing");
  });

  it("keeps the files of the packs that were replaced, for readers that began before", async () => {
    const bed = await filled();
    const before = bed.stored;
    await maintain(bed.maintained, await bed.id());
    expect(bed.stored).toEqual(new Set([...before, ...(await check(bed))]));
  });

  it("reports a failure of any storage operation, leaves catalog and bucket as they were, and succeeds later", async () => {
    const bed = await filled();
    const before = bed.stored;
    const id = await bed.id();
    for (let n = 0; ; n++) {
      bed.packs.forget();
      const { storage, failed } = failingAt(bed.packs.counted(), n);
      const run = await maintain(bed.on(storage), id);
      if (!failed()) {
        expect(n).toBeGreaterThan(14);
        expect(run.outcome).toBe("done");
        break;
      }
      expect(run).toMatchObject({ outcome: "failed", error: "R2 is away" });
      expect(bed.stored).toEqual(before);
      expect((await bed.refs.maintenance())?.total.packs).toBe(14);
    }
    expect(await check(bed)).toHaveLength(1);
  });

  it("is done once by two consumers of the same job; the other's work is dropped", async () => {
    const bed = await filled();
    const id = await bed.id();
    const runs = await Promise.all([maintain(bed.maintained, id), maintain(bed.maintained, id)]);
    expect(runs.map(({ outcome }) => outcome).toSorted()).toEqual(["done", "stale"]);
    const names = await check(bed);
    expect(names).toHaveLength(1);
    expect([...bed.stored].filter((name) => name.length === 40)).toEqual(names);
  });

  it("does nothing to another repository of the same name", async () => {
    const bed = await filled();
    expect((await maintain(bed.maintained, "another")).outcome).toBe("nothing");
    expect((await bed.refs.maintenance())?.runs).toEqual([]);
  });

  it("is tried again later after a failure, and at once where it is asked for", async () => {
    const bed = await filled();
    const id = await bed.id();
    const { database } = bed.refs;
    const { now } = bed;
    expect(database.maintenance.nextDue(now)).toBe(now);
    const failed: MaintenanceRun = {
      step: "roll-up",
      outcome: "failed",
      at: now,
      ms: 1,
      packs: 14,
      objects: 1,
      bytes: 1,
      written: 0,
    };
    await bed.refs.endMaintenance(id, { ...failed, error: "x".repeat(5000) });
    const first = database.maintenance.nextDue(now) ?? 0;
    expect(first).toBeGreaterThan(now);
    await bed.refs.endMaintenance(id, failed);
    expect(database.maintenance.nextDue(now)).toBeGreaterThan(first);
    expect((await bed.refs.maintenance())?.runs.map(({ error = "" }) => error.length)).toEqual([0, 1000]);
    await bed.refs.askForMaintenance(false);
    expect(database.maintenance.nextDue(now)).toBe(now);
  });
});

describe("a walk", () => {
  const later = 11 * 60_000;

  it("gives packs their marks again, where a deleted branch was merged, and rests them on HEAD alone", async () => {
    const bed = new MaintainedBed(source);
    const [, , third = "", fourth = ""] = source.lines(["rev-list", "--reverse", "main"]);
    await bed.set(MAIN, third);
    await bed.set("refs/heads/topic", fourth);
    await bed.set(MAIN, fourth);
    await bed.set("refs/heads/other", third);
    await bed.delete("refs/heads/topic");
    expect(await bed.marks()).toContain(false);
    // More moves often follow the one that took a mark away.
    expect(await bed.settle()).toEqual([]);
    bed.now += 60_000;
    expect(await bed.settle()).toMatchObject([{ step: "walk", outcome: "done", written: 0 }]);
    expect(await bed.marks()).not.toContain(false);
    await bed.delete("refs/heads/other");
    expect(await bed.marks()).not.toContain(false);
    bed.tip = fourth;
    await check(bed);
  });

  /** A repository whose main was rewritten: its last two commits are reached no more, and new deltas build on them. */
  async function rewritten(): Promise<{ bed: MaintainedBed; gone: string[] }> {
    const bed = new MaintainedBed(source);
    const commits = source.lines(["rev-list", "--reverse", "main"]);
    const [from = "", dropped = "", old = ""] = [commits.at(-3), commits.at(-2), commits.at(-1)];
    await bed.set(MAIN, from);
    await bed.set(MAIN, old);
    // A new version of the file that the last commit changed: it comes as a delta on one that nothing reaches any more.
    const [path = ""] = source.lines(["diff", "--name-only", dropped, old, "--", "src"]);
    const blob = source.text(["hash-object", "-w", "--stdin"], `${source.text(["show", `${old}:${path}`])}\nnew\n`);
    const listed = source.text(["ls-tree", `${old}:src`]);
    const changed = listed.replace(source.oid(`${old}:${path}`), blob);
    const root = source.text(["ls-tree", old]).replace(source.oid(`${old}:src`), source.text(["mktree"], changed));
    const amended = source.text(["commit-tree", "-p", from, "-m", "amended", source.text(["mktree"], root)]);
    await bed.set(MAIN, amended);
    bed.tip = amended;
    const kept = new Set(source.objects(amended));
    return { bed, gone: source.objects(old).filter((oid) => !kept.has(oid)) };
  }

  /** Whether any pack that readers are told of has one of these objects. */
  async function has(bed: MaintainedBed, oids: readonly string[]): Promise<boolean> {
    bed.packs.forget();
    bed.packs.packs = [...(await bed.values()).packs];
    const names = Buffer.from(oids.join(""), "hex");
    return (await bed.packs.database().locate(names)).packs.some((pack) => pack >= 0);
  }

  it("puts what no ref reaches into a cruft pack once nobody may want it, which readers are not told of", async () => {
    const { bed, gone } = await rewritten();
    // What refs were ten minutes ago stays where it is.
    bed.now += 60_000;
    expect(await bed.settle()).toMatchObject([{ step: "walk", outcome: "done", undecided: true, written: 0 }]);
    expect(await has(bed, gone)).toBe(true);
    bed.now += later;
    // Some of it was appended to the pack of the rewritten commit, which had the mark.
    const { packs } = await bed.values();
    expect(packs.some(({ marked, objects, ownObjects }) => marked && objects > ownObjects)).toBe(true);
    const [run] = await bed.settle();
    expect(run).toMatchObject({ step: "walk", outcome: "done" });
    expect(gone.length).toBeGreaterThan(5);
    expect(await has(bed, gone)).toBe(false);
    expect(await bed.marks()).not.toContain(false);
    expect(await bed.refs.maintenance()).toMatchObject({ unreachable: { packs: 1 }, unmarked: { packs: 0 } });
    await check(bed);
  });

  it("writes packs that C git takes for what they are", async () => {
    const { bed, gone } = await rewritten();
    bed.now += later;
    await bed.settle();
    const client = new GitRepository();
    try {
      const folder = join(client.dir, "objects", "pack");
      const named = new Set((await bed.values()).packs.map(({ name }) => name));
      const cruft = [...bed.packs.storage.files.keys()].filter((name) => name.endsWith(".mtimes"));
      expect(cruft).toHaveLength(1);
      for (const name of cruft) named.add(name.slice(0, name.indexOf(".")));
      for (const [name, bytes] of bed.packs.storage.files) {
        const [pack = "", extension = ""] = name.split(".");
        if (!named.has(pack) || extension === "kinds") continue;
        writeFileSync(join(folder, `pack-${pack}.${extension}`), bytes);
      }
      client.git(["update-ref", MAIN, bed.tip]);
      client.git(["fsck", "--full", "--strict"]);
      const lost = client.lines(["fsck", "--unreachable", "--no-reflogs"]).map((line) => line.split(" ").at(-1) ?? "");
      expect(lost).toEqual(expect.arrayContaining(gone));
      // Reads the times, and drops what is older than now.
      client.git(["repack", "-d", "--cruft", "--cruft-expiration=now", "-q"]);
      expect(client.run(["cat-file", "-e", gone[0] ?? ""]).ok).toBe(false);
    } finally {
      client.dispose();
    }
  });

  it("is undone for a push that was checked before, and lands after it", async () => {
    const { bed, gone } = await rewritten();
    bed.now += later;
    const old = source.oid("main");
    const begun = await bed.refs.beginPush({ names: ["refs/heads/back"] });
    if (begun.kind !== "begun") throw new Error("not begun");
    await bed.settle();
    expect(await has(bed, gone)).toBe(false);
    await push(bed.refs, [create("refs/heads/back", old)], { version: begun.version });
    expect(await has(bed, gone)).toBe(true);
    bed.packs.refs.set("refs/heads/back", { oid: old });
    bed.tip = old;
    await check(bed);
    bed.now += later;
    await bed.settle();
    expect(await bed.marks()).not.toContain(false);
  });

  it("is undone for a ref that is set back to what it was, until the cruft pack has gone", async () => {
    const { bed, gone } = await rewritten();
    bed.now += later;
    await bed.settle();
    expect(await has(bed, gone)).toBe(false);
    const log = await bed.refs.refLog({ limit: 10 });
    const moves = log?.pushes[0]?.moves ?? [];
    const { repository } = bed.maintained;
    const restored = await restorePush(repository, bed.refs, moves, { ...NO_RULES, actor: "tester", pusher: {} });
    expect(restored).toMatchObject({ kind: "done", outcomes: [{ name: MAIN, kind: "ok" }] });
    bed.tip = source.oid("main");
    await check(bed);
    const again = (await bed.refs.refLog({ limit: 10 }))?.pushes[0]?.moves ?? [];
    await restorePush(repository, bed.refs, again, { ...NO_RULES, actor: "tester", pusher: {} });
    await bed.refs.askForMaintenance(true);
    await bed.settle();
    const before = await bed.values();
    expect(await restorePush(repository, bed.refs, moves, { ...NO_RULES, actor: "tester", pusher: {} })).toEqual({
      kind: "lost",
    });
    expect(await bed.values()).toEqual(before);
  });

  it("is dropped where refs move meanwhile", async () => {
    const { bed } = await rewritten();
    bed.now += later;
    const id = await bed.id();
    const { maintained } = bed;
    const catalog = {
      replacePacks: async (request: Parameters<typeof bed.refs.replacePacks>[0]) => {
        await bed.set("refs/heads/new", bed.tip);
        return await bed.refs.replacePacks(request);
      },
    };
    const stored = bed.stored;
    expect(await maintain({ ...maintained, catalog }, id)).toMatchObject({ step: "walk", outcome: "stale" });
    expect(bed.stored).toEqual(stored);
  });

  it("leaves everything as it was where any storage operation fails", async () => {
    const { bed } = await rewritten();
    bed.now += later;
    const before = bed.stored;
    const id = await bed.id();
    for (let n = 0; ; n++) {
      bed.packs.forget();
      const { storage, failed } = failingAt(bed.packs.counted(), n);
      const run = await maintain(bed.on(storage), id);
      if (!failed()) {
        expect(run).toMatchObject({ step: "walk", outcome: "done" });
        break;
      }
      expect(run).toMatchObject({ outcome: "failed", error: "R2 is away" });
      expect(bed.stored).toEqual(before);
    }
    await check(bed);
  });

  it("keeps cruft packs for fourteen days, and then has their files deleted", async () => {
    const { bed } = await rewritten();
    bed.now += later;
    await bed.settle();
    const { database } = bed.refs;
    const swept = (): readonly string[] => database.dueWork(bed.now).expiredPacks;
    bed.now += 13 * 24 * 60 * 60_000;
    const replaced = swept();
    for (const name of replaced) database.abandonPush(name);
    expect((await bed.refs.maintenance())?.unreachable.packs).toBe(1);
    bed.now += 25 * 60 * 60_000;
    expect(database.nextDue(bed.now)).toBeLessThanOrEqual(bed.now);
    expect(swept()).toHaveLength(1);
    expect((await bed.refs.maintenance())?.unreachable.packs).toBe(0);
  });

  it("removes at once what no ref reaches where a purge is asked for, cruft packs and earlier packs too", async () => {
    const { bed, gone } = await rewritten();
    await bed.refs.askForMaintenance(true);
    await bed.settle();
    expect(await has(bed, gone)).toBe(false);
    await check(bed);
    const { database } = bed.refs;
    const expired = database.dueWork(bed.now).expiredPacks;
    expect(expired.length).toBeGreaterThan(0);
    for (const name of expired) {
      // It is not done while a file is left.
      expect(await bed.refs.maintenance()).toMatchObject({ purging: true, unreachable: { packs: 0 } });
      await bed.packs.storage.deletePack(name);
      database.abandonPush(name);
    }
    expect(await bed.refs.maintenance()).toMatchObject({ purging: false, unreachable: { packs: 0 } });
    for (const [name, bytes] of bed.packs.storage.files) {
      const listed = name.endsWith(".idx") ? source.text(["show-index"], bytes) : "";
      for (const oid of gone) expect(listed).not.toContain(oid);
    }
    const recent = await bed.refs.open({ recentSince: 0 });
    expect(recent).toMatchObject({ recentValues: new Uint8Array(0) });
  });

  it("does a purge that is asked for while a walk is under way, which does not count for it", async () => {
    const { bed, gone } = await rewritten();
    bed.now += later;
    const replacePacks: typeof bed.refs.replacePacks = async (request) => {
      await bed.refs.askForMaintenance(true);
      return await bed.refs.replacePacks(request);
    };
    const run = await maintain({ ...bed.maintained, catalog: { ...bed.refs, replacePacks } }, await bed.id());
    expect(run).toMatchObject({ step: "walk", outcome: "done" });
    expect(await bed.refs.maintenance()).toMatchObject({ purging: true, unreachable: { packs: 1 } });
    expect((await bed.settle())[0]).toMatchObject({ step: "walk", outcome: "done" });
    expect(await has(bed, gone)).toBe(false);
    for (const name of bed.refs.database.dueWork(bed.now).expiredPacks) bed.refs.database.abandonPush(name);
    expect(await bed.refs.maintenance()).toMatchObject({ purging: false, unreachable: { packs: 0 } });
  });
});
