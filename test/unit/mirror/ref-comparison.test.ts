import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compareRefs, RefList } from "../../../src/mirror/ref-comparison.ts";
import { objectFormat } from "../../../src/object/object-id.ts";

const format = objectFormat("sha1");
const value = (number: number): Uint8Array => new Uint8Array(format.rawSize).fill(number);
const refs = fc.dictionary(
  fc.constantFrom("refs/a", "refs/b", "refs/b/c", "refs/Ä", "refs/\u{10000}", "refs/\uFFFF"),
  fc.nat(2),
);

describe("compareRefs", () => {
  it("finds every ref that differs, whatever the upstream's order", () => {
    fc.assert(
      fc.property(refs, refs, fc.boolean(), (ours, theirs, reversed) => {
        const mine = new RefList(format, 100);
        for (const [name, number] of Object.entries(ours)) mine.add(name, value(number));
        const others = new RefList(format, 100);
        const entries = Object.entries(theirs);
        for (const [name, number] of reversed ? entries.toReversed() : entries) others.add(name, value(number));
        const found = [...compareRefs(mine, others)].map(({ name, ours: old, theirs: fresh }) => [
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
