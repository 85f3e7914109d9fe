/** The load of `npm run load`, small: it meets no error, and its report says what came of it. */
import { afterAll, expect, it } from "vitest";
import { measureLoad } from "../../scripts/load/measure.ts";
import { GIT_KINDS, OWN_KINDS } from "../../scripts/load/operations.ts";
import { plotLoad } from "../../scripts/load/plot.ts";
import { countErrors, loadTable, memoryGrowth } from "../../scripts/load/table.ts";
import { GitSandbox } from "../support/git-client.ts";

const git = new GitSandbox("load");
afterAll(() => git.close());

it("20 clients meet no error in 20 seconds, and neither do they on C git's server", async () => {
  const report = await measureLoad(git, { clients: 20, seconds: 20, pause: 2 }, () => undefined);
  expect(report.thinpack.errors).toEqual({});
  expect(report.cGit.errors).toEqual({});
  expect(countErrors(report)).toEqual({ thinpack: 0, cGit: 0 });
  expect(Object.keys(report.thinpack.latency).toSorted()).toEqual([...GIT_KINDS, ...OWN_KINDS].toSorted());
  expect(Object.keys(report.cGit.latency).toSorted()).toEqual([...GIT_KINDS].toSorted());
  expect(report.memory.length).toBeGreaterThan(2);
  for (const part of ["bytes", "isolate"] as const) expect(memoryGrowth(report.memory, part)).toBeGreaterThan(0);
  for (const { bytes, isolate } of report.memory.slice(1)) expect(isolate).toBeLessThan(bytes);
  expect(loadTable(report)).toHaveLength(1 + GIT_KINDS.length + OWN_KINDS.length);
  const picture = plotLoad(report);
  expect(picture).not.toMatch(/NaN|Infinity|undefined/);
  expect(picture).toContain("</svg>");
});
