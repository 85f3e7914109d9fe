/** The commit-graph that maintenance makes: C git judges its files, and what is removed is not told of. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { toHex } from "../../../src/bytes/hex.ts";
import type { CommitGraphRecord } from "../../../src/catalog/commit-graph-record.ts";
import { makeGraph } from "../../../src/maintenance/graph-step.ts";
import { maintain } from "../../../src/maintenance/maintain.ts";
import { CommitGraph } from "../../../src/store/commit-graph.ts";
import { FixtureStream } from "../../support/git-fixtures.ts";
import { GitRepository } from "../../support/git-repository.ts";
import { failingAt, MaintainedBed } from "../../support/maintained.ts";

const DAY = 24 * 60 * 60_000;

/** A line of commits on a branch, each of which changes one of a few files. */
function addCommits(git: GitRepository, branch: string, count: number, from?: string): void {
  const stream = new FixtureStream();
  for (let i = 0; i < count; i++) {
    const path = `src/${i % 3}/${branch}-${i % 5}.txt`;
    const change = { path, content: `${branch} ${i} ${git.lines(["rev-list", "--all", "--count"]).join("")}\n` };
    stream.commit(`refs/heads/${branch}`, [change], i === 0 && from !== undefined ? { from } : {});
  }
  git.import(stream);
}

describe("the commit-graph of a repository", () => {
  let git: GitRepository;
  let bed: MaintainedBed;

  beforeEach(async () => {
    git = new GitRepository();
    addCommits(git, "main", 60);
    bed = new MaintainedBed(git);
    await bed.set("refs/heads/main", git.oid("main"));
    bed.tip = git.oid("main");
  });
  afterEach(() => git.dispose());

  async function layers(): Promise<readonly CommitGraphRecord[]> {
    const opened = await bed.refs.open({ packs: true });
    return opened.kind === "found" ? (opened.graphs ?? []) : [];
  }

  async function settle(): Promise<string[]> {
    await bed.refs.askForMaintenance(false);
    return (await bed.settle()).map(({ step, outcome }) => `${step} ${outcome}`);
  }

  /** The names of all commits that readers are told of. */
  async function told(): Promise<string[]> {
    const graph = new CommitGraph(await layers(), {
      storage: bed.packs.storage,
      scope: "looked at",
      cache: bed.packs.cache,
      format: bed.packs.format,
    });
    await graph.load();
    return Array.from({ length: graph.count }, (_, position) => toHex(graph.nameAt(position))).sort();
  }

  /** Has git look at the layers, in a repository of the same objects. */
  async function verify(): Promise<void> {
    const folder = join(git.dir, "objects/info/commit-graphs");
    mkdirSync(folder, { recursive: true });
    const records = await layers();
    for (const { name, checksum, bytes } of records) {
      const file = bed.packs.storage.files.get(`${name}.graph`);
      expect(file?.length).toBe(bytes);
      writeFileSync(join(folder, `graph-${checksum}.graph`), file ?? "");
    }
    writeFileSync(join(folder, "commit-graph-chain"), records.map(({ checksum }) => `${checksum}\n`).join(""));
    expect(git.run(["commit-graph", "verify"])).toMatchObject({ ok: true, stderr: "" });
  }

  it("has all that refs reach, and a filter for each, once it is asked for", async () => {
    expect(await settle()).toEqual(["graph done"]);
    expect(await told()).toEqual(git.lines(["rev-list", "main"]).sort());
    expect(await layers()).toMatchObject([{ commits: 60, filters: 60 }]);
    expect(await bed.refs.maintenance()).toMatchObject({
      graph: { layers: 1, commits: 60, filters: 60 },
      isGraphDue: false,
    });
    await verify();
    expect(await settle()).toEqual([]);
  });

  it("grows by layers, and merges those that are not large beside the new one", async () => {
    await settle();
    addCommits(git, "main", 5, git.oid("main"));
    await bed.set("refs/heads/main", git.oid("main"));
    await settle();
    expect(await layers()).toMatchObject([{ commits: 60 }, { commits: 5, filters: 5 }]);
    await verify();
    addCommits(git, "main", 5, git.oid("main"));
    await bed.set("refs/heads/main", git.oid("main"));
    await settle();
    expect(await layers()).toMatchObject([{ commits: 60 }, { commits: 10, filters: 10 }]);
    expect(await told()).toEqual(git.lines(["rev-list", "main"]).sort());
    await verify();
  });

  it("is made in steps where it would be too much for one, of the oldest commits first", async () => {
    const side = git.text(["rev-parse", "main~30"]).trim();
    addCommits(git, "side", 30, side);
    const tree = git.text(["rev-parse", "main^{tree}"]).trim();
    const merge = git.text(["commit-tree", tree, "-p", "main", "-p", "side", "-m", "merge"]).trim();
    git.git(["update-ref", "refs/heads/main", merge]);
    await bed.set("refs/heads/main", merge);
    const made: number[] = [];
    for (let step = 0; ; step++) {
      const { repository, maintenance } = bed.maintained;
      const name = String(step).repeat(40);
      await bed.refs.leasePacks(await bed.id(), [name]);
      const request = await makeGraph({ repository, name, dropped: [], mostCommits: 45 });
      if (request?.added === undefined) throw new Error("no layer");
      expect(await maintenance.replaceGraphs(request)).toEqual({ kind: "done" });
      made.push(request.added.commits);
      await verify();
      if (request.objects !== 0) break;
    }
    expect(made.length).toBeGreaterThan(1);
    expect(Math.max(...made)).toBeLessThanOrEqual(45);
    expect(await told()).toEqual(git.lines(["rev-list", "main"]).sort());
  });

  it("takes work that is linear in the parents of a commit", async () => {
    const count = 1000;
    const stream = new FixtureStream();
    for (let i = 0; i < count; i++) stream.commit(`refs/heads/root-${i}`, [{ path: "a", content: `${i}\n` }]);
    git.import(stream);
    const roots = git.lines(["rev-parse", ...Array.from({ length: count }, (_, i) => `root-${i}`)]);
    const parents = ["main", ...roots].flatMap((parent) => ["-p", parent]);
    const tree = git.text(["rev-parse", "main^{tree}"]).trim();
    await bed.set("refs/heads/main", git.text(["commit-tree", tree, ...parents, "-m", "octopus"]).trim());
    const find = vi.spyOn(CommitGraph.prototype, "find");
    const request = await makeGraph({ repository: bed.maintained.repository, name: "f".repeat(40), dropped: [] });
    const calls = find.mock.calls.length;
    find.mockRestore();
    expect(request?.added?.commits).toBe(count + 61);
    expect(calls).toBeLessThan(20 * count);
  });

  it("is not made where a step comes to too many commits", async () => {
    const request = await makeGraph({ repository: bed.maintained.repository, name: "f", dropped: [], mostCommits: 20 });
    expect(request).toMatchObject({ kept: 0 });
    expect(request).not.toHaveProperty("added");
    expect(request?.objects).toBeGreaterThan(0);
  });

  it("keeps the files of replaced layers for a day", async () => {
    await settle();
    const [old] = await layers();
    addCommits(git, "main", 40, git.oid("main"));
    await bed.set("refs/heads/main", git.oid("main"));
    await settle();
    expect(await layers()).toMatchObject([{ commits: 100 }]);
    const due = (): readonly string[] => bed.refs.database.dueWork(bed.now).expiredPacks;
    expect(due()).not.toContain(old?.name);
    bed.now += DAY + 1;
    expect(due()).toContain(old?.name);
    expect(due()).not.toContain((await layers())[0]?.name);
  });

  it("tells of no commit that left the catalog, and takes filters over from what it dropped", async () => {
    git.git(["branch", "keep", "main~50"]);
    await bed.set("refs/heads/keep", git.oid("keep"));
    await settle();
    addCommits(git, "topic", 9, git.oid("main"));
    await bed.set("refs/heads/topic", git.oid("topic"));
    await settle();
    expect(await layers()).toMatchObject([{ commits: 60 }, { commits: 9 }]);
    await bed.delete("refs/heads/topic");
    bed.now += DAY;
    await bed.refs.askForMaintenance(false);
    const walk = await maintain(bed.maintained, await bed.id());
    expect(walk).toMatchObject({ step: "walk", outcome: "done" });
    expect(await told()).toEqual(git.lines(["rev-list", "main"]).sort());
    expect(await layers()).toMatchObject([{ commits: 60 }]);
    await settle();
    expect(await told()).toEqual(git.lines(["rev-list", "main"]).sort());
    await verify();
  });

  it("forgets what a purge removes, files and all", async () => {
    addCommits(git, "secret", 9, git.oid("main"));
    await bed.set("refs/heads/secret", git.oid("secret"));
    await settle();
    const secrets = git.lines(["rev-list", "secret", "^main"]);
    expect(await told()).toEqual(expect.arrayContaining(secrets));
    const [before] = await layers();
    await bed.delete("refs/heads/secret");
    await bed.refs.askForMaintenance(true);
    await bed.settle();
    expect(await told()).toEqual(git.lines(["rev-list", "main"]).sort());
    expect(bed.refs.database.dueWork(bed.now).expiredPacks).toContain(before?.name);
    await verify();
  });

  it("is made anew where a layer is lost or damaged", async () => {
    await settle();
    const [old] = await layers();
    bed.packs.storage.files.set(`${old?.name}.graph`, new Uint8Array(old?.bytes ?? 0));
    bed.packs.forget();
    addCommits(git, "main", 5, git.oid("main"));
    await bed.set("refs/heads/main", git.oid("main"));
    expect(await settle()).toContain("graph done");
    expect(await layers()).toMatchObject([{ commits: 65, filters: 65 }]);
    expect(await told()).toEqual(git.lines(["rev-list", "main"]).sort());
    await verify();
  });

  it("refuses a layer that was made before objects left the catalog", async () => {
    addCommits(git, "topic", 9, git.oid("main"));
    await bed.set("refs/heads/topic", git.oid("topic"));
    await bed.refs.askForMaintenance(false);
    const id = await bed.id();
    const { maintained } = bed;
    const replaceGraphs: typeof bed.refs.replaceGraphs = async (request) => {
      await bed.delete("refs/heads/topic");
      bed.now += DAY;
      // The refs are walked meanwhile.
      const steps = await maintain(bed.maintained, id);
      expect(steps).toMatchObject({ step: "walk", outcome: "done" });
      bed.now -= DAY;
      return await bed.refs.replaceGraphs(request);
    };
    const run = await maintain({ ...maintained, maintenance: { ...bed.refs, replaceGraphs } }, id);
    expect(run).toMatchObject({ step: "graph", outcome: "stale" });
    expect(await layers()).toEqual([]);
    expect([...bed.packs.storage.files.keys()].filter((name) => name.endsWith(".graph"))).toEqual([]);
  });

  it("is made the next time where the bucket fails at any operation of a step, which leaves nothing", async () => {
    for (let n = 0; ; n++) {
      const { storage, failed } = failingAt(bed.packs.counted(), n);
      bed.packs.forget();
      await bed.refs.askForMaintenance(false);
      const run = await maintain(bed.on(storage), await bed.id());
      if (!failed()) {
        expect(run).toMatchObject({ step: "graph", outcome: "done" });
        expect(n).toBeGreaterThan(1);
        break;
      }
      expect(run).toMatchObject({ outcome: "failed" });
      expect([...bed.packs.storage.files.keys()].filter((name) => name.endsWith(".graph"))).toEqual([]);
    }
    expect(await told()).toEqual(git.lines(["rev-list", "main"]).sort());
  });
});
