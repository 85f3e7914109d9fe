/**
 * A clock for tests of SSH.
 *
 * @packageDocumentation
 */
import { vi } from "vitest";

/** Milliseconds by which a clock of a test goes forward at once: less than a host waits for its last message to go out. */
const TICK = 1000;

/** Runs a test with a clock that it puts forward itself. Ciphers, which work beside it, end whenever it has moved. */
export async function withClock(test: (advance: (ms: number) => Promise<void>) => Promise<void>): Promise<void> {
  const working = new Set<Promise<unknown>>();
  const { subtle } = crypto;
  for (const use of ["encrypt", "decrypt"] as const) {
    const original = subtle[use].bind(subtle);
    vi.spyOn(subtle, use).mockImplementation(async (...args) => {
      const work = original(...args);
      working.add(work);
      return await work.finally(() => working.delete(work));
    });
  }
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "Date"] });
  try {
    await test(async (ms) => {
      for (let passed = 0; passed < ms; passed += TICK) {
        await vi.advanceTimersByTimeAsync(TICK);
        do {
          await Promise.allSettled(working);
          await new Promise((resolve) => setImmediate(resolve));
        } while (working.size > 0);
      }
    });
  } finally {
    vi.useRealTimers();
    vi.restoreAllMocks();
  }
}
