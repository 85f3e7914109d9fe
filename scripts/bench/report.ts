/**
 * Figures, ratios and budgets as a table.
 *
 * @packageDocumentation
 */
import type { Subject } from "./repositories.ts";
import type { Measurement } from "./steps.ts";

/** One budget and what was measured. */
export type Verdict = {
  readonly what: string;
  readonly figure: number;
  readonly budget: number;
  readonly unit: string;
  readonly ok: boolean;
};

const MB = 1_000_000;
const MEMORY_BUDGET = 96;

const PUSH = "push";
const CLONE = "clone";
const DISCARD = "clone, discarded";
const PUSH_ONE = "push of one commit";
const FETCH_ONE = "fetch of one commit";
/** Budgets on counts: step, key of the request log, bound. */
const COUNT_BUDGETS: [step: string, key: "r2r" | "r2w" | "do" | "rt", bound: number, words: string][] = [
  [CLONE, "r2r", 3, "R2 reads"],
  [CLONE, "do", 2, "Durable Object calls"],
  [CLONE, "rt", 4, "sequential round trips"],
  [FETCH_ONE, "r2r", 8, "R2 reads"],
  [FETCH_ONE, "rt", 5, "sequential round trips"],
  [PUSH_ONE, "r2r", 8, "R2 reads"],
  [PUSH_ONE, "r2w", 3, "R2 writes"],
  [PUSH_ONE, "do", 3, "Durable Object calls"],
];

/** Judges the figures. A budget whose steps were not run is left out. */
export function judge(subject: Subject, all: readonly Measurement[]): Verdict[] {
  const find = (host: string, step: string): Measurement | undefined =>
    all.find((row) => row.host === host && row.step === step);
  const verdicts: Verdict[] = [];
  const add = (what: string, figure: number | undefined, budget: number, unit = ""): void => {
    if (figure !== undefined) verdicts.push({ what, figure, budget, unit, ok: figure <= budget });
  };
  for (const row of all) {
    if (row.memory !== undefined) add(`${row.step}: peak isolate memory`, row.memory / MB, MEMORY_BUDGET, "MB");
  }
  // Repositories of noise are there for the memory; ratios to C git say little about them.
  if (subject.scenario !== undefined) return verdicts;
  const push = find("thinpack", PUSH);
  if (push !== undefined) add("push: server CPU ÷ git index-pack --strict", push.cpu / subject.indexCpu, 1.5);
  const [discard, bitmaps] = [find("thinpack", DISCARD), find("c-git", `${DISCARD}, bitmaps`)];
  if (discard !== undefined && bitmaps !== undefined)
    add("clone: wall ÷ C git with bitmaps", discard.wall / bitmaps.wall, 1.2);
  if (discard?.bytes !== undefined) add("clone: server CPU a MB", (discard.cpu * 1000) / (discard.bytes / MB), 4, "ms");
  for (const [step, key, bound, words] of COUNT_BUDGETS)
    add(`${step}: ${words}`, find("thinpack", step)?.counts?.[key], bound);
  return verdicts;
}

const number = (value: number | undefined, digits = 0): string => (value === undefined ? "" : value.toFixed(digits));

/** A row of cells to widths that fit all rows. */
function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map(
    (row) =>
      `| ${row.map((cell, at) => (at < 2 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0))).join(" | ")} |`,
  );
  return [lines[0], `|${widths.map((width) => "-".repeat(width + 2)).join("|")}|`, ...lines.slice(1)].join("\n");
}

/** Everything as Markdown. */
export function render(subject: Subject, all: readonly Measurement[], verdicts: readonly Verdict[]): string {
  const heading = [
    "host",
    "step",
    "wall s",
    "÷ C git",
    "server CPU s",
    "÷ C git",
    "MB",
    "isolate MB",
    "R2 r",
    "R2 w",
    "R2 read MB",
    "DO",
    "trips",
  ];
  const rows = all.map((row) => {
    const reference = all.find(({ host, step }) => host === "c-git" && step === row.step && row.host !== "c-git");
    return [
      row.host,
      row.step,
      number(row.wall, 3),
      reference === undefined ? "" : number(row.wall / reference.wall, 2),
      number(row.cpu, 3),
      reference === undefined ? "" : number(row.cpu / reference.cpu, 2),
      row.bytes === undefined ? "" : number(row.bytes / MB, 1),
      row.memory === undefined ? "" : number(row.memory / MB, 1),
      number(row.counts?.r2r),
      number(row.counts?.r2w),
      row.counts === undefined ? "" : number(row.counts.r2b / MB, 1),
      number(row.counts?.do),
      number(row.counts?.rt),
    ];
  });
  const budgets = verdicts.map(({ what, figure, budget, unit, ok }) => [
    ok ? "ok" : "OVER",
    what,
    `${figure.toFixed(2)} ${unit}`.trim(),
    `≤ ${budget} ${unit}`.trim(),
  ]);
  const about = `${subject.name}: ${subject.objects} objects, pack of ${number(subject.packBytes / MB, 1)} MB, git index-pack --strict --threads=1: ${number(subject.indexCpu, 2)} s CPU`;
  const parts = [about, table([heading, ...rows])];
  if (budgets.length > 0) parts.push(table([["", "budget", "measured", "bound"], ...budgets]));
  return parts.join("\n\n");
}
