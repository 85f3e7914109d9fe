/**
 * Packs that are put into the order of their history, judged by C git.
 *
 * @module-tag thorough
 */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { CorruptStore } from "../../../src/bytes/failure.ts";
import { ORDERING, type Ordering } from "../../../src/catalog/order-plan.ts";
import type { PackRecord } from "../../../src/catalog/pack-record.ts";
import { PackIndex } from "../../../src/format/pack-index.ts";
import { writeBitmap } from "../../../src/maintenance/write-bitmap.ts";
import { orderPack } from "../../../src/packing/order-pack.ts";
import { linear, noise, project } from "../../support/git-fixtures.ts";
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

/** Windows of which even small packs have many. */
const SMALL: Ordering = { ...ORDERING, windowBytes: 6000, heldBytes: 3000, gapBytes: 200, mostRead: 100 };

type Bed = { readonly source: GitRepository; readonly store: TestStore; readonly pack: PackRecord };

/** A store with one pack of all that a repository has, and its bitmaps. */
async function pushed(source: GitRepository, ...options: readonly string[]): Promise<Bed> {
  const store = new TestStore({ ...TINY, format: source.format.name });
  const pack = await store.push(source.pack(["--all"], ...options), source.tips());
  const { record } = store.answer(new Uint8Array(0));
  const bitmap = await writeBitmap({ repository: store.repository(), record, pack });
  expect(bitmap.bytes).toBeGreaterThan(0);
  store.packs = [{ ...pack, bitmap, marked: true }];
  return { source, store, pack: { ...pack, bitmap } };
}

async function order({ store, pack }: Bed, ordering = SMALL): Promise<PackRecord | undefined> {
  const { record } = store.answer(new Uint8Array(0));
  return await orderPack({ repository: store.repository(), record, pack, packName: "ordered", ordering });
}

/** Puts a pack in order, and has C git look at it: its bytes, its index, and what is in it. */
async function judged(bed: Bed, ordering = SMALL): Promise<PackRecord> {
  const { source, store, pack } = bed;
  const ordered = await order(bed, ordering);
  if (ordered === undefined) throw new Error("not ordered");
  const bytes = store.file(ordered, "pack");
  const { idx, rev } = source.index(bytes);
  expect(Buffer.from(store.file(ordered, "idx"))).toEqual(idx);
  expect(Buffer.from(store.file(ordered, "rev"))).toEqual(rev);
  expect(ordered).toMatchObject({ objects: pack.objects, ownObjects: pack.objects, packBytes: bytes.length });
  expect(ordered.kinds).toEqual(pack.kinds);
  const client = newRepository(source.format.name);
  const folder = join(client.dir, "objects", "pack");
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  for (const extension of ["pack", "rev", "idx"] as const)
    writeFileSync(join(folder, `pack-${ordered.checksum}.${extension}`), store.file(ordered, extension));
  for (const tip of source.tips()) client.git(["update-ref", `refs/tags/${tip}`, tip]);
  client.git(["fsck", "--full", "--strict"]);
  expect(client.objects("--all")).toEqual(source.objects("--all"));
  return ordered;
}

/** How many stretches of a pack have all that a commit reaches. */
function stretches({ source, store }: Bed, record: PackRecord, commit: string): number {
  const index = new PackIndex(store.file(record, "idx"), source.format);
  const reached = new Set(source.objects(commit).map((oid) => index.find(rawName(oid))));
  const positions = Array.from({ length: index.count }, (_, position) => position);
  positions.sort((a, b) => index.offsetAt(a) - index.offsetAt(b));
  const isReached = positions.map((position) => reached.has(position));
  return isReached.filter((each, rank) => each && isReached[rank - 1] !== true).length;
}

describe("orderPack", () => {
  it.each([
    ["sha1", 1],
    ["sha256", 2],
  ] as const)("writes what C git takes, of a %s history (%i) that looks like anything", async (name, seed) => {
    const source = newRepository(name);
    makeHistory(source, seed, { commits: 60 });
    const bed = await pushed(source);
    expect(await judged(bed)).toMatchObject({ source: "repack", marked: false });
  });

  it("brings together what an old commit reaches, also where git has put bases last", async () => {
    const source = newRepository();
    source.import(project(24));
    source.git(["repack", "-adfq", "--depth=10"]);
    const bed = await pushed(source);
    const ordered = await judged(bed, { ...SMALL, windowBytes: 60_000 });
    const before = stretches(bed, bed.pack, "main~12");
    expect(before).toBeGreaterThan(10);
    expect(stretches(bed, ordered, "main~12")).toBeLessThan(before / 2);
    expect(bed.store.file(ordered, "pack").length).toBeLessThan(bed.pack.packBytes * 1.02);
  });

  it("copies large entries by themselves, and deltas that name their bases", async () => {
    const source = newRepository();
    const stream = linear(20);
    stream.commit("refs/heads/main", [{ path: "large.bin", content: noise(700_000, 1) }]);
    source.import(stream);
    const bed = await pushed(source, "--no-delta-base-offset");
    const ordered = await judged(bed, { ...SMALL, heldBytes: 60 });
    expect(ordered.objects).toBe(bed.pack.objects);
  });

  it("leaves a pack as it is that would be read too often, and what completion has appended to", async () => {
    const source = newRepository();
    source.import(linear(30));
    const bed = await pushed(source);
    expect(await order(bed, { ...SMALL, mostRead: 0.9 })).toBeUndefined();
    expect(await order(bed, { ...SMALL, mostReads: 3 })).toBeUndefined();
    const completed = { ...bed.pack, ownObjects: bed.pack.objects - 1 };
    expect(await order({ ...bed, pack: completed })).toBeUndefined();
    expect([...bed.store.storage.files.keys()].filter((key) => key.startsWith("ordered"))).toEqual([]);
    expect(bed.store.memory.bytes).toBe(0);
  });

  it("takes no entry that is damaged, and leaves nothing", async () => {
    const source = newRepository();
    source.import(linear(12));
    const bed = await pushed(source);
    const bytes = bed.store.file(bed.pack, "pack");
    const at = bytes.length - 30;
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    await expect(order(bed)).rejects.toThrow(CorruptStore);
    expect([...bed.store.storage.files.keys()].filter((key) => key.startsWith("ordered"))).toEqual([]);
    expect(bed.store.memory.bytes).toBe(0);
  });
});
