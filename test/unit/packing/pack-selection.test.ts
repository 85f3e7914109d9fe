/** Where the objects that are sent are taken from. */
import { describe, expect, it } from "vitest";
import { buildPack, objectId } from "../../support/git-raw.ts";
import { TestStore } from "../../support/store.ts";

describe("many objects", () => {
  it("that a tip pack has are not looked for in the packs that have them, too", async () => {
    const contents = Array.from({ length: 9000 }, (_, i) => `blob ${i}`);
    const blobs = contents.map((content) => ({ type: "blob", content }) as const);
    const store = new TestStore();
    const large = await store.push(buildPack(blobs));
    const tip = blobs.slice(0, 4500);
    const copy = { ...(await store.push(buildPack(tip))), source: "copy" } as const;
    store.packs = [large, copy];
    store.makeRemote();
    store.setRefs([`refs/tags/other ${objectId("blob", "blob 8999")}`]);
    store.forget();
    const pack = await store.fetch({ wants: tip.map(({ content }) => objectId("blob", content)) });
    expect(pack.readUInt32BE(8)).toBe(tip.length);
    expect(store.log.filter((line) => line.includes(`${large.name}.`))).toEqual([]);
  });
});
