/**
 * How the runs of a large selection are read: out of few storage operations, however slow the bucket is.
 *
 * @module-tag thorough
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { PackByteStream } from "../../../src/catalog/pack-storage.ts";
import { noise } from "../../support/git-fixtures.ts";
import { buildPack, commitOf, objectId, type RawEntry, treeOf } from "../../support/git-raw.ts";
import { GitRepository } from "../../support/git-repository.ts";
import { TestStore } from "../../support/store.ts";

const BLOB_BYTES = 200_000;

/** Makes `count` blobs of noise, and a commit of them. */
function commitOfBlobs(count: number, first: number): { oid: string; commit: RawEntry[]; blobs: RawEntry[] } {
  const contents = Array.from({ length: count }, (_, i) => noise(BLOB_BYTES, first + i));
  const rows = contents.map((content, i): [string, string, string] => [
    "100644",
    `f${String(i).padStart(3, "0")}`,
    objectId("blob", content),
  ]);
  const tree = treeOf(...rows);
  const commit = commitOf(objectId("tree", tree), []);
  return {
    oid: objectId("commit", commit),
    commit: [
      { type: "commit", content: commit },
      { type: "tree", content: tree },
    ],
    blobs: contents.map((content) => ({ type: "blob", content })),
  };
}

/** A stream as a slow bucket gives it: a read that is under way when the stream is cancelled fails. */
function slowly(stream: PackByteStream): PackByteStream {
  let isCancelled = false;
  return {
    read: async (buffer) => {
      for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
      if (isCancelled) throw new Error("the stream was cancelled");
      return await stream.read(buffer);
    },
    cancel: async () => {
      isCancelled = true;
      await stream.cancel();
    },
  };
}

describe("a selection of which parts lie in stretches of a large pack", () => {
  const wanted = commitOfBlobs(100, 1);
  const other = commitOfBlobs(12, 1000);
  const store = new TestStore();
  const client = new GitRepository();
  afterAll(() => client.dispose());
  beforeAll(async () => {
    // 10 MB that are wanted, 600 KB that are not, some that are, 1.8 MB that are not, and the rest of what is
    const blobs = [
      ...wanted.blobs.slice(0, 50),
      ...other.blobs.slice(0, 3),
      ...wanted.blobs.slice(50, 53),
      ...other.blobs.slice(3),
      ...wanted.blobs.slice(53),
    ];
    await store.push(buildPack([...wanted.commit, ...other.commit, ...blobs]), [wanted.oid, other.oid]);
    store.refs.set("refs/heads/wanted", { oid: wanted.oid });
    store.refs.set("refs/heads/other", { oid: other.oid });
    const openStream = store.storage.openStream.bind(store.storage);
    store.storage.openStream = async (...asked) => slowly(await openStream(...asked));
  });

  it("comes whole where the bucket is slower than the client", async () => {
    const pack = await store.fetch({ wants: [wanted.oid] });
    client.git(["index-pack", "--stdin", "--strict"], pack);
    expect(pack.readUInt32BE(8)).toBe(102);
  });

  it("is read in one operation where little lies between, and that is read over", async () => {
    store.forget();
    await store.fetch({ wants: [wanted.oid] });
    const opened = store.log.filter((line) => line.startsWith("open "));
    // the first has the 600 KB that are not wanted, and what lies behind the 1.8 MB is another one
    expect(opened).toHaveLength(2);
    const read = opened.reduce((bytes, line) => bytes + Number(/\+(\d+)$/.exec(line)?.[1]), 0);
    expect(read).toBeGreaterThan(103 * BLOB_BYTES);
    expect(read).toBeLessThan(104 * BLOB_BYTES);
  });
});
