/**
 * Combining packs that have the same objects, each as a delta on the other: an object must never come to build on itself. C git
 * judges what is stored.
 *
 * @module-tag thorough
 */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { afterAll, describe, expect, it } from "vitest";
import { Pacer } from "../../../src/bytes/pacer.ts";
import type { PackRecord } from "../../../src/catalog/pack-record.ts";
import { NO_FILTER } from "../../../src/graph/object-filter.ts";
import { combinePacks, type CombineInput } from "../../../src/packing/combine-packs.ts";
import { wholeEntry } from "../../../src/packing/whole-entry.ts";
import { openObjects } from "../../../src/repository/open-objects.ts";
import { Inflating } from "../../../src/store/inflating.ts";
import { ObjectReader } from "../../../src/store/object-reader.ts";
import { ObjectRing } from "../../../src/store/object-ring.ts";
import {
  buildPack,
  commitOf,
  insertingDelta,
  objectId,
  packEntry,
  type RawEntry,
  treeOf,
} from "../../support/git-raw.ts";
import { GitRepository } from "../../support/git-repository.ts";
import { pseudoRandom, TestStore, TINY } from "../../support/store.ts";

const GAMES = process.env["LONG"] === "1" ? 1000 : 12;
const judge = new GitRepository();
afterAll(() => judge.dispose());

/** Contents that are worth a delta on one another. */
const contents = Array.from({ length: 8 }, (_, i) => `${"the same line\n".repeat(7)}${i}\n`);
const oids = contents.map((content) => objectId("blob", content));

const whole = (blob: number): RawEntry => ({ type: "blob", content: contents[blob] ?? "" });
const onBase = (blob: number, base: number): RawEntry => ({
  type: "ref-delta",
  base: oids[base] ?? "",
  content: insertingDelta(contents[base]?.length ?? 0, contents[blob] ?? ""),
});

/** A filter that all of them pass. */
const SMALL = { ...NO_FILTER, blobBytes: 100_000 };

/** The ways in which packs are combined: rolled up, published, and divided into what is reached and the rest. */
const WAYS = {
  "a roll-up": { seeksDeltas: true },
  "a copy": {},
  "what is reached": { takesAppended: true },
  "the rest": { takesAppended: false },
} as const;
type Way = { readonly seeksDeltas?: boolean; readonly takesAppended?: boolean };

/** Combines packs, of which `keeps` says what is taken. */
async function combined(
  store: TestStore,
  packs: readonly PackRecord[],
  {
    takesAppended,
    keeps = () => true,
    packName = "combined",
    ...way
  }: Way & {
    readonly keeps?: (oid: string) => boolean;
    readonly packName?: string;
  },
): Promise<PackRecord | undefined> {
  const { record } = store.answer(new Uint8Array(0));
  const repository = store.repository();
  const input = { repository, record, packs, packName, ...way };
  if (takesAppended === undefined) return await combinePacks(input);
  const kernel = await repository.kernels.lend(20);
  const inflating = new Inflating(
    kernel,
    new ObjectRing(kernel.ringAt, kernel.ringBytes),
    new Pacer(async () => undefined),
  );
  const reader = new ObjectReader(openObjects(repository, record, packs), inflating);
  const tools = { reader, inflating, deflate: repository.deflate };
  const choice: CombineInput["choice"] = {
    keeps: (name) => keeps(Buffer.from(name).toString("hex")),
    takesAppended,
    whole: (pack, offset) => wholeEntry(tools, pack, offset),
  };
  try {
    return await combinePacks({ ...input, choice });
  } finally {
    reader.close();
    repository.kernels.giveBack(kernel);
  }
}

/** Returns the names of the objects that C git finds in a stored pack. It fails where a delta has no base that has an end. */
function objectsOf(store: TestStore, record: PackRecord): string[] {
  const directory = join(judge.dir, "objects", "pack");
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory);
  const path = join(directory, `pack-${record.checksum}`);
  for (const extension of ["pack", "rev", "idx"] as const)
    writeFileSync(`${path}.${extension}`, store.file(record, extension));
  const lines = judge.lines(["verify-pack", "-v", `${path}.idx`]);
  return lines.flatMap((line) => /^[0-9a-f]{40}/.exec(line) ?? []).toSorted();
}

describe("a pack that is combined of a thin push and a younger pack", () => {
  it.each(Object.entries(WAYS))(
    "has no circle of deltas where the younger has them the other way round: %s",
    async (_, way) => {
      const store = new TestStore(TINY);
      await store.push(buildPack([whole(0)]));
      const thin = await store.push(buildPack([onBase(1, 0)]));
      // Completion appended the base.
      expect([thin.ownObjects, thin.objects]).toEqual([1, 2]);
      const younger = await store.push(buildPack([whole(2), onBase(1, 2), onBase(0, 1)]));
      const pack = await combined(store, [thin, younger], way);
      expect(pack === undefined ? [] : objectsOf(store, pack)).toEqual(oids.slice(0, 3).toSorted());
      expect(pack).toMatchObject({ objects: 3, ownObjects: 3 });
    },
  );
});

/** Changes the bases of two deltas of a stored pack to each other, and the CRC-32 of both in its index. */
function closeCircle(store: TestStore, record: PackRecord, [a, b]: readonly [DeltaOf, DeltaOf]): void {
  const [pack, idx] = [Buffer.from(store.file(record, "pack")), Buffer.from(store.file(record, "idx"))];
  for (const { blob, from, to } of [
    { ...a, to: b.blob },
    { ...b, to: a.blob },
  ]) {
    const before = packEntry(onBase(blob, from));
    const at = pack.indexOf(before);
    const after = packEntry(onBase(blob, to));
    after.copy(pack, at);
    const row = oids
      .filter((oid) => idx.includes(Buffer.from(oid, "hex")))
      .toSorted()
      .indexOf(oids[blob] ?? "");
    idx.writeUInt32BE(crc32(after), 8 + 256 * 4 + record.objects * 20 + row * 4);
  }
  store.storage.files.set(`${record.name}.pack`, new Uint8Array(pack));
  store.storage.files.set(`${record.name}.idx`, new Uint8Array(idx));
  store.packs = store.packs.map((each) => (each === record ? { ...each, indexHead: new Uint8Array(idx) } : each));
  store.forget();
}

/** What is said of it, by what reads an object or by what has copied all entries. */
const CIRCLE = /delta cycle|an object builds on itself/;
type DeltaOf = { readonly blob: number; readonly from: number };

describe("a stored pack with a circle of deltas", () => {
  it.each(Object.entries(WAYS))(
    "is not combined, so that nothing takes the place of what may be whole elsewhere: %s",
    async (_, way) => {
      const store = new TestStore(TINY);
      await store.push(buildPack([whole(0), whole(1)]));
      const thin = await store.push(buildPack([onBase(2, 0), onBase(3, 1)]));
      closeCircle(store, thin, [
        { blob: 2, from: 0 },
        { blob: 3, from: 1 },
      ]);
      await expect(combined(store, store.packs, way)).rejects.toThrow(CIRCLE);
      expect(store.storage.files.has("combined.idx")).toBe(false);
    },
  );
});

/** Pushes a pack of some contents, each whole or a delta on one that is there or goes along. */
async function pushSome(store: TestStore, random: (below: number) => number, known: Set<number>): Promise<void> {
  const blobs = [...contents.keys()].filter(() => random(2) === 0);
  const order = blobs.toSorted((a, b) => ((a * 5 + random(3)) % 7) - ((b * 5 + random(3)) % 7));
  if (order.length === 0) return;
  const entries = order.map((blob, i) => {
    // What goes before in the pack, or is stored and not in it.
    const bases = [...order.slice(0, i), ...[...known].filter((each) => !order.includes(each))];
    const base = bases[random(bases.length + 1)];
    return base === undefined ? whole(blob) : onBase(blob, base);
  });
  await store.push(buildPack(entries));
  for (const blob of order) known.add(blob);
}

/** Combines some packs in some way, has C git judge the result, and puts it into the catalog as the youngest. */
async function combineSome(store: TestStore, random: (below: number) => number, packName: string): Promise<void> {
  const packs = store.packs.filter(() => random(3) > 0);
  const way = Object.values(WAYS)[random(4)] ?? {};
  const isChosen = "takesAppended" in way;
  const wanted = new Set(oids.filter(() => !isChosen || random(3) > 0));
  const pack = await combined(store, packs, { ...way, keeps: (oid) => wanted.has(oid), packName });
  if (pack === undefined) return;
  const found = objectsOf(store, pack);
  expect(found.filter((oid) => !wanted.has(oid))).toEqual([]);
  expect(found).toHaveLength(pack.objects);
  // A pack of what is chosen comes beside the others, so that nothing is lost that deltas are made on.
  store.packs = [...store.packs.filter((each) => isChosen || !packs.includes(each)), pack];
  store.forget();
}

/** Pushes a commit of everything that is stored. Gives what clones of it get, by whichever way the pack is made. */
async function clones(store: TestStore, known: ReadonlySet<number>): Promise<[how: string, pack: Buffer][]> {
  const tree = treeOf(
    ...[...known]
      .toSorted((a, b) => a - b)
      .map((blob): [string, string, string] => ["100644", `f${blob}`, oids[blob] ?? ""]),
  );
  const commit = commitOf(objectId("tree", tree));
  const tip = objectId("commit", commit);
  await store.push(
    buildPack([
      { type: "tree", content: tree },
      { type: "commit", content: commit },
    ]),
    [tip],
  );
  store.refs.set("refs/heads/main", { oid: tip });
  const packs: [string, Buffer][] = [];
  for (const marked of [true, false]) {
    store.packs = store.packs.map((pack) => ({ ...pack, marked }));
    store.forget();
    packs.push([`marked: ${marked}`, await store.fetch({ wants: [tip] })]);
    packs.push([`by size, marked: ${marked}`, await store.fetch({ wants: [tip], filter: SMALL })]);
    packs.push([`by name, marked: ${marked}`, await store.fetch({ wants: [tip], ofsDelta: false })]);
  }
  return packs;
}

/** Returns the number of objects of a pack that C git takes. */
function clonedOf(pack: Buffer): number {
  const client = new GitRepository();
  try {
    client.git(["index-pack", "--stdin", "--strict"], pack);
  } finally {
    client.dispose();
  }
  return pack.readUInt32BE(8);
}

describe("packs of random pushes", () => {
  it("combine into packs that C git takes, whichever of them are combined again and again", async () => {
    for (let game = 0; game < GAMES; game++) {
      const random = pseudoRandom(game);
      const store = new TestStore(TINY);
      const known = new Set<number>();
      for (let turn = 0; turn < 12; turn++) {
        if (turn < 4 || random(2) === 0) await pushSome(store, random, known);
        else await combineSome(store, random, `combined-${turn}`);
      }
      for (const [how, pack] of await clones(store, known))
        expect([game, how, clonedOf(pack)]).toEqual([game, how, known.size + 2]);
    }
  });
});
