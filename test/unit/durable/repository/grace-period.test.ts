/** The past that a repository shows, when its grace period changes. */
import { expect, it } from "vitest";
import { pastBeginning } from "../../../../src/refs/grace-period.ts";
import { memoryRefStore } from "../../../support/memory-ref-store.ts";
import { createdRecord } from "../../../suites/ref-store.ts";

const DAY = 24 * 60 * 60_000;
const CREATION = { objectFormat: "sha1", visibility: "private", head: "refs/heads/main", description: "" } as const;

it("what was hidden stays hidden when the grace period is made longer", async () => {
  let now = 0;
  const store = memoryRefStore(() => now);
  await createdRecord(store, CREATION);
  await store.change({ graceDays: 1, showsPast: true });
  now = 30 * DAY;
  const beginning = async (): Promise<number | undefined> => {
    const record = await store.describe();
    return record === undefined ? undefined : pastBeginning(record, now);
  };
  expect(await beginning()).toBe(29 * DAY);
  await store.change({ graceDays: 365 });
  expect(await beginning()).toBe(29 * DAY);
  now = 40 * DAY;
  await store.change({ graceDays: 5 });
  expect(await beginning()).toBe(35 * DAY);
  await store.change({ showsPast: false });
  await store.change({ graceDays: 7 });
  expect(await beginning()).toBeUndefined();
});
