/**
 * A host that is killed under load at random moments. `CRASHES=300` plays as many rounds, `SEED` plays others; `npm run crashes` does
 * the former.
 *
 * @module-tag thorough
 */
import { afterAll, expect, it } from "vitest";
import { CrashBed } from "../support/crash-bed.ts";
import { withinLimit } from "../support/time-limits.ts";

const ROUNDS = Number(process.env["CRASHES"] ?? 20);
const SEED = Number(process.env["SEED"] ?? 1);

const bed = new CrashBed(SEED);
afterAll(() => bed.stop());

it(
  `is killed ${ROUNDS} times, and has lost nothing that it acknowledged, and done nothing by halves`,
  async () => {
    await withinLimit("the start", bed.start());
    for (let round = 0; round < ROUNDS; round++) {
      await withinLimit(`round ${round}`, bed.round());
      expect(bed.model.faults).toEqual([]);
      if (round % 20 === 19) process.stderr.write(`${JSON.stringify(bed.figures)}\n`);
    }
    await withinLimit("the end", bed.end());
    expect(bed.model.faults).toEqual([]);
    expect(bed.figures["all_acknowledged"]).toBeGreaterThan(ROUNDS);
  },
  // As long as it takes: only the number of rounds is set.
  0,
);
