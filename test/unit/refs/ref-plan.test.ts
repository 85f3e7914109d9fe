import { describe, expect, it } from "vitest";
import { atOnce } from "../../../src/bytes/pacer.ts";
import { namedRefState, newValueOf, planInParts } from "../../../src/refs/ref-plan.ts";
import type { RefRule } from "../../../src/refs/ref-policy.ts";
import type { RefUpdate } from "../../../src/refs/ref-update.ts";

const ZERO = "0".repeat(40);
const A = "a".repeat(40);
const B = "b".repeat(40);
const POLICY = { head: "refs/heads/main", readOnly: false, atomic: false, rules: [], pusher: {}, forwardKnown: false };

const update = (name: string, oldOid: string, newOid: string): RefUpdate => ({ name, oldOid, newOid, forward: true });

function plan(updates: readonly RefUpdate[], values: readonly string[], policy = POLICY): string[] {
  const state = namedRefState(
    updates.map(({ name }) => name),
    values,
  );
  return atOnce(planInParts(updates, policy, state)).map((outcome) =>
    outcome.kind === "ok" ? "ok" : outcome.why.kind,
  );
}

describe("the plan of a push's ref updates", () => {
  it("refuses commands by the values that the push got when it began", () => {
    const updates = [
      update("refs/heads/new", ZERO, A),
      update("refs/heads/there", ZERO, A),
      update("refs/heads/moved", A, B),
      update("refs/heads/stale", A, B),
      update("refs/heads/main", A, ZERO),
    ];
    expect(plan(updates, ["", B, A, B, A])).toEqual(["ok", "exists", "ok", "stale", "delete-current"]);
  });

  it("refuses everything in a read-only repository", () => {
    expect(plan([update("refs/heads/a", ZERO, A)], [""], { ...POLICY, readOnly: true })).toEqual(["read-only"]);
  });

  it("refuses the rest of an atomic push, and keeps the reason of commands that fail by themselves", () => {
    const updates = [update("refs/heads/a", ZERO, A), update("refs/heads/b", A, B), update("refs/heads/c", ZERO, A)];
    expect(plan(updates, ["", B, ""], { ...POLICY, atomic: true })).toEqual(["atomic", "stale", "atomic"]);
  });

  it("finds conflicts between a push's own commands, before it asks the store", () => {
    const updates = [
      update("refs/heads/a", A, ZERO),
      update("refs/heads/a/b", ZERO, A),
      update("refs/heads/a/b/c", ZERO, A),
      update("refs/heads/a/bc", ZERO, A),
    ];
    expect(plan(updates, [A, "", "", ""])).toEqual(["ok", "ok", "directory-conflict", "ok"]);
  });

  it("tells the steps of each command, which are more where rules are compared with its name", () => {
    const updates = [update("refs/heads/a", ZERO, A), update(`refs/heads/${"b".repeat(1600)}`, ZERO, A)];
    const rule = { pattern: "*x*", allowForcePush: false, allowDeletion: false, requireSigned: false };
    const state = namedRefState([], []);
    const steps = (rules: readonly RefRule[]): number[] => [...planInParts(updates, { ...POLICY, rules }, state)];
    const [short = 0, long = 0] = steps([rule, rule]);
    expect(steps([])).toHaveLength(2);
    expect(long).toBeGreaterThan(short + 3000);
  });

  it("plans 100,000 creations", { tags: "thorough" }, () => {
    const updates = Array.from({ length: 100_000 }, (_, index) =>
      update(`refs/heads/${index % 300}/x/${index}`, ZERO, A),
    );
    const absent = updates.map(() => "");
    expect(new Set(plan(updates, absent))).toEqual(new Set(["ok"]));
  });

  it("finds the new value of a ref, and none for a ref that is deleted or left alone", () => {
    const updates = [
      update("refs/heads/main", A, B),
      update("refs/heads/gone", A, ZERO),
      update("refs/heads/new", ZERO, A),
    ];
    const values = ["refs/heads/main", "refs/heads/gone", "refs/heads/new", "refs/heads/none"].map(
      (name) => newValueOf(updates, name)?.[0],
    );
    expect(values).toEqual([0xbb, undefined, 0xaa, undefined]);
  });
});
