/** A catalog that names packs of another repository: each is read where it lies, and cached under its own repository. */
import { describe, expect, it } from "vitest";
import { Pacer } from "../../../src/bytes/pacer.ts";
import { BlockCache } from "../../../src/store/block-cache.ts";
import { Inflating } from "../../../src/store/inflating.ts";
import { ObjectDatabase } from "../../../src/store/object-database.ts";
import { ObjectReader } from "../../../src/store/object-reader.ts";
import { ObjectRing } from "../../../src/store/object-ring.ts";
import { buildPack, objectId } from "../../support/git-raw.ts";
import { TestStore, nodeHash, rawName } from "../../support/store.ts";

const MIB = 1024 * 1024;

/** A store with one pack of two blobs. */
async function storeOf(...contents: readonly string[]): Promise<TestStore> {
  const store = new TestStore();
  const objects = contents.map((content) => ({ type: "blob" as const, content: Buffer.from(content) }));
  await store.push(buildPack(objects), []);
  return store;
}

describe("ObjectDatabase over packs of two repositories", () => {
  it("reads each pack from its own storage, though their names are the same", async () => {
    const own = await storeOf("one", "two");
    const other = await storeOf("three", "four");
    expect(own.packs.map(({ name }) => name)).toEqual(other.packs.map(({ name }) => name));
    const database = new ObjectDatabase([...own.packs, ...other.packs], {
      pacer: own.pacer,
      cache: new BlockCache({ files: MIB, blocks: MIB }),
      hash: nodeHash,
      format: own.format,
      placeOf: (record) => {
        const home = own.packs.includes(record) ? own : other;
        return { storage: home.counted(), scope: home === own ? "own" : "other" };
      },
    });
    const kernel = await own.kernels.lend(own.format.rawSize);
    const reader = new ObjectReader(
      database,
      new Inflating(kernel, new ObjectRing(kernel.ringAt, kernel.ringBytes), new Pacer(async () => undefined)),
    );
    for (const content of ["one", "three", "two", "four"]) {
      const read = await reader.readCopy(rawName(objectId("blob", Buffer.from(content))));
      expect(Buffer.from(read.bytes).toString()).toBe(content);
    }
    own.kernels.giveBack(kernel);
    expect([own.cost.reads > 0, other.cost.reads > 0]).toEqual([true, true]);
  });
});
