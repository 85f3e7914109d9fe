/**
 * Combining packs, judged by C git: what is stored, how deep its deltas are, and what clones of it get.
 *
 * @module-tag thorough
 */
import { mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { CorruptStore, HostBusy } from "../../../src/bytes/failure.ts";
import { isolateTools } from "../../../src/cloudflare/isolate-tools.ts";
import type { PackRecord } from "../../../src/catalog/pack-record.ts";
import { combinePacks, type CombineInput } from "../../../src/packing/combine-packs.ts";
import { linear, noise, project } from "../../support/git-fixtures.ts";
import { buildPack, commitOf, objectId, treeOf } from "../../support/git-raw.ts";
import { GitRepository } from "../../support/git-repository.ts";
import { settle } from "../../support/memory.ts";
import { KERNEL_MODULE, TINY, TestStore } from "../../support/store.ts";

const repositories: GitRepository[] = [];
afterAll(() => {
  for (const repository of repositories) repository.dispose();
});

function newRepository(...options: readonly string[]): GitRepository {
  const repository = new GitRepository(...options);
  repositories.push(repository);
  return repository;
}

/** What `pack-objects` is told to make thin packs, and to make no deltas, as clients do that know none. */
const THIN = ["--thin"];
const WITHOUT_DELTAS = ["--window=0"];

/** Pushes the history of `main` in portions of `portion` commits. */
async function pushInPortions(
  store: TestStore,
  source: GitRepository,
  portion: number,
  how: readonly string[] = THIN,
): Promise<string> {
  const commits = source.lines(["rev-list", "--reverse", "main"]);
  let before: string | undefined;
  for (let at = portion - 1; at < commits.length + portion - 1; at += portion) {
    const tip = commits[Math.min(at, commits.length - 1)] ?? "";
    const revs = before === undefined ? `${tip}\n` : `${tip}\n^${before}\n`;
    const pack = source.git(
      ["pack-objects", ...how, "--revs", "--delta-base-offset", "--stdout", "-q", "--no-reuse-delta"],
      revs,
    );
    await store.push(pack, [tip]);
    before = tip;
  }
  store.refs.set("refs/heads/main", { oid: before ?? "" });
  return before ?? "";
}

async function combine(
  store: TestStore,
  packs: readonly PackRecord[] = store.packs,
  more: Pick<CombineInput, "seeksDeltas"> = {},
): Promise<PackRecord> {
  const { record } = store.answer(new Uint8Array(0));
  const combined = await combinePacks({ repository: store.repository(), record, packs, packName: "combined", ...more });
  if (combined === undefined) throw new Error("nothing was combined");
  store.packs = [combined, ...store.packs.filter((pack) => !packs.includes(pack))];
  return combined;
}

/** Has C git read a stored pack as a repository's own. */
function opened(store: TestStore, records: readonly PackRecord[]): GitRepository {
  const client = newRepository(...(store.format.name === "sha256" ? ["--object-format=sha256"] : []));
  const packs = join(client.dir, "objects", "pack");
  rmSync(packs, { recursive: true, force: true });
  mkdirSync(packs);
  for (const record of records) {
    for (const extension of ["pack", "rev", "idx"] as const) {
      writeFileSync(join(packs, `pack-${record.checksum}.${extension}`), store.file(record, extension));
    }
  }
  for (const [name, { oid }] of store.refs) client.git(["update-ref", name, oid]);
  return client;
}

function longestChain(client: GitRepository, record: PackRecord): number {
  const lines = client.lines(["verify-pack", "-v", join("objects", "pack", `pack-${record.checksum}.idx`)]);
  return Math.max(0, ...lines.flatMap((line) => /^chain length = (\d+)/.exec(line)?.slice(1).map(Number) ?? []));
}

/** Bytes of a repository's packs once C git has repacked it. */
function repackedBytes(source: GitRepository, ...options: readonly string[]): number {
  source.git(["repack", "-adq", ...options]);
  const packs = join(source.dir, "objects", "pack");
  const sizes = readdirSync(packs).filter((name) => name.endsWith(".pack"));
  return sizes.reduce((sum, name) => sum + statSync(join(packs, name)).size, 0);
}

/** Clones as a client that C git then checks. Returns the number of objects that came. */
async function cloneOf(store: TestStore, tip: string): Promise<number> {
  const pack = await store.fetch({ wants: [tip] });
  const client = newRepository(...(store.format.name === "sha256" ? ["--object-format=sha256"] : []));
  client.git(["index-pack", "--stdin", "--strict"], pack);
  client.git(["rev-list", "--objects", "--quiet", tip]);
  return pack.readUInt32BE(8);
}

describe("combinePacks", () => {
  it.each([
    { format: "sha1", portion: 1 },
    { format: "sha256", portion: 7 },
  ] as const)("makes one pack of pushes of $portion commits that C git takes, in $format", async (options) => {
    const { format, portion } = options;
    const source = newRepository(...(format === "sha256" ? ["--object-format=sha256"] : []));
    source.import(linear(120));
    const store = new TestStore({ ...TINY, format });
    const tip = await pushInPortions(store, source, portion);
    const objects = source.objects("main").length;
    const combined = await combine(store);
    expect(combined).toMatchObject({ objects, ownObjects: objects });
    const client = opened(store, [combined]);
    client.git(["fsck", "--full", "--strict"]);
    expect(longestChain(client, combined)).toBeLessThanOrEqual(51);
    expect(combined.packBytes).toBeLessThan(1.3 * repackedBytes(source));
    expect(await cloneOf(store, tip)).toBe(objects);
  });

  it("leaves the older packs alone that the combined ones build on", async () => {
    const source = newRepository();
    source.import(project(12));
    const store = new TestStore(TINY);
    const tip = await pushInPortions(store, source, 4);
    const [base, ...younger] = store.packs;
    const combined = await combine(store, younger);
    // The trees and blobs that the pushes changed are in the base, too.
    expect(combined.ownObjects).toBeLessThan(combined.objects);
    expect(store.packs.map(({ name }) => name)).toEqual(["combined", base?.name]);
    opened(store, store.packs).git(["fsck", "--full", "--strict"]);
    const alone = opened(store, [combined]);
    alone.git(["verify-pack", join("objects", "pack", `pack-${combined.checksum}.idx`)]);
    expect(await cloneOf(store, tip)).toBe(source.objects("main").length);
    // A clone that goes out by whole packs is right whichever comes first.
    store.packs.reverse();
    expect(await cloneOf(store, tip)).toBe(source.objects("main").length);
  });

  it("reads a run of small entries as one operation, and entries beyond the window by themselves", async () => {
    const large = noise(1_300_000, 3);
    const blobs = [large, ...Array.from({ length: 40 }, (_, i) => noise(900, i + 10))];
    const tree = treeOf(
      ...blobs.map((content, i): [string, string, string] => ["100644", `f${10 + i}`, objectId("blob", content)]),
    );
    const commit = commitOf(objectId("tree", tree));
    const store = new TestStore();
    const tip = objectId("commit", commit);
    await store.push(buildPack(blobs.map((content) => ({ type: "blob", content }))));
    await store.push(
      buildPack([
        { type: "tree", content: tree },
        { type: "commit", content: commit },
      ]),
      [tip],
    );
    store.refs.set("refs/heads/main", { oid: tip });
    store.forget();
    const combined = await combine(store);
    expect(store.cost).toMatchObject({ reads: 5, writes: 3 });
    expect(combined.objects).toBe(blobs.length + 2);
    opened(store, [combined]).git(["fsck", "--full", "--strict"]);
  });

  it("counts what it reads and copies as work, so that it pauses for others", async () => {
    const source = newRepository();
    source.import(linear(40));
    const store = new TestStore(TINY);
    await pushInPortions(store, source, 10);
    const before = store.pacer.steps;
    const { packBytes } = await combine(store);
    // It is read, and written.
    expect(store.pacer.steps - before).toBeGreaterThan(2 * packBytes);
  });

  it("fails where an entry is not what its index says, and leaves no pack that a catalog could name", async () => {
    const source = newRepository();
    source.import(linear(20));
    const store = new TestStore(TINY);
    await pushInPortions(store, source, 5);
    const [, damaged] = store.packs;
    if (damaged === undefined) throw new Error("no second pack");
    const bytes = store.file(damaged, "pack");
    const at = Math.floor(damaged.ownBytes / 2);
    bytes[at] = (bytes[at] ?? 0) ^ 4;
    await expect(combine(store)).rejects.toThrow(CorruptStore);
    expect(store.storage.files.has("combined.idx")).toBe(false);
  });
});

describe("combinePacks with a search for deltas", () => {
  const seeking = { seeksDeltas: true } as const;

  it.each([
    { format: "sha1", history: linear(150), portion: 1 },
    { format: "sha256", history: project(60), portion: 7 },
  ] as const)("makes about what git repack -adf makes of pushes that had no deltas, in $format", async (options) => {
    const { format, history, portion } = options;
    const source = newRepository(...(format === "sha256" ? ["--object-format=sha256"] : []));
    source.import(history);
    const store = new TestStore({ partBytes: 5 * 1024 * 1024, format });
    const tip = await pushInPortions(store, source, portion, WITHOUT_DELTAS);
    const pushed = store.packs.reduce((sum, { packBytes }) => sum + packBytes, 0);
    const objects = source.objects("main");
    const combined = await combine(store, store.packs, seeking);
    expect(combined).toMatchObject({ objects: objects.length, ownObjects: objects.length });
    expect(combined.packBytes).toBeLessThan(pushed);
    expect(combined.packBytes).toBeLessThan(1.3 * repackedBytes(source, "-f"));
    const client = opened(store, [combined]);
    client.git(["fsck", "--full", "--strict"]);
    expect(client.objects(tip)).toEqual(objects);
    expect(longestChain(client, combined)).toBeLessThanOrEqual(50);
    expect(await cloneOf(store, tip)).toBe(objects.length);
  });

  it("builds on the deltas that there are, and makes no chain longer than 50", async () => {
    const source = newRepository();
    source.import(linear(160));
    const store = new TestStore({ partBytes: 5 * 1024 * 1024 });
    const tip = await pushInPortions(store, source, 1, WITHOUT_DELTAS);
    const first = store.packs.slice(0, 90);
    const older = await combine(store, first, seeking);
    store.packs = [older, ...store.packs.filter(({ name }) => name !== older.name)];
    const { record } = store.answer(new Uint8Array(0));
    const input = { repository: store.repository(), record, packs: store.packs, packName: "again", ...seeking };
    const again = await combinePacks(input);
    if (again === undefined) throw new Error("nothing was combined");
    const client = opened(store, [again]);
    client.git(["fsck", "--full", "--strict"]);
    expect(longestChain(client, again)).toBeLessThanOrEqual(50);
    expect(again.packBytes).toBeLessThan(1.3 * repackedBytes(source, "-f"));
    expect(client.objects(tip)).toEqual(source.objects("main"));
  });

  it("makes nothing of an object whose bytes are not those that its name says", async () => {
    const source = newRepository();
    source.import(linear(30));
    const store = new TestStore({ partBytes: 5 * 1024 * 1024 });
    await pushInPortions(store, source, 30, WITHOUT_DELTAS);
    const [damaged] = store.packs;
    if (damaged === undefined) throw new Error("no pack");
    const bytes = store.file(damaged, "pack");
    const at = Math.floor(damaged.ownBytes / 2);
    bytes[at] = (bytes[at] ?? 0) ^ 4;
    await expect(combine(store, store.packs, seeking)).rejects.toThrow(CorruptStore);
    expect(store.storage.files.has("combined.idx")).toBe(false);
  });

  it("leaves large and tiny objects alone, and copies them as they are", async () => {
    const large = noise(700_000, 3);
    const next = Uint8Array.from(large, (byte, i) => (i === 350_000 ? byte ^ 1 : byte));
    const blobs = [large, next, new TextEncoder().encode("a"), new TextEncoder().encode("b")];
    const store = new TestStore();
    for (const content of blobs) await store.push(buildPack([{ type: "blob", content }]));
    const sum = store.packs.reduce((bytes, { packBytes }) => bytes + packBytes - 32, 32);
    expect((await combine(store, store.packs, seeking)).packBytes).toBe(sum);
  });

  it("combines packs without a search where the isolate has no room for one", async () => {
    const source = newRepository();
    source.import(linear(20));
    const store = new TestStore({ partBytes: 5 * 1024 * 1024 });
    const tip = await pushInPortions(store, source, 5, WITHOUT_DELTAS);
    const { record } = store.answer(new Uint8Array(0));
    const busy = async (): Promise<never> => {
      throw new HostBusy("host", 1);
    };
    const repository = { ...store.repository(), kernels: { ...store.kernels, lend: busy, lendSmall: busy } };
    const input = { repository, record, packs: store.packs, packName: "combined", ...seeking };
    const combined = await combinePacks(input);
    if (combined === undefined) throw new Error("nothing was combined");
    const client = opened(store, [combined]);
    client.git(["fsck", "--full", "--strict"]);
    expect(longestChain(client, combined)).toBe(0);
    expect(client.objects(tip)).toEqual(source.objects("main"));
  });
});

describe("combining packs in the memory of an isolate", () => {
  const source = newRepository();
  source.import(linear(30));

  /** Pushes small packs without deltas, into the budget that an isolate has. */
  const tail = async (): Promise<{ store: TestStore; tools: ReturnType<typeof isolateTools> }> => {
    const store = new TestStore();
    await pushInPortions(store, source, 1, WITHOUT_DELTAS);
    return { store, tools: isolateTools(KERNEL_MODULE) };
  };
  type Isolate = Awaited<ReturnType<typeof tail>>;

  const combineIn = async ({ store, tools }: Isolate, seeksDeltas = true): Promise<PackRecord | undefined> => {
    const memory = tools.budget.open("job");
    const { record } = store.answer(new Uint8Array(0));
    const repository = { ...store.repository(), memory, kernels: tools.kernels.for(memory) };
    return await combinePacks({ repository, record, packs: store.packs, packName: "combined", seeksDeltas });
  };

  it("goes on beside requests that hold kernels, and they beside it", async () => {
    const isolate = await tail();
    const { budget, kernels } = isolate.tools;
    const [one, two] = [kernels.for(budget.open("one")), kernels.for(budget.open("two"))];
    const first = await one.lend(20);
    const combined = combineIn(isolate);
    // It must not need the whole isolate: neither does it wait for the first kernel, nor this one for its end.
    const second = await two.lend(20);
    const bytes = (await combined)?.packBytes ?? Number.NaN;
    one.giveBack(first);
    two.giveBack(second);
    const alone = (await combineIn(await tail()))?.packBytes;
    expect(bytes).toBe(alone);
    expect(bytes).toBeLessThan((await combineIn(await tail(), false))?.packBytes ?? 0); // It is there.
    expect(budget.held).toBe(0);
  });

  it("makes no deltas while others wait, and holds nothing while it waits", async () => {
    const isolate = await tail();
    const { budget, kernels } = isolate.tools;
    const full = budget.open("full");
    full.hold(80 * 1024 * 1024);
    const combined = combineIn(isolate);
    const other = kernels.for(budget.open("other"));
    const waiting = other.lend(20);
    await settle();
    expect([budget.waiting, budget.held]).toEqual([2, 80 * 1024 * 1024]);
    full.hold(-60 * 1024 * 1024);
    other.giveBack(await waiting);
    expect(await combined).toBeDefined();
    full.hold(-20 * 1024 * 1024);
    expect(budget.held).toBe(0);
  });
});
