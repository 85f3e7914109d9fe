import { expect, it } from "vitest";
import { applyHunks } from "../../../src/diff/apply-hunks.ts";

it("asks its budget while it looks for the place of a hunk, and not only afterwards", async () => {
  const lines = Array.from({ length: 20_000 }, () => "\n");
  const before = [...lines.slice(0, 10_000), "x\n"];
  const hunk = { oldStart: 2, newStart: 2, before, after: [...before, "y\n"], trailing: 1, line: 1 };
  let steps = 0;
  const count = async (more: number): Promise<void> => {
    steps += more;
    if (steps > 1_000_000) throw new Error("over the budget");
  };
  await expect(applyHunks(lines, [hunk], count)).rejects.toThrow("over the budget");
  expect(steps).toBeLessThan(1_200_000);
});
