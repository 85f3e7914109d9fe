/**
 * What is hard about copying entries between packs: duplicates, deltas across packs, entries too large to be held.
 *
 * @module-tag thorough
 */
import { afterAll, describe, expect, it } from "vitest";
import { createDelta } from "../../support/delta.ts";
import { BucketUnavailable } from "../../../src/bytes/failure.ts";
import type { PackRecord } from "../../../src/catalog/pack-record.ts";
import { noise } from "../../support/git-fixtures.ts";
import { type RawEntry, buildPack, commitOf, objectId, treeOf } from "../../support/git-raw.ts";
import { GitRepository } from "../../support/git-repository.ts";
import { TINY, TestStore } from "../../support/store.ts";

const clients: GitRepository[] = [];
afterAll(() => {
  for (const client of clients) client.dispose();
});

type Blob = { readonly oid: string; readonly content: Uint8Array };
const blob = (content: Uint8Array): Blob => ({ oid: objectId("blob", content), content });
const whole = ({ content }: Blob): RawEntry => ({ type: "blob", content });
const delta = (base: Blob, to: Blob): RawEntry => ({
  type: "ref-delta",
  base: base.oid,
  content: createDelta(base.content, to.content),
});
const edited = (base: Blob, text: string): Blob => blob(Buffer.concat([base.content.subarray(7), Buffer.from(text)]));

/** A commit over these blobs. */
function commitWith(blobs: readonly Blob[], parents: readonly string[] = []): { entries: RawEntry[]; oid: string } {
  const tree = treeOf(
    ...blobs.map(({ oid }, i): [string, string, string] => ["100644", `f${String(i).padStart(3, "0")}`, oid]),
  );
  const commit = commitOf(objectId("tree", tree), parents);
  return {
    entries: [
      { type: "commit", content: commit },
      { type: "tree", content: tree },
    ],
    oid: objectId("commit", commit),
  };
}

/** Fetches twice, the second time as a slow client: what is sent is the same. */
async function fetchBoth(store: TestStore, request: Parameters<TestStore["fetch"]>[0]): Promise<Buffer> {
  const pack = await store.fetch(request);
  const slowly = await store.fetch({ ...request, isSlow: true });
  expect(slowly.equals(pack)).toBe(true);
  return pack;
}

/** Has git check a pack on its own, and what it reaches; gives the number of objects. */
function accept(pack: Buffer, tips: readonly string[]): number {
  const client = new GitRepository();
  clients.push(client);
  client.git(["index-pack", "--stdin", "--strict"], pack);
  client.git(["rev-list", "--objects", "--quiet", ...tips]);
  return pack.readUInt32BE(8);
}

describe("a fetch from packs that share objects", () => {
  const x = blob(noise(2000, 1));
  const y = edited(x, "y");
  const z = edited(x, "z");

  /** Every permutation of the catalog must do, and every one of them with the wants that take the walk. */
  async function expectInAnyOrder(store: TestStore, tips: readonly string[], objects: number): Promise<void> {
    const permute = (records: readonly PackRecord[]): PackRecord[][] =>
      records.length < 2
        ? [[...records]]
        : records.flatMap((record, i) => permute(records.toSpliced(i, 1)).map((rest) => [record, ...rest]));
    for (const packs of permute(store.packs)) {
      for (const [i, sameTime] of [true, false].entries()) {
        store.packs = packs.map((record, at) => ({ ...record, marked: true, createdAt: sameTime ? 0 : at + i }));
        for (const [n, tip] of tips.entries()) store.refs.set(`refs/heads/${n}`, { oid: tip });
        expect(accept(await fetchBoth(store, { wants: tips }), tips)).toBe(objects);
        if (sameTime) continue;
        store.refs.set("refs/heads/other", { oid: "1".repeat(40) });
        expect(accept(await fetchBoth(store, { wants: tips }), tips)).toBe(objects);
        store.refs.delete("refs/heads/other");
      }
    }
  }

  it("sends an object once that is in the catalog twice", async () => {
    expect.hasAssertions();
    const store = new TestStore();
    const first = commitWith([x, y]);
    const second = commitWith([x, z], [first.oid]);
    await store.push(buildPack([...first.entries, whole(x), delta(x, y)]), [first.oid]);
    await store.push(buildPack([...second.entries, whole(x), delta(x, z)]), [second.oid]);
    await expectInAnyOrder(store, [second.oid], 7);
  });

  it("sends deltas across packs, and bases that completion appended only once", async () => {
    const store = new TestStore();
    const first = commitWith([x]);
    const second = commitWith([y], [first.oid]);
    const third = commitWith([z], [second.oid]);
    await store.push(buildPack([...first.entries, whole(x)]), [first.oid]);
    await store.push(buildPack([...second.entries, delta(x, y)]), [second.oid]);
    await store.push(buildPack([...third.entries, delta(y, z)]), [third.oid]);
    expect(store.packs.map(({ objects, ownObjects }) => objects - ownObjects)).toEqual([0, 1, 1]);
    await expectInAnyOrder(store, [third.oid], 9);
  });

  it("sends no object as a delta on itself by way of another pack", async () => {
    expect.hasAssertions();
    const store = new TestStore();
    // the largest goes out first, and has nothing to do with it
    const others = Array.from({ length: 9 }, (_, i) => blob(noise(100, i)));
    const root = commitWith(others);
    await store.push(buildPack([...root.entries, ...others.map(whole)]), [root.oid]);
    const base = commitWith([x, y], [root.oid]);
    await store.push(buildPack([...base.entries, whole(x), whole(y)]), [base.oid]);
    // pushed again, by clients that did not know: x on y, and y on x
    const left = commitWith([x], [base.oid]);
    const right = commitWith([y], [base.oid]);
    await store.push(buildPack([...left.entries, delta(y, x)]), [left.oid]);
    await store.push(buildPack([...right.entries, delta(x, y)]), [right.oid]);
    await expectInAnyOrder(store, [left.oid, right.oid], 19);
  });
});

describe("entries too large to be read whole", () => {
  const large = blob(noise(3_000_000, 2));
  const next = edited(large, "n".repeat(50));
  const apart = blob(noise(1_500_000, 3));

  it.each([
    ["roomy", {}],
    ["tiny", TINY],
  ])("are copied as they are, %s memory", async (_name, layout) => {
    const store = new TestStore(layout);
    const first = commitWith([large, apart]);
    const second = commitWith([next, apart], [first.oid]);
    await store.push(buildPack([...first.entries, whole(large), whole(apart)]), [first.oid]);
    await store.push(buildPack([...second.entries, whole(large), delta(large, next)]), [second.oid]);
    store.refs.set("refs/heads/other", { oid: "1".repeat(40) });
    for (const remote of [false, true]) {
      if (remote) store.makeRemote();
      for (const ofsDelta of [true, false]) {
        expect(accept(await fetchBoth(store, { wants: [second.oid], ofsDelta }), [second.oid])).toBe(7);
      }
      const pack = await fetchBoth(store, { wants: [second.oid], haves: [first.oid] });
      expect(pack.length).toBeLessThan(2000);
      const client = new GitRepository();
      clients.push(client);
      client.receive(await fetchBoth(store, { wants: [first.oid] }));
      client.receive(pack);
      client.git(["fsck", "--strict"]);
    }
  });

  it.each([
    ["roomy", {}],
    ["tiny", TINY],
  ])("are re-encoded if their base is not sent, %s memory", async (_name, layout) => {
    const store = new TestStore(layout);
    // a chain, with the second half first, and something new at both ends
    const swapped = blob(Buffer.concat([next.content.subarray(2_000_000), next.content.subarray(0, 2_000_000)]));
    const top = blob(Buffer.concat([noise(300_000, 4), swapped.content.subarray(100), noise(70_000, 5)]));
    const [first, second, third] = [commitWith([large]), commitWith([next]), commitWith([top])];
    const deltas = [delta(large, next), delta(next, swapped), delta(swapped, top)];
    await store.push(buildPack([...first.entries, ...second.entries, ...third.entries, whole(large), ...deltas]), []);
    store.refs.set("refs/heads/other", { oid: "1".repeat(40) });
    for (const { oid } of [second, third]) {
      store.forget();
      expect(accept(await fetchBoth(store, { wants: [oid] }), [oid])).toBe(3);
      // each megabyte is read as often as it takes, not each copy
      expect(store.cost.reads).toBeLessThan(60);
    }
  });
});

describe("a client that is waited for", () => {
  it("holds a buffer and nothing that was read, and has few bytes read again", async () => {
    const store = new TestStore();
    const blobs = Array.from({ length: 120 }, (_, i) => blob(noise(50_000, i)));
    const { entries, oid } = commitWith(blobs);
    await store.push(buildPack([...entries, ...blobs.map(whole)]), [oid]);
    // another tip, which is not fetched, has the objects selected one by one
    store.refs.set("refs/heads/other", { oid: "1".repeat(40) });
    const fast = await store.fetch({ wants: [oid] });
    store.forget();
    const held: number[] = [];
    const wait = store.memory.whileClient.bind(store.memory);
    store.memory.whileClient = async (step, isSlow) => {
      const waited = wait(step, isSlow);
      held.push(store.memory.bytes);
      return await waited;
    };
    const slow = await store.fetch({ wants: [oid], isSlow: true });
    expect(slow.equals(fast)).toBe(true);
    // the first wait only begins to give the kernel back
    expect(held.length).toBeGreaterThan(10);
    expect(Math.max(...held.slice(1))).toBeLessThan(1_000_000);
    expect(store.memory.bytes).toBe(0);
    // gathered once; then each byte about once, and what was read of a run that was let go of
    expect(store.cost.bytesRead).toBeLessThan(2.5 * fast.length);
  });

  const SIDE_BY_SIDE = 400;

  /** A store whose only pack has many blobs side by side, and a commit that does not have them all: they are copied by name. */
  async function manyBlobs(): Promise<{ store: TestStore; wants: string[]; bytes: number }> {
    const store = new TestStore();
    // One is larger than what is read at once, and one than a run.
    const sizes = [...Array.from({ length: SIDE_BY_SIDE - 2 }, () => 50_000), 700_000, 3_000_000];
    const blobs = sizes.map((size, i) => blob(noise(size, i)));
    const { entries, oid } = commitWith(blobs);
    await store.push(buildPack([...entries, ...blobs.map(whole)]), [oid]);
    store.refs.set("refs/heads/main", { oid });
    store.makeRemote();
    return { store, wants: blobs.map((each) => each.oid), bytes: sizes.reduce((sum, size) => sum + size) };
  }

  it("is sent blobs that lie side by side out of one read, and nothing twice", async () => {
    const { store, wants, bytes } = await manyBlobs();
    const fast = await store.fetch({ wants });
    expect(accept(fast, [])).toBe(SIDE_BY_SIDE);
    store.forget();
    const held: number[] = [];
    const wait = store.memory.whileClient.bind(store.memory);
    store.memory.whileClient = async (step, isSlow) => {
      const waited = wait(step, isSlow);
      held.push(store.memory.bytes);
      return await waited;
    };
    expect((await store.fetch({ wants, isSlow: true })).equals(fast)).toBe(true);
    expect(store.log.filter((line) => line.includes(".pack "))).toHaveLength(1);
    expect(store.cost.bytesRead).toBeLessThan(1.1 * bytes);
    expect(Math.max(...held.slice(1))).toBeLessThan(1_000_000);
    expect(store.memory.bytes).toBe(0);
  });

  it("gets the same where the bucket breaks off meanwhile, and nothing where it gives no more", async () => {
    const { store, wants } = await manyBlobs();
    const fast = await store.fetch({ wants });
    const open = store.storage.openStream.bind(store.storage);
    let [opened, most] = [0, Number.POSITIVE_INFINITY];
    store.storage.openStream = async (file, offset, length) => {
      const stream = await open(file, offset, length);
      if (++opened > most) throw new BucketUnavailable("gives", file.pack, {});
      let given = 0;
      return {
        ...stream,
        read: async (buffer) => {
          given += buffer.length;
          if (given > 5_000_000) throw new BucketUnavailable("gives", file.pack, {});
          return await stream.read(buffer);
        },
      };
    };
    store.forget();
    expect((await store.fetch({ wants, isSlow: true })).equals(fast)).toBe(true);
    expect(opened).toBeLessThan(8);
    [opened, most] = [0, 2];
    await expect(store.fetch({ wants, isSlow: true })).rejects.toThrow("the bucket gives nothing now");
    expect(store.memory.bytes).toBe(0);
  });

  it("gets the same where what was gathered behind such blobs is freed", async () => {
    const store = new TestStore();
    const blobs = Array.from({ length: 300 }, (_, i) => blob(noise(50_000, i)));
    const { entries, oid } = commitWith(blobs);
    await store.push(buildPack([...entries, ...blobs.map(whole)]), [oid]);
    store.refs.set("refs/heads/other", { oid: "1".repeat(40) });
    const fast = await store.fetch({ wants: [oid] });
    // Of the last of it, four megabytes are gathered; the rest is a stretch that ends there.
    store.memory.hasRoom = () => false;
    expect((await store.fetch({ wants: [oid], isSlow: true })).equals(fast)).toBe(true);
    expect(accept(fast, [oid])).toBe(302);
  });
});
