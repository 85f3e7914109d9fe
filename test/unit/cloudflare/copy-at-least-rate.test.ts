/** Senders that are too slow, and those that are not. Time is a clock of the test's own. */
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { LEAST_RATE } from "../../../src/bytes/least-rate.ts";
import { copyAtLeastRate, SourceTooSlow } from "../../../src/cloudflare/copy-at-least-rate.ts";

const CREDIT = 60_000;

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

/** Copies from a source that gives `bytes` each time after so many milliseconds, so many times. Returns what became of it. */
async function copied(bytes: number, milliseconds: number, times: number): Promise<number | Error> {
  let left = times;
  let written = 0;
  const source = {
    read: async (buffer: Uint8Array<ArrayBuffer>) => {
      if (left-- === 0) return buffer.subarray(0, 0);
      await new Promise((resolve) => setTimeout(resolve, milliseconds));
      return buffer.subarray(0, bytes);
    },
  };
  const sink = { write: async ({ length }: Uint8Array) => void (written += length) };
  const copying = copyAtLeastRate(source, sink, CREDIT).then(
    () => written,
    (error: unknown) => (error instanceof Error ? error : new Error(String(error))),
  );
  await vi.runAllTimersAsync();
  return await copying;
}

it("a source that sends a few bytes each second is given up once its credit is used up", async () => {
  expect(await copied(100, 1000, 1000)).toBeInstanceOf(SourceTooSlow);
  expect(await copied(100, 1000, 50)).toBe(5000);
});

it("a source at the least rate is read to its end, however long that takes", async () => {
  expect(await copied(10 * LEAST_RATE, 10_000, 1000)).toBe(10_000 * LEAST_RATE);
});

it("a source that is silent is given up after its credit, whatever it has sent before", async () => {
  expect(await copied(128 * 1024, 0, 1)).toBe(128 * 1024);
  expect(await copied(128 * 1024, CREDIT + 1, 1)).toBeInstanceOf(SourceTooSlow);
});
