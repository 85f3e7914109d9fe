/**
 * Four suites. `unit`: rings 0–3 in plain Node, milliseconds. `fuzz`: parsers given what is almost right, some hundred times each
 * and as often as wanted in `npm run fuzz`. `worker`: what needs workerd. `git`: journeys with the real client over a
 * socket. Commands: `npm test`, `npm run test:quick`, `npx vitest run --project unit`. `LONG=1` adds what takes minutes. Time limits end
 * what hangs (`test/support/time-limits.ts`): a machine that does ten other things at once must not fail a test.
 */
import { defineConfig } from "vitest/config";
import { TEST_LIMIT } from "./test/support/time-limits.ts";

export default defineConfig({
  test: {
    globalSetup: ["test/support/build-kernel.ts", "test/support/scratch-directory.ts"],
    setupFiles: ["test/support/byte-equality.ts"],
    // Machines this has to run on have two cores, and a journey starts a client and a server of its own.
    maxWorkers: 2,
    // A unit that takes seconds says so in its head, with `@module-tag thorough`: it asks C git very often, or tries every case.
    tags: [{ name: "thorough", description: "Left out of `npm run test:quick`." }],
    // Half of the units' processor time was the same modules, loaded again for each file. So a file leaves nothing behind in them.
    isolate: false,
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          include: ["test/unit/**/*.test.ts"],
          testTimeout: TEST_LIMIT,
          hookTimeout: TEST_LIMIT,
        },
      },
      {
        extends: true,
        test: {
          name: "fuzz",
          include: ["test/fuzz/**/*.test.ts"],
          // As long as it takes: only the number of runs is set.
          testTimeout: process.env["FUZZ_RUNS"] === undefined ? TEST_LIMIT : 0,
          hookTimeout: TEST_LIMIT,
        },
      },
      {
        extends: true,
        test: {
          name: "worker",
          globalSetup: ["test/support/build-worker.ts"],
          include: ["test/worker/**/*.test.ts"],
          testTimeout: TEST_LIMIT,
          hookTimeout: TEST_LIMIT,
        },
      },
      {
        extends: true,
        test: {
          name: "git",
          globalSetup: ["test/support/build-worker.ts"],
          include: ["test/git/**/*.test.ts"],
          testTimeout: TEST_LIMIT,
          hookTimeout: TEST_LIMIT,
        },
      },
    ],
  },
});
