/** The pace of a client on a connection. */
import { expect, it } from "vitest";
import { ClientTooSlow } from "../../../src/bytes/failure.ts";
import { pacedClient } from "../../../src/doors/paced-client.ts";
import { ManualClock, memoryBudget } from "../../support/memory.ts";
import { Traffic } from "../../../src/http/traffic.ts";
import { tools } from "../service/memory-service.ts";

/** A client that sends some bytes at a time, a second apart, and how many seconds have passed. */
function slowClient(bytes: number) {
  const clock = { seconds: 0 };
  const output = { write: async () => undefined };
  const input = {
    read: async (buffer: Uint8Array<ArrayBuffer>) => {
      clock.seconds += 1;
      return buffer.subarray(0, bytes);
    },
  };
  const paced = pacedClient({ input, output }, new Traffic(), () => undefined, { now: () => clock.seconds * 1000 });
  paced.start(tools.memory);
  return { paced, clock };
}

it("ends a client that sends a byte each second, as one that sends nothing", async () => {
  const { paced, clock } = slowClient(1);
  const reading = async (): Promise<void> => {
    // No time limit of a test ends a loop that never leaves its microtasks.
    for (let count = 0; count < 1000; count++) await paced.input.read(new Uint8Array(1024));
  };
  await expect(reading()).rejects.toThrow(ClientTooSlow);
  expect(clock.seconds).toBe(120);
});

it("waits for one that sends enough, and for one that is answered meanwhile", async () => {
  const large = slowClient(1024);
  for (let count = 0; count < 1000; count++) await large.paced.input.read(new Uint8Array(1024));
  const talking = slowClient(4);
  for (let count = 0; count < 1000; count++) {
    await talking.paced.input.read(new Uint8Array(1024));
    await talking.paced.output.write(new Uint8Array(4));
  }
  expect([large.clock.seconds, talking.clock.seconds]).toEqual([1000, 1000]);
});

it.each([
  ["half an hour", {}, 30],
  ["as long as its door says", { longestPause: 5 * 60_000 }, 5],
])("waits longer for one that is at work itself, %s, and once only", async (_, pace, minutes) => {
  const clock = new ManualClock();
  const budget = memoryBudget({ standstill: 120_000 }, clock);
  const silences = [(minutes - 1) * 60_000, 119_000, 121_000];
  const input = {
    read: async (buffer: Uint8Array<ArrayBuffer>) => {
      await new Promise<void>((resolve) => clock.after(silences.shift() ?? Infinity, resolve));
      return buffer.subarray(0, 65_536);
    },
  };
  const write = async (): Promise<void> => undefined;
  const paced = pacedClient({ input, output: { write } }, new Traffic(), () => undefined, {
    now: () => clock.now(),
    ...pace,
  });
  paced.start(budget.open("x"));
  const after = async (milliseconds: number): Promise<unknown> => {
    const reading = paced.input.read(new Uint8Array(65_536)).then(
      ({ length }) => length,
      (error: unknown) => error,
    );
    await clock.pass(milliseconds);
    return await reading;
  };
  paced.pause();
  expect(await after((minutes - 1) * 60_000)).toBe(65_536);
  expect(await after(119_000)).toBe(65_536);
  expect(await after(121_000)).toBeInstanceOf(ClientTooSlow);
  paced.pause();
  expect(await after((minutes + 1) * 60_000)).toBeInstanceOf(ClientTooSlow);
});
