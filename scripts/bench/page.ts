/**
 * The figures of `docs/benchmark.md`, as a run of the benchmark gives them.
 *
 * @packageDocumentation
 */
import type { Table } from "../marked-table.ts";
import { MIRROR_CLONE, SYNC } from "./edge-steps.ts";
import { DEPTH, HALF, NO_BLOBS, NO_TREES, RANDOM_BLOBS } from "./partial-steps.ts";
import { BITMAPS, type Measurement } from "./steps.ts";

/** The name of the page's table. */
export const FIGURES = "npm run bench -- --repo DIR --page";
const MB = 1_000_000;

/** The steps on the page, each with what the page calls it. */
const STEPS: readonly (readonly [step: string, label: string])[] = [
  ["push", "push of everything"],
  ["clone", "clone"],
  ["clone, discarded", "clone, pack thrown away"],
  [DEPTH, "`clone --depth 1`"],
  [NO_BLOBS, "`clone --filter=blob:none`"],
  [NO_TREES, "`clone --filter=tree:0`"],
  [HALF, "`clone --single-branch` of half"],
  [RANDOM_BLOBS, "1,000 random blobs by name"],
  ["push of one commit", "push of one commit"],
  ["fetch of one commit", "fetch of one commit"],
  [SYNC, "first sync of a mirror of it"],
  [MIRROR_CLONE, "clone of that mirror"],
];

const HEADING = [
  "",
  "wall",
  "÷ C git",
  "server CPU",
  "÷ C git",
  "isolate",
  "R2 reads · writes",
  "Durable Object calls",
  "round trips",
];

function seconds(value: number): string {
  return `${value.toFixed(value < 2 ? 2 : 1)} s`;
}

/** Returns a figure as a multiple of C git's; of C git's with bitmaps, too, where that was measured. */
function ratio(key: "wall" | "cpu", own: Measurement, all: readonly Measurement[]): string {
  const times = (step: string): string | undefined => {
    const other = all.find((each) => each.host === "c-git" && each.step === step);
    return other === undefined ? undefined : (own[key] / other[key]).toFixed(2);
  };
  const plain = times(own.step);
  if (plain === undefined) return "";
  const bitmaps = times(`${own.step}${BITMAPS}`);
  return bitmaps === undefined ? plain : `${plain} (with bitmaps ${bitmaps})`;
}

/** Returns the page's table, of the steps that were measured. */
export function pageTable(all: readonly Measurement[]): Table {
  const rows = STEPS.flatMap(([step, label]) => {
    const own = all.find((each) => each.host === "thinpack" && each.step === step);
    if (own === undefined) return [];
    const { wall, cpu, memory, counts } = own;
    return [
      [
        label,
        seconds(wall),
        ratio("wall", own, all),
        seconds(cpu),
        ratio("cpu", own, all),
        memory === undefined ? "" : `${Math.round(memory / MB)} MB`,
        counts === undefined ? "" : `${counts.r2r} · ${counts.r2w}`,
        counts === undefined ? "" : String(counts.do),
        counts === undefined ? "" : String(counts.rt),
      ],
    ];
  });
  return [HEADING, ...rows];
}
