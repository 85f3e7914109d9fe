import { describe, expect, it } from "vitest";
import { ObjectRejected } from "../../../src/bytes/failure.ts";
import { PathHashes } from "../../../src/packing/path-hashes.ts";
import { treeOf } from "../../support/git-raw.ts";

const oid = (slot: number): string => slot.toString(16).padStart(40, "0");
const slotOf = (name: Uint8Array): number => name[19] ?? -1;
const newHashes = (): PathHashes => new PathHashes(64, 20, (name) => (slotOf(name) < 64 ? slotOf(name) : -1));

describe("PathHashes", () => {
  it("tells versions of a file by their path, and files of the same name by that", () => {
    const hashes = newHashes();
    hashes.addTree(1, treeOf(["40000", "a", oid(2)], ["40000", "b", oid(3)]));
    hashes.addTree(2, treeOf(["100644", "file", oid(10)]));
    hashes.addTree(3, treeOf(["100644", "file", oid(11)], ["100644", "other", oid(12)]));
    // The next commit has a new version of each directory and file.
    hashes.addTree(4, treeOf(["40000", "a", oid(5)], ["40000", "b", oid(3)]));
    hashes.addTree(5, treeOf(["100644", "file", oid(13)]));
    expect(hashes.pathOf(13)).toBe(hashes.pathOf(10));
    expect(hashes.pathOf(5)).toBe(hashes.pathOf(2));
    expect(hashes.nameOf(11)).toBe(hashes.nameOf(10));
    expect(hashes.pathOf(11)).not.toBe(hashes.pathOf(10));
    expect(hashes.nameOf(12)).not.toBe(hashes.nameOf(10));
    expect(hashes.nameOf(20)).toBe(0);
  });

  it("passes over what a tree has in common with an earlier one, and over commits of other repositories", () => {
    const asked: number[] = [];
    const hashes = new PathHashes(64, 20, (name) => {
      asked.push(slotOf(name));
      return slotOf(name);
    });
    const files = Array.from({ length: 9 }, (_, i): [string, string, string] => ["100644", `f${i}`, oid(10 + i)]);
    hashes.addTree(1, treeOf(...files));
    expect(asked).toHaveLength(9);
    hashes.addTree(2, treeOf(...files.slice(0, 4), ["100644", "f4", oid(30)], ...files.slice(5)));
    expect(asked.slice(9)).toEqual([30]);
    hashes.addTree(3, treeOf(["160000", "module", oid(40)]));
    expect(hashes.nameOf(40)).toBe(0);
  });

  it("refuses what is no tree", () => {
    expect(() => newHashes().addTree(1, new TextEncoder().encode("no tree"))).toThrow(ObjectRejected);
  });
});
