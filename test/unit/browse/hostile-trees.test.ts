/**
 * Archives and logs of trees that strangers made to be much work: refused within a budget, and never a long time without a pause.
 *
 * @module-tag thorough
 */
import { describe, expect, it } from "vitest";
import { type ArchiveFormat, writeArchive } from "../../../src/browse/archive.ts";
import { BrowseSession } from "../../../src/browse/browse-session.ts";
import { CommitLog } from "../../../src/browse/commit-log.ts";
import { commitMail } from "../../../src/browse/commit-mail.ts";
import { diffFiles } from "../../../src/browse/file-diff.ts";
import { patchChanges, patchText } from "../../../src/browse/patch.ts";
import { renameSource, withRenames } from "../../../src/browse/renames.ts";
import { diffTrees } from "../../../src/browse/tree-diff.ts";
import { LimitExceeded } from "../../../src/bytes/failure.ts";
import { writeCollected } from "../../../src/bytes/collected-sink.ts";
import { Pacer } from "../../../src/bytes/pacer.ts";
import { DEFAULT_OPTIONS } from "../../../src/diff/line-diff.ts";
import { buildPack, commitOf, objectId, type RawEntry, treeOf } from "../../support/git-raw.ts";
import { bombPack, directoryPack, type HostilePack, starredFiles } from "../../support/hostile.ts";
import { rawName, TestStore } from "../../support/store.ts";

/** A session that counts its pauses, and the most steps between two. */
async function opened({
  pack,
  tip,
}: Pick<HostilePack, "pack" | "tip">): Promise<{ session: BrowseSession; pauses: number[] }> {
  const store = new TestStore();
  const record = await store.push(pack, [tip]);
  store.packs = [{ ...record, marked: true }];
  const pauses: number[] = [];
  let before = 0;
  const pacer: Pacer = new Pacer(async () => {
    pauses.push(pacer.steps - before);
    before = pacer.steps;
    await Promise.resolve();
  });
  const session = await BrowseSession.open({ ...store.repository(), pacer }, store.answer(new Uint8Array(0)));
  return { session, pauses };
}

type Written = { readonly error: unknown; readonly bytes: number; readonly pauses: readonly number[] };

async function archived(hostile: HostilePack, format: ArchiveFormat): Promise<Written> {
  const { session, pauses } = await opened(hostile);
  let bytes = 0;
  const output = { write: async (piece: Uint8Array) => void (bytes += piece.length) };
  const request = { tree: rawName(hostile.tree), commit: rawName(hostile.tip), prefix: "" };
  const error = await writeArchive(session, request, format, output).catch((thrown: unknown) => thrown);
  session.close();
  return { error, bytes, pauses };
}

const limitOf = (error: unknown): string => (error instanceof LimitExceeded ? error.limit : String(error));

describe("an archive", () => {
  it.each(["tar", "tar.gz", "zip"] as const)(
    "as %s is refused for a dozen trees that stand for endless files",
    async (format) => {
      const { error, pauses } = await archived(bombPack(40, 10), format);
      expect(limitOf(error)).toBe("archive-entries");
      expect(pauses.length).toBeGreaterThan(2);
      expect(Math.max(...pauses)).toBeLessThan(8_000_000);
    },
  );

  it("is refused sooner the longer the paths are", async () => {
    const [short, long] = [bombPack(40, 10), bombPack(40, 10, "name".repeat(50))];
    const { bytes, error } = await archived(long, "tar");
    expect(limitOf(error)).toBe("archive-entries");
    // Each path has 2,000 characters, and a tar of short ones is of headers alone.
    expect(bytes).toBeLessThan(2 * (await archived(short, "tar")).bytes);
  });

  it.each(["tar", "tar.gz", "zip"] as const)("as %s is refused for one large file under many names", async (format) => {
    const zeros = new Uint8Array(1024 * 1024);
    const files = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`file${i}`, zeros]));
    const { error, pauses } = await archived(directoryPack(files), format);
    expect(limitOf(error)).toBe("archive-bytes");
    expect(Math.max(...pauses)).toBeLessThan(8_000_000);
  });

  it("has what is stored, however many files that is", async () => {
    const files = Object.fromEntries(Array.from({ length: 25_000 }, (_, i) => [`file${i}`, `${i}`]));
    const { error } = await archived(directoryPack(files), "tar");
    expect(error).toBeUndefined();
  });

  it("is refused even if all of these files are left out", async () => {
    const bomb = directoryPack({ ".gitattributes": "* export-ignore\n" });
    const { error } = await archived(bomb, "tar");
    expect(error).toBeUndefined();
    const dirs = bombOfEmptyTrees(40, 10);
    const { error: refused, pauses } = await archived(dirs, "tar");
    expect(limitOf(refused)).toBe("archive-entries");
    expect(pauses.length).toBeGreaterThan(2);
  });

  it("takes few steps for patterns of a thousand stars", async () => {
    const { error, pauses } = await archived(directoryPack(starredFiles(500, 20)), "tar");
    expect(error).toBeUndefined();
    expect(Math.max(0, ...pauses)).toBeLessThan(8_000_000);
  });

  it("is refused for patterns that take too many steps", async () => {
    const stars = `*${"?*".repeat(120)}[xy]*z*a export-ignore\n`;
    const names = Array.from({ length: 300 }, (_, i) => [`${"a".repeat(1000)}${1000 + i}za`, ""]);
    const hostile = directoryPack({ ".gitattributes": stars.repeat(500), ...Object.fromEntries(names) });
    const { error, pauses } = await archived(hostile, "tar");
    expect(limitOf(error)).toBe("archive-patterns");
    expect(pauses.length).toBeGreaterThan(10);
    expect(Math.max(...pauses)).toBeLessThan(8_000_000);
  });
});

/** Directories within each other as in a bomb, with nothing in the innermost. */
function bombOfEmptyTrees(width: number, depth: number): HostilePack {
  const entries: RawEntry[] = [];
  let content = treeOf();
  for (let level = 0; level < depth; level++) {
    entries.push({ type: "tree", content });
    const oid = objectId("tree", content);
    content = treeOf(
      ...Array.from({ length: width }, (_, i): [string, string, string] => ["40000", `n${100 + i}`, oid]),
    );
  }
  const tree = objectId("tree", content);
  const commit = commitOf(tree);
  entries.push({ type: "tree", content }, { type: "commit", content: commit });
  return { pack: buildPack(entries), tip: objectId("commit", commit), tree, tags: [] };
}

describe("the changes between two trees", () => {
  it("are refused for nested empty directories without end", async () => {
    const hostile = bombOfEmptyTrees(40, 10);
    const { session, pauses } = await opened(hostile);
    // much was done before
    session.repository.pacer.add(350_000_000);
    const changes = diffTrees(session, undefined, rawName(hostile.tree));
    await expect(changes.next()).rejects.toThrow(LimitExceeded);
    expect(pauses.length).toBeGreaterThan(10);
    session.close();
  });
});

/** A commit that creates `moved` and deletes directories within each other, which stand for `width ** depth` files. */
function deletedPack({ width, depth, name }: { width: number; depth: number; name: string }): HostilePack {
  const [old, moved] = ["old\n".repeat(100), "new\n".repeat(100)];
  const entries: RawEntry[] = [old, moved].map((content) => ({ type: "blob", content }));
  let [mode, oid] = ["100644", objectId("blob", old)];
  for (let level = 0; level < depth; level++) {
    const names = Array.from({ length: width }, (_, i) => `${name}${1000 + i}`);
    const content = treeOf(...names.map((each): [string, string, string] => [mode, each, oid]));
    entries.push({ type: "tree", content });
    [mode, oid] = ["40000", objectId("tree", content)];
  }
  const [before, after] = [treeOf([mode, "a", oid]), treeOf(["100644", "moved", objectId("blob", moved)])];
  const first = commitOf(objectId("tree", before));
  const second = commitOf(objectId("tree", after), [objectId("commit", first)]);
  entries.push({ type: "tree", content: before }, { type: "tree", content: after });
  entries.push({ type: "commit", content: first }, { type: "commit", content: second });
  return { pack: buildPack(entries), tip: objectId("commit", second), tree: objectId("tree", before), tags: [] };
}

describe("long paths", () => {
  // 500 files below 250 directories within each other: each path has a million characters.
  const hostile = (): HostilePack => {
    const files = Array.from({ length: 500 }, (_, i): [string, string, string] => ["100644", `f${1000 + i}`, blob]);
    const entries: RawEntry[] = [{ type: "blob", content: "" }];
    let content = treeOf(...files);
    for (let level = 0; level < 250; level++) {
      entries.push({ type: "tree", content });
      content = treeOf(["40000", "d".repeat(4000), objectId("tree", content)]);
    }
    const tree = objectId("tree", content);
    const commit = commitOf(tree);
    entries.push({ type: "tree", content }, { type: "commit", content: commit });
    return { pack: buildPack(entries), tip: objectId("commit", commit), tree, tags: [] };
  };
  const blob = objectId("blob", "");

  it("end a page that lists them", async () => {
    const { session, pauses } = await opened(hostile());
    let count = 0;
    for await (const { path } of diffTrees(session, undefined, rawName(hostile().tree))) {
      expect(path.length).toBeGreaterThan(1_000_000);
      count++;
      if (session.pageIsFull) break;
    }
    expect([count > 1, count < 10, pauses.length > 0]).toEqual([true, true, true]);
    session.close();
  });

  it("are not held to find renames, nor looked through for ever", async () => {
    const { session } = await opened(hostile());
    const [changes, missing] = [0, 1].map(() => diffTrees(session, undefined, rawName(hostile().tree)));
    let taken = 0;
    const counted = async function* () {
      for await (const change of changes ?? []) {
        taken++;
        yield change;
      }
    };
    for await (const { status } of withRenames(session, counted())) {
      expect(status).toBe("A");
      break;
    }
    expect(taken).toBeLessThan(10);
    await expect(renameSource(session, missing ?? counted(), "x")).rejects.toThrow(LimitExceeded);
    session.close();
  });
});

describe("a log that follows a file", () => {
  it("is refused where the commit that made the file deleted files without end", async () => {
    const { tip, pack } = deletedPack({ width: 40, depth: 10, name: "n" });
    const { session, pauses } = await opened({ tip, pack });
    session.repository.pacer.add(380_000_000);
    const log = await CommitLog.start(session, rawName(tip), "moved", {
      follows: true,
      bounds: { commits: 10, steps: 1e9 },
    });
    await expect(log.next()).rejects.toThrow(LimitExceeded);
    expect(pauses.length).toBeGreaterThan(2);
    session.close();
  });

  it("lists the commit where nothing is looked for among paths that are too long", async () => {
    const { tip, pack } = deletedPack({ width: 4, depth: 3, name: "n".repeat(4000) });
    const { session } = await opened({ tip, pack });
    const log = await CommitLog.start(session, rawName(tip), "moved", { follows: true });
    expect(await log.next()).toBeDefined();
    expect(log.position()?.followed).toBe("moved");
    session.close();
  });
});

describe("a comparison", () => {
  it("gives way to others within two large directories that are nearly the same", async () => {
    const blob = objectId("blob", "");
    const names = Array.from({ length: 90_000 }, (_, i) => `f${10_000 + i}`);
    const trees = ["", "z"].map((last) => treeOf(...[...names, `g${last}`].map((name): [string, string, string] => ["100644", name, blob]))); // prettier-ignore
    const [before = "", after = ""] = trees.map((content) => objectId("tree", content));
    const content = commitOf(after);
    const pack = buildPack([
      { type: "blob", content: "" },
      ...trees.map((tree): RawEntry => ({ type: "tree", content: tree })),
      { type: "commit", content },
    ]);
    const { session, pauses } = await opened({ pack, tip: objectId("commit", content) });
    const paths: string[] = [];
    for await (const { path } of diffTrees(session, rawName(before), rawName(after))) paths.push(path);
    expect(paths).toEqual(["g", "gz"]);
    expect(Math.max(...pauses)).toBeLessThan(6_000_000);
    session.close();
  });
});

describe("the log of a path", () => {
  it("ends its page after many searches of a wide directory", async () => {
    const COMMITS = 1500;
    const blob = objectId("blob", "");
    const entries: RawEntry[] = [{ type: "blob", content: "" }];
    const names = Array.from({ length: 20_000 }, (_, i) => `f${10_000 + i}`);
    const wide = treeOf(...names.map((name): [string, string, string] => ["100644", name, blob]));
    entries.push({ type: "tree", content: wide });
    const wideOid = objectId("tree", wide);
    let tip = "";
    for (let i = 0; i < COMMITS; i++) {
      const root = treeOf(["100644", `a${i}`, blob], ["40000", "wide", wideOid]);
      const content = commitOf(objectId("tree", root), tip === "" ? [] : [tip]);
      tip = objectId("commit", content);
      entries.push({ type: "tree", content: root }, { type: "commit", content });
    }
    const { session, pauses } = await opened({ pack: buildPack(entries), tip });
    const log = await CommitLog.start(session, rawName(tip), "wide/nothing");
    expect(await log.next()).toBeUndefined();
    const position = log.position();
    expect(position).toBeDefined();
    expect(position?.walked).toBeLessThan(COMMITS);
    expect(pauses.length).toBeGreaterThan(3);
    session.close();
  });
});

describe("the texts of very many new files", () => {
  const FILES = 6000;
  const files = Object.fromEntries(Array.from({ length: FILES }, (_, at) => [`f${10_000 + at}`, `${at}\n`]));
  const hostile = directoryPack(files);
  const after = rawName(hostile.tree);

  it.each([
    [
      "a patch",
      1,
      (session: BrowseSession) =>
        patchText(diffFiles(session, patchChanges(session, undefined, after), DEFAULT_OPTIONS)),
    ],
    [
      "a mail",
      2,
      (session: BrowseSession) =>
        commitMail(session, { name: rawName(hostile.tip), before: undefined, after }, DEFAULT_OPTIONS),
    ],
  ] as const)(
    "give way to others while %s is made, count for each file, and go out in few writes",
    async (_, times, text) => {
      const { session, pauses } = await opened(hostile);
      const { pacer, memory } = session.repository;
      const held = memory.bytes;
      let [writes, bytes] = [0, 0];
      const output = {
        write: async (piece: Uint8Array) => void ([writes, bytes] = [writes + 1, bytes + piece.length]),
      };
      await writeCollected(output, text(session));
      expect(memory.bytes).toBe(held);
      session.close();
      expect(bytes).toBeGreaterThan(FILES * 150);
      expect(writes).toBeLessThan(2 + bytes / 30_000);
      expect(pacer.steps).toBeGreaterThan(times * FILES * 3000);
      expect(pauses.length).toBeGreaterThanOrEqual(Math.floor(pacer.steps / 2_100_000));
      expect(Math.max(...pauses)).toBeLessThan(2_200_000);
    },
  );
});
