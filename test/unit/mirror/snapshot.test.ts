/** The snapshot of a mirror's readers against the Durable Object's own answers: they have to be the same. */
import { beforeAll, describe, expect, it, vi } from "vitest";
import { fromHex } from "../../../src/bytes/hex.ts";
import { atOnce } from "../../../src/bytes/pacer.ts";
import { decodeSnapshot, encodeSnapshot, needsSnapshot, openSnapshotInParts } from "../../../src/mirror/snapshot.ts";
import { decodeRefRows, encodeRefRows } from "../../../src/refs/ref-rows.ts";
import type { OpenSnapshot, OpenRequest } from "../../../src/refs/ref-store.ts";
import { create, oid, packRecord, push } from "../../suites/ref-store.ts";
import { memoryRefStore, type MemoryRefStore } from "../../support/memory-ref-store.ts";

const raw = (...hex: string[]): Uint8Array => fromHex(hex.join("")) ?? new Uint8Array(0);

let store: MemoryRefStore;
let all: OpenSnapshot;

async function opened(request: OpenRequest): Promise<OpenSnapshot> {
  const answer = await store.open(request);
  if (answer.kind === "missing") throw new Error("missing");
  return answer;
}

beforeAll(async () => {
  store = memoryRefStore(() => 1000);
  await push(
    store,
    [
      create("refs/heads/main", oid(1)),
      create("refs/heads/a", oid(2)),
      create("refs/heads/b", oid(2)),
      create("refs/heads/\u{1F600}", oid(5)),
      { ...create("refs/tags/v1", oid(3)), peeled: oid(4) },
    ],
    { pack: packRecord("one", { kinds: new Uint8Array([1, 2, 3]) }) },
  );
  await push(store, [create("refs/heads/c", oid(6))], { pack: packRecord("two") });
  all = await opened({ packs: true, refPrefixes: [] });
});

describe.each([1_000_000, 100])("a mirror's snapshot in pieces of %i bytes", (pieceBytes) => {
  it.each<OpenRequest>([
    { packs: true },
    { refPrefixes: [] },
    { refPrefixes: ["refs/tags/", "refs/heads/a", "refs/heads/"] },
    { refPrefixes: ["refs/nothing/"] },
    { refPrefixes: ["refs/tags/"], refNames: ["refs/heads/main", "refs/heads/none"] },
    { wants: raw(oid(1), oid(4), oid(9), oid(1)) },
    { wants: raw(oid(1), oid(2), oid(3), oid(5), oid(6)), packs: true },
    { wants: raw(oid(2)), wantRefs: ["refs/heads/main", "HEAD", "refs/heads/none"] },
  ])("answers %o as the Durable Object does", async (request) => {
    const { record, version, headOid } = all;
    const pieces = encodeSnapshot(all, pieceBytes);
    expect(pieces.every(({ length }) => length <= pieceBytes)).toBe(true);
    const pointer = { record, version, ...(headOid === undefined ? {} : { headOid }) };
    const answer = atOnce(openSnapshotInParts(pointer, decodeSnapshot(pieces), request));
    const expected = await opened(request);
    const joined = ({ refs, ...rest }: OpenSnapshot): object => ({
      ...rest,
      refs: Buffer.concat(refs).toString("hex"),
    });
    expect(joined(answer)).toEqual(joined(expected));
  });
});

describe("a mirror's snapshot", () => {
  it("is not needed for a request that the pointer alone can answer", () => {
    expect(needsSnapshot({})).toBe(false);
    expect(needsSnapshot({ refPrefixes: [] })).toBe(true);
    expect(needsSnapshot({ packs: true })).toBe(true);
  });

  it("is refused if it is cut off", () => {
    const [whole = new Uint8Array(0)] = encodeSnapshot(all, 1_000_000);
    expect(() => decodeSnapshot([whole.subarray(0, whole.length - 1)])).toThrow(/cut off/);
  });
});

describe("a mirror's snapshot of very many refs", () => {
  const MANY = 5000;
  const name = (at: number): string => `refs/heads/${String(at).padStart(6, "0")}`;
  const refs = encodeRefRows(Array.from({ length: MANY }, (_, at) => ({ name: name(at), oid: raw(oid(at + 1)) })));

  it.each<[OpenRequest, refs: number, tips: number]>([
    [{ refPrefixes: ["refs/heads/00", "refs/heads/004"] }, MANY, 0],
    [{ refPrefixes: ["refs/heads/0001"] }, 100, 0],
    [{ refNames: [name(1), name(MANY - 1)] }, 2, 0],
    [{ wants: raw(oid(7), oid(MANY)), wantRefs: [name(0)] }, 0, 3],
  ])("is looked at in parts for %o", (request, count, tips) => {
    const { record, version } = all;
    const parts = openSnapshotInParts({ record, version }, { refs, tips: MANY, packs: [] }, request);
    let [steps, most] = [0, 0];
    let next = parts.next();
    for (; next.done !== true; next = parts.next()) [steps, most] = [steps + next.value, Math.max(most, next.value)];
    expect([...decodeRefRows(next.value.refs, 20)]).toHaveLength(count);
    expect(next.value.wantIsTip.reduce((sum, each) => sum + each, 0)).toBe(tips);
    expect(steps).toBeGreaterThan(MANY * 90);
    expect(most).toBeLessThan(200_000);
  });

  it.each(["", "\\%C3"])("has each name compared with few of very many prefixes, which end in '%s'", (end) => {
    const { record, version } = all;
    const prefixes = Array.from({ length: 500 }, (_, at) => `refs/heads/x${at}${end}`);
    const request = { refPrefixes: [...prefixes, "refs/heads/00000", "refs/heads/000001"] };
    const comparisons = vi.spyOn(String.prototype, "startsWith");
    let steps = 0;
    try {
      const parts = openSnapshotInParts({ record, version }, { refs, tips: MANY, packs: [] }, request);
      let next = parts.next();
      for (; next.done !== true; next = parts.next()) steps += next.value;
      expect([...decodeRefRows(next.value.refs, 20)]).toHaveLength(10);
      expect(comparisons.mock.calls.length).toBeLessThan(2 * (MANY + prefixes.length));
    } finally {
      comparisons.mockRestore();
    }
    expect(steps).toBeLessThan(500 * (MANY + prefixes.length));
  });
});
