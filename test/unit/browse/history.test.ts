/**
 * Blame and last changes in histories with merges, renames and wrong clocks, against what git says of them.
 *
 * @module-tag thorough
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Blame, type BlameOptions, type PendingLines } from "../../../src/browse/blame.ts";
import { BrowseSession } from "../../../src/browse/browse-session.ts";
import { CommitLog, type LogPosition } from "../../../src/browse/commit-log.ts";
import { LastChanges, type PendingEntries } from "../../../src/browse/last-changes.ts";
import { findPath, listEntries } from "../../../src/browse/tree-at.ts";
import { toHex } from "../../../src/bytes/hex.ts";
import { Pacer } from "../../../src/bytes/pacer.ts";
import { makeEdits } from "../../support/edited-history.ts";
import { GitRepository } from "../../support/git-repository.ts";
import { pseudoRandom, rawName, TestStore } from "../../support/store.ts";

const COMMITS = 150;
/** The steps of a page in `src/browse/blame.ts` and `src/browse/last-changes.ts`. */
const WALK_STEPS = 200_000_000;
/** The steps that are left in sessions that are to end early. */
const FEW_STEPS = 30_000;

/**
 * A stream for `git fast-import`: a branch whose file is larger than those whose differences are shown, in two versions,
 * a branch of one that is larger than what is held, and one of a file that has too many lines in its only version.
 */
function largeFiles(): string {
  const lines = Array.from({ length: 40_000 }, (_, at) => `${at} ${"line ".repeat(14)}\n`);
  const changed = lines.map((line, at) => (at % 10_000 === 1 ? `changed ${line}` : line));
  const commit = (branch: string, time: number, text: string): string =>
    `commit refs/heads/${branch}\ncommitter C O Mitter <c@example.com> ${time} +0000\ndata 0\n` +
    `M 100644 inline large.txt\ndata ${text.length}\n${text}\n`;
  return (
    commit("large", 1_700_000_000, lines.join("")) +
    commit("large", 1_700_000_001, changed.join("")) +
    commit("enormous", 1_700_000_000, "x".repeat(4 * 1024 * 1024 + 1)) +
    commit("feeds", 1_700_000_000, "\n".repeat(60_001))
  );
}

describe("a history with merges and renames", () => {
  const git = new GitRepository();
  const store = new TestStore();

  beforeAll(async () => {
    makeEdits(git, pseudoRandom(11), COMMITS);
    git.git(["fast-import", "--quiet"], largeFiles());
    store.packs = [{ ...(await store.push(git.pack(["--all"]), git.tips())), marked: true }];
  });

  afterAll(() => {
    git.dispose();
  });

  /** Runs `work` on a session that has `steps` left for a page. */
  const run = async <T>(steps: number, work: (session: BrowseSession) => Promise<T>): Promise<T> => {
    const pacer = new Pacer(async () => {});
    pacer.add(WALK_STEPS - steps);
    const session = await BrowseSession.open({ ...store.repository(), pacer }, store.answer(new Uint8Array(0)));
    try {
      return await work(session);
    } finally {
      session.close();
    }
  };

  const tips = Array.from({ length: 5 }, (_, i) => `c${COMMITS - 1 - i * 29}`);

  const lastChanges = async (
    tip: string,
    path: string,
    steps: number,
  ): Promise<{ changes: Map<string, string>; pages: number }> => {
    const changes = new Map<string, string>();
    let pending: readonly PendingEntries[] | undefined;
    for (let pages = 1; ; pages++) {
      pending = await run(steps, async (session) => {
        const directory = await findPath(session, rawName(git.oid(`${tip}^{tree}`)), path);
        if (directory.kind !== "found") throw new Error("the directory is there");
        const entries = await listEntries(session, directory.oid, { first: 0, count: 1000 });
        const all = [{ commit: rawName(git.oid(tip)), entries: entries.map((_, number) => number) }];
        const search = await LastChanges.start(session, path, entries, pending ?? all);
        if (search === undefined) throw new Error("the position is possible");
        for await (const { entry, commit } of search.run()) changes.set(entries[entry]?.name ?? "", toHex(commit));
        return search.pending();
      });
      if (pending.length === 0) return { changes, pages };
    }
  };

  const changesByGit = (tip: string, path: string): Map<string, string> => {
    const directory = path === "" ? "" : `${path}/`;
    const names = git.lines(["ls-tree", "--name-only", `${tip}:${path}`]);
    return new Map(names.map((name) => [name, git.text(["log", "-1", "--format=%H", tip, "--", directory + name])]));
  };

  it.each([
    ["in one page", WALK_STEPS],
    ["in many pages", FEW_STEPS],
  ])("has the last changes of git log -1, %s", async (_, steps) => {
    let most = 0;
    for (const tip of tips) {
      const directories = ["", ...git.lines(["ls-tree", "-rd", "--name-only", tip])];
      for (const path of directories) {
        const { changes, pages } = await lastChanges(tip, path, steps);
        expect(Object.fromEntries(changes)).toEqual(Object.fromEntries(changesByGit(tip, path)));
        most = Math.max(most, pages);
      }
    }
    expect(most > 1).toBe(steps === FEW_STEPS);
  });

  const followed = async (tip: string, path: string, limit: number): Promise<string[]> => {
    const rows: string[] = [];
    let position: LogPosition | undefined;
    for (let isFirst = true; isFirst || position !== undefined; isFirst = false) {
      const from = position;
      position = await run(WALK_STEPS, async (session) => {
        const options = { follows: true };
        const log =
          from === undefined
            ? await CommitLog.start(session, rawName(git.oid(tip)), path, options)
            : await CommitLog.resume(session, from, path, options);
        if (log === undefined) throw new Error("the position is possible");
        for (let count = 0; count < limit; count++) {
          const node = await log.next();
          if (node === undefined) break;
          rows.push(`${toHex(session.graph.nameOf(node))} ${log.listedPath}`);
        }
        return log.position();
      });
    }
    return rows;
  };

  /** The commits of `git log --follow`, each with the path that the file has in it. */
  const followedByGit = (tip: string, path: string): string[] => {
    const rows: string[] = [];
    let oid = "";
    for (const line of git.lines(["log", "--follow", "--name-status", "--format=%H", tip, "--", path])) {
      const columns = line.split("\t");
      if (columns.length > 1) rows.push(`${oid} ${columns.at(-1)}`);
      else oid = line;
    }
    return rows;
  };

  it.each([
    ["in one page", 1000],
    ["in many pages", 2],
  ])("has the commits of git log --follow, %s", async (_, limit) => {
    let renames = 0;
    for (const tip of tips) {
      for (const path of git.lines(["ls-tree", "-r", "--name-only", tip])) {
        const told = followedByGit(tip, path);
        expect(await followed(tip, path, limit)).toEqual(told);
        renames += new Set(told.map((row) => row.split(" ")[1])).size - 1;
      }
    }
    expect(renames).toBeGreaterThan(20);
  });

  const blame = async (
    tip: string,
    path: string,
    options: BlameOptions,
    steps: number,
  ): Promise<{ lines: string[]; pages: number }> => {
    const lines: string[] = [];
    let pending: readonly PendingLines[] | undefined;
    for (let pages = 1; ; pages++) {
      pending = await run(steps, async (session) => {
        const commit = rawName(git.oid(tip));
        const count = (await Blame.countLines(session, commit, path)) ?? 0;
        const whole = [{ commit, path, lines: [{ line: 0, count, source: 0 }] }];
        const search = await Blame.start(session, pending ?? whole, options);
        if (search === undefined) throw new Error("the position is possible");
        for await (const range of search.run()) {
          for (let i = 0; i < range.count; i++)
            lines[range.line + i] = `${toHex(range.commit)} ${range.source + i + 1} ${range.path}`;
        }
        return search.pending();
      });
      if (pending.length === 0) return { lines, pages };
    }
  };

  const blameByGit = (tip: string, path: string, flags: readonly string[]): string[] => {
    const lines: string[] = [];
    let head = "";
    for (const line of git.text(["blame", "--line-porcelain", ...flags, tip, "--", path]).split("\n")) {
      if (/^[0-9a-f]{40} /.test(line)) head = line.split(" ").slice(0, 2).join(" ");
      else if (line.startsWith("filename ")) lines.push(`${head} ${line.slice(9)}`);
    }
    return lines;
  };

  it.each([
    ["git blame", "exact", [], WALK_STEPS],
    ["git blame, page by page", "exact", [], FEW_STEPS],
    ["git blame -w", "all", ["-w"], WALK_STEPS],
  ] as const)("has each line from where %s says", async (_, whitespace, flags, steps) => {
    let [most, moved] = [0, 0];
    for (const tip of tips) {
      for (const path of git.lines(["ls-tree", "-r", "--name-only", tip])) {
        const expected = blameByGit(tip, path, flags);
        moved += expected.filter((line) => !line.endsWith(` ${path}`)).length;
        const { lines, pages } = await blame(tip, path, { whitespace }, steps);
        expect([tip, path, ...lines]).toEqual([tip, path, ...expected]);
        most = Math.max(most, pages);
      }
    }
    expect(moved).toBeGreaterThan(20);
    expect(most > 1).toBe(steps === FEW_STEPS);
  });

  it("has the lines of a file of 3 MB from where git blame says, and names the limit of a larger one", async () => {
    expect(Number(git.text(["cat-file", "-s", "large:large.txt"]))).toBeGreaterThan(3_000_000);
    const { lines } = await blame("large", "large.txt", { whitespace: "exact" }, WALK_STEPS);
    expect(lines.join("\n") === blameByGit("large", "large.txt", []).join("\n")).toBe(true);
    expect(new Set(lines.map((line) => line.slice(0, 40))).size).toBe(2);
    const enormous = blame("enormous", "large.txt", { whitespace: "exact" }, WALK_STEPS);
    await expect(enormous).rejects.toMatchObject({ limit: "blamed-file" });
    await expect(blame("feeds", "large.txt", { whitespace: "exact" }, WALK_STEPS)).rejects.toMatchObject({
      limit: "blamed-file",
    });
  });

  it("has each line from where git blame --ignore-revs-file says", async () => {
    const random = pseudoRandom(3);
    let [redirected, all] = [0, 0];
    for (const tip of tips) {
      const names = git.lines(["rev-list", tip]).filter(() => random(3) === 0);
      const list = join(git.dir, `ignored-${tip}`);
      writeFileSync(list, `# passed over\n${names.join("  # why\n ")}\n`);
      const ignored = new Set(names);
      for (const path of git.lines(["ls-tree", "-r", "--name-only", tip])) {
        const expected = blameByGit(tip, path, ["--ignore-revs-file", list]);
        const { lines } = await blame(tip, path, { whitespace: "exact", ignored }, WALK_STEPS);
        expect([tip, path, ...lines]).toEqual([tip, path, ...expected]);
        const plain = blameByGit(tip, path, []);
        redirected += expected.filter((line, at) => line !== plain[at]).length;
        all += expected.length;
      }
    }
    expect(redirected).toBeGreaterThan(all / 20);
  });
});
