/**
 * Revisions, logs and differences of histories that look like anything, against what git says of them; and what they cost.
 *
 * @module-tag thorough
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BrowseSession } from "../../../src/browse/browse-session.ts";
import { CommitLog, type LogPosition } from "../../../src/browse/commit-log.ts";
import { compareCommits } from "../../../src/browse/compare.ts";
import { resolveRevision } from "../../../src/browse/revision.ts";
import { parseRevision } from "../../../src/browse/revision-syntax.ts";
import { diffTrees } from "../../../src/browse/tree-diff.ts";
import { toHex } from "../../../src/bytes/hex.ts";
import { buildPack, objectId } from "../../support/git-raw.ts";
import { GitRepository } from "../../support/git-repository.ts";
import { makeHistory } from "../../support/random-history.ts";
import { pseudoRandom, rawName, REF_FORMAT, TestStore } from "../../support/store.ts";

const COMMITS = 160;

/** Whether the pack has its mark, and which commits are in the commit-graph. */
type Kept = { readonly marked: boolean; readonly graphed: "nothing" | "old" | "all" };

const WHOLE: Kept = { marked: true, graphed: "nothing" };

/** A history in git and in the store, the whole of it marked as reachable or not. */
class Twin {
  readonly git = new GitRepository();
  readonly store = new TestStore();

  static async make(seed: number, skew: number, { marked, graphed }: Kept): Promise<Twin> {
    const twin = new Twin();
    makeHistory(twin.git, seed, { commits: COMMITS, ...(skew > 0 && { skew }) });
    twin.store.setRefs(twin.git.lines(["for-each-ref", REF_FORMAT]));
    const record = await twin.store.push(twin.git.pack(["--all"]), twin.git.tips());
    twin.store.packs = [{ ...record, marked }];
    if (graphed !== "nothing") {
      const isOld = (name: string): boolean =>
        Number(/^refs\/heads\/c(\d+)$/.exec(name)?.[1] ?? COMMITS) < COMMITS - 30;
      await twin.store.makeGraph(graphed === "all" ? undefined : isOld);
      if (twin.store.graphs.length !== 1) throw new Error("no commit-graph was made");
    }
    return twin;
  }

  #parents: ReadonlyMap<string, readonly string[]> | undefined;

  /** The commits that one reaches, itself included. */
  reachedFrom(commit: string): Set<string> {
    const rows = (): [string, string[]][] =>
      this.git.lines(["rev-list", "--parents", "--all"]).map((line) => {
        const [oid = "", ...parents] = line.split(" ");
        return [oid, parents];
      });
    this.#parents ??= new Map(rows());
    const reached = new Set<string>();
    for (const stack = [commit]; stack.length > 0;) {
      const oid = stack.pop() ?? "";
      if (reached.has(oid)) continue;
      reached.add(oid);
      stack.push(...(this.#parents.get(oid) ?? []));
    }
    return reached;
  }

  async open(): Promise<BrowseSession> {
    return await BrowseSession.open(this.store.repository(), this.store.answer(new Uint8Array(0)));
  }

  /** Runs `work` on a session, and sees the kernel given back. */
  async run<T>(work: (session: BrowseSession) => Promise<T>): Promise<T> {
    const session = await this.open();
    try {
      return await work(session);
    } finally {
      session.close();
    }
  }

  async resolve(text: string): Promise<string> {
    const revision = parseRevision(text);
    if (revision === undefined) return "not understood";
    return await this.run(async (session) => {
      const object = await resolveRevision(session, revision);
      return object.kind === "found" ? `${toHex(object.name)} ${object.type}` : object.kind;
    });
  }

  /** Reads a log page by page. */
  async log(tip: string, path: string, limit: number): Promise<string[]> {
    const oids: string[] = [];
    let position: LogPosition | undefined;
    for (let page = 0; page === 0 || position !== undefined; page++) {
      const from = position;
      position = await this.run(async (session) => {
        const log =
          from === undefined
            ? await CommitLog.start(session, rawName(tip), path)
            : await CommitLog.resume(session, from, path);
        for (let count = 0; count < limit; count++) {
          const node = await log?.next();
          if (node === undefined) break;
          oids.push(toHex(session.graph.nameOf(node)));
        }
        return log?.position();
      });
    }
    return oids;
  }
}

describe.each([
  ["right clocks", 1, 0, WHOLE],
  ["wrong clocks", 2, 4000, WHOLE],
  ["nearly equal times", 3, 90, WHOLE],
  ["packs that lack the mark", 4, 4000, { marked: false, graphed: "nothing" }],
  ["a commit-graph", 1, 0, { marked: true, graphed: "all" }],
  ["wrong clocks and a commit-graph of its older part", 2, 4000, { marked: true, graphed: "old" }],
  ["packs that lack the mark and a commit-graph of its older part", 4, 4000, { marked: false, graphed: "old" }],
] as const)("browsing a history with %s", (_, seed, skew, kept: Kept) => {
  let twin: Twin;

  beforeAll(async () => {
    twin = await Twin.make(seed, skew, kept);
  });

  afterAll(() => {
    twin.git.dispose();
  });

  it.each([
    "c5",
    "t0",
    "tt",
    "tree",
    "blob",
    "heads/c5",
    "refs/tags/t7",
    "tt^{}",
    "tt^{commit}",
    "tt^{tree}",
    "tt^{tag}",
    "tt^{object}",
    "tree^{tree}",
    `c${COMMITS - 1}~20`,
    `c${COMMITS - 1}^^^~3^{tree}`,
    "c3^0",
    "t7~1",
    `c${COMMITS - 1}:d1`,
    "c9:",
    "tree:f1",
    "tree^{commit}",
    "blob^{tree}",
    "c1~5",
    "c0^2",
    "nothing",
    "HEAD",
    "@",
    "refs/heads/nothing",
    "c5:no/such",
  ])("resolves %s", async (text) => {
    const run = twin.git.run(["rev-parse", "--verify", "-q", text]);
    const oid = run.stdout.toString().trim();
    const told = await twin.resolve(text);
    if (run.ok) expect(told).toBe(`${oid} ${twin.git.text(["cat-file", "-t", oid])}`);
    else expect(["missing", "wrong"]).toContain(told);
  });

  it("resolves object names, whole and abbreviated, as git does", async () => {
    for (const name of ["c0", "c50", "tt", "c50^{tree}", "blob"]) {
      const oid = twin.git.oid(name);
      const kind = twin.git.text(["cat-file", "-t", oid]);
      expect(await twin.resolve(oid.toUpperCase())).toBe(`${oid} ${kind}`);
      expect(await twin.resolve(oid.slice(0, 12))).toBe(`${oid} ${kind}`);
    }
    expect(await twin.resolve("abc")).toBe("missing");
  });

  it.each([
    ["", 7],
    ["", 1],
    ["d1", 5],
    ["d1/f2", 2],
    ["f3", 100],
    ["nothing", 9],
  ])("logs %s, %i commits per page", async (path, limit) => {
    for (const name of [`c${COMMITS - 1}`, "c60"]) {
      const tip = twin.git.oid(name);
      const told = twin.git.lines(["log", "--format=%H", tip, ...(path === "" ? [] : ["--", path])]);
      expect(await twin.log(tip, path, limit)).toEqual(told);
    }
  });

  it("lists the differences of trees", async () => {
    for (const [a, b] of [
      ["c3", "c9"],
      [`c${COMMITS - 1}`, "c1"],
      ["c40", "c41"],
      ["c7", "c7"],
    ]) {
      const told = twin.git.lines(["diff-tree", "-r", "--no-renames", "--name-status", `${a}`, `${b}`]);
      const all: string[] = [];
      await twin.run(async (session) => {
        const [before, after] = [`${a}^{tree}`, `${b}^{tree}`].map((name) => rawName(twin.git.oid(name)));
        for await (const change of diffTrees(session, before, after ?? new Uint8Array(0)))
          all.push(`${change.status}\t${change.path}`);
        for (const [i, row] of all.entries()) {
          const rest: string[] = [];
          const behind = row.slice(2);
          for await (const change of diffTrees(session, before, after ?? new Uint8Array(0), behind))
            rest.push(`${change.status}\t${change.path}`);
          expect(rest).toEqual(all.slice(i + 1));
        }
      });
      expect(all).toEqual(told);
    }
  });

  it("compares any two commits", async () => {
    const random = pseudoRandom(seed);
    for (let round = 0; round < 25; round++) {
      const [a = "", b = ""] = [0, 1].map(() => twin.git.oid(`c${random(COMMITS)}`));
      const { mergeBases, ahead, behind, commits } = await twin.run(
        async (session) =>
          await compareCommits(session, { from: rawName(a), to: rawName(b) }, { first: 0, count: COMMITS }),
      );
      const bases = twin.git.run(["merge-base", "--all", a, b]).stdout.toString().split("\n").filter(Boolean);
      expect(new Set(mergeBases.map((name) => toHex(name)))).toEqual(new Set(bases));
      const [ofA, ofB] = [twin.reachedFrom(a), twin.reachedFrom(b)];
      const left = [...ofA].filter((oid) => !ofB.has(oid));
      const right = [...ofB].filter((oid) => !ofA.has(oid));
      expect([behind, ahead]).toEqual([left.length, right.length]);
      expect(new Set(commits.map((name) => toHex(name)))).toEqual(new Set(right));
    }
  });

  it("returns every kernel", async () => {
    const before = twin.store.pool.byteLength;
    (await twin.open()).close();
    expect(twin.store.pool.byteLength).toBe(before);
  });
});

describe("an unreachable object", () => {
  let twin: Twin;

  beforeAll(async () => {
    twin = await Twin.make(5, 0, { marked: false, graphed: "nothing" });
    twin.store.setRefs([`refs/heads/main ${twin.git.oid("c40")}`]);
  });

  afterAll(() => {
    twin.git.dispose();
  });

  it("is not shown by any name", async () => {
    const hidden = twin.git.oid(`c${COMMITS - 1}`);
    for (const text of [hidden, hidden.slice(0, 10), `${hidden}^{tree}`, twin.git.oid(`c${COMMITS - 1}^{tree}`)])
      expect(await twin.resolve(text)).toBe("missing");
    for (const text of ["c40", "c40^{tree}", "c40~3"]) {
      const oid = twin.git.oid(text);
      expect(await twin.resolve(oid)).toMatch(oid);
    }
  });

  it("does not make an abbreviated name ambiguous", async () => {
    // Blobs whose names begin with 0000: more of them than a caller may be shown.
    const numbers =
      "10659 49103 75033 157365 160648 185426 306485 378113 521398 552322 563330 568443 573766 605491 674308 704244 770054 785385";
    const contents = numbers.split(" ");
    const oids = contents.map((content) => objectId("blob", content));
    expect(oids.filter((oid) => oid.startsWith("0000"))).toHaveLength(18);
    const { packs } = twin.store;
    const record = await twin.store.push(buildPack(contents.map((content) => ({ type: "blob", content }))));
    expect(record.marked).toBe(false);
    expect(await twin.resolve("0000")).toBe("missing");
    const main = `refs/heads/main ${twin.git.oid("c40")}`;
    twin.store.setRefs([main, `refs/tags/one ${oids[7]}`]);
    expect(await twin.resolve("0000")).toBe(`${oids[7]} blob`);
    twin.store.setRefs([main, `refs/tags/one ${oids[7]}`, `refs/tags/two ${oids[9]}`]);
    expect(await twin.resolve("0000")).toBe("ambiguous");
    twin.store.setRefs([main]);
    twin.store.packs = packs;
  });

  it("is not shown through a forged log position", async () => {
    const tip = rawName(twin.git.oid("c40"));
    const [hidden, missing] = [twin.git.oid(`c${COMMITS - 1}`), "12".repeat(20)].map(rawName);
    for (const name of [hidden, missing]) {
      if (name === undefined) throw new Error("no name");
      const position = { walked: 0, oldest: 0, next: [name] };
      expect(await twin.run((session) => CommitLog.resume(session, { ...position, tip: name }, ""))).toBeUndefined();
      expect(await twin.run((session) => CommitLog.resume(session, { ...position, tip }, ""))).toBeUndefined();
    }
  });

  it("does not keep a genuine log position from working", async () => {
    const tip = rawName(twin.git.oid("c40"));
    const all = twin.git.lines(["rev-list", "--date-order", "c40"]).length;
    let listed = 0;
    let position: LogPosition | undefined;
    do {
      const from = position;
      position = await twin.run(async (session) => {
        const log =
          from === undefined ? await CommitLog.start(session, tip, "") : await CommitLog.resume(session, from, "");
        if (log === undefined) throw new Error("refused");
        for (let count = 0; count < 7 && (await log.next()) !== undefined; count++) listed++;
        return log.position();
      });
    } while (position !== undefined);
    expect(listed).toBe(all);
  });
});

describe("the cost of a log", () => {
  it("of a path is that of few trees where the commit-graph says which commits changed it", async () => {
    const twin = await Twin.make(1, 0, { marked: true, graphed: "all" });
    const tip = twin.git.oid(`c${COMMITS - 1}`);
    const path = "d1/d0";
    const told = twin.git.lines(["log", "--format=%H", tip, "--", path]);
    const opened = async (): Promise<number> => {
      let trees = 0;
      await twin.run(async (session) => {
        const { reader } = session.graph;
        const read = reader.read.bind(reader);
        reader.read = async (name) => {
          const object = await read(name);
          if (object.type === 2) trees++;
          return object;
        };
        const readAtHand = reader.readAtHand.bind(reader);
        reader.readAtHand = (name) => {
          const object = readAtHand(name);
          if (object?.type === 2) trees++;
          return object;
        };
        const log = await CommitLog.start(session, rawName(tip), path);
        const oids: string[] = [];
        for (let node = await log.next(); node !== undefined; node = await log.next())
          oids.push(toHex(session.graph.nameOf(node)));
        expect(oids).toEqual(told);
      });
      return trees;
    };
    const withFilters = await opened();
    twin.store.graphs = [];
    const without = await opened();
    expect(withFilters).toBeLessThan(without / 2);
    twin.git.dispose();
  });

  it("is a few reads per page, on the tenth page as on the first", async () => {
    const twin = await Twin.make(6, 0, WHOLE);
    const tip = rawName(twin.git.oid(`c${COMMITS - 1}`));
    twin.store.makeRemote();
    let position: LogPosition | undefined;
    const reads: number[] = [];
    for (let page = 0; page < 10; page++) {
      twin.store.forget();
      const from = position;
      position = await twin.run(async (session) => {
        const log =
          from === undefined ? await CommitLog.start(session, tip, "") : await CommitLog.resume(session, from, "");
        for (let count = 0; count < 10; count++) await log?.next();
        return log?.position();
      });
      reads.push(twin.store.cost.reads);
    }
    expect(Math.min(...reads)).toBeGreaterThan(0);
    expect(Math.max(...reads)).toBeLessThanOrEqual(3);
    twin.git.dispose();
  });
});
