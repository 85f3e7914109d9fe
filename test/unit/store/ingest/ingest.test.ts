/**
 * Packs that C git made, taken in: the index must be git's own, byte for byte.
 *
 * @module-tag thorough
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { objectFormat } from "../../../../src/object/object-id.ts";
import { everything, FixtureStream, linear, noise } from "../../../support/git-fixtures.ts";
import { GitRepository } from "../../../support/git-repository.ts";
import { type StoreLayout, TestStore, TINY, pseudoRandom } from "../../../support/store.ts";

/** Compared as buffers: a failed comparison of megabytes must not print them. */
function same(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

const TYPE_NAMES = ["commit", "tree", "blob", "tag"];

/** Text that compresses little, in versions that make good deltas. */
function large(version: number, bytes: number): Buffer {
  const content = Buffer.from(noise(bytes, 3));
  content.writeUInt32BE(version, (version * 97) % (bytes - 4));
  return content;
}

function busy(): FixtureStream {
  const stream = new FixtureStream();
  for (let version = 0; version < 60; version++) {
    stream.commit("refs/heads/main", [
      { path: `a/b/${version % 7}.bin`, content: large(version, 9000 + version) },
      { path: `a/c/${version}.txt`, content: `${version}\n`.repeat(version * 20) },
      { path: "a/d.txt", content: noise(30_000, version) },
    ]);
  }
  return stream;
}

const REPOSITORIES = [
  ["linear", "sha1", linear(40)],
  ["everything", "sha1", everything()],
  ["busy", "sha1", busy()],
  ["everything", "sha256", everything(objectFormat("sha256"))],
  ["busy", "sha256", busy()],
] as const;
const PACKINGS: Record<string, readonly string[]> = {
  "ofs-deltas": ["--delta-base-offset", "--no-reuse-delta", "--depth=50", "--window=20"],
  "ref-deltas": ["--no-reuse-delta", "--depth=50", "--window=20"],
  "no deltas": ["--no-reuse-delta", "--window=0"],
};
const LAYOUTS: Record<string, StoreLayout> = { roomy: {}, tiny: TINY };

describe.each(REPOSITORIES)("ingest of a pack of git's: %s, %s", (_name, format, stream) => {
  let git: GitRepository;
  beforeAll(() => {
    git = new GitRepository(`--object-format=${format}`);
    git.import(stream);
  });
  afterAll(() => git.dispose());

  describe.each(Object.entries(LAYOUTS))("%s memory", (_layout, layout) => {
    it.each(Object.entries(PACKINGS))("takes a pack with %s, whatever the chunks", async (_packing, options) => {
      const pack = git.pack(["--all"], ...options);
      const random = pseudoRandom(pack.length);
      for (const chunks of [() => 1 << 20, () => 1 + random(40), () => 1 + random(100_000)]) {
        const store = new TestStore({ ...layout, format });
        const record = await store.push(pack, git.tips(), chunks);
        expect(same(store.file(record, "pack"), pack)).toBe(true);
        const expected = git.index(pack);
        expect(same(store.file(record, "idx"), expected.idx)).toBe(true);
        expect(same(store.file(record, "rev"), expected.rev)).toBe(true);
        expect(record).toMatchObject({
          objects: pack.readUInt32BE(8),
          ownObjects: pack.readUInt32BE(8),
          packBytes: pack.length,
          ownBytes: pack.length - git.format.rawSize,
          checksum: pack.subarray(-git.format.rawSize).toString("hex"),
          indexBytes: expected.idx.length,
          marked: true,
        });
        expect([...store.storage.files.keys()].filter((name) => name.includes("scratch"))).toEqual([]);
      }
    });

    it("knows the type of every object", async () => {
      const store = new TestStore({ ...layout, format });
      await store.push(git.pack(["--all"], "--delta-base-offset"), git.tips());
      const listed = git.lines(["cat-file", "--batch-check=%(objectname) %(objecttype)", "--batch-all-objects"]);
      const names = new Uint8Array(Buffer.from(listed.map((line) => line.split(" ")[0]).join(""), "hex"));
      const types = await store.database().typesOf(names);
      expect([...types].map((type) => TYPE_NAMES[type - 1])).toEqual(listed.map((line) => line.split(" ")[1]));
    });
  });
});

describe("the mark of an ingested pack", () => {
  let git: GitRepository;
  beforeAll(() => {
    git = new GitRepository();
    git.import(everything());
  });
  afterAll(() => git.dispose());

  it("is not set if a tip is missing from the push", async () => {
    const pack = git.pack(["--all"]);
    const tips = git.tips();
    for (const missing of tips) {
      // a tip that another one reaches does not count
      const others = tips.filter((tip) => tip !== missing);
      const reached = git.lines(["rev-list", "--objects", "--no-object-names", ...others]).includes(missing);
      const record = await new TestStore().push(pack, others);
      expect(record.marked).toBe(reached);
    }
  });

  it("is not set if the tips do not reach some object", async () => {
    const stray = git.text(["hash-object", "-w", "--stdin"], "stray\n");
    const oids = [...git.objects("--all"), stray];
    const record = await new TestStore().push(git.packObjects(oids), git.tips());
    expect(record.marked).toBe(false);
  });
});
