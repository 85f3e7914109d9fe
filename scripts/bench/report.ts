/**
 * Figures, ratios and verdicts as tables.
 *
 * @packageDocumentation
 */
import { dollarsPerThousand } from "../prices.ts";
import { MB, type Verdict } from "./budgets.ts";
import type { Subject } from "./repositories.ts";
import type { Measurement } from "./steps.ts";

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

/**
 * Returns what a thousand of a step cost, as far as the host counts it: rows and queue operations are not in its log.
 * The processor time has the simulators' share in it, and so is too high.
 */
function dollarsOf({ counts, cpu }: Measurement): number | undefined {
  if (counts === undefined) return undefined;
  const { requests, do: objects, r2w: classA, r2r: classB, kv } = counts;
  return dollarsPerThousand({ requests, objects, classA, classB, kv, cpu: cpu * 1000 });
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
    "KV",
    "trips",
    "$ per 1,000",
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
      number(row.counts?.kv),
      number(row.counts?.rt),
      number(dollarsOf(row), 4),
    ];
  });
  const about = `${subject.name}: ${subject.objects} objects, pack of ${number(subject.packBytes / MB, 1)} MB, git index-pack --strict --threads=1: ${number(subject.indexCpu, 2)} s CPU`;
  const parts = [about, table([heading, ...rows])];
  if (verdicts.length > 0) parts.push(renderVerdicts(verdicts));
  return parts.join("\n\n");
}

/** The verdicts as Markdown. */
export function renderVerdicts(verdicts: readonly Verdict[]): string {
  const budgets = verdicts.map(({ what, figure, budget, unit, ok }) => [
    budget === undefined ? "" : ok ? "ok" : "OVER",
    what,
    `${figure.toFixed(2)} ${unit}`.trim(),
    budget === undefined ? "" : `≤ ${number(budget, Number.isInteger(budget) ? 0 : 1)} ${unit}`.trim(),
  ]);
  return table([["", "budget", "measured", "bound"], ...budgets]);
}
