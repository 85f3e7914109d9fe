/** Sizes of many objects at once: C git's, in few storage operations, however the pack lies. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Pacer } from "../../../src/bytes/pacer.ts";
import { fromHex } from "../../../src/bytes/hex.ts";
import { Inflating } from "../../../src/store/inflating.ts";
import { objectSizes } from "../../../src/store/object-sizes.ts";
import { ObjectRing } from "../../../src/store/object-ring.ts";
import { linear, noise } from "../../support/git-fixtures.ts";
import { GitRepository } from "../../support/git-repository.ts";
import { TestStore, pseudoRandom } from "../../support/store.ts";

describe("objectSizes", () => {
  let git: GitRepository;
  let store: TestStore;
  let objects: { name: string; size: number }[] = [];
  beforeAll(async () => {
    git = new GitRepository();
    const stream = linear(300);
    // Three blobs that lie between the others, each more than is read for nothing.
    for (const seed of [1, 2, 3]) {
      stream.commit("refs/heads/main", [{ path: `large-${seed}.bin`, content: noise(3_000_000, seed) }]);
      for (let at = 0; at < 60; at++) {
        stream.commit("refs/heads/main", [{ path: `d${at % 7}/${seed}`, content: noise(3000, 100 * seed + at) }]);
      }
    }
    git.import(stream);
    store = new TestStore();
    await store.push(git.pack(["main~120"], "--delta-base-offset"), [git.oid("main~120")]);
    await store.push(git.pack(["main", "^main~120"]), [git.oid("main")]);
    store.makeRemote();
    objects = git
      .lines(["cat-file", "--batch-all-objects", "--batch-check=%(objectname) %(objectsize)"])
      .map((line) => {
        const [name = "", size] = line.split(" ");
        return { name, size: Number(size) };
      });
  });
  afterAll(() => git.dispose());

  async function sizesOf(names: readonly string[]): Promise<number[]> {
    store.forget();
    const database = store.database();
    const kernel = await store.kernels.lend(store.format.rawSize);
    try {
      const inflating = new Inflating(
        kernel,
        new ObjectRing(kernel.ringAt, kernel.ringBytes),
        new Pacer(async () => undefined),
      );
      const raw = Buffer.concat(names.map((name) => fromHex(name) ?? new Uint8Array(20)));
      return [...(await objectSizes(database, inflating, await database.locate(raw)))];
    } finally {
      store.kernels.giveBack(kernel);
    }
  }

  it("returns git's sizes of all objects, and of some in any order, and -1 for a missing one", async () => {
    expect(objects.length).toBeGreaterThan(1000);
    expect(await sizesOf(objects.map(({ name }) => name))).toEqual(objects.map(({ size }) => size));
    const random = pseudoRandom(5);
    const some = Array.from({ length: 200 }, () => objects[random(objects.length)] ?? { name: "", size: 0 });
    const asked = [...some, { name: "1".repeat(40), size: -1 }];
    expect(await sizesOf(asked.map(({ name }) => name))).toEqual(asked.map(({ size }) => size));
  });

  it("takes one operation per run, and reads little of what lies between", async () => {
    await sizesOf(objects.map(({ name }) => name));
    const reads = store.log.filter((line) => line.startsWith("open "));
    expect(reads.length).toBeGreaterThan(2);
    expect(reads.length).toBeLessThanOrEqual(10);
    // Far less than the ten megabytes of both packs.
    expect(store.cost.bytesRead).toBeLessThan(4_000_000);
  });
});
