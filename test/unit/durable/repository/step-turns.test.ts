/** Which step of maintenance has its turn: none keeps the others from theirs. */
import { describe, expect, it } from "vitest";
import { StepTurns, type TurnRun } from "../../../../src/durable/repository/step-turns.ts";

type Step = TurnRun["step"];
type Outcome = TurnRun["outcome"];
const MINUTE = 60_000;

/** Plays `count` turns. `due` tells the steps that are due at a time, and `outcomeOf` what becomes of each. */
function play(
  count: number,
  due: (now: number, done: ReadonlyMap<Step, number>) => readonly Step[],
  outcomeOf: (step: Step) => Outcome,
): Step[] {
  let runs: TurnRun[] = [];
  let now = 1_700_000_000_000;
  const done = new Map<Step, number>();
  const played: Step[] = [];
  for (let n = 0; n < count; n++) {
    const turns = new StepTurns(runs);
    const chosen = turns.choose(
      due(now, done).map((step) => ({ step })),
      now,
    );
    if (chosen === undefined) break;
    now = Math.max(now, turns.restsUntil(chosen.step));
    const outcome = outcomeOf(chosen.step);
    if (outcome === "done") done.set(chosen.step, (done.get(chosen.step) ?? 0) + 1);
    runs = [{ step: chosen.step, outcome, at: now, ms: 1000 }, ...runs].slice(0, 20);
    played.push(chosen.step);
    now += 2000;
  }
  return played;
}

describe("the steps of maintenance", () => {
  it("have their turns in the order of their worth", () => {
    const all: Step[] = ["roll-up", "graph", "bitmap", "midx", "lfs", "order"];
    const left = (_: number, done: ReadonlyMap<Step, number>): Step[] => all.filter((step) => !done.has(step));
    expect(play(9, left, () => "done")).toEqual(all);
  });

  it.each<readonly [Step, Outcome]>([
    ["walk", "failed"],
    ["roll-up", "failed"],
    ["graph", "failed"],
    ["graph", "stale"],
    ["midx", "failed"],
    ["midx", "stale"],
    ["lfs", "failed"],
    ["lfs", "stale"],
    ["graph", "done"],
    ["midx", "done"],
    ["lfs", "done"],
  ])("that come after one which is always due have theirs: %s, %s", (always, outcome) => {
    const all: Step[] = ["walk", "roll-up", "graph", "bitmap", "midx", "lfs", "order"];
    const played = play(
      10 * all.length,
      (_, done) => all.filter((step) => step === always || !done.has(step)),
      (step) => (step === always ? outcome : "done"),
    );
    expect(new Set(played)).toEqual(new Set(all));
  });

  it("that fail are tried one after the other, and do not keep a third from its turn", () => {
    const played = play(
      30,
      () => ["roll-up", "graph", "order"],
      (step) => (step === "order" ? "done" : "failed"),
    );
    expect(played.slice(0, 3)).toEqual(["roll-up", "graph", "order"]);
    expect(played.filter((step) => step === "order").length).toBeGreaterThan(20);
  });

  it("rest after a failure, twice as long after each further one, and at most a day", () => {
    const failed = (count: number): TurnRun[] =>
      Array.from({ length: count }, () => ({ step: "graph", outcome: "failed", at: 1000, ms: 500 }));
    const rests = [0, 1, 2, 3, 20].map((count) => new StepTurns(failed(count)).restsUntil("graph"));
    expect(rests).toEqual([0, 1500 + 5 * MINUTE, 1500 + 10 * MINUTE, 1500 + 20 * MINUTE, 1500 + 24 * 60 * MINUTE]);
    const between = [{ step: "order", outcome: "done", at: 2000, ms: 0 } as const, ...failed(2)];
    expect(new StepTurns(between).restsUntil("graph")).toBe(1500 + 10 * MINUTE);
    expect(new StepTurns(between).restsUntil("order")).toBe(0);
  });

  it("are begun though they rest where nothing else is due: somebody has asked", () => {
    const turns = new StepTurns([
      { step: "graph", outcome: "failed", at: 2000, ms: 0 },
      { step: "bitmap", outcome: "failed", at: 1000, ms: 0 },
    ]);
    expect(turns.choose([{ step: "graph" }, { step: "bitmap" }], 3000)).toEqual({ step: "bitmap" });
    expect(turns.choose([], 3000)).toBeUndefined();
  });
});
