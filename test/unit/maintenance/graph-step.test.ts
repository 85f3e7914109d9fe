/**
 * The commit-graph that maintenance makes: C git judges its files, and what is removed is not told of.
 *
 * @module-tag thorough
 */
import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { HostBusy } from "../../../src/bytes/failure.ts";
import { toHex } from "../../../src/bytes/hex.ts";
import {
  type CommitGraphRecord,
  FILTER_BOUNDS,
  layerToFilter,
  writingBytes,
} from "../../../src/catalog/commit-graph-record.ts";
import { MOST_LAYERS } from "../../../src/format/commit-graph-encoder.ts";
import { makeGraph } from "../../../src/maintenance/graph-step.ts";
import type { Graphing } from "../../../src/maintenance/graphing.ts";
import { maintain } from "../../../src/maintenance/maintain.ts";
import { CommitGraph } from "../../../src/store/commit-graph.ts";
import { NamePrefixes } from "../../../src/store/name-prefixes.ts";
import { FixtureStream } from "../../support/git-fixtures.ts";
import { GitRepository } from "../../support/git-repository.ts";
import { makeHistory } from "../../support/random-history.ts";
import { failingAt, MaintainedBed } from "../../support/maintained.ts";
import { nodeHash } from "../../support/store.ts";

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
  let number = 0;
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
      hash: nodeHash,
      format: bed.packs.format,
    });
    await graph.load();
    return Array.from({ length: graph.count }, (_, position) => toHex(graph.nameAt(position))).sort();
  }

  /** Makes layers until nothing is left, each of which git looks at. Returns how many commits each step has put into one. */
  async function makeInSteps(bounds: Partial<Graphing>): Promise<number[]> {
    const { repository, maintenance } = bed.maintained;
    const made: number[] = [];
    await bed.refs.askForMaintenance(false);
    for (;;) {
      const name = createHash("sha1").update(`step ${number++}`).digest("hex");
      const begun = await maintenance.beginMaintenance(await bed.id(), [name]);
      if (begun.kind !== "begun") throw new Error("gone");
      const way = begun.graphWay === undefined ? {} : { way: begun.graphWay };
      const request = await makeGraph({ repository, name, dropped: begun.droppedGraphs, bounds, ...way });
      if (request === undefined) throw new Error("gone");
      expect(await maintenance.replaceGraphs(request)).toEqual({ kind: "done" });
      made.push(request.added?.commits ?? 0);
      await verify();
      if (request.objects !== 0) return made;
      if (made.length > 80) throw new Error("there is no end to it");
    }
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
    const made = await makeInSteps({ mostCommits: 45, mostWalked: 67 });
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

  it("is made of a line of any length, though a step holds a part of it only", async () => {
    addCommits(git, "main", 340, git.oid("main"));
    await bed.set("refs/heads/main", git.oid("main"));
    const made = await makeInSteps({ mostCommits: 45, mostWalked: 67, leastCommits: 12, spacing: 10 });
    expect(made.length).toBeLessThan(12);
    expect(Math.max(...made)).toBeLessThanOrEqual(45);
    expect(await told()).toEqual(git.lines(["rev-list", "main"]).sort());
  });

  it("goes on where the last step ended, which may have read commits alone", async () => {
    addCommits(git, "main", 140, git.oid("main"));
    await bed.set("refs/heads/main", git.oid("main"));
    const made = await makeInSteps({ mostCommits: 50, mostWalked: 60, leastCommits: 10, spacing: 20, mostRead: 70 });
    expect(made.slice(0, 2)).toEqual([0, 0]);
    expect(made.filter((commits) => commits === 0).length).toBeLessThan(8);
    expect(await told()).toEqual(git.lines(["rev-list", "main"]).sort());
  });

  it("is made in steps of a history with octopus merges, several roots and wrong clocks", async () => {
    makeHistory(git, 23, { commits: 400, skew: 3600 });
    for (const branch of ["c399", "c398", "c396", "c350", "c207"])
      await bed.set(`refs/heads/${branch}`, git.oid(branch));
    const made = await makeInSteps({ mostCommits: 60, mostWalked: 90, leastCommits: 15, spacing: 8 });
    expect(Math.max(...made)).toBeLessThanOrEqual(60);
    const tips = [...(await bed.values()).current.values()];
    expect(await told()).toEqual(git.lines(["rev-list", ...tips]).sort());
  });

  it("is right where names of new commits begin like those in a layer", async () => {
    await makeInSteps({});
    addCommits(git, "main", 50, git.oid("main"));
    await bed.set("refs/heads/main", git.oid("main"));
    const alike = new Set(git.lines(["rev-list", "main"]).filter((_, i) => i % 7 === 3));
    const stored = new Set(git.lines(["rev-list", "main~50"]));
    const lie = vi
      .spyOn(NamePrefixes.prototype, "mayHave")
      .mockImplementation((name) => alike.has(toHex(name)) || stored.has(toHex(name)));
    try {
      await makeInSteps({});
    } finally {
      lie.mockRestore();
    }
    expect(await told()).toEqual(git.lines(["rev-list", "main"]).sort());
  });

  it("has the tip of a ref whose name merely begins like one in a layer", async () => {
    await makeInSteps({});
    const stored = new Set(git.lines(["rev-list", "main"]));
    addCommits(git, "main", 5, git.oid("main"));
    await bed.set("refs/heads/main", git.oid("main"));
    const tip = git.oid("main");
    const lie = vi
      .spyOn(NamePrefixes.prototype, "mayHave")
      .mockImplementation((name) => toHex(name) === tip || stored.has(toHex(name)));
    try {
      expect(await makeInSteps({})).toEqual([5]);
    } finally {
      lie.mockRestore();
    }
    expect(await told()).toEqual(git.lines(["rev-list", "main"]).sort());
  });

  it("reads commits from the layers that are there, where the file of a dropped one is gone", async () => {
    await makeInSteps({ mostFilters: 0 });
    const { repository } = bed.maintained;
    const name = "f".repeat(40);
    const lost = { name: "0".repeat(40), checksum: "0".repeat(40), commits: 5, filters: 5, bytes: 2000 };
    const read = vi.spyOn(CommitGraph.prototype, "read");
    try {
      const request = await makeGraph({ repository, name, dropped: [lost] });
      expect(request?.added).toMatchObject({ commits: 60, filters: 60 });
      expect(read.mock.calls.length).toBeGreaterThanOrEqual(60);
    } finally {
      read.mockRestore();
    }
  });

  it("merges no layer that would take more memory than a step may, and counts what it takes", async () => {
    await makeInSteps({});
    addCommits(git, "main", 40, git.oid("main"));
    await bed.set("refs/heads/main", git.oid("main"));
    const { memory } = bed.maintained.repository;
    const hold = vi.spyOn(memory, "holdUpTo");
    const before = memory.bytes;
    try {
      // The walk of 40 commits has room, and 100 commits have none: each takes 312 bytes, and the layer that is there is held twice.
      expect(await makeInSteps({ stepBytes: 40_000 })).toEqual([40]);
      expect(await layers()).toMatchObject([{ commits: 60 }, { commits: 40 }]);
      expect(hold.mock.calls.map(([bytes]) => bytes)).toContain(writingBytes(40, 0, 20));
    } finally {
      hold.mockRestore();
    }
    expect(memory.bytes).toBe(before);
  });

  it("waits for no memory once it has a kernel, which may keep what it would wait for", async () => {
    const { kernels, memory } = bed.maintained.repository;
    const lend = kernels.lend.bind(kernels);
    let claim: { mockRestore(): void } | undefined;
    const lent = vi.spyOn(kernels, "lend").mockImplementation(async (...args) => {
      const kernel = await lend(...args);
      claim = vi.spyOn(memory, "claim").mockRejectedValue(new HostBusy("host", 15));
      return kernel;
    });
    try {
      expect(await makeInSteps({})).toEqual([60]);
      expect(lent).toHaveBeenCalled();
    } finally {
      claim?.mockRestore();
      lent.mockRestore();
    }
    expect(await layers()).toMatchObject([{ commits: 60, filters: 60 }]);
  });

  it("leaves the graph as it is where names that begin like those in a layer would take very many passes", async () => {
    await makeInSteps({});
    addCommits(git, "main", 50, git.oid("main"));
    await bed.set("refs/heads/main", git.oid("main"));
    const asked = new Set<string>();
    // Each commit seems to be in a layer, until a pass has found that it is in none.
    const lie = vi.spyOn(NamePrefixes.prototype, "mayHave").mockImplementation((name) => {
      asked.add(toHex(name));
      return toHex(name) !== git.oid("main");
    });
    try {
      expect(await makeInSteps({})).toEqual([0]);
      expect(asked.size).toBeLessThan(20);
    } finally {
      lie.mockRestore();
    }
    expect(await layers()).toMatchObject([{ commits: 60 }]);
    expect(await makeInSteps({})).toEqual([110]);
  });

  /** A layer of a repository with other commits, in this one's storage. */
  async function layerOfOthers(): Promise<CommitGraphRecord> {
    const others = new GitRepository();
    try {
      addCommits(others, "others", 60);
      others.git(["branch", "main", "others"]);
      const elsewhere = new MaintainedBed(others);
      await elsewhere.set("refs/heads/main", others.oid("main"));
      await elsewhere.refs.askForMaintenance(false);
      await elsewhere.settle();
      const opened = await elsewhere.refs.open({ packs: true });
      const [layer] = opened.kind === "found" ? (opened.graphs ?? []) : [];
      if (layer === undefined) throw new Error("there is no layer");
      const file = elsewhere.packs.storage.files.get(`${layer.name}.graph`);
      bed.packs.storage.files.set(`${layer.name}.graph`, file ?? new Uint8Array(0));
      return layer;
    } finally {
      others.dispose();
    }
  }

  it("is made anew where the lower of two layers is lost", async () => {
    await makeInSteps({ mostCommits: 30, leastCommits: 1, factor: 0, mostFilters: 0 });
    const { repository } = bed.maintained;
    const opened = await bed.refs.open({ packs: true, refPrefixes: [] });
    if (opened.kind !== "found") throw new Error("gone");
    // What the upper one says of parents is out of bounds now.
    const graphs = opened.graphs?.slice(1) ?? [];
    const refs = { ...repository.refs, open: async () => await Promise.resolve({ ...opened, graphs }) };
    const made = await makeGraph({ repository: { ...repository, refs }, name: "f".repeat(40), dropped: [] });
    expect(made).toMatchObject({ kept: 0, added: { commits: 60, filters: 60 } });
  });

  it("fails where a layer that is merged lacks what its commits reach", async () => {
    const { repository } = bed.maintained;
    await makeInSteps({ mostCommits: 30, leastCommits: 1, factor: 0, mostFilters: 0 });
    const opened = await bed.refs.open({ packs: true });
    if (opened.kind !== "found") throw new Error("gone");
    const upper = opened.graphs?.slice(1) ?? [];
    expect(upper).toHaveLength(1);
    // The lower layer is lost, and in its place is one of other commits.
    const lower = await layerOfOthers();
    const refs = {
      ...repository.refs,
      open: async () => await Promise.resolve({ ...opened, graphs: [lower, ...upper] }),
    };
    // Commits are read from packs. The layer is to be written anew, for its filters.
    const bounds = { wholeBytes: 1 };
    await expect(
      makeGraph({ repository: { ...repository, refs }, name: "f".repeat(40), dropped: [], bounds }),
    ).rejects.toThrow("a layer lacks what its commits reach");
  });

  it("needs no more steps where only layers lack filters that are too many commits to be written anew", async () => {
    const id = await bed.id();
    await bed.refs.askForMaintenance(false);
    for (const [level, commits] of [200_000, 100].entries()) {
      const name = String(level).repeat(40);
      await bed.refs.leasePacks(id, [name]);
      const seen = (await layers()).map((layer) => layer.name);
      const added = { name, checksum: name, commits, filters: level === 0 ? 5000 : 100, bytes: 1 };
      const opened = await bed.refs.open({ packs: true });
      if (opened.kind !== "found") throw new Error("missing");
      const total = opened.packs.reduce((sum, pack) => sum + pack.objects, 0);
      await bed.refs.replaceGraphs({ id, version: opened.version, seen, kept: level, added, objects: total });
    }
    expect(await bed.refs.maintenance()).toMatchObject({ graph: { layers: 2, filters: 5100 }, isGraphDue: false });
  });

  it("computes filters in steps until a layer has no room for more, and keeps those that it has", async () => {
    const mostFilterBytes = 1208; // The head of the file counts, too: it has 1148 of them.
    const bounds = { mostFilterBytes, mostFilters: 5 };
    await makeInSteps(bounds);
    const filters: number[] = [];
    while (layerToFilter(await layers(), { ...FILTER_BOUNDS, mostFilterBytes }) >= 0) {
      filters.push((await layers())[0]?.filters ?? 0);
      expect(filters.length).toBeLessThan(60);
      await makeInSteps(bounds);
    }
    expect(filters).toEqual([5, 10]);
    expect(await layers()).toMatchObject([{ commits: 60, filters: 15 }]);
    addCommits(git, "main", 40, git.oid("main"));
    await bed.set("refs/heads/main", git.oid("main"));
    await makeInSteps({ mostFilterBytes: 40 });
    expect(await layers()).toMatchObject([{ commits: 100, filters: 10 }]);
  });

  it("computes few filters where others wait for memory, and the rest in later steps", async () => {
    const { memory } = bed.maintained.repository;
    const waits = vi.spyOn(memory, "othersWait", "get").mockReturnValue(true);
    try {
      await makeInSteps({ leastFilters: 7 });
      expect(await layers()).toMatchObject([{ commits: 60, filters: 7 }]);
    } finally {
      waits.mockRestore();
    }
    await makeInSteps({ leastFilters: 7 });
    expect(await layers()).toMatchObject([{ commits: 60, filters: 60 }]);
  });

  it("gets filters in the uppermost of as many layers as there may be", async () => {
    addCommits(git, "main", 6, git.oid("main"));
    await bed.set("refs/heads/main", git.oid("main"));
    await makeInSteps({ mostCommits: 1, leastCommits: 1, mostFilters: 0 });
    expect(await layers()).toHaveLength(MOST_LAYERS);
    git.git(["update-ref", "refs/heads/main", "main~2"]);
    await bed.set("refs/heads/main", git.oid("main"));
    expect(layerToFilter(await layers())).toBe(MOST_LAYERS - 1);
    await makeInSteps({ factor: 0 });
    expect((await layers()).at(-1)).toMatchObject({ commits: 1, filters: 1 });
  }, 60_000);

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
    expect(await maintain(maintained, id)).toMatchObject({ step: "roll-up", outcome: "done" });
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
