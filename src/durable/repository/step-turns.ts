/**
 * Which of the steps of maintenance that are due has its turn, by what the last runs did. A step that fails, finds nothing to do though it is due, comes too late
 * each time, or is always due, must not keep the others from theirs.
 *
 * | figure | value | what it trades |
 * | --- | --- | --- |
 * | `RETRY_TIME` | 5 min | how long a step rests that failed, or did nothing: twice as long after each further time in a row |
 * | `MOST_RETRY_TIME` | 1 day | the longest rest |
 * | `WALK_PAUSE` | 1 min | how long a look for pointers rests that was dropped since refs moved |
 * | `MOST_IN_A_ROW` | 8 | runs of one step in a row, after which the others have their turn. The filters of a long history take twenty |
 *
 * @packageDocumentation
 */
import type { MaintenanceRun } from "../../refs/maintenance-store.ts";
import { WALK_PAUSE } from "./tables/maintenance.ts";

const RETRY_TIME = 5 * 60_000;
const MOST_RETRY_TIME = 24 * 60 * 60_000;
const MOST_IN_A_ROW = 8;

type StepName = MaintenanceRun["step"];
/** A run, as far as turns depend on it. */
export type TurnRun = Pick<MaintenanceRun, "step" | "outcome" | "at" | "ms">;

/** The turns of steps after some runs. */
export class StepTurns {
  readonly #runs: readonly TurnRun[];
  /** The steps that were tried since the last one that was done: others come before them. */
  readonly #tried = new Set<StepName>();

  /** `runs`: the last runs since somebody asked for maintenance, newest first. */
  constructor(runs: readonly TurnRun[]) {
    this.#runs = runs;
    for (const { step, outcome } of runs) {
      if (outcome === "done") break;
      this.#tried.add(step);
    }
    const last = runs.slice(0, MOST_IN_A_ROW);
    const [newest] = last;
    if (newest !== undefined && last.length === MOST_IN_A_ROW && last.every(({ step }) => step === newest.step))
      this.#tried.add(newest.step);
  }

  /** Returns until when a step rests, in milliseconds since the epoch; 0 if it did something the last time. */
  restsUntil(step: StepName): number {
    const own = this.#runs.filter((run) => run.step === step);
    const good = own.findIndex(({ outcome }) => outcome === "done" || outcome === "stale");
    const failures = good < 0 ? own.length : good;
    const [newest] = own;
    if (newest === undefined) return 0;
    const ended = newest.at + newest.ms;
    if (failures > 0) return ended + Math.min(RETRY_TIME * 2 ** (failures - 1), MOST_RETRY_TIME);
    return step === "lfs" && newest.outcome === "stale" ? ended + WALK_PAUSE : 0;
  }

  /** Whether some step rests. */
  isAnyResting(now: number): boolean {
    return this.#runs.some(({ step }) => this.restsUntil(step) > now);
  }

  /**
   * Chooses from the steps that are due, which come in the order of their worth; `undefined` if none is. Steps that rest are
   * chosen where all do, and then the one that rests the shortest: whoever begins it has waited, or was asked for it.
   */
  choose<Due extends { readonly step: StepName }>(due: Iterable<Due>, now: number): Due | undefined {
    let [tried, resting]: (Due | undefined)[] = [];
    for (const each of due) {
      const until = this.restsUntil(each.step);
      if (until <= now && !this.#tried.has(each.step)) return each;
      if (until <= now) tried = this.#longerAgo(tried, each);
      else if (resting === undefined || until < this.restsUntil(resting.step)) resting = each;
    }
    return tried ?? resting;
  }

  #longerAgo<Due extends { readonly step: StepName }>(one: Due | undefined, other: Due): Due {
    const placeOf = ({ step }: Due): number => this.#runs.findIndex((run) => run.step === step);
    return one === undefined || placeOf(other) > placeOf(one) ? other : one;
  }
}
