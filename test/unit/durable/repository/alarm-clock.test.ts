/** Alarms whose work fails: the platform runs them again a few times, and after that they run themselves again. */
import { afterEach, expect, it, vi } from "vitest";
import { AlarmClock } from "../../../../src/durable/repository/alarm-clock.ts";

const NOW = 1_700_000_000_000;
const MINUTE = 60_000;

afterEach(() => void vi.useRealTimers());

/** An alarm clock with nothing due, and the times that the alarm was set to. */
function clockOf(due = Number.POSITIVE_INFINITY): { clock: AlarmClock; set: number[] } {
  vi.useFakeTimers({ now: NOW, toFake: ["Date"] });
  const set: number[] = [];
  const storage = { getAlarm: async () => null, setAlarm: async (at: number | Date) => void set.push(Number(at)) };
  return { clock: new AlarmClock(storage, () => due), set };
}

const fails = async (): Promise<void> => {
  throw new Error("the bucket is away");
};

it("leaves the first tries to the platform, which hears of each failure", async () => {
  const { clock, set } = clockOf();
  for (let retryCount = 0; retryCount < 5; retryCount++) {
    const info = { retryCount, isRetry: retryCount > 0, scheduledTime: NOW };
    await expect(clock.run(info, fails)).rejects.toThrow("the bucket is away");
  }
  expect(set).toEqual([]);
});

it("sets itself for a later try before the platform gives up", async () => {
  const { clock, set } = clockOf();
  await clock.run({ retryCount: 5, isRetry: true, scheduledTime: NOW }, fails);
  expect(set).toEqual([NOW + 5 * MINUTE]);
});

it("leaves an earlier alarm that was set meanwhile", async () => {
  const { clock, set } = clockOf(NOW);
  await clock.run({ retryCount: 5, isRetry: true, scheduledTime: NOW }, async () => {
    clock.set();
    await fails();
  });
  expect(set).toEqual([NOW + 1000]);
});
