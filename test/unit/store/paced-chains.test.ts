/** Chains of deltas of some bytes, each of which makes a megabyte: whether others may run between them. */
import { afterEach, describe, expect, it, vi } from "vitest";
import { Pacer } from "../../../src/bytes/pacer.ts";
import { Inflating } from "../../../src/store/inflating.ts";
import { ObjectReader } from "../../../src/store/object-reader.ts";
import { ObjectRing } from "../../../src/store/object-ring.ts";
import { buildPack, objectId, type RawEntry } from "../../support/git-raw.ts";
import { rawName, TestStore } from "../../support/store.ts";

const MIB = 1024 * 1024;
const LENGTH = 40;

/** A repository of which the bytes are counted that deltas make between two pauses. */
class CountedStore extends TestStore {
  readonly runs = [0];
  override readonly pacer: Pacer = new Pacer(async () => {
    this.runs.push(0);
  });

  /** The most bytes since this was asked last. */
  take(): number {
    const most = Math.max(...this.runs);
    this.runs.splice(0, this.runs.length, 0);
    return most;
  }
}

function counted(): CountedStore {
  const store = new CountedStore();
  // eslint-disable-next-line @typescript-eslint/unbound-method -- it is called with what it is called on
  const { applyDelta } = Inflating.prototype;
  vi.spyOn(Inflating.prototype, "applyDelta").mockImplementation(function (this: Inflating, ...args) {
    const made = applyDelta.apply(this, args);
    store.runs[store.runs.length - 1] = (store.runs.at(-1) ?? 0) + made.size;
    return made;
  });
  return store;
}

/** A delta that keeps all but the last four bytes of a megabyte. */
function tailDelta(tail: Uint8Array): Buffer {
  const [size, copied] = [[0x80, 0x80, 0x40], MIB - 4];
  const copy = [0xf0, copied & 0xff, (copied >> 8) & 0xff, copied >> 16];
  return Buffer.from([...size, ...size, ...copy, 4, ...tail]);
}

/** A blob of a megabyte, and as many versions of it, each a delta on the one before. */
function chain(): { readonly pack: Buffer; readonly last: string } {
  let content = Buffer.alloc(MIB);
  const entries: RawEntry[] = [{ type: "blob", content }];
  for (let at = 0; at < LENGTH; at++) {
    const next = Buffer.from(content);
    next.writeUInt32BE(at + 1, MIB - 4);
    entries.push({ type: "ref-delta", base: objectId("blob", content), content: tailDelta(next.subarray(-4)) });
    content = next;
  }
  return { pack: buildPack(entries), last: objectId("blob", content) };
}

afterEach(() => vi.restoreAllMocks());

describe("a chain of deltas with large results", () => {
  it("is taken in and read with pauses, though all of it comes at once", async () => {
    const store = counted();
    const { pack, last } = chain();
    expect(pack.length).toBeLessThan(16 * 1024);
    await store.push(pack);
    // Without a pause it was 40 MiB of a pack of some kilobytes.
    expect(store.take()).toBeLessThanOrEqual(12 * MIB);
    store.forget();
    const kernel = await store.kernels.lend(20);
    const database = store.database();
    const inflating = new Inflating(kernel, new ObjectRing(kernel.ringAt, kernel.ringBytes), store.pacer);
    const reader = new ObjectReader(database, inflating);
    const { bytes } = await reader.readCopy(rawName(last));
    expect(objectId("blob", bytes)).toBe(last);
    expect(store.take()).toBeLessThanOrEqual(12 * MIB);
    // What is at hand is read without a promise, but no more of it than in one turn.
    const other = new ObjectReader(
      database,
      new Inflating(kernel, new ObjectRing(kernel.ringAt, kernel.ringBytes), store.pacer),
    );
    other.readAtHand(rawName(last));
    expect(store.take()).toBeLessThanOrEqual(12 * MIB);
    reader.close();
    other.close();
    store.kernels.giveBack(kernel);
  });
});
