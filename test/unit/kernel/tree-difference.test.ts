/** The differences between trees, against a comparison of lists of entries. */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { toHex } from "../../../src/bytes/hex.ts";
import { testKernel } from "../../support/kernel.ts";

type Entry = { readonly mode: string; readonly name: string; readonly oid: number };

function encode(entries: readonly Entry[], rawSize: number): Buffer {
  return Buffer.concat(
    entries.flatMap(({ mode, name, oid }) => {
      const raw = Buffer.alloc(rawSize, 7);
      raw.writeUInt32BE(oid, 3);
      return [Buffer.from(`${mode} ${name}\0`), raw];
    }),
  );
}

const entry = fc.record({
  mode: fc.constantFrom("100644", "40000", "160000", "100755"),
  name: fc.constantFrom("a", "a.b", "ab", "b", "c", "dir", "dir-", "dir0", "z"),
  oid: fc.nat(5),
});
/** Sorted as git sorts, or in any order. */
const trees = fc.tuple(fc.array(entry, { maxLength: 8 }), fc.boolean()).map(([entries, isSorted]) => {
  const key = ({ mode, name }: Entry): string => (mode === "40000" ? `${name}/` : name);
  return isSorted ? entries.toSorted((a, b) => (key(a) < key(b) ? -1 : 1)) : entries;
});

describe.each([20, 32])("the difference of two trees with names of %i bytes", (rawSize) => {
  const kernel = testKernel({ rawSize });

  function differ(tree: Buffer, base: Buffer): { added: string[]; removed: string[]; isSound: boolean } {
    kernel.memory.fill(0xff, kernel.ringAt, kernel.ringAt + 4096);
    const at = kernel.ringAt + 16;
    const baseAt = at + tree.length + 64;
    kernel.memory.set(tree, at);
    kernel.memory.set(base, baseAt);
    const added: string[] = [];
    const removed: string[] = [];
    const isSound = kernel.difference.list(
      { at, length: tree.length },
      { at: baseAt, length: base.length },
      (index, isRemoved) => {
        const place = kernel.oidAt(index);
        (isRemoved ? removed : added).push(toHex(kernel.memory, place, place + rawSize));
      },
    );
    return { added, removed, isSound };
  }

  const names = (bytes: Buffer): string[] => differ(bytes, Buffer.alloc(0)).added.sort();

  it("makes the one of the other, whether they are sorted or not", () => {
    fc.assert(
      fc.property(trees, trees, (tree, base) => {
        const [bytes, baseBytes] = [encode(tree, rawSize), encode(base, rawSize)];
        const { added, removed, isSound } = differ(bytes, baseBytes);
        expect(isSound).toBe(true);
        const made = names(baseBytes);
        for (const name of removed) made.splice(made.indexOf(name), 1);
        expect([...made, ...added].sort()).toEqual(names(bytes));
        expect(names(bytes)).toHaveLength(tree.filter(({ mode }) => mode !== "160000").length);
      }),
      { numRuns: 400 },
    );
  });

  it("is nothing where both are the same, and little where one entry was changed", () => {
    const long = Array.from({ length: 40_000 }, (_, i) => ({
      mode: "100644",
      name: `file-${String(i).padStart(6, "0")}`,
      oid: i,
    }));
    const big = testKernel({ rawSize, ringBytes: 8 << 20 });
    const [one, other] = [long, long.map((each, i) => (i === 777 ? { ...each, oid: 90_000 } : each))];
    const at = { at: big.ringAt, length: 0 };
    const list = (tree: readonly Entry[], base: readonly Entry[]): number[] => {
      const [bytes, baseBytes] = [encode(tree, rawSize), encode(base, rawSize)];
      big.memory.set(bytes, at.at);
      big.memory.set(baseBytes, at.at + bytes.length);
      const counts = [0, 0];
      const places = [
        { at: at.at, length: bytes.length },
        { at: at.at + bytes.length, length: baseBytes.length },
      ] as const;
      big.difference.list(...places, (_, isRemoved) => {
        counts[isRemoved ? 1 : 0] = (counts[isRemoved ? 1 : 0] ?? 0) + 1;
      });
      return counts;
    };
    expect(list(one, one)).toEqual([0, 0]);
    expect(list(one, other)).toEqual([1, 1]);
    expect(list(one, [])).toEqual([40_000, 0]);
    expect(list([], one)).toEqual([0, 40_000]);
  });

  it("is refused of a tree that is cut short", () => {
    const bytes = encode([{ mode: "100644", name: "name", oid: 1 }], rawSize);
    for (let length = 1; length < bytes.length; length++) {
      expect(differ(bytes.subarray(0, length), bytes).isSound).toBe(false);
      expect(differ(bytes, bytes.subarray(0, length)).isSound).toBe(false);
    }
  });
});
