/**
 * The multi-pack index: what is written is what C git takes, and the file is there as long as the packs that it names are.
 *
 * @module-tag thorough
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { MULTI_PACKS, multiPackIndexDue } from "../../../src/catalog/multi-pack-plan.ts";
import type { PackRecord } from "../../../src/catalog/pack-record.ts";
import type { PackStorage } from "../../../src/catalog/pack-storage.ts";
import { isolateTools } from "../../../src/cloudflare/isolate-tools.ts";
import { INDEX_HEAD_BYTES } from "../../../src/format/pack-index.ts";
import type { BareFiles } from "../../../src/maintenance/bare-files.ts";
import { ROLLING_UP } from "../../../src/catalog/roll-up.ts";
import { maintain } from "../../../src/maintenance/maintain.ts";
import { publish } from "../../../src/maintenance/publish.ts";
import { writeMultiPackIndex } from "../../../src/maintenance/write-multi-pack-index.ts";
import { objectFormat, type ObjectFormatName } from "../../../src/object/object-id.ts";
import { everything, linear } from "../../support/git-fixtures.ts";
import { GitRepository } from "../../support/git-repository.ts";
import { failingAt, MaintainedBed } from "../../support/maintained.ts";
import { settle } from "../../support/memory.ts";
import { KERNEL_MODULE, TINY, TestStore } from "../../support/store.ts";

const MAIN = "refs/heads/main";
const NAME = "f".repeat(40);
const grown = new GitRepository();
grown.import(linear(300));
afterAll(() => grown.dispose());

/** Writes files below a bare repository's `objects/pack`. */
function writePacks(bare: GitRepository, files: ReadonlyMap<string, Uint8Array>): void {
  for (const [name, bytes] of files) {
    const path = join(bare.dir, "objects", "pack", name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, bytes);
  }
}

describe.each(["sha1", "sha256"] as const)("a multi-pack index of %s", (name: ObjectFormatName) => {
  it.each([7, 100_000])("is as C git demands, made of %i names at a time", async (stretchNames) => {
    const source = new GitRepository(`--object-format=${name}`);
    const bare = new GitRepository(`--object-format=${name}`);
    try {
      source.import(everything(objectFormat(name)));
      const store = new TestStore({ ...TINY, format: name });
      // Many objects are in two of these packs, and some in all three.
      const packs: PackRecord[] = [];
      for (const revision of ["main", "main~1", "side"]) packs.push(await store.ingest(source.pack([revision])));
      store.packs = packs;
      store.makeRemote();
      const record = { id: "id", objectFormat: name };
      const made = await writeMultiPackIndex({
        repository: store.repository(),
        record,
        packs: store.packs,
        name: NAME,
        stretchNames,
      });
      expect(made).toMatchObject({ name: NAME, objects: packs.reduce((sum, { objects }) => sum + objects, 0) });
      const file = store.storage.files.get(`${NAME}.midx`);
      expect(file?.length).toBe(made.bytes);
      const stored = [...store.storage.files].filter(([key]) => /\.(?:pack|idx|rev)$/.test(key));
      writePacks(bare, new Map(stored.map(([key, bytes]) => [`pack-${key}`, bytes])));
      writePacks(bare, new Map([["multi-pack-index", file ?? new Uint8Array(0)]]));
      expect(bare.run(["multi-pack-index", "verify"])).toMatchObject({ ok: true });
      expect(bare.run(["rev-list", "--objects", "--quiet", source.oid("main")])).toMatchObject({ ok: true });
      // It is what C git makes itself, but for the choice among packs that have the same object.
      bare.run(["multi-pack-index", "write"]);
      expect(made.bytes).toBe(bare.run(["multi-pack-index", "verify"]).ok ? sizeOf(bare) : 0);
    } finally {
      source.dispose();
      bare.dispose();
    }
  });
});

function sizeOf(bare: GitRepository): number {
  return Number(bare.text(["-c", "alias.size=!wc -c < objects/pack/multi-pack-index", "size"]).trim());
}

/** A pack that has nothing but the head of an index: `counts` gives the number of names by their first byte. */
function packOf(name: string, counts: (byte: number) => number): PackRecord {
  const indexHead = new Uint8Array(INDEX_HEAD_BYTES);
  const view = new DataView(indexHead.buffer);
  view.setUint32(0, 0xff744f63);
  view.setUint32(4, 2);
  let objects = 0;
  for (let byte = 0; byte < 256; byte++) view.setUint32(8 + byte * 4, (objects += counts(byte)));
  return { name, objects, indexHead, packBytes: 1000, source: "receive" } as PackRecord;
}

describe("a multi-pack index in the memory of an isolate", () => {
  const record = { id: "id", objectFormat: "sha256" } as const;

  it("waits for its memory with nothing in hand", async () => {
    const source = new GitRepository();
    source.import(linear(30));
    const store = new TestStore(TINY);
    const packs: PackRecord[] = [];
    for (const revision of ["main", "main~1"]) packs.push(await store.ingest(source.pack([revision])));
    source.dispose();
    store.packs = packs;
    store.makeRemote();
    const { budget } = isolateTools(KERNEL_MODULE);
    const full = budget.open("full");
    full.hold(80 * 1024 * 1024);
    const repository = { ...store.repository(), memory: budget.open("job") };
    const reads = store.cost.reads;
    const making = writeMultiPackIndex({ repository, record: { ...record, objectFormat: "sha1" }, packs, name: NAME });
    await settle();
    expect([budget.waiting, budget.held, store.cost.reads]).toEqual([1, 80 * 1024 * 1024, reads]);
    full.hold(-80 * 1024 * 1024);
    expect(await making).toMatchObject({ name: NAME });
    expect([store.storage.files.has(`${NAME}.midx`), budget.held]).toEqual([true, 0]);
  });

  it.each([
    ["lie evenly", 0, true],
    ["share a first byte as often as is held", 238_000, true],
    ["share a first byte more often", 240_000, false],
    ["share a first byte by the million", 800_000, false],
  ])("holds no more than there is room for where names %s", async (_, more, isMade) => {
    const store = new TestStore({ ...TINY, format: "sha256" });
    const { budget } = isolateTools(KERNEL_MODULE);
    const memory = budget.open("job");
    const held: number[] = [];
    const storage: PackStorage = {
      ...store.storage,
      createUpload: async () => {
        held.push(budget.held);
        throw new Error("enough");
      },
    };
    const { limits, hash, pacer } = store.repository();
    const repository = { limits: { ...limits, memoryPackBytes: 5 * 1024 * 1024 }, hash, pacer, memory };
    const rest = Math.floor((MULTI_PACKS.mostObjects - more - 1) / 256);
    const packs = ["a", "b"].map((name) =>
      packOf(name.repeat(40), (byte) => Math.floor(rest / 2) + (byte === 0x41 ? more / 2 : 0)),
    );
    const made = writeMultiPackIndex({
      repository: { ...repository, storage: () => storage },
      record,
      packs,
      name: NAME,
    });
    if (isMade) await expect(made).rejects.toThrow("enough");
    else expect(await made).toMatchObject({ bytes: 0 });
    const { bytes, reserve, small } = budget.limits;
    expect(
      held.map((each) => each > 8 * MULTI_PACKS.mostObjects * 0.99 && each <= bytes - reserve - small.room),
    ).toEqual(isMade ? [true] : []);
    expect(budget.held).toBe(0);
  });
});

const plain = new Map<string, Uint8Array>();

/** The files of the derived prefix; packs are those of the bed. */
function bareFilesOf(bed: MaintainedBed): BareFiles {
  return {
    write: async (name, pieces) => void plain.set(name, Buffer.concat([...pieces])),
    copy: async (from, to) => {
      const bytes = bed.packs.storage.files.get(from.replace("objects/pack/pack-", ""));
      if (bytes !== undefined) plain.set(to, bytes);
      return bytes !== undefined;
    },
    list: async () => ({ files: [] }),
    open: async () => undefined,
    delete: async (names) => names.forEach((name) => plain.delete(name)),
  };
}

async function published(bed: MaintainedBed): Promise<Uint8Array | undefined> {
  const { repository, catalog } = bed.maintained;
  const written = await publish({ repository, catalog }, () => bareFilesOf(bed), { repository: "acme/repo" });
  if (written === undefined) throw new Error("not written");
  bed.refs.database.derivedFilesWritten(written.id, written.version);
  return plain.get("objects/pack/multi-pack-index");
}

const filesOf = (bed: MaintainedBed): string[] =>
  [...bed.packs.storage.files.keys()].filter((name) => name.endsWith(".midx"));

/** A repository of two packs whose sizes are in proportion, and which are too many objects to become one where somebody asks, so that they stay apart. */
async function bedOfTwo(): Promise<MaintainedBed> {
  const bed = new MaintainedBed(grown);
  await bed.set(MAIN, grown.oid("main~40"));
  await bed.set(MAIN, grown.oid("main"));
  bed.tip = grown.oid("main");
  await bed.refs.askForMaintenance(false);
  return bed;
}

describe("the step of maintenance", () => {
  const { askedObjects } = ROLLING_UP;
  beforeAll(() => void Object.assign(ROLLING_UP, { askedObjects: 1 }));
  afterAll(() => void Object.assign(ROLLING_UP, { askedObjects }));

  it("writes one where there are several packs, which is published, and goes when one of these goes", async () => {
    plain.clear();
    const bed = await bedOfTwo();
    const runs = await bed.settle();
    expect(runs.at(-1)).toMatchObject({ step: "midx", outcome: "done", packs: 2 });
    expect(filesOf(bed)).toHaveLength(1);
    const index = await published(bed);
    expect(index).toEqual(bed.packs.storage.files.get(filesOf(bed)[0] ?? ""));
    // Nothing has changed since, so nothing is copied again.
    plain.delete("objects/pack/multi-pack-index");
    expect(await published(bed)).toBeUndefined();
    plain.set("objects/pack/multi-pack-index", index ?? new Uint8Array(0));

    // A pack more is no reason to give it up; one that is combined with another is.
    await bed.set("refs/heads/other", grown.oid("main~20"));
    expect(await published(bed)).toBeDefined();
    const { packs } = await bed.values();
    const [replaced] = packs;
    if (replaced === undefined) throw new Error("no pack");
    const again = { ...replaced, name: "a".repeat(40) };
    await bed.refs.leasePacks(await bed.id(), [again.name]);
    await bed.refs.replacePacks({ id: await bed.id(), added: [again], replaced: [replaced.name] });
    expect(await published(bed)).toBeUndefined();
    // Who began before may still copy it; the alarm deletes it with the pack.
    expect(filesOf(bed)).toHaveLength(1);
    bed.now += 25 * 60 * 60_000;
    expect(bed.refs.database.dueWork(bed.now).expiredPacks).toContain(filesOf(bed)[0]?.replace(".midx", ""));
  });

  it("leaves nothing behind when its storage fails, and is done again", async () => {
    const before = (await (await bedOfTwo()).settle()).length - 1;
    let failures = 0;
    for (let n = 0; ; n++) {
      const bed = await bedOfTwo();
      for (let step = 0; step < before; step++) await maintain(bed.maintained, await bed.id());
      const { storage, failed } = failingAt(bed.packs.counted(), n);
      const run = await maintain(bed.on(storage), await bed.id());
      if (!failed()) break;
      failures += 1;
      expect(run).toMatchObject({ step: "midx", outcome: "failed" });
      expect(filesOf(bed)).toEqual([]);
      bed.now += 60 * 60_000;
      expect(await maintain(bed.maintained, await bed.id())).toMatchObject({ step: "midx", outcome: "done" });
    }
    expect(failures).toBeGreaterThan(0);
  });
});

describe("the plan", () => {
  const pack = (objects: number, more: Partial<PackRecord> = {}) =>
    ({ objects, packBytes: 1000, source: "receive", ...more }) as PackRecord;
  const last = { objects: 20_000, at: 1_700_000_000_000, isGivenUp: false };
  const loan = { home: "other", state: "lent" } as const;
  it.each([
    ["one pack", [pack(50_000)], undefined, undefined],
    ["few objects", [pack(5000), pack(500)], undefined, undefined],
    ["two packs", [pack(20_000), pack(500)], undefined, 0],
    ["one beside a cruft pack", [pack(20_000), pack(500, { source: "cruft" })], undefined, undefined],
    ["one beside a tip pack", [pack(20_000), pack(500, { source: "copy" })], undefined, undefined],
    ["one beside a borrowed one", [pack(20_000), pack(500, { loan })], undefined, undefined],
    ["one beside one of 2 GiB", [pack(20_000), pack(500, { packBytes: 2 ** 31 })], undefined, undefined],
    ["too many objects", [pack(2_900_000), pack(200_000)], undefined, undefined],
    ["little more", [pack(20_000), pack(9000)], last, undefined],
    ["half as many again", [pack(20_000), pack(10_000)], last, 0],
    [
      "little more, and it was given up",
      [pack(20_000), pack(500)],
      { ...last, isGivenUp: true },
      last.at + MULTI_PACKS.restTime,
    ],
  ] as const)("of %s", (_, packs, made, due) => {
    expect(multiPackIndexDue(packs, made, false)).toBe(due);
  });
});
