/**
 * Packs that lean on what the repository has: completed, they stand alone, and git says so.
 *
 * @module-tag thorough
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createDelta } from "../../../support/delta.ts";
import { FixtureStream, noise } from "../../../support/git-fixtures.ts";
import { buildPack, commitOf, insertingDelta, objectId, treeOf, type RawEntry } from "../../../support/git-raw.ts";
import { GitRepository } from "../../../support/git-repository.ts";
import { TINY, TestStore, pseudoRandom, rawName } from "../../../support/store.ts";
import type { PackRecord } from "../../../../src/catalog/pack-record.ts";

/** A history in which every commit changes one file a little, deep in a tree. */
function growing(count: number, bytes: number): FixtureStream {
  const stream = new FixtureStream();
  const content = Buffer.from(noise(bytes, 9));
  for (let version = 0; version < count; version++) {
    content.writeUInt32BE(version + 1, ((version * 7919) % (bytes / 4)) * 4);
    stream.commit("refs/heads/main", [
      { path: "deep/er/file.bin", content: Buffer.from(content) },
      { path: `deep/${version % 10}.txt`, content: `${version}\n` },
      ...(version % 5 === 0
        ? [
            {
              path: ".gitmodules",
              content: `[submodule "m"]\n\tpath = m\n\turl = https://example.com/${"x".repeat(200)}${version}\n`,
            },
          ]
        : []),
    ]);
  }
  return stream;
}

/** Has git verify a stored pack: alone, and against the index that was stored with it. */
function expectVerified(git: GitRepository, store: TestStore, record: PackRecord): void {
  const pack = store.file(record, "pack");
  const { idx, rev } = git.index(pack);
  expect(Buffer.compare(idx, store.file(record, "idx"))).toBe(0);
  expect(Buffer.compare(rev, store.file(record, "rev"))).toBe(0);
  expect(record.packBytes).toBe(pack.length);
  expect(record.objects).toBe(Buffer.from(pack).readUInt32BE(8));
  expect(record.checksum).toBe(Buffer.from(pack.subarray(-20)).toString("hex"));
  expect([...store.storage.files.keys()].filter((name) => name.includes("scratch"))).toEqual([]);
  const dir = join(git.dir, "verify");
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, "pack-x.pack"), pack);
  writeFileSync(join(dir, "pack-x.idx"), store.file(record, "idx"));
  git.git(["verify-pack", join(dir, "pack-x.idx")]);
}

const LAYOUTS = { roomy: {}, tiny: TINY };

describe.each(Object.entries(LAYOUTS))("ingest of thin packs, %s memory", (_name, layout) => {
  let git: GitRepository;
  beforeAll(() => {
    git = new GitRepository();
    git.import(growing(30, 40_000));
  });
  afterAll(() => git.dispose());

  it.each([["--delta-base-offset"], ["--no-reuse-delta"]])("completes them, push after push (%s)", async (option) => {
    const store = new TestStore(layout);
    const base = git.oid("main~25");
    expectVerified(git, store, await store.push(git.pack([base], option), [base]));
    for (const [from, to] of [
      [25, 24],
      [24, 15],
      [15, 0],
    ]) {
      const tip = git.oid(`main~${to}`);
      const thin = git.pack([tip, `^${git.oid(`main~${from}`)}`], "--thin", option);
      const record = await store.push(thin, [tip]);
      expect(record.ownObjects).toBe(thin.readUInt32BE(8));
      expect(record.objects).toBeGreaterThan(record.ownObjects);
      expect(record.ownBytes).toBe(thin.length - 20);
      expect(record.marked).toBe(true);
      expectVerified(git, store, record);
    }
  });

  it("returns the commits of a thin pack", async () => {
    const store = new TestStore(layout);
    const base = git.oid("main~25");
    await store.push(git.pack([base]), [base]);
    const tip = git.oid("main");
    const commits = git.lines(["rev-list", `${base}..${tip}`]);
    let seen = 0;
    await store.ingest(git.pack([tip, `^${base}`], "--thin"), {
      tips: [tip],
      look: async (ingested) => {
        for (const commit of commits) {
          expect(ingested.typeOf(rawName(commit))).toBe(1);
          const content = await ingested.read(rawName(commit));
          expect(Buffer.compare(content, git.git(["cat-file", "commit", commit]))).toBe(0);
          seen++;
        }
        expect(ingested.typeOf(rawName(base))).toBe(0);
        await expect(ingested.read(rawName(base))).rejects.toHaveProperty("name", "ObjectRejected");
      },
    });
    expect(seen).toBe(25);
  });

  it("refuses one whose base the catalog does not have", async () => {
    const store = new TestStore(layout);
    const thin = git.pack([git.oid("main"), `^${git.oid("main~3")}`], "--thin");
    await expect(store.push(thin)).rejects.toThrow(/^pack has \d+ unresolved deltas?$/);
  });
});

const blob = (content: Uint8Array): { oid: string; content: Uint8Array } => ({
  oid: objectId("blob", content),
  content,
});
const delta = (base: { oid: string; content: Uint8Array }, to: { content: Uint8Array }): RawEntry => ({
  type: "ref-delta",
  base: base.oid,
  content: createDelta(base.content, to.content),
});

describe.each(Object.entries(LAYOUTS))("ingest of deltas in any order, %s memory", (_name, layout) => {
  const git = new GitRepository();
  afterAll(() => git.dispose());
  const versions = Array.from({ length: 400 }, (_, version) => {
    const content = noise(3000, 5);
    content[(version * 13) % 3000] = version & 0xff;
    return blob(Buffer.concat([content, Buffer.from(`${version}`)]));
  });
  const at = (version: number): { oid: string; content: Uint8Array } => versions[version] ?? blob(new Uint8Array(0));

  it("takes a chain that comes backwards", async () => {
    expect.hasAssertions();
    const entries: RawEntry[] = [];
    for (let version = 399; version > 0; version--) entries.push(delta(at(version - 1), at(version)));
    const store = new TestStore(layout);
    const pack = buildPack([...entries, { type: "blob", content: at(0).content }]);
    expectVerified(git, store, await store.push(pack));
  });

  it("takes families in random order", async () => {
    expect.hasAssertions();
    const random = pseudoRandom(7);
    for (let round = 0; round < 5; round++) {
      const entries: RawEntry[] = versions.map((version, i) =>
        i === 0 ? { type: "blob", content: version.content } : delta(at(random(i)), version),
      );
      entries.sort(() => random(3) - 1);
      const store = new TestStore(layout);
      expectVerified(git, store, await store.push(buildPack(entries)));
    }
  });

  it("takes a base that the catalog has and that comes later, too", async () => {
    expect.hasAssertions();
    // a client without ofs-delta that does not know what the repository has from elsewhere
    const store = new TestStore(layout);
    await store.push(buildPack([at(0), at(1), at(2)].map(({ content }) => ({ type: "blob", content }))));
    for (const entries of [
      [delta(at(0), at(1)), delta(at(1), at(3))],
      [delta(at(1), at(3)), delta(at(0), at(1))],
      [delta(at(3), at(4)), delta(at(2), at(3)), delta(at(1), at(2)), delta(at(0), at(1))],
      [delta(at(1), at(3)), { type: "blob", content: at(1).content } satisfies RawEntry],
    ]) {
      const record = await store.push(buildPack(entries));
      expectVerified(git, store, record);
    }
  });

  it("refuses a cycle of deltas that only an object of the catalog would break", async () => {
    const store = new TestStore(layout);
    await store.push(buildPack([{ type: "blob", content: at(0).content }]));
    // 0 is in the catalog; 1 builds on it, and the pack's own 0 on 1; 2 to 20 build on these
    const loop = [delta(at(0), at(1)), delta(at(1), at(0))];
    const more = Array.from({ length: 18 }, (_, i) => delta(at(i + 1), at(i + 2)));
    for (const entries of [loop, [...loop, ...more], [...more, ...loop]]) {
      await expect(store.push(buildPack(entries))).rejects.toThrow(/appears twice in the pack|unresolved/);
    }
  });

  it.each([
    ["itself", [delta(at(1), at(1))]],
    ["each other", [delta(at(1), at(2)), delta(at(2), at(1))]],
    ["one another in a ring", Array.from({ length: 50 }, (_, i) => delta(at((i + 1) % 50), at(i)))],
  ])("refuses deltas on %s", async (_what, entries) => {
    const store = new TestStore(layout);
    const error = {
      name: "ObjectRejected",
      message: `pack has ${entries.length} unresolved delta${entries.length > 1 ? "s" : ""}`,
    };
    await expect(store.push(buildPack([...entries, { type: "blob", content: "x" }]))).rejects.toMatchObject(error);
  });
});

describe("ingest of deltas on bases that come later or are outside", () => {
  it("checks a .gitmodules that came as a delta on an outside base", async () => {
    const store = new TestStore();
    const file = (url: string): string => `[submodule "m"]\n\tpath = m\n\turl = ${url}\n# ${"x".repeat(300)}\n`;
    const old = file("https://example.com/m");
    const oldTree = treeOf(["100644", "f", objectId("blob", old)]);
    const commit = commitOf(objectId("tree", oldTree));
    const commitId = objectId("commit", commit);
    await store.push(
      buildPack([
        { type: "blob", content: old },
        { type: "tree", content: oldTree },
        { type: "commit", content: commit },
      ]),
      [commitId],
    );
    const push = async (url: string): Promise<PackRecord> => {
      const next = file(url);
      const tree = treeOf(["100644", ".gitmodules", objectId("blob", next)]);
      return await store.push(
        buildPack([
          { type: "commit", content: commitOf(objectId("tree", tree), [commitId]) },
          { type: "ref-delta", base: objectId("blob", old), content: createDelta(Buffer.from(old), Buffer.from(next)) },
          { type: "ref-delta", base: objectId("tree", oldTree), content: createDelta(oldTree, tree) },
        ]),
      );
    };
    expect((await push("https://example.com/n")).ownObjects).toBe(3);
    await expect(push("-u./payload")).rejects.toThrow("gitmodulesUrl");
    // the tree names a blob of the catalog as .gitmodules
    const tree = treeOf(["100644", ".gitmodules", objectId("blob", old)]);
    await store.push(buildPack([{ type: "tree", content: tree }]));
    const bad = file("-x");
    await store.push(buildPack([{ type: "blob", content: bad }]));
    const badTree = treeOf(["100644", ".gitmodules", objectId("blob", bad)]);
    await expect(store.push(buildPack([{ type: "tree", content: badTree }]))).rejects.toThrow("gitmodulesUrl");
  });

  it("takes a delta on an empty base", async () => {
    expect.hasAssertions();
    const store = new TestStore();
    const git = new GitRepository();
    const base = blob(new Uint8Array(0));
    const pack = buildPack([
      { type: "ref-delta", base: base.oid, content: insertingDelta(0, "all new") },
      { type: "blob", content: base.content },
    ]);
    expectVerified(git, store, await store.push(pack));
    git.dispose();
  });
});
