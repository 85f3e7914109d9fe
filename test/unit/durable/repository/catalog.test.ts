import { expect, it } from "vitest";
import { memoryRefStore } from "../../../support/memory-ref-store.ts";
import { create, oid, packRecord, push } from "../../../suites/ref-store.ts";

it("cuts index heads of a large catalog, so that it fits one answer", { tags: "thorough" }, async () => {
  const store = memoryRefStore();
  const indexHead = new Uint8Array(65_536).fill(1);
  const headsOf = async (): Promise<number[]> => {
    const answer = await store.open({ packs: true });
    return answer.kind === "missing" ? [] : answer.packs.map((pack) => pack.indexHead.length);
  };
  for (let index = 0; index < 129; index++) {
    await push(store, [create(`refs/heads/b${index}`, oid(index + 1))], {
      pack: packRecord(`p${index}`, { indexBytes: 1_000_000, indexHead }),
    });
    if (index === 127) expect(new Set(await headsOf())).toEqual(new Set([65_536]));
  }
  expect(new Set(await headsOf())).toEqual(new Set([1032]));
});

it("refuses an index head that is too large for a row", async () => {
  const pack = packRecord("p", { indexHead: new Uint8Array(65_537) });
  await expect(push(memoryRefStore(), [create("refs/heads/a", oid(1))], { pack })).rejects.toThrow(RangeError);
});
