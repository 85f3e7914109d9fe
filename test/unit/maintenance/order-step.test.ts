/**
 * The step of maintenance that writes a pack in the order of its history, judged by C git.
 *
 * @module-tag thorough
 */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { PackRecord } from "../../../src/catalog/pack-record.ts";
import { maintain } from "../../../src/maintenance/maintain.ts";
import { ORDERING } from "../../../src/catalog/order-plan.ts";
import { linear, noise } from "../../support/git-fixtures.ts";
import { GitRepository } from "../../support/git-repository.ts";
import { failingAt, MaintainedBed } from "../../support/maintained.ts";

const MAIN = "refs/heads/main";
const source = new GitRepository();
const stream = linear(400);
stream.commit(MAIN, [{ path: "large.bin", content: noise(ORDERING.leastAsked, 1) }]);
source.import(stream);
const repositories = [source];
afterAll(() => {
  for (const repository of repositories) repository.dispose();
});

/** A repository of one large push, for which maintenance was asked. */
async function asked(): Promise<MaintainedBed> {
  const bed = new MaintainedBed(source);
  bed.tip = source.oid("main");
  await bed.set(MAIN, bed.tip);
  await bed.refs.askForMaintenance(false);
  return bed;
}

async function onlyPack(bed: MaintainedBed): Promise<PackRecord> {
  const { packs } = await bed.values();
  const own = packs.filter((pack) => pack.source !== "copy");
  const [pack] = own;
  if (pack === undefined || own.length > 1) throw new Error(`${own.length} packs`);
  return pack;
}

/** Does steps until the pack has bitmaps, so that its order is next. */
async function untilBitmaps(bed: MaintainedBed): Promise<string> {
  const id = await bed.id();
  for (;;) {
    const { step, outcome } = await maintain(bed.maintained, id);
    if (outcome !== "done") throw new Error(`${step}: ${outcome}`);
    if (step === "bitmap") return id;
  }
}

describe("the order of a pack", () => {
  it("is made once, after the bitmaps, which are made again", async () => {
    const bed = await asked();
    const runs = await bed.settle();
    const steps = runs.map(({ step }) => step);
    expect(steps.slice(steps.indexOf("bitmap"))).toEqual(expect.arrayContaining(["order"]));
    expect(steps.filter((step) => step === "order")).toHaveLength(1);
    expect(steps.at(-1)).toBe("bitmap");
    expect(runs.map(({ outcome }) => outcome)).toEqual(steps.map(() => "done"));
    const pack = await onlyPack(bed);
    expect(pack).toMatchObject({ source: "repack", marked: true });
    const client = new GitRepository();
    repositories.push(client);
    const folder = join(client.dir, "objects", "pack");
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder);
    for (const extension of ["pack", "rev", "idx", "bitmap"] as const)
      writeFileSync(join(folder, `pack-${pack.checksum}.${extension}`), bed.packs.file(pack, extension));
    client.git(["update-ref", MAIN, bed.tip]);
    client.git(["fsck", "--full", "--strict"]);
    client.git(["verify-pack", join(folder, `pack-${pack.checksum}.idx`)]);
    expect(client.run(["rev-list", "--test-bitmap", bed.tip]).stderr).toContain("OK!");
    expect((await bed.cloned()).objects).toEqual(source.objects("main"));
    await bed.refs.askForMaintenance(false);
    expect(await bed.settle()).toEqual([]);
  });

  it("waits where the bitmaps are damaged: they are made anew before", async () => {
    const bed = await asked();
    const id = await untilBitmaps(bed);
    const { name } = await onlyPack(bed);
    const bytes = bed.packs.storage.files.get(`${name}.bitmap`) ?? new Uint8Array(0);
    bed.packs.storage.files.set(
      `${name}.bitmap`,
      bytes.map((byte, i) => (i === 500 ? byte ^ 1 : byte)),
    );
    bed.now += 2 * 60 * 60_000;
    expect(await maintain(bed.maintained, id)).toMatchObject({ step: "order", outcome: "failed" });
    await bed.refs.reportDamage(bed.packs.damaged.take());
    expect((await bed.settle()).map(({ step, outcome }) => `${step} ${outcome}`)).toEqual([
      "bitmap done",
      "order done",
      "bitmap done",
    ]);
    expect((await bed.cloned()).objects).toEqual(source.objects("main"));
  });

  it("makes the oldest pack the youngest: what came meanwhile is rolled up with it, and what is unreachable found", async () => {
    const longer = new GitRepository();
    repositories.push(longer);
    const more = linear(400);
    const from = more.commit(MAIN, [{ path: "large.bin", content: noise(ORDERING.leastAsked, 2) }]);
    for (let i = 0; i < 8; i++) more.commit(MAIN, [{ path: `src/file-${i % 3}.txt`, content: `${i}\n`.repeat(40) }]);
    more.commit("refs/heads/side", [{ path: "side.txt", content: "side\n" }], { from });
    longer.import(more);
    const bed = new MaintainedBed(longer);
    bed.tip = longer.oid("main");
    await bed.set(MAIN, longer.oid("main~8"));
    await bed.refs.askForMaintenance(false);
    const id = await untilBitmaps(bed);
    const storage = bed.packs.counted();
    const revs = ["main~7", "main~6"];
    const openStream: typeof storage.openStream = async (...range) => {
      for (const rev of revs.splice(0)) await bed.set(MAIN, longer.oid(rev));
      return await storage.openStream(...range);
    };
    expect(await maintain(bed.on({ ...storage, openStream }), id)).toMatchObject({ step: "order", outcome: "done" });
    expect((await bed.values()).packs.map((pack) => pack.source)).toEqual(["receive", "receive", "repack"]);
    await bed.set("refs/heads/side", longer.oid("side"));
    await bed.set(MAIN, bed.tip);
    expect((await bed.cloned()).objects).toEqual(longer.objects("main"));
    await bed.delete("refs/heads/side");
    bed.now += 24 * 3_600_000;
    await bed.refs.askForMaintenance(false);
    const steps = await bed.settle();
    expect(steps.map(({ step }) => step)).toEqual(expect.arrayContaining(["walk", "roll-up", "bitmap"]));
    expect(steps.every(({ outcome }) => outcome === "done")).toBe(true);
    expect(await onlyPack(bed)).toMatchObject({ objects: longer.objects("main").length, marked: true });
    expect((await bed.cloned()).objects).toEqual(longer.objects("main"));
  });

  it("is not made where packs were lent", async () => {
    const bed = await asked();
    bed.refs.database.forks.lend();
    expect((await bed.settle()).map(({ step }) => step)).not.toContain("order");
    expect((await onlyPack(bed)).source).toBe("receive");
  });

  it("is not made of a pack that was found to stay as it is", async () => {
    const bed = await asked();
    const id = await untilBitmaps(bed);
    const { name } = await onlyPack(bed);
    expect(await bed.refs.replacePacks({ id, added: [], replaced: [], unordered: name })).toEqual({ kind: "done" });
    expect(await bed.settle()).toEqual([]);
    expect(await onlyPack(bed)).toMatchObject({ name, source: "repack", marked: true });
    const gone = { id, added: [], replaced: [], unordered: "no such pack" };
    expect(await bed.refs.replacePacks(gone)).toEqual({ kind: "stale" });
  });

  it("is tried again after any operation that failed, and leaves nothing of it", async () => {
    const bed = await asked();
    const id = await untilBitmaps(bed);
    for (let n = 0; ; n++) {
      const before = bed.stored;
      const { storage, failed } = failingAt(bed.packs.counted(), n);
      const run = await maintain(bed.on(storage), id);
      expect(run.step).toBe("order");
      if (!failed()) {
        expect(run.outcome).toBe("done");
        break;
      }
      expect(run).toMatchObject({ outcome: "failed", written: 0 });
      expect(bed.stored).toEqual(before);
      expect((await onlyPack(bed)).source).toBe("receive");
      bed.now += 24 * 3_600_000;
    }
    expect((await bed.settle()).map(({ step }) => step)).toEqual(["bitmap"]);
    expect((await bed.cloned()).objects).toEqual(source.objects("main"));
  });
});
