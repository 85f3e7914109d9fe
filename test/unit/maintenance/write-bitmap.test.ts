/**
 * The bitmaps that maintenance writes, judged by C git.
 *
 * @module-tag thorough
 */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it, vi } from "vitest";
import { toHex } from "../../../src/bytes/hex.ts";
import type { PackBitmapSize, PackRecord } from "../../../src/catalog/pack-record.ts";
import { BitmapTable, lookupTableRange, parsePackBitmap } from "../../../src/format/pack-bitmap.ts";
import { PackIndex } from "../../../src/format/pack-index.ts";
import { PackContent } from "../../../src/maintenance/pack-content.ts";
import { MOST_TAGS_READ, writeBitmap } from "../../../src/maintenance/write-bitmap.ts";
import { StoredBitmaps } from "../../../src/store/stored-bitmaps.ts";
import { FixtureStream, linear, project } from "../../support/git-fixtures.ts";
import { GitRepository } from "../../support/git-repository.ts";
import { makeHistory } from "../../support/random-history.ts";
import { rawName, TINY, TestStore } from "../../support/store.ts";

const repositories: GitRepository[] = [];
afterAll(() => {
  for (const repository of repositories) repository.dispose();
});

function newRepository(name: "sha1" | "sha256" = "sha1"): GitRepository {
  const repository = new GitRepository(...(name === "sha256" ? ["--object-format=sha256"] : []));
  repositories.push(repository);
  return repository;
}

async function pushed(
  source: GitRepository,
  ...options: readonly string[]
): Promise<{ store: TestStore; pack: PackRecord }> {
  const store = new TestStore({ ...TINY, format: source.format.name });
  const pack = await store.push(source.pack(["--all"], ...options), source.tips());
  return { store, pack };
}

async function write(store: TestStore, pack: PackRecord): Promise<PackBitmapSize> {
  const { record } = store.answer(new Uint8Array(0));
  return await writeBitmap({ repository: store.repository(), record, pack });
}

/** Has C git open a pack with its bitmaps, and compare each of them with a walk. */
function judge(source: GitRepository, store: TestStore, pack: PackRecord, size: PackBitmapSize): void {
  const client = newRepository(source.format.name);
  const packs = join(client.dir, "objects", "pack");
  rmSync(packs, { recursive: true, force: true });
  mkdirSync(packs);
  for (const extension of ["pack", "rev", "idx", "bitmap"] as const)
    writeFileSync(join(packs, `pack-${pack.checksum}.${extension}`), store.file(pack, extension));
  for (const line of source.lines(["for-each-ref", "--format=%(refname) %(objectname)"]))
    client.git(["update-ref", ...line.split(" ", 2)]);
  const bytes = store.file(pack, "bitmap");
  expect(bytes).toHaveLength(size.bytes);
  const index = new PackIndex(store.file(pack, "idx"), source.format);
  const table = parsePackBitmap(bytes, source.format, index.packChecksum);
  const range = lookupTableRange(size, source.format);
  const looked = BitmapTable.ofLookupTable(bytes.subarray(range.offset, range.offset + range.length), range.offset);
  expect(looked.count).toBe(size.commits);
  for (let row = 0; row < table.count; row++) {
    expect(looked.positionAt(row)).toBe(table.positionAt(row));
    expect(looked.rangeOf(row)).toEqual(table.rangeOf(row));
    expect(looked.chainOf(row)).toEqual(table.chainOf(row));
    expect(table.chainOf(row).length).toBeLessThanOrEqual(16);
    const commit = toHex(index.nameAt(table.positionAt(row)));
    const { ok, stderr } = client.run(["rev-list", "--test-bitmap", commit]);
    expect(stderr).toContain("OK!");
    expect(ok).toBe(true);
  }
  const count = (...options: readonly string[]): string =>
    client.text(["rev-list", "--count", "--objects", ...options, "--all"]).trim();
  expect(count("--use-bitmap-index")).toBe(count());
  const sent = client.git(["pack-objects", "--all", "--stdout", "--use-bitmap-index", "-q"]);
  expect(client.tryIndex(sent, "--strict").stderr).not.toContain("fatal");
}

describe("writeBitmap", () => {
  it.each([
    ["sha1", 1, 260],
    ["sha256", 2, 140],
    ["sha1", 3, 140],
  ] as const)(
    "writes what C git finds right, of a %s history (%i) of %i commits that looks like anything",
    async (name, seed, commits) => {
      const source = newRepository(name);
      makeHistory(source, seed, { commits, ...(seed === 3 ? { skew: 5000 } : {}) });
      const { store, pack } = await pushed(source);
      const size = await write(store, pack);
      expect(size.commits).toBeGreaterThan(commits / 3);
      judge(source, store, pack, size);
    },
  );

  it("writes the same file each time", async () => {
    const source = newRepository();
    makeHistory(source, 4, { commits: 60 });
    const { store, pack } = await pushed(source);
    await write(store, pack);
    const first = store.file(pack, "bitmap").slice();
    await write(store, pack);
    expect(store.file(pack, "bitmap")).toEqual(first);
  });

  it("gives a bitmap to what a branch names, in the middle of a stretch and not in the pack", async () => {
    const source = newRepository();
    source.import(linear(400));
    const { store, pack } = await pushed(source);
    const { record } = store.answer(new Uint8Array(0));
    const wanted = rawName(source.oid("main~301"));
    const refs = [
      { name: "refs/heads/gone", oid: new Uint8Array(20).fill(0xee) },
      { name: "refs/heads/half", oid: wanted },
      { name: "refs/tags/v1", oid: rawName(source.oid("main~302")) },
    ];
    const hasBitmap = async (oid: Uint8Array): Promise<boolean> => {
      const [handle] = store.database().packs;
      const bitmaps = handle === undefined ? undefined : await StoredBitmaps.open(handle, store.format);
      return bitmaps?.has((await handle?.loadIndex())?.find(oid) ?? -1) === true;
    };
    const had: boolean[] = [];
    for (const named of [[], refs]) {
      store.forget();
      const bitmap = await writeBitmap({ repository: store.repository(), record, pack, refs: named });
      store.packs = [{ ...pack, bitmap }];
      had.push(...(await Promise.all([wanted, rawName(source.oid("main~302"))].map(hasBitmap))));
    }
    expect(had).toEqual([false, false, true, false]);
  });

  it("writes it of a pack without deltas, and of one whose deltas name their bases", async () => {
    const source = newRepository();
    source.import(project(30));
    for (const options of [["--window=0", "--no-reuse-delta"], ["--no-delta-base-offset"]]) {
      const { store, pack } = await pushed(source, ...options);
      const size = await write(store, pack);
      judge(source, store, pack, size);
      expect(size.bytes).toBeLessThan(20_000);
    }
  });

  it("writes none of a pack that refers to objects outside", async () => {
    const source = newRepository();
    source.import(linear(12));
    const store = new TestStore(TINY);
    await store.push(source.pack(["main~4"]), [source.oid("main~4")]);
    const pack = await store.push(source.pack(["main", "^main~4"]), [source.oid("main")]);
    expect(await write(store, pack)).toEqual({ bytes: 0, commits: 0 });
    expect(() => store.file(pack, "bitmap")).toThrow("no pack1.bitmap");
  });

  it("writes a directory's files that have the same content, and give it up one by one", async () => {
    const source = newRepository();
    const stream = new FixtureStream();
    const names = Array.from({ length: 8 }, (_, i) => `f${i}`);
    stream.commit(
      "refs/heads/main",
      names.map((path) => ({ path, content: "the same\n" })),
    );
    for (const [i, path] of names.entries()) stream.commit("refs/heads/main", [{ path, content: `${i}\n` }]);
    source.import(stream);
    const { store, pack } = await pushed(source);
    const size = await write(store, pack);
    expect(size.commits).toBe(9);
    judge(source, store, pack, size);
  });

  it("names as tips what the pack has everything of, but no tag that is in another pack", async () => {
    const source = newRepository();
    source.import(linear(12));
    const tag = (name: string): Buffer => source.git(["tag", "-m", name, name, "main~2"]);
    tag("before");
    const { store, pack } = await pushed(source);
    // What it names is in the pack.
    tag("late");
    await store.push(source.pack(["late", "^main"]), [source.oid("late")]);
    const names = ["refs/heads/main", "refs/tags/before", "refs/tags/late"];
    const refs = names.map((name) => ({ name, oid: Buffer.from(source.oid(name), "hex") }));
    const { record } = store.answer(new Uint8Array(0));
    const size = await writeBitmap({ repository: store.repository(), record, pack, refs });
    const lines = names.slice(0, 2).map((name) => `${source.oid(name)} ${name}\n`);
    expect(Buffer.from(store.file(pack, "tips")).toString()).toBe(lines.join(""));
    expect(size.tips).toBe(lines.join("").length);
  });

  it("reads so many tags and no more to find the tips of a bundle, and branches need none", async () => {
    const source = newRepository();
    source.import(linear(12));
    const blob = source.text(["hash-object", "-w", "--stdin"], Buffer.from("in no commit\n")).trim();
    const tree = source.text(["mktree"], Buffer.from(`100644 blob ${blob}\tfile\n`)).trim();
    source.git(["tag", "-a", "-m", "a tree that no commit has", "tree", tree]);
    const { store, pack } = await pushed(source);
    const { record } = store.answer(new Uint8Array(0));
    const tag = rawName(source.oid("refs/tags/tree"));
    const tags = Array.from({ length: MOST_TAGS_READ + 500 }, (_, i) => ({ name: `refs/tags/${i}`, oid: tag }));
    const refs = [...tags, { name: "refs/heads/late", oid: rawName(source.oid("main")) }];
    const read = vi.spyOn(PackContent.prototype, "taggedBy");
    try {
      expect(await writeBitmap({ repository: store.repository(), record, pack, refs })).toMatchObject({
        tips: `${source.oid("main")} refs/heads/late\n`.length,
      });
      expect(read).toHaveBeenCalledTimes(MOST_TAGS_READ);
    } finally {
      read.mockRestore();
    }
  });
});
