/**
 * One operation of storage goes wrong, at every place of every journey and in every way: the client is told so or is served, what was
 * acknowledged is there, nothing half done is seen, and nothing is left over.
 *
 * `FAULTS=all` tries every place in every way; else some are tried that a seed chooses, and those of the shortest journeys.
 * `FAULTS_SEED` chooses others, `FAULTS_SAMPLE` how many of each journey, and `FAULTS_JOURNEY` names the journeys to make, by parts of
 * their names with a bar between them.
 */
import { afterAll, beforeAll, expect, it } from "vitest";
import { FaultBed } from "../support/fault-bed.ts";
import { JOURNEYS } from "../support/fault-journeys.ts";
import { FaultReferee } from "../support/fault-referee.ts";
import { FaultRounds, plansOf } from "../support/fault-rounds.ts";
import { withinLimit } from "../support/time-limits.ts";

/** Of journeys of no more operations than this, the short run has each fail, and each end early. */
const FEW_OPERATIONS = 4;
/** Faults of each journey besides, in the short run. */
const SAMPLE = Number(process.env["FAULTS_SAMPLE"] ?? "2");

const isAll = process.env["FAULTS"] === "all";
const names = (process.env["FAULTS_JOURNEY"] ?? "").split("|");
const seed = Number(process.env["FAULTS_SEED"] ?? "1");

let started: { bed: FaultBed; rounds: FaultRounds } | undefined;

function running(): { bed: FaultBed; rounds: FaultRounds } {
  if (started === undefined) throw new Error("the host runs only during tests");
  return started;
}

beforeAll(async () => {
  const bed = await FaultBed.start();
  await bed.sure("PUT", "/tenants/acme", {});
  started = { bed, rounds: new FaultRounds(bed, new FaultReferee(bed)) };
});
afterAll(async () => {
  const { bed, rounds } = running();
  if (isAll || process.env["FAULTS_SAMPLE"] !== undefined)
    process.stdout.write(`faults: ${JSON.stringify(rounds.figures)}\n`);
  await bed.stop();
});

/** Says how far a run of hours has come, and what it has found so far. */
function report(journey: string, tried: number): void {
  if (!isAll) return;
  const { rounds } = running();
  const found = rounds.broken.map(({ fault, why }) => `\n  ${fault}: ${why}`).join("");
  process.stdout.write(`${journey}: ${tried} faults, ${rounds.broken.length} broken${found}\n`);
}

/** Chooses some items, the same for a seed. */
function sampled<Item>(items: readonly Item[], count: number): Item[] {
  const left = [...items];
  const chosen: Item[] = [];
  for (let state = seed * 7919; chosen.length < count && left.length > 0;) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    chosen.push(...left.splice((state >>> 8) % left.length, 1));
  }
  return chosen;
}

it.each(JOURNEYS.filter(({ name }) => names.some((one) => name.includes(one))))(
  "$name: survives a fault of storage",
  async (journey) => {
    const { rounds } = running();
    const { operations } = await withinLimit(journey.name, rounds.record(journey));
    const plans = plansOf(operations);
    const few = operations.length <= FEW_OPERATIONS ? plansOf(operations, ["fail", "cut"]) : [];
    const tried = isAll ? plans : [...few, ...sampled(plans, SAMPLE)];
    for (const { plan, name } of tried)
      await withinLimit(`${journey.name}, ${plan.kind} at ${plan.at}`, rounds.round(journey, plan, name));
    report(journey.name, tried.length);
    expect(rounds.broken.splice(0)).toEqual([]);
  },
  0,
);
