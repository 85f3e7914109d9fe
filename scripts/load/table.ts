/**
 * A load as a table, and in a few words.
 *
 * @packageDocumentation
 */
import type { Table } from "../marked-table.ts";
import type { LoadReport, MemorySample } from "./measure.ts";
import { GIT_KINDS, OWN_KINDS } from "./operations.ts";
import type { Percentiles } from "./run.ts";

/** The name of the table on a page. */
export const LOAD_FIGURES = "npm run load -- --page";

const MIB = 1024 * 1024;

type Part = "bytes" | "isolate";

function mean(samples: readonly MemorySample[], part: Part): number {
  return samples.reduce((sum, sample) => sum + sample[part], 0) / Math.max(samples.length, 1);
}

/** Returns the memory of the last quarter of the time, divided by that of the second: 1 where it is flat. */
export function memoryGrowth(samples: readonly MemorySample[], part: Part): number {
  const quarter = Math.floor(samples.length / 4);
  return mean(samples.slice(-Math.max(quarter, 1)), part) / mean(samples.slice(quarter, 2 * quarter + 1), part);
}

function memorySummary(name: string, samples: readonly MemorySample[], part: Part): string {
  const most = Math.max(...samples.map((sample) => sample[part])) / MIB;
  return `${name} at most ${Math.round(most)} MiB, its last quarter ${memoryGrowth(samples, part).toFixed(2)} × its second`;
}

/** Says how many errors there were. */
export function countErrors({ thinpack, cGit }: LoadReport): { readonly thinpack: number; readonly cGit: number } {
  const sum = (errors: Readonly<Record<string, number>>): number =>
    Object.values(errors).reduce((all, n) => all + n, 0);
  return { thinpack: sum(thinpack.errors), cGit: sum(cGit.errors) };
}

const times = ({ p50, p90, p99 }: Percentiles): string[] => [p50, p90, p99].map((value) => `${Math.round(value)} ms`);

function ratios(ours: Percentiles, reference: Percentiles | undefined): string[] {
  if (reference === undefined) return ["", "", ""];
  return (["p50", "p90", "p99"] as const).map((name) => (ours[name] / reference[name]).toFixed(2));
}

/** The latencies by kind. */
export function loadTable({ thinpack, cGit }: LoadReport): Table {
  const rows = [...GIT_KINDS, ...OWN_KINDS].flatMap((kind) => {
    const ours = thinpack.latency[kind];
    return ours === undefined ? [] : [[kind, String(ours.count), ...times(ours), ...ratios(ours, cGit.latency[kind])]];
  });
  return [["", "operations", "half within", "90 % within", "99 % within", "÷ C git", "÷ C git", "÷ C git"], ...rows];
}

/** The rest in a sentence or two. */
export function loadSummary(report: LoadReport): string {
  const { thinpack, memory, size } = report;
  const errors = countErrors(report);
  return [
    `${size.clients} clients, ${size.seconds} s: ${thinpack.operations} operations, ${errors.thinpack} errors`,
    `${thinpack.limited} refused by a limit, ${errors.cGit} errors of C git's server`,
    memorySummary("workerd", memory, "bytes"),
    memorySummary("the isolate", memory, "isolate"),
  ].join("; ");
}
