/** What an isolate remembers of a repository's packs, and how little the object then has to tell. */
import { serialize } from "node:v8";
import { expect, it } from "vitest";
import { openWhole } from "../../../src/cloudflare/durable-refs.ts";
import { PackMemory } from "../../../src/cloudflare/known-packs.ts";
import type { OpenPage } from "../../../src/durable/repository/open-page.ts";
import type { OpenRequest, OpenSnapshot } from "../../../src/refs/ref-store.ts";
import type { PackRecord } from "../../../src/catalog/pack-record.ts";
import { BlockCache } from "../../../src/store/block-cache.ts";
import { create, createdRecord, move, oid, packRecord, push } from "../../suites/ref-store.ts";
import { type MemoryRefStore, memoryRefStore } from "../../support/memory-ref-store.ts";

const KIB = 1024;
const MAIN = "refs/heads/main";

/** A reader in an isolate of its own; `told` is what the object's last answer weighed. */
class Isolate {
  readonly cache: BlockCache;
  readonly #memory: PackMemory;
  readonly #store: MemoryRefStore;
  told = 0;
  /** The packs that the last question named. */
  named: readonly string[] = [];

  constructor(store: MemoryRefStore, cacheBytes = 8 * KIB * KIB) {
    this.#store = store;
    this.cache = new BlockCache({ files: cacheBytes, blocks: 0 });
    this.#memory = new PackMemory(this.cache);
  }

  async open(request: OpenRequest = { packs: true }): Promise<OpenSnapshot> {
    const page = async (after?: string, knows?: readonly string[]): Promise<OpenPage> => {
      this.named = knows ?? [];
      const answer = this.#store.database.open(request, after, knows);
      this.told = serialize(answer).length;
      return answer;
    };
    const found = await openWhole(request, page, { key: "acme/repo", packs: this.#memory });
    if (found.kind === "missing") throw new Error("missing");
    return found;
  }
}

/** A pack of the tail, of some bytes. */
function tailPack(name: string, bytes = 3000): PackRecord {
  return {
    ...packRecord(name),
    packBytes: bytes,
    indexBytes: 1100,
    indexHead: new Uint8Array(1100).fill(name.length),
    kinds: new Uint8Array([1, 2, 3]),
    tail: new Uint8Array(bytes).fill(name.charCodeAt(0)),
  };
}

async function everythingOf(store: MemoryRefStore): Promise<readonly PackRecord[]> {
  const found = await store.open({ packs: true });
  return found.kind === "missing" ? [] : found.packs;
}

it("is told of a pack once, whatever else happens", async () => {
  const store = memoryRefStore(() => 1000, 60_000);
  const isolate = new Isolate(store);
  await push(store, [create(MAIN, oid(1))], { pack: tailPack("a") });
  await isolate.open();
  for (let n = 2; n < 40; n++) {
    await push(store, [move(MAIN, oid(n - 1), oid(n), true)], { pack: tailPack(`a${n}`) });
    expect((await isolate.open()).packs).toEqual(await everythingOf(store));
    // One pack of 4 KB, whatever went before.
    expect(isolate.told).toBeLessThan(7 * KIB);
  }
  // A mark that is lost is told without the rest.
  await push(store, [move(MAIN, oid(39), oid(1), false)]);
  const { packs } = await isolate.open();
  expect(packs).toEqual(await everythingOf(store));
  expect(isolate.told).toBeLessThan(3 * KIB);
});

it("is told little of a repository after 2000 pushes, or with 20,000 refs", { tags: "thorough" }, async () => {
  const store = memoryRefStore(() => 1000, 60_000);
  const isolate = new Isolate(store);
  await push(store, [create(MAIN, oid(1))], { pack: tailPack("p1") });
  const { id } = await createdRecord(store);
  await isolate.open();
  const first = isolate.told;
  for (let n = 2; n <= 2000; n++) {
    await push(store, [move(MAIN, oid(n - 1), oid(n), true)], { pack: tailPack(`p${n}`) });
    if (n % 100 > 0) continue;
    // What publishing does, and then maintenance.
    const packs = await everythingOf(store);
    await store.leasePacks(id, [`r${n}`]);
    const { tail: _, ...rolled } = { ...tailPack(`r${n}`), source: "repack" as const };
    expect(await store.replacePacks({ id, added: [rolled], replaced: packs.map(({ name }) => name) })).toEqual({
      kind: "done",
    });
  }
  await push(
    store,
    Array.from({ length: 20_000 }, (_, n) => create(`refs/tags/t${n}`, oid(n + 1))),
  );
  expect((await isolate.open()).packs).toEqual(await everythingOf(store));
  expect(isolate.told).toBeLessThanOrEqual(first);
  await isolate.open({ packs: true, wants: new Uint8Array(20), haves: new Uint8Array(20 * 256) });
  expect(isolate.told).toBeLessThan(4 * KIB);
});

it("asks again for what its cache has evicted", async () => {
  const store = memoryRefStore(() => 1000, 60_000);
  const isolate = new Isolate(store, 10 * KIB);
  await push(store, [create(MAIN, oid(1))], { pack: tailPack("a") });
  for (let n = 2; n < 12; n++) {
    await push(store, [move(MAIN, oid(n - 1), oid(n), true)], { pack: tailPack(`a${n}`) });
    const { packs } = await isolate.open();
    expect(packs.map(({ name, tail }) => [name, tail])).toEqual(
      (await everythingOf(store)).map(({ name, tail }) => [name, tail]),
    );
  }
});

it("knows nothing of another repository that has the name now", async () => {
  const store = memoryRefStore(() => 1000, 60_000);
  const isolate = new Isolate(store);
  await push(store, [create(MAIN, oid(1))], { pack: tailPack("a") });
  await isolate.open();
  await store.remove();
  await push(store, [create(MAIN, oid(2))], { pack: tailPack("b") });
  expect((await isolate.open()).packs.map(({ name }) => name)).toEqual(["b"]);
});

it("names no packs of a private repository for somebody who may read public ones only", async () => {
  const store = memoryRefStore(() => 1000, 60_000);
  const isolate = new Isolate(store);
  const stranger: OpenRequest = { packs: true, publicOnly: true };
  await push(store, [create(MAIN, oid(1))], { pack: tailPack("a") });
  await store.change({ visibility: "private" });
  await isolate.open();
  await isolate.open();
  expect(isolate.named).toEqual(["a"]);
  await expect(isolate.open(stranger)).rejects.toThrow("missing");
  expect(isolate.named).toEqual([]);
  // What is public is told again, once.
  await store.change({ visibility: "public" });
  for (const named of [[], ["a"]]) {
    expect((await isolate.open(stranger)).packs).toEqual(await everythingOf(store));
    expect(isolate.named).toEqual(named);
  }
  // Where another isolate has hidden it, that is found out at once.
  await store.change({ visibility: "private" });
  for (const named of [["a"], []]) {
    await expect(isolate.open(stranger)).rejects.toThrow("missing");
    expect(isolate.named).toEqual(named);
  }
});

it("is told as little of 20 large packs and 20,000 refs as of few", async () => {
  const store = memoryRefStore(() => 1000);
  const large = (name: string): PackRecord => ({
    ...packRecord(name),
    objects: 40_000,
    ownObjects: 40_000,
    indexBytes: 1_200_000,
    indexHead: new Uint8Array(64 * KIB).fill(name.length),
    kinds: new Uint8Array(10_000).fill(1),
  });
  for (let n = 0; n < 20; n++) await push(store, [create(`refs/heads/${n}`, oid(n + 1))], { pack: large(`pack-${n}`) });
  const isolate = new Isolate(store);
  // The first time, each pack comes with the beginning of its index and the types of its objects: almost 74 KiB.
  await isolate.open();
  expect(isolate.told).toBeGreaterThan(20 * 73 * KIB);
  await isolate.open();
  const few = isolate.told;
  expect(few).toBeLessThan(4 * KIB);
  const many = Array.from({ length: 20_000 }, (_, n) => create(`refs/many/${n}`, oid(n + 1)));
  await push(store, many);
  await isolate.open();
  expect(Math.abs(isolate.told - few)).toBeLessThan(64);
});
