/** Refs that a filter hides, asked for in every way that a snapshot can be asked. */
import { describe, expect, it } from "vitest";
import { fromHex } from "../../../src/bytes/hex.ts";
import { Pacer } from "../../../src/bytes/pacer.ts";
import { filteredRefs } from "../../../src/cloudflare/filtered-refs.ts";
import { historicRefs } from "../../../src/cloudflare/mirror-reader.ts";
import { SHOWS_ALL } from "../../../src/refs/ref-filter.ts";
import { decodeRefRows } from "../../../src/refs/ref-rows.ts";
import type { RefStore } from "../../../src/refs/ref-store.ts";
import { create, CREATION, oid, push } from "../../suites/ref-store.ts";
import { memoryRefStore, type MemoryRefStore } from "../../support/memory-ref-store.ts";

const HIDDEN = "refs/hidden/main";
const nothing = async (): Promise<void> => undefined;

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
    const store = filteredRefs(await prepared(), (name) => !name.startsWith("refs/hidden/"), new Pacer(nothing));
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

  it.each<[string, (store: RefStore, pacer: Pacer) => Pick<RefStore, "open">]>([
    ["a filter", (store, pacer) => filteredRefs(store, (name) => !name.startsWith("refs/hidden/"), pacer)],
    ["an instant", (store, pacer) => historicRefs(store, Date.now() + 1000, pacer)],
  ])("pauses often where very many refs are read through %s with very many prefixes", async (_, through) => {
    const made = await prepared();
    const MANY = 3000;
    await push(
      made,
      Array.from({ length: MANY }, (__, at) => create(`refs/tags/${at}`, oid(at + 1))),
    );
    let pauses = 0;
    const pacer = new Pacer(async () => void pauses++, 100_000);
    const refPrefixes = [...Array.from({ length: 5000 }, (__, at) => `refs/tags/x${at}`), "refs/tags/29"];
    const answer = await through(made, pacer).open({ refPrefixes });
    expect(answer.kind === "found" && [...decodeRefRows(answer.refs, 20)]).toHaveLength(111);
    // All refs are gone through twice, and once for each way in.
    expect(pauses).toBeGreaterThan(5);
    expect(pacer.steps).toBeLessThan(500 * (3 * MANY + refPrefixes.length));
  });

  it("returns the store itself if the filter shows all refs", async () => {
    const store = await prepared();
    expect(filteredRefs(store, SHOWS_ALL, new Pacer(nothing))).toBe(store);
  });
});
