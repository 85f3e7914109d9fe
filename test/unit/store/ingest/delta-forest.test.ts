import { array, assert, asyncProperty, nat, property, record, boolean } from "fast-check";
import { describe, expect, it } from "vitest";
import { Pacer } from "../../../../src/bytes/pacer.ts";
import { DeltaForest, hasCycle } from "../../../../src/store/ingest/delta-forest.ts";
import { EntryTable } from "../../../../src/store/ingest/entry-table.ts";

const BLOB = 3;
const OFS = 6;
const REF = 7;

describe("DeltaForest", () => {
  it("returns every delta once, after its base, and keeps a delta that has none", async () => {
    const entry = record({ base: nat({ max: 60 }), type: nat({ max: 3 }), resolved: boolean() });
    const shape = asyncProperty(array(entry, { maxLength: 60 }), async (wanted) => {
      const entries = new EntryTable();
      // the name of entry n is n; there are some names more
      for (const [number, { base, type, resolved }] of wanted.entries()) {
        const isDelta = type > 0;
        const isOfs = type === 1 && number > 0;
        entries.add(number * 10, isDelta ? (isOfs ? OFS : REF) : BLOB, 1);
        if (isDelta) entries.setBase(number, isOfs ? base % number : base);
        const baseIsResolved = isOfs
          ? entries.typeOf(base % number) !== 0
          : base < number && entries.typeOf(base) !== 0;
        if (!isDelta || (resolved && baseIsResolved)) entries.resolve(number, BLOB, 1);
      }
      const names = {
        count: 61,
        entryOf: (name: number): number => (name < entries.count && entries.typeOf(name) !== 0 ? name : -1),
      };
      const unresolved = Array.from({ length: entries.count }, (_, n) => n).filter((n) => entries.typeOf(n) === 0);
      const forest = new DeltaForest(entries, names);
      expect(forest.left).toBe(unresolved.length);
      const given: number[] = [];
      for (;;) {
        const order = await forest.takeReady((number) => entries.baseOf(number), new Pacer(async () => undefined));
        if (order.length === 0) break;
        for (const number of order) {
          expect(entries.typeOf(number)).toBe(0);
          expect(entries.typeOf(entries.baseOf(number))).not.toBe(0);
          entries.resolve(number, BLOB, 1);
          forest.nameIsKnown(number);
          given.push(number);
        }
      }
      expect(forest.left).toBe(unresolved.length - given.length);
      // what is left waits for something that is left, or for nothing that there is
      for (const number of unresolved) {
        if (entries.typeOf(number) !== 0) continue;
        const base = entries.baseOf(number);
        expect(base >= entries.count || entries.typeOf(base) === 0).toBe(true);
        if (entries.packTypeOf(number) === REF) expect(forest.waitedFor()).toContain(base);
      }
    });
    await assert(shape, { numRuns: 300 });
  });

  it("puts very many deltas in order in turns", async () => {
    const bases = 1000;
    const entries = new EntryTable();
    const count = 200_000;
    for (let number = 0; number < count; number++) {
      entries.add(number * 10, number < bases ? BLOB : OFS, 1);
      if (number < bases) entries.resolve(number, BLOB, 1);
      else entries.setBase(number, (number * 7919) % bases);
    }
    let turns = 0;
    const forest = new DeltaForest(entries, { count: 0, entryOf: () => -1 });
    const order = await forest.takeReady((number) => entries.baseOf(number), new Pacer(async () => void turns++));
    expect(order).toHaveLength(count - bases);
    const families = Array.from(order, (number) => entries.baseOf(number));
    expect(families).toEqual(families.toSorted((a, b) => a - b));
    expect(turns).toBeGreaterThan(4);
  });
});

describe("hasCycle", () => {
  it("tells cycles from chains", () => {
    const shape = property(array(nat({ max: 40 }), { maxLength: 40 }), (bases) => {
      const entries = new EntryTable();
      for (const [number, base] of bases.entries()) entries.add(number, base === 40 ? BLOB : REF, 1);
      const ends = (start: number): boolean => {
        let at = start;
        for (let steps = 0; steps <= bases.length; steps++) {
          if (at >= bases.length || !entries.isDelta(at)) return true;
          at = bases[at] ?? -1;
        }
        return false;
      };
      const expected = !bases.every((_, number) => ends(number));
      expect(hasCycle(entries, bases.length, (number) => bases[number] ?? -1)).toBe(expected);
    });
    assert(shape, { numRuns: 500 });
  });
});
