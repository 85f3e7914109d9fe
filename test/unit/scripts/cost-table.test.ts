/** The table of costs, and the benchmark's figures that it is made from. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { FIGURES, pageTable } from "../../../scripts/bench/page.ts";
import type { Measurement } from "../../../scripts/bench/steps.ts";
import { withCosts } from "../../../scripts/cost-table.ts";
import { dollarsPerThousand } from "../../../scripts/prices.ts";
import { readTable, replaceTable } from "../../../scripts/marked-table.ts";
import { PROJECT } from "../../support/git-process.ts";

const page = (name: string): string => readFileSync(join(PROJECT, "docs", name), "utf8");

it("costs follow the benchmark's figures", () => {
  const benchmark = page("benchmark.md");
  const slower = benchmark.replace(/^\| clone \|.*$/m, "| clone | 1 s | | 100 s | | | 1000 · 0 | 2 | 3 |");
  expect(slower).not.toBe(benchmark);
  const row = (text: string): string | undefined => /^\| clone of 318 MB .*$/m.exec(text)?.[0];
  const operating = page("operating.md");
  expect(row(withCosts(operating, benchmark))).toBe(row(operating));
  // 4,000 requests, 5,000 calls, 1,001,000 reads and 100,000 seconds at the platform's prices.
  expect(row(withCosts(operating, slower))).toBe(
    "| clone of 318 MB | 4,000 | 5,000 | 0 · 1,001,000 | 0 | 0 | 100,000 s | **$2.36** |",
  );
  expect(() => withCosts(operating, benchmark.replace("| clone |", "| other |"))).toThrow("no figures of: clone");
});

it("a run of the benchmark writes the page's table", () => {
  const measured = (host: string, step: string, cpu: number, more: Partial<Measurement> = {}): Measurement => ({
    host,
    step,
    wall: cpu * 2,
    cpu,
    ...more,
  });
  const counts = { requests: 2, r2r: 1, r2w: 0, r2b: 9, do: 2, kv: 0, rt: 3, wasm: 0, lines: [] };
  const table = pageTable([
    measured("thinpack", "clone, discarded", 0.5, { memory: 65_400_000, counts }),
    measured("c-git", "clone, discarded", 5),
    measured("c-git", "clone, discarded, bitmaps", 1),
    measured("thinpack", "a step that the page does not have", 1),
  ]);
  const written = replaceTable(`before\n<!-- ${FIGURES} -->\n\n| old |\n\n<!-- end -->\nafter`, FIGURES, table);
  expect(readTable(written, FIGURES).slice(1)).toEqual([
    [
      "clone, pack thrown away",
      "1.00 s",
      "0.10 (with bitmaps 0.50)",
      "0.50 s",
      "0.10 (with bitmaps 0.50)",
      "65 MB",
      "1 · 0",
      "2",
      "3",
    ],
  ]);
  expect(written.startsWith("before\n") && written.endsWith("\nafter")).toBe(true);
});

it("a thousand operations cost what was used of each, by one table of prices", () => {
  expect(dollarsPerThousand({})).toBe(0);
  // A poll with a tenant's token: three requests, three calls, 20 ms.
  expect(dollarsPerThousand({ requests: 3, objects: 3, cpu: 20 })).toBeCloseTo(0.00175, 8);
  expect(dollarsPerThousand({ classA: 1, classB: 1, kv: 1, queue: 1, rows: 1 })).toBeCloseTo(0.00676, 8);
});
