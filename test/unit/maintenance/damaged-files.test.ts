/**
 * Files that only save work, damaged in any way: fetches and logs go on without them, what was found is noted, and maintenance makes
 * them anew.
 *
 * @module-tag thorough
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BrowseSession } from "../../../src/browse/browse-session.ts";
import { CommitLog } from "../../../src/browse/commit-log.ts";
import { BucketUnavailable, CorruptStore } from "../../../src/bytes/failure.ts";
import { Pacer } from "../../../src/bytes/pacer.ts";
import { toHex } from "../../../src/bytes/hex.ts";
import type { HelpingFile } from "../../../src/catalog/damaged-file.ts";
import { PackIndex } from "../../../src/format/pack-index.ts";
import { typesFilter } from "../../../src/graph/object-filter.ts";
import { openObjects } from "../../../src/repository/open-objects.ts";
import { loadPackOrder, ranksOrSorted } from "../../../src/store/pack-order.ts";
import { publish } from "../../../src/maintenance/publish.ts";
import { FixtureStream } from "../../support/git-fixtures.ts";
import { GitRepository } from "../../support/git-repository.ts";
import { MaintainedBed } from "../../support/maintained.ts";
import { pseudoRandom, rawName } from "../../support/store.ts";

type Bytes = Uint8Array<ArrayBuffer>;
type Damage = (bytes: Bytes) => Bytes | undefined;

const HOUR = 60 * 60_000;
const RAW_SIZE = 20;
const MAIN = "refs/heads/main";

/** The file with other bytes at a place. */
function changed(bytes: Bytes, at: number): Bytes {
  const copy = bytes.slice();
  copy[at] = (copy[at] ?? 0) ^ 0x41;
  return copy;
}

/** A changed file whose checksum is right. */
function resealed(bytes: Bytes, at: number): Bytes {
  const copy = changed(bytes, at);
  const end = copy.length - RAW_SIZE;
  copy.set(createHash("sha1").update(copy.subarray(0, end)).digest(), end);
  return copy;
}

const KINDS: Readonly<Record<string, Damage>> = {
  missing: () => undefined,
  empty: () => new Uint8Array(0),
  "cut short": (bytes) => bytes.slice(0, bytes.length / 2),
  "of a wrong checksum": (bytes) => changed(bytes, bytes.length - 1),
  "changed in one byte": (bytes) => changed(bytes, Math.floor(bytes.length / 2)),
  "no file of git's": (bytes) => resealed(bytes, 0),
  "of another version": (bytes) => resealed(bytes, 5),
  "of another pack": (bytes) => resealed(bytes, bytes.length - 2 * RAW_SIZE),
  zeros: (bytes) => new Uint8Array(bytes.length),
};
/** Where a file of bitmaps names its pack. */
const BITMAP_PACK_AT = 12;

const source = new GitRepository();
const bed = new MaintainedBed(source);
const { packs: store } = bed;
const client = new GitRepository();
let half = "";
/** What git says. */
let gits: Readonly<Record<"all" | "withoutBlobs" | "log", readonly string[]>>;

beforeAll(async () => {
  const stream = new FixtureStream();
  for (let n = 0; n < 420; n++)
    stream.commit(MAIN, [{ path: n % 10 === 0 ? "dir/tenth.txt" : `dir/${n % 7}.txt`, content: `${n}\n` }]);
  source.import(stream);
  half = source.oid("main~200");
  gits = {
    all: source.objects(half),
    withoutBlobs: source.lines(["rev-list", "--objects", "--no-object-names", "--filter=blob:none", half]).sort(),
    log: source.lines(["rev-list", "main", "--", "dir/tenth.txt"]),
  };
  bed.tip = source.oid("main");
  await bed.set(MAIN, bed.tip);
  await bed.refs.askForMaintenance(false);
  await bed.settle();
});
afterAll(() => {
  source.dispose();
  client.dispose();
});

/** Has the store serve the catalog as it is, to an isolate that has read nothing. */
async function opened(): Promise<void> {
  const { packs, graphs = [] } = await found();
  store.packs = [...packs];
  store.graphs = graphs;
  store.refs.set(MAIN, { oid: bed.tip });
  store.forget();
}

/** What a fetch brings. */
async function fetched(want: string, filter?: ReturnType<typeof typesFilter>): Promise<string[]> {
  const pack = await store.fetch({ wants: [want], ...(filter === undefined ? {} : { filter }) });
  const name = client.text(["index-pack", "--stdin"], pack).split("\t")[1] ?? "";
  const bytes = readFileSync(join(client.dir, "objects", "pack", `pack-${name}.idx`));
  const index = new PackIndex(bytes, store.format);
  return Array.from({ length: index.count }, (_, position) => toHex(index.nameAt(position)));
}

async function logOf(path: string): Promise<string[]> {
  const session = await BrowseSession.open(store.repository(), store.answer(new Uint8Array(0)));
  try {
    // All requests of the store share a pacer.
    const bounds = { commits: 1000, steps: Number.POSITIVE_INFINITY };
    const log = await CommitLog.start(session, rawName(bed.tip), path, { bounds });
    const listed: string[] = [];
    for (let node = await log.next(); node !== undefined; node = await log.next())
      listed.push(toHex(session.graph.nameOf(node)));
    return listed;
  } finally {
    session.close();
  }
}

/** The order of the first pack, whose entries are sorted if it has no more objects than the bound. */
async function orderOf(sorted: number): Promise<number[]> {
  const [handle] = openObjects(store.repository(), { id: "repository", objectFormat: "sha1" }, store.packs).packs;
  if (handle === undefined) throw new Error("there is no pack");
  const order = await loadPackOrder(handle, store.format, sorted);
  return Array.from({ length: order.count }, (_, rank) => order.positionAt(rank));
}

/** Fetches and looks, and compares all of it with git's. Returns which files were noted. */
async function served(): Promise<string[]> {
  await opened();
  expect(await fetched(half)).toEqual(gits.all);
  await opened();
  expect(await fetched(half, typesFilter("commit", "tree"))).toEqual(gits.withoutBlobs);
  await opened();
  expect(await logOf("dir/tenth.txt")).toEqual(gits.log);
  await opened();
  expect(await orderOf(0)).toEqual(await orderOf(Number.POSITIVE_INFINITY));
  const files = store.damaged.take();
  // The store has an id of its own for what it serves.
  const home = await bed.id();
  await bed.refs.reportDamage(files.map((file) => ({ ...file, home })));
  return files.map(({ extension }) => extension);
}

/** The only file with an extension. */
function fileOf(extension: HelpingFile): { name: string; bytes: Bytes } {
  const [file, ...others] = [...store.storage.files].filter(([name]) => name.endsWith(`.${extension}`));
  if (file === undefined || others.length > 0) throw new Error(`${others.length + 1} files .${extension}`);
  return { name: file[0], bytes: file[1] };
}

function damage(extension: HelpingFile, how: Damage): Bytes {
  const { name, bytes } = fileOf(extension);
  const after = how(bytes);
  if (after === undefined) store.storage.files.delete(name);
  else store.storage.files.set(name, after);
  return bytes;
}

describe.each(["bitmap", "rev", "graph"] as const)("a .%s file", (extension) => {
  it.each(Object.entries(KINDS))("that is %s is done without, and made anew", async (kind, how) => {
    bed.now += 2 * HOUR;
    const isPackOfBitmaps = extension === "bitmap" && kind === "of another pack";
    const before = damage(extension, isPackOfBitmaps ? (bytes) => resealed(bytes, BITMAP_PACK_AT) : how);
    const lost = fileNames(extension);
    expect(new Set(await served())).toEqual(new Set([extension]));
    await bed.refs.askForMaintenance(false);
    const runs = await bed.settle();
    expect(runs.map(({ step, outcome }) => `${step} ${outcome}`)).toEqual([
      extension === "graph" ? "graph done" : "bitmap done",
    ]);
    // Replaced layers lie there for another day.
    for (const name of lost) if (extension === "graph") store.storage.files.delete(name);
    expect(fileOf(extension).bytes).toEqual(before);
  });

  it("is read again once it was made anew", async () => {
    expect(await served()).toEqual([]);
  });
});

function fileNames(extension: HelpingFile): string[] {
  return [...store.storage.files.keys()].filter((name) => name.endsWith(`.${extension}`));
}

describe("a file that is damaged", () => {
  it("is not made again within an hour, whatever readers note", async () => {
    bed.now += 2 * HOUR;
    for (const expected of [["bitmap done"], []]) {
      damage("bitmap", (bytes) => changed(bytes, 100));
      expect(await served()).toContain("bitmap");
      await bed.refs.askForMaintenance(false);
      expect((await bed.settle()).map(({ step, outcome }) => `${step} ${outcome}`)).toEqual(expected);
    }
    bed.now += 2 * HOUR;
    expect(await served()).toContain("bitmap");
    await bed.settle();
    expect(await served()).toEqual([]);
  });

  it("is a reverse index: entries are sorted in counted turns; a bucket that fails is for a retry", async () => {
    await opened();
    const sorted = await orderOf(Number.POSITIVE_INFINITY);
    const { pacer } = store.repository();
    const lostReverse = fileOf("rev").name;
    const whole = damage("rev", () => undefined);
    await opened();
    const before = pacer.steps;
    expect(await orderOf(0)).toEqual(sorted);
    expect(pacer.steps - before).toBeGreaterThan(10 * sorted.length);
    store.damaged.take();
    const read = store.storage.read.bind(store.storage);
    store.storage.read = async (file, offset, length) => {
      if (file.extension === "rev") throw new BucketUnavailable("gives", file.pack, {});
      return await read(file, offset, length);
    };
    await opened();
    await expect(orderOf(0)).rejects.toBeInstanceOf(BucketUnavailable);
    expect(store.damaged.take()).toEqual([]);
    store.storage.read = read;
    store.storage.files.set(lostReverse, whole);
  });

  it.each([0, 1, 4096, 4097, 30_000])("is the reverse index of a pack of %d objects: all are sorted", async (count) => {
    const random = pseudoRandom(count);
    const offsets = Array.from({ length: count }, (_, position) => random(1_000_000) * count + position);
    const { hash } = store.repository();
    let pauses = 0;
    const pacer = new Pacer(async () => void pauses++, 300_000);
    const held: number[] = [0];
    const memory = { hold: (bytes: number) => void held.push((held.at(-1) ?? 0) + bytes) };
    const { ranks, free } = await ranksOrSorted(
      new CorruptStore("gone"),
      { pack: { checksum: "" }, index: { count, offsetAt: (position) => offsets[position] ?? 0 } },
      { format: store.format, hash, pacer, memory, noteDamage: () => undefined },
    );
    const sorted = Array.from({ length: count }, (_, rank) => offsets[ranks.positionOf(rank)]);
    // Two lists while they are sorted, one until it is given back.
    free();
    expect(held).toEqual([0, 8 * count, 4 * count, 0]);
    expect(sorted).toEqual(offsets.toSorted((a, b) => a - b));
    expect(pauses > 3).toBe(count === 30_000);
  });

  it("of another repository, or of no pack of the catalog, is nobody's", async () => {
    const { packs, version } = await found();
    const pack = packs[0]?.name ?? "";
    await bed.refs.reportDamage([
      { home: "another", pack, extension: "bitmap" },
      { home: await bed.id(), pack: "another", extension: "bitmap" },
      { home: await bed.id(), pack: "another", extension: "graph" },
      { home: await bed.id(), pack: "another", extension: "midx" },
    ]);
    expect((await found()).version).toBe(version);
    expect((await found()).packs).toEqual(packs);
  });

  it("is the multi-pack index: it is taken away where git looks for it, and made anew", async () => {
    bed.now += 2 * HOUR;
    const more = source.lines(["commit-tree", "-m", "more", "-p", bed.tip, `${bed.tip}^{tree}`])[0] ?? "";
    source.git(["update-ref", MAIN, more]);
    bed.tip = more;
    await bed.set(MAIN, more);
    const id = await bed.id();
    const row = { packs: (await found()).packs.map(({ name }) => name), objects: 1300, bytes: 10 };
    await bed.refs.leasePacks(id, ["lost"]);
    const request = { id, added: [], replaced: [], multiPackIndex: { ...row, name: "lost" } };
    expect(await bed.refs.replacePacks(request)).toEqual({ kind: "done" });
    const deleted: string[] = [];
    const files = {
      write: async () => undefined,
      copy: async () => false,
      list: async () => ({ files: [] }),
      open: async () => undefined,
      delete: async (names: readonly string[]) => void deleted.push(...names),
    };
    await publish(bed.maintained, () => files, { repository: "acme/repo" });
    expect(deleted).toEqual(["objects/pack/multi-pack-index"]);
    const noted = store.damaged.take();
    expect(noted).toEqual([{ home: id, pack: "lost", extension: "midx" }]);
    await bed.refs.reportDamage(noted);
    expect(await bed.refs.open({ multiPackIndex: true })).toMatchObject({ multiPackIndex: {} });
  });
});

async function found(): Promise<Extract<Awaited<ReturnType<typeof bed.refs.open>>, { kind: "found" }>> {
  const answer = await bed.refs.open({ packs: true });
  if (answer.kind === "missing") throw new Error("missing");
  return answer;
}
