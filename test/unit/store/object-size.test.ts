/** What an object's size is read from, against C git's word. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Pacer } from "../../../src/bytes/pacer.ts";
import { fromHex } from "../../../src/bytes/hex.ts";
import { Inflating } from "../../../src/store/inflating.ts";
import { ObjectDatabase } from "../../../src/store/object-database.ts";
import { storedObjectSize } from "../../../src/store/object-size.ts";
import { ObjectRing } from "../../../src/store/object-ring.ts";
import { GitRepository } from "../../support/git-repository.ts";
import { makeHistory } from "../../support/random-history.ts";
import { nodeHash, TestStore } from "../../support/store.ts";

describe("the size of a stored object", () => {
  let git: GitRepository;
  let store: TestStore;
  beforeAll(async () => {
    git = new GitRepository();
    makeHistory(git, 7, { commits: 30 });
    store = new TestStore();
    const tips = git.lines(["for-each-ref", "--format=%(objectname)"]);
    await store.push(git.pack(tips, "--delta-base-offset"), tips);
  });
  afterAll(() => git.dispose());

  it("is what git reports, for deltas and others", async () => {
    const database = new ObjectDatabase(store.packs, {
      placeOf: () => ({ storage: store.counted(), scope: "r" }),
      cache: store.cache,
      hash: nodeHash,
      format: store.format,
      pacer: store.pacer,
    });
    const kernel = await store.kernels.lend(store.format.rawSize);
    const inflating = new Inflating(
      kernel,
      new ObjectRing(kernel.ringAt, kernel.ringBytes),
      new Pacer(async () => undefined),
    );
    const objects = git.lines([
      "cat-file",
      "--batch-check=%(objectname) %(objectsize) %(deltabase)",
      "--batch-all-objects",
    ]);
    expect(objects.length).toBeGreaterThan(100);
    for (const line of objects) {
      const [name = "", size] = line.split(" ");
      const { pack, offset } = await database.offsetOf(fromHex(name) ?? new Uint8Array(0));
      const handle = database.packs[pack];
      if (handle === undefined) throw new Error("no pack");
      const found = await storedObjectSize({ handle, rawSize: store.format.rawSize, inflating }, offset);
      expect(`${name} ${found}`).toBe(`${name} ${size}`);
    }
    store.kernels.giveBack(kernel);
  });
});
