/**
 * The budgets: what the figures of a run must not exceed.
 *
 * @packageDocumentation
 */
import { BARE } from "./bare-host.ts";
import { MIRROR_CLONE, TOKEN_LIST, WEBHOOK } from "./edge-steps.ts";
import { DELETED, DEPTH, HALF, NEGOTIATION, NO_BLOBS, NO_TREES, OLD_TREE, RANDOM_BLOBS } from "./partial-steps.ts";
import type { Subject } from "./repositories.ts";
import { BITMAPS, type Measurement } from "./steps.ts";
import { TWIN } from "./twin-steps.ts";

/** One budget and what was measured. */
export type Verdict = {
  readonly what: string;
  readonly figure: number;
  /** Absent where the figure is only shown. */
  readonly budget?: number;
  readonly unit: string;
  readonly ok: boolean;
};

export const MB = 1_000_000;
const MEMORY_BUDGET = 96;

const PUSH = "push";
const CLONE = "clone";
const DISCARD = "clone, discarded";
const PUSH_ONE = "push of one commit";
const FETCH_ONE = "fetch of one commit";

type CountBudget = readonly [step: string, key: "r2r" | "r2w" | "do" | "kv" | "rt", bound: number];
const WORDS: Record<CountBudget[1], string> = {
  r2r: "R2 reads",
  r2w: "R2 writes",
  do: "Durable Object calls",
  kv: "KV reads",
  rt: "sequential round trips",
};
/** Bounds on counts that hold for every repository, however small. */
const COUNT_BUDGETS: readonly CountBudget[] = [
  [CLONE, "r2r", 3],
  [CLONE, "do", 2],
  [CLONE, "rt", 4],
  [TWIN, "r2r", 2],
  [TWIN, "do", 2],
  [FETCH_ONE, "r2r", 8],
  [FETCH_ONE, "rt", 5],
  [PUSH_ONE, "r2r", 8],
  [PUSH_ONE, "r2w", 3],
  [PUSH_ONE, "do", 3],
  [DEPTH, "r2r", 40],
  [HALF, "r2r", 2000],
  [CLONE + DELETED, "r2r", 2000],
  [NO_BLOBS + DELETED, "r2r", 2000],
  [NO_TREES + DELETED, "r2r", 2000],
  [RANDOM_BLOBS, "r2r", 60],
  [OLD_TREE, "r2r", 60],
  [TOKEN_LIST, "do", 3],
  [MIRROR_CLONE, "do", 0],
  [MIRROR_CLONE, "kv", 2],
];
/** Bounds on processor time as multiples of what C git takes without bitmaps. */
const CPU_BUDGETS: readonly (readonly [step: string, bound: number])[] = [
  [DEPTH, 2],
  [NO_BLOBS, 1],
  [NO_TREES, 1],
  [HALF, 2],
];
/** How often the bytes of the packs may be read where trees are walked. Indexes come to that. */
const MOST_READ = 4;
/** Seconds. */
const ROUND_BUDGET = 0.2;
/** How much more processor time than a bare Worker a clone may take that is one stored file. */
const TWIN_BUDGET = 1.15;
const WEBHOOK_BUDGET = 3;

/** Measurements by host and step, and the verdicts so far. */
class Bench {
  readonly verdicts: Verdict[] = [];
  readonly #all: readonly Measurement[];

  constructor(all: readonly Measurement[]) {
    this.#all = all;
  }

  find(host: string, step: string): Measurement | undefined {
    return this.#all.find((row) => row.host === host && row.step === step);
  }

  /** Adds a verdict if there is a figure. */
  add(what: string, figure: number | undefined, budget: number | undefined, unit = ""): void {
    if (figure === undefined) return;
    const isWithin = budget === undefined || figure <= budget;
    this.verdicts.push({ what, figure, ...(budget === undefined ? {} : { budget }), unit, ok: isWithin });
  }

  /** Adds how one of a step's figures stands to C git's. */
  addRatio(step: string, key: "cpu" | "wall", bitmaps: boolean, bound?: number): void {
    const [ours, theirs] = [this.find("thinpack", step), this.find("c-git", bitmaps ? step + BITMAPS : step)];
    const what = `${step}: ${key === "cpu" ? "server CPU" : "wall"} ÷ C git ${bitmaps ? "with" : "without"} bitmaps`;
    if (ours !== undefined && theirs !== undefined) this.add(what, ours[key] / theirs[key], bound);
  }
}

/** Judges the figures. A budget whose steps were not run is left out. */
export function judge(subject: Subject, all: readonly Measurement[]): Verdict[] {
  const bench = new Bench(all);
  for (const { step, memory } of all) {
    if (memory !== undefined) bench.add(`${step}: peak isolate memory`, memory / MB, MEMORY_BUDGET, "MB");
  }
  // Repositories of noise are there for the memory; ratios to C git say little about them.
  if (subject.scenario !== undefined) return bench.verdicts;
  judgeWhole(bench, subject);
  judgeParts(bench, subject);
  bench.add(WEBHOOK, bench.find("thinpack", WEBHOOK)?.wall, WEBHOOK_BUDGET, "s");
  for (const [step, key, bound] of COUNT_BUDGETS) {
    bench.add(`${step}: ${WORDS[key]}`, bench.find("thinpack", step)?.counts?.[key], bound);
  }
  return bench.verdicts;
}

function judgeWhole(bench: Bench, subject: Subject): void {
  const [push, discard] = [bench.find("thinpack", PUSH), bench.find("thinpack", DISCARD)];
  if (push !== undefined) bench.add("push: server CPU ÷ git index-pack --strict", push.cpu / subject.indexCpu, 1.5);
  bench.addRatio(DISCARD, "wall", true, 1.2);
  const [twin, bare] = [bench.find("thinpack", TWIN), bench.find(BARE, TWIN)];
  if (twin !== undefined && bare !== undefined)
    bench.add(`${TWIN}: process CPU ÷ a bare Worker with the same bytes`, twin.cpu / bare.cpu, TWIN_BUDGET);
  if (discard?.bytes !== undefined) {
    bench.add("clone: server CPU a MB", (discard.cpu * 1000) / (discard.bytes / MB), 4, "ms");
  }
}

function judgeParts(bench: Bench, subject: Subject): void {
  for (const [step, bound] of CPU_BUDGETS) {
    bench.addRatio(step, "cpu", false, bound);
    bench.addRatio(step, "cpu", true);
  }
  const depth = bench.find("thinpack", DEPTH);
  if (depth?.bytes !== undefined && depth.counts !== undefined) {
    bench.add(`${DEPTH}: read from R2`, depth.counts.r2b / MB, (3 * depth.bytes) / MB + 16, "MB");
  }
  for (const step of [HALF, CLONE + DELETED, NO_BLOBS + DELETED]) {
    const bytes = bench.find("thinpack", step)?.counts?.r2b;
    const most = (MOST_READ * subject.packBytes) / MB + 32;
    bench.add(`${step}: read from R2`, bytes === undefined ? undefined : bytes / MB, most, "MB");
  }
  const ours = bench.find("thinpack", NEGOTIATION);
  bench.add(`${NEGOTIATION}: rounds`, ours?.rounds, bench.find("c-git", NEGOTIATION)?.rounds);
  bench.add(`${NEGOTIATION}: CPU of the slowest round`, ours?.slowestRound, ROUND_BUDGET, "s");
}
