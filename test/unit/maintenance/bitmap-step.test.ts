/**
 * The step of maintenance that writes bitmaps: when it is due, what the catalog learns, and what becomes of one that
 * fails.
 *
 * @module-tag thorough
 */
import { afterAll, describe, expect, it } from "vitest";
import { exportedFiles } from "../../../src/maintenance/export.ts";
import { maintain } from "../../../src/maintenance/maintain.ts";
import type { MaintenanceRun } from "../../../src/refs/maintenance-store.ts";
import { linear } from "../../support/git-fixtures.ts";
import { GitRepository } from "../../support/git-repository.ts";
import { failingAt, MaintainedBed } from "../../support/maintained.ts";

const source = new GitRepository();
source.import(linear(450));
afterAll(() => source.dispose());
const MAIN = "refs/heads/main";

/** A repository of one pack of some thousand objects, for which somebody asked for maintenance. Bitmaps are due next. */
async function asked(revision = "main"): Promise<MaintainedBed> {
  const bed = new MaintainedBed(source);
  bed.tip = source.oid(revision);
  await bed.set(MAIN, bed.tip);
  await bed.refs.askForMaintenance(false);
  // The commit-graph comes first.
  expect(await maintain(bed.maintained, await bed.id())).toMatchObject({ step: "graph", outcome: "done" });
  return bed;
}

const bitmapRuns = (runs: readonly MaintenanceRun[]): MaintenanceRun[] => runs.filter(({ step }) => step === "bitmap");
const filesOf = (bed: MaintainedBed): string[] =>
  [...bed.packs.storage.files.keys()].filter((name) => name.endsWith(".bitmap"));

describe("the step that writes bitmaps", () => {
  it("is done once, and the catalog and an export tell of the file", async () => {
    const bed = await asked();
    const { packs: before } = await bed.values();
    expect((await bed.refs.maintenance())?.due).toBe(1);
    const runs = bitmapRuns(await bed.settle());
    expect(runs).toMatchObject([{ step: "bitmap", outcome: "done", packs: 1, objects: before[0]?.objects }]);
    const opened = await bed.refs.open({ packs: true });
    if (opened.kind === "missing") throw new Error("missing");
    const [pack] = opened.packs;
    const { bytes = 0, commits = 0 } = pack?.bitmap ?? {};
    expect(bed.packs.storage.files.get(`${pack?.name}.bitmap`)).toHaveLength(bytes);
    expect(runs[0]?.written).toBe(bytes);
    expect(commits).toBeGreaterThan(100);
    expect(exportedFiles(opened)).toContainEqual({ name: `objects/pack/pack-${pack?.name}.bitmap`, size: bytes });
    expect(await bed.refs.maintenance()).toMatchObject({ due: 0, asked: false });
    expect(bitmapRuns((await bed.refs.maintenance())?.runs ?? [])).toEqual(runs);
    expect((await bed.cloned()).objects).toEqual(source.objects("main"));
  });

  it("is not due of a small pack that nobody asked for", async () => {
    const bed = new MaintainedBed(source);
    await bed.set(MAIN, source.oid("main"));
    expect((await bed.refs.maintenance())?.due).toBe(0);
  });

  it("leaves nothing where a storage operation fails, and is done later", async () => {
    const bed = await asked("main~50");
    const id = await bed.id();
    for (let n = 0; ; n++) {
      bed.packs.forget();
      const { storage, failed } = failingAt(bed.packs.counted(), n);
      const run = await maintain(bed.on(storage), id);
      if (!failed()) {
        expect(n).toBeGreaterThan(3);
        expect(run).toMatchObject({ step: "bitmap", outcome: "done" });
        break;
      }
      expect(run).toMatchObject({ outcome: "failed", error: "R2 is away" });
      expect(filesOf(bed)).toEqual([]);
      expect((await bed.values()).packs.every(({ bitmap }) => bitmap === undefined)).toBe(true);
    }
    expect(filesOf(bed)).toHaveLength(1);
  });

  it("may be done twice at once", async () => {
    const bed = await asked();
    const id = await bed.id();
    const runs = await Promise.all([maintain(bed.maintained, id), maintain(bed.maintained, id)]);
    expect(runs.map(({ outcome }) => outcome)).toEqual(["done", "done"]);
    expect(filesOf(bed)).toHaveLength(1);
    expect((await bed.cloned()).objects).toEqual(source.objects("main"));
  });

  it("deletes what it wrote of a pack that has left the catalog meanwhile", async () => {
    const bed = await asked();
    const { packs } = await bed.values();
    const name = packs[0]?.name ?? "";
    const maintained = bed.maintained;
    const catalog = {
      replacePacks: async (request: Parameters<typeof maintained.catalog.replacePacks>[0]) => {
        await maintained.catalog.replacePacks({ id: request.id, added: [], replaced: [name] });
        return await maintained.catalog.replacePacks(request);
      },
    };
    expect(await maintain({ ...maintained, catalog }, await bed.id())).toMatchObject({ outcome: "stale" });
    expect(filesOf(bed)).toEqual([]);
  });

  it("forgets the file with its pack", async () => {
    const bed = await asked("main~230");
    await bed.settle();
    await bed.set(MAIN, source.oid("main~220"));
    await bed.set(MAIN, source.oid("main"));
    bed.tip = source.oid("main");
    await bed.refs.askForMaintenance(false);
    const runs = await bed.settle();
    expect(runs.map(({ step }) => step)).toContain("roll-up");
    expect(bitmapRuns(runs)).toHaveLength(1);
    const { packs } = await bed.values();
    expect(packs.map(({ bitmap }) => bitmap !== undefined)).toEqual([true]);
    expect((await bed.cloned()).objects).toEqual(source.objects("main"));
  });
});
