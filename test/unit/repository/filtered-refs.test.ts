/** Refs that a filter hides, asked for in every way that a snapshot can be asked. */
import { describe, expect, it } from "vitest";
import { fromHex } from "../../../src/bytes/hex.ts";
import { filteredRefs } from "../../../src/cloudflare/filtered-refs.ts";
import { SHOWS_ALL } from "../../../src/refs/ref-filter.ts";
import { decodeRefRows } from "../../../src/refs/ref-rows.ts";
import { create, CREATION, oid } from "../../suites/ref-store.ts";
import { memoryRefStore, type MemoryRefStore } from "../../support/memory-ref-store.ts";

const HIDDEN = "refs/hidden/main";

async function prepared(): Promise<MemoryRefStore> {
  const store = memoryRefStore();
  const made = await store.create({ ...CREATION, head: HIDDEN });
  if (made.kind !== "created") throw new Error(made.kind);
  const updates = [create("refs/heads/main", oid(1)), create(HIDDEN, oid(2))];
  await store.commitPush({
    id: made.record.id,
    updates,
    atomic: false,
    actor: "t",
    pusher: {},
    signed: false,
    pushOptions: [],
  });
  return store;
}

describe("filteredRefs", () => {
  it("hides refs from lists, by name, as wants and as HEAD", async () => {
    const store = filteredRefs(await prepared(), (name) => !name.startsWith("refs/hidden/"));
    const wants = Buffer.concat([fromHex(oid(1)) ?? [], fromHex(oid(2)) ?? []].map((name) => Buffer.from(name)));
    const names = async (asked: Parameters<typeof store.open>[0]): Promise<string[]> => {
      const answer = await store.open(asked);
      return answer.kind === "found" ? Array.from(decodeRefRows(answer.refs, 20), ({ name }) => name) : [];
    };
    expect(await names({ refPrefixes: [] })).toEqual(["refs/heads/main"]);
    expect(await names({ refPrefixes: ["refs/hidden/"] })).toEqual([]);
    expect(await names({ refNames: [HIDDEN, "refs/heads/main"] })).toEqual(["refs/heads/main"]);
    const answer = await store.open({ wants, wantRefs: [HIDDEN, "HEAD", "refs/heads/main"] });
    expect(answer).toMatchObject({ kind: "found", wantedRefs: ["", "", oid(1)], uncoveredTips: 0 });
    expect(answer.kind === "found" && [...answer.wantIsTip]).toEqual([1, 0, 1]);
    expect(answer).not.toHaveProperty("headOid");
  });

  it("returns the store itself if the filter shows all refs", async () => {
    const store = await prepared();
    expect(filteredRefs(store, SHOWS_ALL)).toBe(store);
  });
});
