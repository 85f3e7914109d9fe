import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { lockProblems } from "../../../scripts/check-lock.ts";

const INTEGRITY = `sha512-${"A".repeat(86)}==`;
const lock = (entry: object): string => JSON.stringify({ packages: { "": {}, "node_modules/a": entry } });

it.each([
  ["nothing but its integrity", { integrity: INTEGRITY }, undefined],
  ["no integrity", {}, "has no SHA-512 integrity"],
  ["a weaker hash", { integrity: "sha1-AAAAAAAAAAAAAAAAAAAAAAAAAAA=" }, "has no SHA-512 integrity"],
  [
    "a place that it comes from",
    { integrity: INTEGRITY, resolved: "https://example.com/a-1.0.0.tgz" },
    "names https://example.com/a-1.0.0.tgz",
  ],
])("a package with %s", (_, entry, problem) => {
  expect(lockProblems(lock(entry))).toEqual(problem === undefined ? [] : [expect.stringContaining(problem)]);
});

it("lockProblems() sees packages", () => {
  expect(lockProblems("{}")).toEqual(["package-lock.json: no package seen"]);
  expect(lockProblems(lock({ link: true }))).toHaveLength(1);
});

it("lockProblems() finds no fault with the project's own lock file", () => {
  expect(lockProblems(readFileSync("package-lock.json", "utf8"))).toEqual([]);
});
