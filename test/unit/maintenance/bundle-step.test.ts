/**
 * The step of maintenance that makes bundles of the newest history, judged by C git.
 *
 * @module-tag thorough
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it, vi } from "vitest";
import { LimitExceeded } from "../../../src/bytes/failure.ts";
import { BUNDLES } from "../../../src/catalog/bundle-plan.ts";
import type { PackRecord } from "../../../src/catalog/pack-record.ts";
import { maintain } from "../../../src/maintenance/maintain.ts";
import type { MaintenanceRun } from "../../../src/refs/maintenance-store.ts";
import type { OpenSnapshot } from "../../../src/refs/ref-store.ts";
import { ReachableObjects } from "../../../src/packing/reachable-objects.ts";
import { offeredBundles } from "../../../src/packing/offered-bundles.ts";
import { listBundles, openBundle } from "../../../src/service/bundle.ts";
import { move, push } from "../../suites/ref-store.ts";
import { linear, noise } from "../../support/git-fixtures.ts";
import { GitRepository } from "../../support/git-repository.ts";
import { failingAt, MaintainedBed } from "../../support/maintained.ts";

const MAIN = "refs/heads/main";
/** A file of this many bytes makes a pack that is worth a bundle. */
const LARGE = BUNDLES.leastBytes + 100_000;

/** A history of 1,200 objects with branches on it: each has a file more that is too large to be passed over. */
const source = new GitRepository();
const stream = linear(400);
stream.commit(MAIN, [{ path: "large.bin", content: noise(LARGE, 1) }]);
source.import(stream);
const repositories = [source];
afterAll(() => {
  for (const repository of repositories) repository.dispose();
});

function newRepository(): GitRepository {
  const repository = new GitRepository();
  repositories.push(repository);
  return repository;
}

/** Commits files on top of a commit, without a branch. Returns the commit. */
function commitOn(parent: string, files: Readonly<Record<string, Uint8Array>>): string {
  const entries = Object.entries(files).map(([path, content]) => {
    const oid = source.text(["hash-object", "-w", "--stdin"], Buffer.from(content)).trim();
    return `100644 blob ${oid}\t${path}\n`;
  });
  const list = `${source.text(["ls-tree", parent])}\n${entries.join("")}`;
  const tree = source.text(["mktree"], Buffer.from(list)).trim();
  return source.text(["commit-tree", "-p", parent, "-m", "more", tree]).trim();
}

const base = source.oid("main");
const first = commitOn(base, { "a.bin": noise(LARGE, 2) });
const second = commitOn(first, { "b.bin": noise(LARGE, 3) });
for (const [name, oid] of Object.entries({ base, first, second })) source.git(["tag", name, oid]);

/** A repository with a base, and packs that came after it. */
async function grown(...commits: readonly string[]): Promise<MaintainedBed> {
  const bed = new MaintainedBed(source);
  await bed.set(MAIN, base);
  await bed.refs.askForMaintenance(false);
  const runs = await bed.settle();
  expect(runs.map(({ step }) => step)).toContain("bitmap");
  for (const commit of commits) {
    bed.now += 60_000;
    await bed.set(MAIN, commit);
  }
  return bed;
}

async function snapshotOf(bed: MaintainedBed): Promise<OpenSnapshot> {
  const opened = await bed.refs.open({ packs: true });
  if (opened.kind === "missing") throw new Error("missing");
  return opened;
}

const bundleRuns = (runs: readonly MaintenanceRun[]): MaintenanceRun[] => runs.filter(({ step }) => step === "bundle");

/** The files of all bundles, in the order in which they build on each other. */
async function bundlesOf(bed: MaintainedBed): Promise<string[]> {
  const { repository } = bed.maintained;
  const snapshot = await snapshotOf(bed);
  const listed = await listBundles(repository, snapshot, async (path) => path);
  const files: string[] = [];
  for (const { id, uri } of listed) {
    const [, checksum = ""] = /([0-9a-f]+)\.bundle$/.exec(uri) ?? [];
    const bundle = await openBundle(repository, snapshot, checksum);
    if (bundle === undefined) throw new Error(`no ${uri}`);
    const file = join(source.dir, `${id}-${files.length}.bundle`);
    writeFileSync(file, Buffer.concat([bundle.head, bed.packs.file(bundle.pack as PackRecord, "pack")]));
    files.push(file);
  }
  return files;
}

/** Has git take bundles one after the other, and look at what came. Returns the repository. */
function taken(files: readonly string[]): GitRepository {
  const client = newRepository();
  for (const file of files) {
    client.git(["bundle", "verify", "-q", file]);
    client.git(["fetch", "-q", file, "+refs/*:refs/bundles/*"]);
  }
  client.git(["fsck", "--full", "--strict"]);
  return client;
}

describe("bundles of the newest history", () => {
  it("each build on those before, have tokens that rise, and are made once", async () => {
    const bed = await grown(first, second);
    const runs = await bed.settle();
    expect(bundleRuns(runs)).toMatchObject([
      { outcome: "done", packs: 1 },
      { outcome: "done", packs: 1 },
    ]);
    expect(bundleRuns(await bed.settle())).toEqual([]);
    const snapshot = await snapshotOf(bed);
    const offered = await offeredBundles(bed.maintained.repository, snapshot);
    expect(offered.map(({ pack }) => pack.name)).toEqual(snapshot.packs.map(({ name }) => name));
    const tokens = offered.map(({ creationToken }) => creationToken);
    expect(tokens[0]).toBe(1);
    expect(tokens).toEqual([...new Set(tokens)].toSorted((a, b) => a - b));
    const files = await bundlesOf(bed);
    expect(files).toHaveLength(3);
    const client = taken(files);
    expect(client.oid("refs/bundles/heads/main")).toBe(second);
    expect(client.objects("refs/bundles/heads/main")).toEqual(source.objects(second));
    // Without the one before, git says what is missing, which is one commit.
    const other = taken(files.slice(0, 1));
    expect(source.lines(["bundle", "list-heads", files[1] ?? ""])).toEqual([`${first} refs/heads/main`]);
    const { ok, stderr } = other.run(["bundle", "verify", files[2] ?? ""]);
    expect([ok, stderr]).toEqual([false, expect.stringContaining(first)]);
  });

  it("name annotated tags, and the commits that these name as what they build on", async () => {
    const bed = await grown();
    source.git(["tag", "-a", "-m", "one", "annotated", `${base}~3`]);
    await bed.set("refs/tags/annotated", source.oid("refs/tags/annotated"));
    await bed.set(MAIN, first);
    await bed.settle();
    const files = await bundlesOf(bed);
    const heads = files.map((file) => source.lines(["bundle", "list-heads", file]));
    expect(heads[1]).toEqual([`${source.oid("refs/tags/annotated")} refs/tags/annotated`]);
    expect(heads[2]).toEqual([`${first} refs/heads/main`]);
    expect(readFileSync(files[1] ?? "").toString("latin1")).toContain(`\n-${source.oid(`${base}~3`)} \n`);
    taken(files);
  });

  it("build on the one before them, whatever their own history is", async () => {
    const bed = await grown();
    const tree = source.text(["rev-parse", `${first}^{tree}`]).trim();
    const alone = source.text(["commit-tree", "-m", "alone", tree]).trim();
    const side = commitOn(`${base}~3`, { "side.bin": noise(LARGE, 6) });
    const other = commitOn(`${base}~5`, { "other.bin": noise(LARGE, 7) });
    for (const [name, oid] of Object.entries({ alone, side, other })) {
      bed.now += 60_000;
      await bed.set(`refs/heads/${name}`, oid);
    }
    expect(bundleRuns(await bed.settle())).toHaveLength(3);
    const files = await bundlesOf(bed);
    const needs = files.map((file) =>
      [
        ...readFileSync(file)
          .toString("latin1")
          .matchAll(/^-([0-9a-f]{40}) /gm),
      ].map(([, oid]) => oid),
    );
    expect(needs).toEqual([[], [base], [source.oid(`${base}~3`), alone], [source.oid(`${base}~5`), side]]);
    const client = taken(files);
    for (const name of ["alone", "side", "other"]) expect(client.oid(`refs/bundles/heads/${name}`)).toBeTruthy();
  });

  it("are none of a pack that lacks what only another branch reaches", async () => {
    const bed = await grown();
    const content = noise(200_000, 4);
    const side = commitOn(`${base}~9`, { "picked.bin": content });
    await bed.set("refs/heads/side", side);
    const picked = commitOn(base, { "picked.bin": content, "c.bin": noise(LARGE, 5) });
    const lacking = source
      .lines(["rev-list", "--objects", picked, `^${base}`])
      .filter((line) => !line.endsWith("picked.bin"))
      .map((line) => line.split(" ")[0]);
    const bytes = source.git(["pack-objects", "-q", "--stdout"], Buffer.from(`${lacking.join("\n")}\n`));
    bed.packs.packs = [...(await bed.values()).packs];
    const pack = await bed.packs.ingest(bytes, { tips: [picked] });
    await push(bed.refs, [move(MAIN, base, picked)], { pack });
    const runs = bundleRuns(await bed.settle());
    expect(runs.at(-1)).toMatchObject({ outcome: "done", written: 0 });
    expect(bed.packs.storage.files.has(`${pack.name}.tips`)).toBe(false);
    const { packs } = await bed.values();
    expect(packs.find(({ name }) => name === pack.name)?.bitmap).toEqual({ bytes: 0, commits: 0 });
    const files = await bundlesOf(bed);
    expect(files).toHaveLength(2);
    taken(files);
  });

  it("are none of a pack that takes more than a step has, and it is not tried for ever", async () => {
    const bed = await grown(first);
    const limit = new LimitExceeded("kernel-memory", 1, "too many names");
    const add = vi.spyOn(ReachableObjects.prototype, "add").mockRejectedValue(limit);
    try {
      expect(bundleRuns(await bed.settle())).toMatchObject([{ outcome: "done", written: 0 }]);
    } finally {
      add.mockRestore();
    }
    expect(bundleRuns(await bed.settle())).toEqual([]);
    expect(await bundlesOf(bed)).toHaveLength(1);
  });

  it("are left out when what they build on is in another pack by now", async () => {
    const bed = await grown(first, second);
    await bed.settle();
    const snapshot = await snapshotOf(bed);
    const [oldest, , newest] = snapshot.packs;
    const packs = snapshot.packs.filter((pack) => pack === oldest || pack === newest);
    const offered = await offeredBundles(bed.maintained.repository, { ...snapshot, packs });
    expect(offered.map(({ pack }) => pack)).toEqual([oldest]);
  });

  it("are closed with their pack, when a forced push takes away what is in it", async () => {
    const bed = await grown(first, second);
    await bed.settle();
    await bed.set(MAIN, first);
    expect(await bundlesOf(bed)).toEqual([]);
    // Once a walk has shown what is still reached, the others are offered again.
    bed.now += 60 * 60_000;
    const steps = (await bed.settle()).map(({ step }) => step);
    expect(steps).toEqual(expect.arrayContaining(["walk", "bundle"]));
    const files = await bundlesOf(bed);
    expect(files).toHaveLength(2);
    expect(taken(files).oid("refs/bundles/heads/main")).toBe(first);
  });

  it("have heads that are asked for once while no ref moves, and for five minutes", async () => {
    const bed = await grown(first);
    await bed.settle();
    const ask = vi.spyOn(bed.refs, "open");
    const opened = async (at: number): Promise<{ readonly asked: number; readonly tag: string | undefined }> => {
      const snapshot = await snapshotOf(bed);
      ask.mockClear();
      const bundle = await openBundle(bed.maintained.repository, snapshot, snapshot.packs[at]?.checksum ?? "");
      return { asked: ask.mock.calls.length, tag: bundle?.tag };
    };
    for (const at of [0, 1]) {
      const { asked, tag } = await opened(at);
      expect([asked, tag]).toEqual([1, expect.stringMatching(/^[0-9a-f]{16}-[0-9a-f]{40}$/)]);
      expect(await opened(at)).toEqual({ asked: 0, tag });
      await bed.set(`refs/heads/other-${at}`, base);
      expect(await opened(at)).toEqual({ asked: 1, tag });
      expect(await opened(at)).toEqual({ asked: 0, tag });
      bed.now += 5 * 60_000;
      expect(await opened(at)).toEqual({ asked: 1, tag });
    }
  });

  it("leave nothing where a storage operation fails, and are made later", async () => {
    const bed = await grown(first);
    const id = await bed.id();
    const tips = (): number => [...bed.packs.storage.files.keys()].filter((name) => name.endsWith(".tips")).length;
    expect(tips()).toBe(1);
    for (let n = 0; ; n++) {
      bed.packs.forget();
      const { storage, failed } = failingAt(bed.packs.counted(), n);
      const run = await maintain(bed.on(storage), id);
      expect(n).toBeLessThan(100);
      if (run.step === "graph") continue;
      if (!failed()) {
        expect(n).toBeGreaterThan(2);
        expect(run).toMatchObject({ outcome: "done" });
        break;
      }
      expect(run).toMatchObject({ step: "bundle", outcome: "failed" });
      expect(tips()).toBe(1);
    }
    expect(tips()).toBe(2);
    expect(await bundlesOf(bed)).toHaveLength(2);
  });
});
