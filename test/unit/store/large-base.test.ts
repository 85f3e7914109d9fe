/** Objects that can be held and are built from one that cannot, as git stores a file that grew. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fromHex } from "../../../src/bytes/hex.ts";
import { Inflating } from "../../../src/store/inflating.ts";
import { ObjectReader } from "../../../src/store/object-reader.ts";
import { ObjectRing } from "../../../src/store/object-ring.ts";
import { noise } from "../../support/git-fixtures.ts";
import { GitRepository } from "../../support/git-repository.ts";
import { testKernel } from "../../support/kernel.ts";
import { TestStore } from "../../support/store.ts";

const rawOf = (oid: string): Uint8Array => fromHex(oid) ?? new Uint8Array(0);

describe("an object built from one that is too large to be held", () => {
  let git: GitRepository;
  let store: TestStore;
  let reader: ObjectReader;
  let inflating: Inflating;
  const all = noise(300_000, 5);
  let [small, middle, large] = ["", "", ""];

  beforeAll(async () => {
    git = new GitRepository();
    store = new TestStore();
    const kernel = testKernel({ windowBytes: 16_384, ringBytes: 640 * 1024 });
    inflating = new Inflating(kernel, new ObjectRing(kernel.ringAt, kernel.ringBytes), store.pacer);
    const { wholeBytes } = inflating;
    const add = (bytes: number): string =>
      git.text(["hash-object", "-w", "--stdin"], Buffer.from(all.subarray(0, bytes))).trim();
    small = add(wholeBytes - 9000);
    middle = add(wholeBytes - 100);
    large = add(wholeBytes + 50_000);
    await store.push(git.pack([small, middle, large], "--delta-base-offset"), [small, middle, large]);
    reader = new ObjectReader(store.database(), inflating);
  });
  afterAll(() => {
    reader.close();
    git.dispose();
  });

  it("is copied, whole", async () => {
    for (const oid of [small, middle]) {
      const { entries } = await reader.chainOf(rawOf(oid));
      expect(Math.max(...entries.map(({ size }) => size))).toBeGreaterThan(inflating.wholeBytes);
      const size = await reader.sizeOf(rawOf(oid));
      const copy = await reader.readCopy(rawOf(oid));
      expect(Buffer.from(copy.bytes).equals(Buffer.from(all.subarray(0, size)))).toBe(true);
      expect(await reader.copyIfHeld(rawOf(oid))).toEqual(copy);
    }
  });

  it("is not, where it is too large itself", async () => {
    expect(await reader.copyIfHeld(rawOf(large))).toBeUndefined();
    await expect(reader.readCopy(rawOf(large))).rejects.toThrow(/exceeds the limit/);
  });
});
