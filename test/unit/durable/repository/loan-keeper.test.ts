/** What the alarm does where a lender's object fails. */
import { expect, it } from "vitest";
import { type Lender, LoanKeeper } from "../../../../src/durable/repository/loan-keeper.ts";
import { memoryRefStore } from "../../../support/memory-ref-store.ts";
import { createdRecord } from "../../../suites/ref-store.ts";

const CREATION = { objectFormat: "sha1", visibility: "private", head: "refs/heads/main", description: "" } as const;

/** A bucket that has no file of these packs. */
function emptyBucket(): R2Bucket {
  const bucket: Pick<R2Bucket, "list"> = {
    list: async () => ({ objects: [], delimitedPrefixes: [], truncated: false }),
  };
  return bucket as R2Bucket; // Nothing else of it is called.
}

it("a sweep whose lender fails deletes nothing, does not throw, and is done the next time", async () => {
  const store = memoryRefStore(() => 1000);
  const { id } = await createdRecord(store, CREATION);
  store.database.forks.lend();
  let fails = true;
  const lender: Lender = {
    retire: async (packs) => {
      if (fails) throw new Error("the object was reset");
      return [...packs];
    },
    purge: async () => 0,
    settle: async () => undefined,
  };
  const keeper = new LoanKeeper(store.database.forks, () => lender);
  const swept: string[] = [];
  const sweep = async (): Promise<void> =>
    await keeper.sweep(emptyBucket(), { id, expiredPacks: ["replaced"] }, (pack) => swept.push(pack));
  await sweep();
  expect(swept).toEqual([]);
  fails = false;
  await sweep();
  expect(swept).toEqual(["replaced"]);
});
