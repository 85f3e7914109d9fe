/**
 * Packs that nobody's git makes. Each must be refused in words, within the memory and time of any other pack, and leave nothing
 * but the keys that the caller deletes.
 *
 * @module-tag thorough
 */
import { deflateSync } from "node:zlib";
import { array, assert, asyncProperty, boolean, double, nat, option, record } from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createDelta } from "../../../support/delta.ts";
import { everything, noise } from "../../../support/git-fixtures.ts";
import {
  type RawEntry,
  buildPack,
  commitOf,
  insertingDelta,
  objectId,
  packEntry,
  treeOf,
  withTrailer,
} from "../../../support/git-raw.ts";
import { GitRepository } from "../../../support/git-repository.ts";
import { TINY, TestStore, pseudoRandom } from "../../../support/store.ts";

const NAMES = ["ObjectRejected", "LimitExceeded"];

/** What became of a pack: the fault's name and text. */
async function verdict(pack: Uint8Array, store = new TestStore(TINY)): Promise<{ name: string; message: string }> {
  let outcome = { name: "accepted", message: "" };
  try {
    await store.ingest(pack, { chunks: () => 5000 });
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    if (!NAMES.includes(error.name)) throw error;
    outcome = { name: error.name, message: error.message };
  }
  expect([...store.storage.files.keys()].filter((name) => !/\.(pack|idx|rev|kinds)$/.test(name))).toEqual([]);
  if (outcome.name !== "accepted")
    expect([...store.storage.files.keys()].filter((name) => name.endsWith(".idx"))).toEqual([]);
  return outcome;
}

const blobEntry = (content: string | Uint8Array): RawEntry => ({ type: "blob", content });
const head = (count: number, version = 2, magic = "PACK"): Buffer => {
  const bytes = Buffer.alloc(12);
  bytes.write(magic, "latin1");
  bytes.writeUInt32BE(version, 4);
  bytes.writeUInt32BE(count, 8);
  return bytes;
};
const hello = blobEntry("hello\n");
const HELLO = objectId("blob", "hello\n");
const good = buildPack([hello]);
const raw = (...pieces: Uint8Array[]): Buffer => withTrailer(Buffer.concat(pieces));
const ofs = (distance: number): RawEntry => ({ type: "ofs-delta", base: distance, content: insertingDelta(6, "x") });
const ref = (base: string, content: Uint8Array): RawEntry => ({ type: "ref-delta", base, content });
const fewBytes = (bytes: number[]): Buffer => Buffer.from(bytes);
const emptyTree = objectId("tree", "");

/** A zlib stream of one byte that says so in very many empty blocks. */
function slowStream(blocks: number): Buffer {
  const block = Buffer.from([0, 0, 0, 0xff, 0xff]);
  const end = deflateSync("x");
  return Buffer.concat([end.subarray(0, 2), ...Array.from({ length: blocks }, () => block), end.subarray(2)]);
}

describe("the framing of a received pack", () => {
  it.each<[string, Uint8Array, string | RegExp]>([
    ["no bytes", new Uint8Array(0), "early EOF"],
    ["no magic", raw(head(1, 2, "JUNK"), packEntry(hello)), /pack signature mismatch|bad/i],
    ["version 4", raw(head(1, 4), packEntry(hello)), "pack version 4 unsupported"],
    ["version 1", raw(head(1, 1), packEntry(hello)), "pack version 1 unsupported"],
    ["a count too large", buildPack([hello], 0xffffffff), /early EOF|bad object/],
    ["a count too large by one", buildPack([hello], 2), /early EOF|bad object|unknown object type/],
    ["a count too small", buildPack([hello, hello], 1), /junk|corrupted/],
    [
      "a wrong trailer",
      Buffer.concat([good.subarray(0, -1), fewBytes([(good.at(-1) ?? 0) ^ 1])]),
      /corrupted \(SHA1 mismatch\)/,
    ],
    ["garbage behind", Buffer.concat([good, Buffer.from("x")]), "pack has junk at the end"],
    ["a second pack behind", Buffer.concat([good, good]), "pack has junk at the end"],
    ["garbage before the trailer", raw(good.subarray(0, -20), Buffer.from("junk")), /junk|corrupted/],
    ["type 0", raw(head(1), fewBytes([0x01]), deflateSync("x")), "unknown object type 0"],
    ["type 5", raw(head(1), fewBytes([0x51]), deflateSync("x")), "unknown object type 5"],
    [
      "a size of 2^62",
      raw(head(1), fewBytes([0xbf, 255, 255, 255, 255, 255, 255, 255, 255, 0x7f])),
      /bad object header|limit/,
    ],
    ["a size that never ends", raw(head(1), fewBytes(Array<number>(60).fill(0xff))), "bad object header"],
    ["a size past the limit", buildPack([{ type: "blob", content: "x", size: 2 ** 40 }]), /limit/],
    ["a size too large", buildPack([{ type: "blob", content: "hello", size: 6 }]), /bad object at offset 12/],
    ["a size too small", buildPack([{ type: "blob", content: "hello", size: 4 }]), /bad object at offset 12/],
    [
      "a large size too large",
      buildPack([{ type: "blob", content: noise(300_000), size: 300_001 }]),
      /bad object at offset 12/,
    ],
    [
      "a large size too small",
      buildPack([{ type: "blob", content: noise(300_000), size: 299_999 }]),
      /bad object at offset 12/,
    ],
    ["a bomb", buildPack([{ type: "blob", content: Buffer.alloc(20_000_000), size: 10 }]), /bad object at offset 12/],
    [
      "a delta that is a bomb",
      buildPack([hello, { type: "ref-delta", base: HELLO, content: Buffer.alloc(20_000_000), size: 10 }]),
      /bad object/,
    ],
    ["no zlib stream", raw(head(1), fewBytes([0x35]), Buffer.from("hello")), /bad object at offset 12/],
    [
      "a stream with a preset dictionary",
      raw(head(1), fewBytes([0x35]), deflateSync("hello", { dictionary: Buffer.from("hello") })),
      /bad object at offset 12/,
    ],
    [
      "a stream with a wrong checksum",
      raw(head(1), fewBytes([0x35]), deflateSync("hello").subarray(0, -1), fewBytes([0])),
      /bad object at offset 12/,
    ],
  ])("refuses a pack with %s", async (_what, pack, message) => {
    const outcome = await verdict(pack);
    expect(outcome.message).toMatch(message);
    // the same from the first bytes read with the commands, and a byte at a time
    const store = new TestStore();
    await expect(store.ingest(pack, { head: Math.min(pack.length, 40), chunks: () => 1 })).rejects.toThrow(message);
  });

  it("takes a pack that only looks odd", async () => {
    for (const pack of [
      buildPack([]),
      raw(head(1, 3), packEntry(hello)),
      raw(head(1), packEntry({ ...hello, content: "" })),
      raw(head(1), fewBytes([0x31]), slowStream(100_000)),
      raw(head(1), fewBytes([0xb6, 0x80, 0x80, 0x00]), deflateSync("hello\n")),
    ]) {
      expect(await verdict(pack)).toEqual({ name: "accepted", message: "" });
      expect(await verdict(pack, new TestStore())).toEqual({ name: "accepted", message: "" });
    }
  });

  it("does not hold the data of an entry that is long and inflates to little", async () => {
    const entry = Buffer.concat([fewBytes([0x31]), slowStream(2_000_000)]);
    const far = noise(400_000, 8);
    const pack = raw(
      head(3),
      packEntry(ref(objectId("blob", "x"), insertingDelta(1, "y"))),
      entry,
      packEntry(blobEntry(far)),
    );
    expect(await verdict(pack)).toEqual({ name: "accepted", message: "" });
  });
});

describe("the deltas of a received pack", () => {
  const big = noise(3000, 2);
  const bigId = objectId("blob", big);
  it.each<[string, readonly RawEntry[], string | RegExp]>([
    ["on an offset before the first entry", [hello, ofs(1000)], "delta base offset is out of bound"],
    ["on the header", [hello, ofs(26)], "delta base offset is out of bound"],
    ["on itself by offset", [hello, ofs(0)], "delta base offset is out of bound"],
    ["into the middle of an entry", [hello, ofs(3)], "delta base offset is out of bound"],
    ["on a base that is nowhere", [hello, ref("12".repeat(20), insertingDelta(6, "x"))], "pack has 1 unresolved delta"],
    ["that are empty", [hello, ref(HELLO, Buffer.alloc(0))], "failed to apply delta"],
    ["for a base of another size", [hello, ref(HELLO, insertingDelta(7, "x"))], "failed to apply delta"],
    ["that make more than they say", [hello, ref(HELLO, insertingDelta(6, "xyz", 2))], "failed to apply delta"],
    ["that make less than they say", [hello, ref(HELLO, insertingDelta(6, "xyz", 4))], "failed to apply delta"],
    ["that say they make much", [hello, ref(HELLO, insertingDelta(6, "xyz", 100_000))], "failed to apply delta"],
    [
      "that say they make a terabyte",
      [hello, ref(HELLO, fewBytes([6, 128, 128, 128, 128, 128, 32, 1, 65]))],
      /limit|failed/,
    ],
    ["with the reserved operation", [hello, ref(HELLO, fewBytes([6, 1, 0]))], "failed to apply delta"],
    ["that copy from behind the base", [hello, ref(HELLO, fewBytes([6, 2, 0x91, 5, 2]))], "failed to apply delta"],
    [
      "that copy from 2^32 - 1",
      [hello, ref(HELLO, fewBytes([6, 1, 0x9f, 255, 255, 255, 255, 1]))],
      "failed to apply delta",
    ],
    ["that copy 64 KiB of 6 bytes", [hello, ref(HELLO, fewBytes([6, 128, 128, 4, 0x80]))], "failed to apply delta"],
    ["with sizes that never end", [hello, ref(HELLO, Buffer.alloc(40, 0xff))], "failed to apply delta"],
    ["that make what is there already", [hello, ref(HELLO, insertingDelta(6, "hello\n"))], /appears twice/],
    [
      "that make a tree of a blob's bytes",
      [blobEntry(big), ref(bigId, createDelta(big, big.slice(1))), ref(bigId, createDelta(big, big.slice(1)))],
      /appears twice/,
    ],
  ])("refuses deltas %s", async (_what, entries, message) => {
    for (const ordered of [entries, entries.toReversed()]) {
      if (ordered[0]?.type === "ofs-delta") continue;
      for (const store of [new TestStore(TINY), new TestStore()]) {
        const outcome = await verdict(buildPack(ordered), store);
        expect(outcome.message).toMatch(message);
      }
    }
  });

  it.each([
    ["in memory", 8 << 20],
    ["in the bucket", 16 << 10],
  ])("takes a chain of ten thousand in the worst order, %s", async (_where, partBytes) => {
    const versions = Array.from({ length: 10_000 }, (_, i) => Buffer.from(`version ${i} of something`));
    const chain = versions.map((content, i): RawEntry => {
      const base = versions[i - 1];
      return base === undefined
        ? blobEntry(content)
        : ref(objectId("blob", base), insertingDelta(base.length, content.toString()));
    });
    const store = new TestStore({ ...TINY, partBytes });
    expect((await verdict(buildPack(chain.toReversed()), store)).name).toBe("accepted");
    expect(store.cost.reads).toBeLessThan(20);
  });
});

describe("the objects of a received pack", () => {
  const tree = treeOf(["100644", "f", HELLO]);
  const treeId = objectId("tree", tree);
  const commit = commitOf(treeId);
  const commitId = objectId("commit", commit);
  const missing = "12".repeat(20);
  it.each<[string, readonly RawEntry[], string | RegExp]>([
    ["an object that comes twice", [hello, hello], `The same object ${HELLO} appears twice in the pack`],
    ["a missing blob", [{ type: "tree", content: tree }], `did not receive expected object ${HELLO}`],
    ["a missing tree", [{ type: "commit", content: commit }], `did not receive expected object ${treeId}`],
    [
      "a missing parent",
      [hello, { type: "tree", content: tree }, { type: "commit", content: commitOf(treeId, [missing]) }],
      `did not receive expected object ${missing}`,
    ],
    [
      "a missing tagged object",
      [{ type: "tag", content: `object ${missing}\ntype commit\ntag v\ntagger A <a@b> 1 +0000\n\nm\n` }],
      `did not receive expected object ${missing}`,
    ],
    [
      "a blob as a tree",
      [hello, { type: "commit", content: commitOf(HELLO) }],
      `object ${HELLO}: expected type tree, found blob`,
    ],
    [
      "a tree as a blob",
      [
        { type: "tree", content: "" },
        { type: "tree", content: treeOf(["100644", "f", emptyTree]) },
      ],
      `object ${emptyTree}: expected type blob, found tree`,
    ],
    [
      "a commit as a blob",
      [
        hello,
        { type: "tree", content: tree },
        { type: "commit", content: commit },
        { type: "tree", content: treeOf(["100644", "f", commitId]) },
      ],
      /expected type blob, found commit/,
    ],
    [
      "references of two types to one missing object",
      [{ type: "tree", content: treeOf(["100644", "f", missing], ["40000", "g", missing]) }],
      /expected type|did not receive/,
    ],
    ["a broken commit", [{ type: "commit", content: "tree \n" }], /^object [0-9a-f]{40}: badTreeSha1/],
    ["a tree that is cut", [{ type: "tree", content: tree.subarray(0, -1) }], /^object [0-9a-f]{40}: badTree/],
    ["a tree with .git", [hello, { type: "tree", content: treeOf(["100644", ".git", HELLO]) }], /hasDotgit/],
    ["a tree with .GIT", [hello, { type: "tree", content: treeOf(["100644", ".GIT", HELLO]) }], /hasDotgit/],
    [
      "a tree out of order",
      [hello, { type: "tree", content: treeOf(["100644", "g", HELLO], ["100644", "f", HELLO]) }],
      /treeNotSorted/,
    ],
    [
      "a .gitmodules too large",
      [
        blobEntry(noise(200_000)),
        { type: "tree", content: treeOf(["100644", ".gitmodules", objectId("blob", noise(200_000))]) },
      ],
      /gitmodules/,
    ],
  ])("refuses %s", async (_what, entries, message) => {
    for (const ordered of [entries, entries.toReversed()]) {
      const outcome = await verdict(buildPack(ordered));
      expect(outcome).toMatchObject({ name: "ObjectRejected", message: expect.stringMatching(message) });
    }
  });

  it("may refer to objects of the catalog that have the right type", async () => {
    const store = new TestStore();
    await store.push(buildPack([hello]));
    await store.push(buildPack([{ type: "tree", content: tree }]));
    await store.push(buildPack([{ type: "commit", content: commit }]));
    for (const [entry, message] of [
      [{ type: "commit", content: commitOf(HELLO) }, `object ${HELLO}: unexpected type`],
      [{ type: "commit", content: commitOf(treeId, [treeId]) }, `expected type`],
      [{ type: "tree", content: treeOf(["40000", "f", HELLO]) }, `object ${HELLO}: unexpected type`],
    ] satisfies [RawEntry, string][]) {
      await expect(store.push(buildPack([entry]))).rejects.toThrow(message);
    }
  });
});

describe("a damaged pack of git's", () => {
  let git: GitRepository;
  let packs: Buffer[];
  beforeAll(() => {
    git = new GitRepository();
    git.import(everything());
    const tips = git.lines(["for-each-ref", "--format=%(refname)", "refs/heads/feature"]);
    packs = [
      git.pack(["refs/heads/side"], "--delta-base-offset"),
      git.pack(tips, "--delta-base-offset", "--no-reuse-delta"),
      git.pack(["refs/heads/main"], "--no-reuse-delta"),
    ];
  });
  afterAll(() => git.dispose());

  /** What git says, if it says yes: the index. */
  async function compare(pack: Buffer, layout: object): Promise<void> {
    const store = new TestStore(layout);
    let idx: Uint8Array | undefined;
    try {
      idx = store.file(await store.push(pack), "idx");
    } catch (error) {
      if (!(error instanceof Error) || !NAMES.includes(error.name)) throw error;
    }
    if (idx === undefined) return;
    expect(Buffer.compare(idx, git.index(pack, "--strict").idx)).toBe(0);
  }

  it("is refused, or has the objects that git finds in it", async () => {
    expect.hasAssertions();
    const flip = record({
      pack: nat({ max: 2 }),
      flips: array(record({ at: double({ min: 0, max: 1, noNaN: true }), bit: nat({ max: 7 }) }), {
        maxLength: 3,
      }),
      keep: option(double({ min: 0, max: 1, noNaN: true })),
      resign: boolean(),
      tiny: boolean(),
    });
    await assert(
      asyncProperty(flip, async ({ pack, flips, keep, resign, tiny }) => {
        let bytes = Buffer.from(packs[pack] ?? []);
        for (const { at, bit } of flips) {
          const index = Math.min(bytes.length - 1, Math.floor(at * bytes.length));
          bytes[index] = (bytes[index] ?? 0) ^ (1 << bit);
        }
        if (keep !== null) bytes = bytes.subarray(0, Math.floor(keep * bytes.length));
        if (resign && bytes.length > 20) bytes = withTrailer(bytes.subarray(0, -20));
        await compare(bytes, tiny ? TINY : {});
      }),
      { numRuns: 150 },
    );
  });

  it("is refused when it is cut anywhere", async () => {
    const pack = packs[0] ?? Buffer.alloc(0);
    const random = pseudoRandom(3);
    for (let length = 0; length < pack.length; length += 1 + random(pack.length / 200)) {
      const outcome = await verdict(pack.subarray(0, length));
      expect(outcome.name).toBe("ObjectRejected");
    }
  });
});
