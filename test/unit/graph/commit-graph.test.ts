/**
 * Layers of the commit-graph, compared with those that C git writes, and read again.
 *
 * @module-tag thorough
 */
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BrowseSession } from "../../../src/browse/browse-session.ts";
import { diffTrees } from "../../../src/browse/tree-diff.ts";
import {
  BLOOM_MOST_PATHS,
  bloomKeys,
  encodeBloomFilter,
  mayHaveChanged,
  murmur3,
} from "../../../src/format/bloom-filter.ts";
import { CommitGraphHead } from "../../../src/format/commit-graph.ts";
import { encodeCommitGraph, type FilterTable } from "../../../src/format/commit-graph-encoder.ts";
import { ChangedPaths, MOST_COMMIT_STEPS } from "../../../src/graph/changed-paths.ts";
import { type CommitsBelow, graphTables } from "../../../src/graph/commit-graph-tables.ts";
import { GraphSession } from "../../../src/graph/graph-session.ts";
import { CommitLinks } from "../../../src/object/commit.ts";
import { LayerBody, LayerFilters } from "../../../src/store/commit-graph-body.ts";
import { CommitGraph, type GraphMemory } from "../../../src/store/commit-graph.ts";
import { FixtureStream } from "../../support/git-fixtures.ts";
import { GitRepository } from "../../support/git-repository.ts";
import { makeHistory } from "../../support/random-history.ts";
import { nodeHash, rawName, TestStore } from "../../support/store.ts";
import { finished } from "../../support/finished.ts";

type Made = { readonly bytes: Uint8Array; readonly checksum: string; readonly commits: number };

/** The layers below, which are in memory as a whole. */
function commitsBelow(session: GraphSession, graph: CommitGraph): CommitsBelow {
  return {
    count: graph.count,
    positionOf: (node) => graph.find(session.nameOf(node)),
    levelAt: (position) => graph.levelAt(position),
    generationAt: (position) => graph.generationAt(position),
  };
}

/** Makes a layer of the commits, on the layers below. */
async function makeLayer(
  store: TestStore,
  commits: readonly string[],
  {
    below = open(store, []),
    bases = [],
    filters = true,
  }: { below?: CommitGraph; bases?: readonly string[]; filters?: boolean } = {},
): Promise<Made> {
  const kernel = await store.kernels.lend(store.format.rawSize);
  try {
    const session = new GraphSession(store.database(), kernel);
    const nodes = Uint32Array.from(commits, (oid) => session.node(Buffer.from(oid, "hex")));
    for (const node of nodes) expect(await session.loadCommit(node)).toBe(true);
    const tables = await graphTables(session, nodes, commitsBelow(session, below));
    if (tables === undefined) throw new Error("no tables");
    const table = filters ? await filterTable(session, tables.nodes) : undefined;
    const bytes = finished(
      encodeCommitGraph(
        {
          ...tables,
          bases: bases.map((base) => Buffer.from(base, "hex")),
          ...(table === undefined ? {} : { filters: table }),
        },
        createHash(store.format.name),
      ),
    );
    return {
      bytes,
      checksum: Buffer.from(bytes.subarray(bytes.length - store.format.rawSize)).toString("hex"),
      commits: commits.length,
    };
  } finally {
    store.kernels.giveBack(kernel);
  }
}

async function filterTable(session: GraphSession, nodes: Uint32Array): Promise<FilterTable> {
  const changed = new ChangedPaths(session, BLOOM_MOST_PATHS);
  const filters: Uint8Array[] = [];
  for (const node of nodes) filters.push(encodeBloomFilter(await changed.of(node)));
  let end = 0;
  return { ends: Uint32Array.from(filters, ({ length }) => (end += length)), bytes: Buffer.concat(filters) };
}

/** Opens layers that lie in the store, the lowest first. */
function open(store: TestStore, layers: readonly Made[], memory?: GraphMemory): CommitGraph {
  const records = layers.map(({ bytes, checksum, commits }, i) => {
    store.storage.files.set(`layer${i}.graph`, new Uint8Array(bytes));
    return { name: `layer${i}`, checksum, commits, bytes: bytes.length, filters: commits };
  });
  return new CommitGraph(records, {
    storage: store.counted(),
    scope: "repository",
    cache: store.cache,
    hash: nodeHash,
    format: store.format,
    ...(memory === undefined ? {} : { memory }),
  });
}

/** What git makes of the same commits. It knows filters of version 1 only, which are the same where all paths are ASCII. */
function gitsGraph(git: GitRepository): Buffer {
  git.git(["commit-graph", "write", "--reachable", "--changed-paths", "--no-progress"]);
  const bytes = readFileSync(join(git.dir, "objects/info/commit-graph"));
  const data = new CommitGraphHead(bytes, git.format).filterRanges?.data;
  if (data === undefined) throw new Error("git wrote no filters");
  bytes.writeUInt32BE(2, data.offset);
  const end = bytes.length - git.format.rawSize;
  createHash(git.format.name).update(bytes.subarray(0, end)).digest().copy(bytes, end);
  return bytes;
}

function allCommits(git: GitRepository): string[] {
  return git.lines(["rev-list", "--all"]);
}

describe.each(["sha1", "sha256"] as const)("a commit-graph of %s", (format) => {
  const store = new TestStore({ format });
  let git: GitRepository;
  let made: Made;

  beforeAll(async () => {
    git = new GitRepository(`--object-format=${format}`);
    makeHistory(git, 7, { commits: 300, skew: 3600 });
    await store.push(git.pack(["--all"]), git.tips());
    made = await makeLayer(store, allCommits(git));
  });
  afterAll(() => git.dispose());

  it("is what git writes, octopus merges, several roots, wrong clocks and submodules included", () => {
    expect(Buffer.compare(Buffer.from(made.bytes), gitsGraph(git))).toBe(0);
  });

  it("is accepted by git, alone and as a chain", async () => {
    const directory = join(git.dir, "objects/info");
    // Older versions of git know filters of version 1 only.
    git.git(["config", "commitGraph.readChangedPaths", "false"]);
    writeFileSync(join(directory, "commit-graph"), made.bytes);
    expect(git.run(["commit-graph", "verify"])).toMatchObject({ ok: true });
    rmSync(join(directory, "commit-graph"));
    const old = git.lines(["rev-list", "--topo-order", "--reverse", "--all"]).slice(0, 200);
    const lower = await makeLayer(store, old, { filters: false });
    const below = open(store, [lower]);
    await below.load();
    const young = allCommits(git).filter((oid) => !old.includes(oid));
    const upper = await makeLayer(store, young, { below, bases: [lower.checksum] });
    mkdirSync(join(directory, "commit-graphs"));
    for (const layer of [lower, upper])
      writeFileSync(join(directory, `commit-graphs/graph-${layer.checksum}.graph`), layer.bytes);
    writeFileSync(join(directory, "commit-graphs/commit-graph-chain"), `${lower.checksum}\n${upper.checksum}\n`);
    expect(git.lines(["rev-list", "--all"]).length).toBe(300);
    const verdict = git.run(["commit-graph", "verify"]);
    expect(verdict.stderr).toBe("");
    expect(verdict.ok).toBe(true);
  });

  it("of which a part is read, without its checksum, has no parent and no filter out of bounds", () => {
    const head = new CommitGraphHead(made.bytes, store.format);
    const ranges = head.filterRanges;
    if (ranges === undefined) throw new Error("there are no filters");
    const at = ({ offset, length }: { offset: number; length: number }): Uint8Array<ArrayBuffer> =>
      new Uint8Array(made.bytes.slice(offset, offset + length));
    const [index, data] = [at(ranges.index), at(ranges.data)];
    expect(new LayerFilters(index, data).at(0).length).toBeGreaterThan(0);
    const last = new DataView(index.buffer).getUint32(index.length - 4);
    for (const end of [last + 1, 0]) {
      const wrong = index.slice();
      new DataView(wrong.buffer).setUint32(end === 0 ? wrong.length - 4 : 4, end);
      expect(() => new LayerFilters(wrong, data)).toThrow("out of order");
    }
    expect(() => new LayerFilters(index, data.with(3, 1))).toThrow("another version");
    new LayerBody(head, made.bytes).assertParents(head.count);
    for (const parent of ["first", "second", "further"] as const) {
      const bytes = new Uint8Array(made.bytes);
      const row = head.chunkOf("CDAT").offset + store.format.rawSize + (parent === "second" ? 4 : 0);
      const edges = head.chunk("EDGE")?.offset ?? 0;
      new DataView(bytes.buffer).setUint32(parent === "further" ? edges : row, head.count);
      expect(() => new LayerBody(head, bytes).assertParents(head.count)).toThrow("out of bounds");
    }
  });

  it("tells of each commit what the commit says, in one read", async () => {
    store.forget();
    const graph = open(store, [made]);
    await graph.load();
    const links = new CommitLinks(store.format);
    const parents: number[] = [];
    const hex = (link: number): string => Buffer.from(links.nameOf(link)).toString("hex");
    for (const line of git.lines(["log", "--all", "--format=%H %T %ct %P"])) {
      const [oid = "", tree, time, ...rest] = line.split(" ");
      const generation = graph.read(graph.find(Buffer.from(oid, "hex")), links, parents);
      expect([hex(0), String(links.time)]).toEqual([tree, time]);
      expect(Array.from({ length: links.parentCount }, (_, i) => hex(i + 1))).toEqual(rest.filter(Boolean));
      for (const parent of parents) expect(graph.layers[0]?.generationAt(parent)).toBeLessThan(generation);
    }
    expect(store.cost.reads).toBe(1);
    expect(graph.find(Buffer.alloc(store.format.rawSize, 1))).toBe(-1);
  });

  it("tells which commits may have changed a path, and never that one which did has not", async () => {
    const graph = open(store, [made]);
    expect(await graph.loadFilters()).toBe(true);
    for (const path of ["f1", "d1", "d0/f2", "d2/d1/f3", "nowhere", "d0/nowhere"]) {
      const changed = new Set(
        git.lines(["log", "--all", "-m", "--first-parent", "--full-history", "--format=%H", "--", path]),
      );
      const keys = bloomKeys(path);
      let maybe = 0;
      for (const oid of allCommits(git)) {
        const may = mayHaveChanged(graph.filterAt(graph.find(Buffer.from(oid, "hex"))), keys);
        if (changed.has(oid)) expect(may).toBe(true);
        else if (may) maybe++;
      }
      expect(maybe).toBeLessThan(30);
    }
  });
});

describe("a commit-graph with large times", () => {
  it("is what git writes where a clock was far ahead", async () => {
    const git = new GitRepository();
    const store = new TestStore({});
    try {
      const tree = git.text(["mktree"]);
      const commit = (time: number, ...parents: string[]): string =>
        git
          .git(["commit-tree", tree, ...parents.flatMap((parent) => ["-p", parent])], "x\n", {
            GIT_COMMITTER_DATE: `@${time} +0000`,
          })
          .toString()
          .trimEnd();
      const far = commit(16_000_000_000);
      const tip = commit(5, commit(4, far), commit(0));
      git.git(["update-ref", "refs/heads/main", tip]);
      await store.push(git.pack(["--all"]), git.tips());
      const made = await makeLayer(store, allCommits(git));
      expect(new CommitGraphHead(made.bytes, git.format).chunk("GDO2")?.length).toBe(16);
      expect(Buffer.compare(Buffer.from(made.bytes), gitsGraph(git))).toBe(0);
      const graph = open(store, [made]);
      await graph.load();
      expect(graph.generationAt(graph.find(Buffer.from(tip, "hex")))).toBe(16_000_000_002);
    } finally {
      git.dispose();
    }
  });
});

describe("a commit-graph of old trees", () => {
  it("is what git writes, for which a mode of 100664 is one of 100644", async () => {
    const git = new GitRepository();
    const store = new TestStore({});
    try {
      const blob = git.text(["hash-object", "-w", "--stdin"], "a\n");
      const tree = (...modes: string[]): string =>
        git.text(["mktree"], modes.map((mode, i) => `${mode} blob ${blob}\tf${i}\n`).join(""));
      const first = git.text(["commit-tree", tree("100664", "100664", "100755"), "-m", "x"]);
      const tip = git.text(["commit-tree", tree("100644", "100755", "100775"), "-m", "y", "-p", first]);
      expect(git.lines(["diff-tree", "--name-only", first, tip])).toEqual(["f1"]);
      git.git(["update-ref", "refs/heads/main", tip]);
      await store.push(git.pack(["--all"]), git.tips());
      const made = await makeLayer(store, allCommits(git));
      expect(Buffer.compare(Buffer.from(made.bytes), gitsGraph(git))).toBe(0);
      const session = await BrowseSession.open(store.repository(), store.answer(new Uint8Array(0)));
      try {
        const [before, after] = [first, tip].map((commit) => rawName(git.oid(`${commit}^{tree}`)));
        const paths: string[] = [];
        for await (const { path } of diffTrees(session, before, after ?? new Uint8Array(0))) paths.push(path);
        expect(paths).toEqual(["f1"]);
      } finally {
        session.close();
      }
    } finally {
      git.dispose();
    }
  });
});

describe("a commit-graph of trees that name one another", () => {
  /** Adds a commit of a tree that has ten million directories at the bottom, and no file. Returns it. */
  function bomb(git: GitRepository, base: string): string {
    let tree = git.text(["mktree"], "");
    for (let depth = 0; depth < 7; depth++)
      tree = git.text(["mktree"], Array.from({ length: 10 }, (_, i) => `040000 tree ${tree}\td${i}\n`).join(""));
    return git.text(["commit-tree", tree, "-m", "x", ...(base === "" ? [] : ["-p", base])]);
  }

  it("has a filter that matches every path, for which few trees are opened", async () => {
    const git = new GitRepository();
    const store = new TestStore({});
    try {
      const first = git.text(["commit-tree", git.text(["mktree"], ""), "-m", "y"]);
      git.git(["update-ref", "refs/heads/main", bomb(git, first)]);
      await store.push(git.pack(["--all"]), git.tips());
      const kernel = await store.kernels.lend(store.format.rawSize);
      const session = new GraphSession(store.database(), kernel);
      const { pacer } = session.database.context;
      const before = pacer.steps;
      const node = session.node(rawName(git.oid("main")));
      expect(await new ChangedPaths(session, BLOOM_MOST_PATHS).of(node)).toBeUndefined();
      expect(pacer.steps - before).toBeLessThan(500_000);
      expect([...encodeBloomFilter(undefined)]).toEqual([0xff]);
      store.kernels.giveBack(kernel);
    } finally {
      git.dispose();
    }
  });

  it("is given up for a commit where trees that are long, and alike, take too many steps", async () => {
    const git = new GitRepository();
    const store = new TestStore({});
    try {
      const blob = git.text(["hash-object", "-w", "--stdin"], "a\n");
      // Each pair of directories has one file that differs, after thousands that don't.
      const long = (last: string): string => {
        const names = [...Array.from({ length: 9000 }, (_, i) => `f${String(i).padStart(4, "0")}`), last];
        const tree = git.text(["mktree"], names.map((name) => `100644 blob ${blob}\t${name}\n`).join(""));
        return git.text(["mktree"], Array.from({ length: 200 }, (_, i) => `040000 tree ${tree}\td${i}\n`).join(""));
      };
      const first = git.text(["commit-tree", long("y"), "-m", "x"]);
      git.git(["update-ref", "refs/heads/main", git.text(["commit-tree", long("z"), "-m", "x", "-p", first])]);
      await store.push(git.pack(["--all"]), git.tips());
      const kernel = await store.kernels.lend(store.format.rawSize);
      const session = new GraphSession(store.database(), kernel);
      const { pacer } = session.database.context;
      const before = pacer.steps;
      const node = session.node(rawName(git.oid("main")));
      expect(await new ChangedPaths(session, BLOOM_MOST_PATHS).of(node)).toBeUndefined();
      expect(pacer.steps - before).toBeLessThan(2 * MOST_COMMIT_STEPS);
      store.kernels.giveBack(kernel);
    } finally {
      git.dispose();
    }
  });
});

describe("murmur3", () => {
  // Of git's t0095-bloom.sh; the last two are of version 2, which takes bytes as unsigned.
  it.each([
    [0, "", 0x00000000],
    [0, "Hello world!", 0x627b0c2c],
    [0, "The quick brown fox jumps over the lazy dog", 0x2e4ff723],
    [0, "\u0099\u00aa\u00bb\u00cc\u00dd\u00ee\u00ff", 0xa183ccfd],
  ])("hashes with seed %i", (seed, text, hash) => {
    expect(murmur3(seed, text)).toBe(hash);
  });
});

describe("a filter of changed paths", () => {
  it("matches everything if there are too many, and nothing if there are none", () => {
    const many = Array.from({ length: 400 }, (_, i) => `d${i % 200}/f${i}`);
    expect([...encodeBloomFilter(many)]).toEqual([0xff]);
    expect([...encodeBloomFilter([])]).toEqual([0]);
    expect(mayHaveChanged(encodeBloomFilter([]), bloomKeys("a"))).toBe(false);
    expect(mayHaveChanged(new Uint8Array(0), bloomKeys("a"))).toBe(true);
  });
});

describe("a large commit-graph", () => {
  it("is not read for a few commits, and then as a whole but for the filters, in one read", async () => {
    const git = new GitRepository();
    const store = new TestStore({});
    try {
      const stream = new FixtureStream();
      for (let i = 0; i < 40; i++) stream.commit("refs/heads/main", [{ path: "a", content: `${i}\n` }]);
      git.import(stream);
      await store.push(git.pack(["--all"]), git.tips());
      const made = await makeLayer(store, allCommits(git));
      // as if it had very many filters
      const padded = { ...made, bytes: Buffer.concat([made.bytes, new Uint8Array(2 * 1024 * 1024)]) };
      store.forget();
      const other = open(store, [padded]);
      let asked = 0;
      for (const oid of allCommits(git)) {
        if (asked++ < 2) expect(store.cost.reads).toBe(0);
        if (other.expect()) await other.load();
        if (other.isAtHand) expect(other.find(Buffer.from(oid, "hex"))).toBeGreaterThanOrEqual(0);
      }
      expect(other.isAtHand).toBe(true);
      expect(store.cost.reads).toBe(1);
      expect(store.cost.bytesRead).toBeLessThan(40_000);
    } finally {
      git.dispose();
    }
  });
});

describe("the memory of a commit-graph", () => {
  const store = new TestStore({});
  let git: GitRepository;
  let made: Made;

  beforeAll(async () => {
    git = new GitRepository();
    const stream = new FixtureStream();
    for (let i = 0; i < 20; i++) stream.commit("refs/heads/main", [{ path: "a", content: `${i}\n` }]);
    git.import(stream);
    store.refs.set("refs/heads/main", { oid: git.oid("main") });
    await store.push(git.pack(["--all"]), git.tips());
    made = await makeLayer(store, allCommits(git));
  });
  afterAll(() => git.dispose());

  /** An account with so much room. */
  function account(room: number): GraphMemory & { held: number } {
    return {
      held: 0,
      hasRoom(bytes) {
        return this.held + bytes <= room;
      },
      hold(bytes) {
        this.held += bytes;
      },
    };
  }

  it("is counted before it is read, until nobody uses it any more", async () => {
    const memory = account(made.bytes.length);
    const graph = open(store, [made], memory);
    graph.enter();
    graph.enter();
    const loading = Promise.all([graph.load(), graph.load()]);
    expect(memory.held).toBe(made.bytes.length);
    await loading;
    expect(await graph.loadFilters()).toBe(true);
    graph.leave();
    expect([graph.isAtHand, memory.held]).toEqual([true, made.bytes.length]);
    graph.leave();
    expect([graph.isAtHand, memory.held]).toEqual([false, 0]);
    graph.enter();
    await graph.load();
    expect([graph.isAtHand, memory.held]).toEqual([true, made.bytes.length]);
  });

  it("is not taken where there is no room: the graph is not read", async () => {
    store.forget();
    const memory = account(made.bytes.length - 1);
    const graph = open(store, [made], memory);
    await graph.load();
    expect(await graph.loadFilters()).toBe(false);
    expect([graph.isAtHand, memory.held, store.cost.reads]).toEqual([false, 0, 0]);
  });

  it("is that of the request whose session reads it", async () => {
    await store.makeGraph();
    const before = store.memory.bytes;
    const session = await BrowseSession.open(store.repository(), store.answer(new Uint8Array(0)));
    const opened = store.memory.bytes;
    await session.graph.database.graph?.load();
    expect(session.graph.database.graph?.isAtHand).toBe(true);
    expect(store.memory.bytes).toBe(opened + (store.graphs[0]?.bytes ?? 0));
    session.close();
    expect(store.memory.bytes).toBe(before);
  });
});
