import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Pacer } from "../../../src/bytes/pacer.ts";
import { compareRefs, RefList } from "../../../src/mirror/ref-comparison.ts";
import { objectFormat } from "../../../src/object/object-id.ts";

const format = objectFormat("sha1");
const idle = (): Pacer => new Pacer(async () => undefined);
const value = (number: number): Uint8Array => new Uint8Array(format.rawSize).fill(number);
const refs = fc.dictionary(
  fc.constantFrom(
    "refs/a",
    "refs/b",
    "refs/\\%FF",
    "refs/\\%FF/a",
    "refs/\\%E9",
    "refs/b/c",
    "refs/Ä",
    "refs/\u{10000}",
    "refs/\uFFFF",
  ),
  fc.nat(2),
);

describe("compareRefs", () => {
  it("finds every ref that differs, whatever the upstream's order", async () => {
    await fc.assert(
      fc.asyncProperty(refs, refs, fc.boolean(), async (ours, theirs, reversed) => {
        const mine = new RefList(format, 100);
        for (const [name, number] of Object.entries(ours)) mine.add(name, value(number));
        const others = new RefList(format, 100);
        const entries = Object.entries(theirs);
        for (const [name, number] of reversed ? entries.toReversed() : entries) others.add(name, value(number));
        const sides = [await mine.sorted(idle()), await others.sorted(idle())] as const;
        const found = (await compareRefs(...sides, idle())).map(({ name, ours: old, theirs: fresh }) => [
          name,
          old?.[0],
          fresh?.[0],
        ]);
        const names = new Set([...Object.keys(ours), ...Object.keys(theirs)]);
        const expected = [...names]
          .filter((name) => ours[name] !== theirs[name])
          .map((name) => [name, ours[name], theirs[name]]);
        expect(found).toHaveLength(expected.length);
        expect(found).toEqual(expect.arrayContaining(expected));
      }),
    );
  });
});

describe("RefList", () => {
  it("takes refs up to its bound, and refuses more", () => {
    const list = new RefList(format, 1);
    list.add("refs/a", value(1));
    expect(() => list.add("refs/b", value(1))).toThrow("more than 1 refs");
  });
});

describe("refs in any order", () => {
  /** Names as a hostile upstream chooses them: long ones, of one beginning, that are no UTF-8. */
  const named = (number: number): string => `refs/heads/${"a".repeat(1000)}\\%FF/${(number * 7919) % 3000}`;

  it("are sorted and compared in many turns", async () => {
    let turns = 0;
    const pacer = new Pacer(async () => void turns++);
    const list = new RefList(format, 3000);
    for (let number = 0; number < 3000; number++) list.add(named(number), value(1));
    const sorted = await list.sorted(pacer);
    // Each of 3000 names is compared some twelve times, at 200 steps.
    expect(turns).toBeGreaterThan(2);
    const names = Array.from(sorted, ({ name }) => name);
    expect(names).toEqual(Array.from({ length: 3000 }, (_, number) => named(number)).toSorted());
    turns = 0;
    expect(await compareRefs([], sorted, pacer)).toHaveLength(3000);
    expect(pacer.steps).toBeGreaterThan(3_000_000);
  });

  it("count once, by the value that came first", async () => {
    const list = new RefList(format, 3);
    for (const [name, number] of [
      ["refs/b", 1],
      ["refs/a", 2],
      ["refs/b", 3],
    ] as const)
      list.add(name, value(number));
    const sorted = await list.sorted(idle());
    expect(Array.from(sorted, ({ name, oid }) => `${name} ${oid[0]}`)).toEqual(["refs/a 2", "refs/b 1"]);
    expect([...sorted.repeated()]).toEqual(["refs/b"]);
    expect(sorted.firstBelow("refs/")).toBe("refs/a");
  });

  it("are refused where their names together have more characters than an isolate can hold", () => {
    const list = new RefList(format, 100_000);
    const add = (): void => {
      for (let number = 0; number < 40; number++) list.add(`${number}${"x".repeat(1_000_000)}`, value(1));
    };
    expect(add).toThrow("the names of its refs have more than");
  });
});
