import { describe, expect, it } from "vitest";
import type { RefUpdate } from "../../../src/refs/ref-update.ts";
import { defaultBranchOf } from "../../../src/refs/default-branch.ts";

const ZERO = "0".repeat(40);
const OID = "1".repeat(40);

function creation(name: string, newOid = OID): RefUpdate {
  return { name, oldOid: ZERO, newOid, forward: true };
}

describe("the default branch of a repository made by a push", () => {
  it.each([
    ["the usual one if it is pushed", ["refs/heads/dev", "refs/heads/master", "refs/heads/main"], "refs/heads/main"],
    ["master if there is no main", ["refs/heads/dev", "refs/heads/master"], "refs/heads/master"],
    ["else the first branch", ["refs/tags/v1", "refs/heads/trunk", "refs/heads/dev"], "refs/heads/trunk"],
    ["the usual one if only tags come", ["refs/tags/v1"], "refs/heads/main"],
  ])("is %s", (_title, names, expected) => {
    expect(
      defaultBranchOf(
        names.map((name) => creation(name)),
        "refs/heads/main",
      ),
    ).toBe(expected);
  });

  it("is never one that the push deletes", () => {
    expect(defaultBranchOf([creation("refs/heads/gone", ZERO)], "refs/heads/main")).toBe("refs/heads/main");
  });
});
