/**
 * What a pack's look-ups cost.
 *
 * @module-tag thorough
 */
import { describe, expect, it } from "vitest";
import { READING } from "../../../src/store/reading-policy.ts";
import { buildPack, objectId, type RawEntry } from "../../support/git-raw.ts";
import { rawName, TestStore } from "../../support/store.ts";

/** More objects than an index has that is read whole for a look-up. */
const OBJECTS = Math.ceil(READING.wholeIndexBytes / 28);

describe("the index of a large pack", () => {
  it("is not read again in parts while another request's copy of all of it is in memory", async () => {
    const store = new TestStore();
    const entries = Array.from({ length: OBJECTS }, (_, i): RawEntry => ({
      type: "blob",
      content: Buffer.from(`${i}`),
    }));
    await store.push(buildPack(entries), []);
    const name = rawName(objectId("blob", "7"));
    store.forget();
    await store.database().locate(name);
    expect(store.cost.bytesRead).toBeGreaterThan(0);
    expect(store.cost.bytesRead).toBeLessThan(READING.wholeIndexBytes / 10);
    store.forget();
    await store.database().loadIndexes();
    const { reads } = store.cost;
    const { packs } = await store.database().locate(name);
    expect(packs[0]).toBe(0);
    expect(store.cost.reads).toBe(reads);
  });
});
