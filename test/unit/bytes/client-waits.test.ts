import { describe, expect, it } from "vitest";
import { ClientWaits } from "../../../src/bytes/client-waits.ts";
import { CALM, PRESSED, TICK } from "../../../src/bytes/memory-holding.ts";
import { ManualClock, settle } from "../../support/memory.ts";

/** A clock that counts the timers that are set. */
class CountingClock extends ManualClock {
  timers = 0;

  override after(milliseconds: number, call: () => void): () => void {
    this.timers++;
    return super.after(milliseconds, call);
  }
}

const never = new Promise<void>(() => undefined);

describe("the waits for a client", () => {
  it("take one timer for many steps that end soon", async () => {
    const clock = new CountingClock();
    const checked: number[] = [];
    const waits = new ClientWaits(clock, (since) => void checked.push(since));
    for (let at = 0; at < 1000; at++) await waits.wait(Promise.resolve(), CALM);
    expect(clock.timers).toBe(1);
    await clock.pass(10 * TICK);
    expect([clock.timers, checked]).toEqual([1, []]);
  });

  it("check a step after its own first time, and then once per tick", async () => {
    const clock = new CountingClock();
    const checked: number[] = [];
    const waits = new ClientWaits(clock, () => void checked.push(clock.now()));
    await waits.wait(Promise.resolve(), CALM);
    await clock.pass(TICK - 50);
    void waits.wait(never, PRESSED);
    await clock.pass(50 + 2 * TICK);
    // The timer of the first step rang at the tick, too early for the second.
    expect(checked).toEqual([TICK + 50, 2 * TICK + 50]);
  });

  it("do not count the time for which the isolate itself was late", async () => {
    const clock = new ManualClock();
    const waited: number[] = [];
    const waits = new ClientWaits(clock, (since) => void waited.push(clock.now() - since));
    void waits.wait(never, CALM);
    await clock.pass(TICK);
    clock.stall(60_000);
    await clock.pass(0);
    await clock.pass(TICK);
    expect(waited).toEqual([TICK, 2 * TICK, 3 * TICK]);
  });

  it("tell for how long a step was waited for, whichever is late: the step or the look at it", async () => {
    const clock = new ManualClock();
    const waits = new ClientWaits(clock, () => undefined);
    const waited: number[] = [];
    for (const [before, late, after] of [
      [0, 300, 0],
      [200, 0, 0],
      [0, 300, 40],
    ] as const) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const step = waits.wait(promise, PRESSED, (time) => waited.push(time));
      await clock.pass(before);
      clock.stall(late);
      if (after > 0) await clock.pass(after);
      resolve();
      await step;
      await clock.pass(TICK);
    }
    expect(waited).toEqual([PRESSED.look, 200, PRESSED.look + 40]);
  });

  it("end the step that the check refuses, and no other", async () => {
    const clock = new CountingClock();
    const waits = new ClientWaits(clock, (since) => (since === 0 ? "standstill" : undefined));
    const states = ["waits", "waits"];
    const begin = (index: number): void => {
      waits.wait(never, CALM).catch(() => (states[index] = "ended"));
    };
    begin(0);
    await clock.pass(1);
    begin(1);
    await clock.pass(3 * TICK);
    await settle();
    expect(states).toEqual(["ended", "waits"]);
  });
});
