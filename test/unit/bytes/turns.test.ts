/** How long requests that compute at once take in one go. */
import { expect, it } from "vitest";
import { Pacer } from "../../../src/bytes/pacer.ts";
import { Turns } from "../../../src/bytes/turns.ts";

const BETWEEN = 1600;

/** A clock, and turns of which each lasts until the test goes on. */
function isolate() {
  const clock = { now: 1_000_000 };
  const waits: (() => void)[] = [];
  const pause = async (): Promise<void> => await new Promise((resolve) => waits.push(resolve));
  const turns = new Turns(pause, () => clock.now);
  const pacer = (): Pacer =>
    new Pacer(
      () => turns.pause(),
      BETWEEN,
      () => turns.waiting,
    );
  return { clock, waits, turns, pacer };
}

/** Adds steps until a pause is due, and returns how many it took. */
function turnOf(pacer: Pacer): number {
  const before = pacer.steps;
  while (!pacer.isDue) pacer.add(1);
  return pacer.steps - before;
}

it("the turns of all requests that compute are together as long as that of one", async () => {
  const { waits, pacer, turns } = isolate();
  const all = Array.from({ length: 4 }, pacer);
  const pacing = all.map(async (each) => {
    each.add(BETWEEN);
    await each.pace();
  });
  expect(turns.waiting).toBe(4);
  // Each goes on while the other three wait.
  for (const [at, each] of all.entries()) {
    waits[at]?.();
    await pacing[at];
    expect(turnOf(each)).toBe(BETWEEN / 4);
    pacing[at] = each.pace();
  }
  expect(turns.waiting).toBe(4);
});

it("a request that comes to many has a short first turn, and one that is alone a whole one", async () => {
  const { waits, pacer, turns } = isolate();
  expect(turnOf(pacer())).toBe(BETWEEN);
  for (let count = 0; count < 3; count++) void turns.pause();
  expect(turnOf(pacer())).toBe(BETWEEN / 4);
  for (let count = 0; count < 97; count++) void turns.pause();
  expect(turnOf(pacer())).toBe(BETWEEN / 16);
  for (const end of waits) end();
  await Promise.resolve();
  await Promise.resolve();
  expect(turnOf(pacer())).toBe(BETWEEN);
});

it("a request that was cut off while it waited is forgotten", () => {
  const { clock, turns } = isolate();
  void turns.pause();
  clock.now += 1000;
  void turns.pause();
  expect(turns.waiting).toBe(2);
  clock.now += 1500;
  expect(turns.waiting).toBe(1);
  clock.now += 1500;
  expect(turns.waiting).toBe(0);
});
