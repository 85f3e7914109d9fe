/**
 * Deltas whose bases come to lie nearer to them, because something in between is left out.
 *
 * @module-tag thorough
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createDelta } from "../../support/delta.ts";
import { FixtureStream, noise } from "../../support/git-fixtures.ts";
import { buildPack, commitOf, objectId, packEntry, type RawEntry, treeOf } from "../../support/git-raw.ts";
import { GitRepository } from "../../support/git-repository.ts";
import { pseudoRandom, REF_FORMAT, TestStore } from "../../support/store.ts";

const FILES = 12;
const COMMITS = 120;

/** Many versions of files of several sizes, so that distances to bases take one byte and more. */
function versions(): FixtureStream {
  const stream = new FixtureStream();
  const random = pseudoRandom(5);
  const contents = Array.from({ length: FILES }, (_, i) => Buffer.from(noise(100 + 40 * i * i, i)).toString("hex"));
  for (let n = 0; n < COMMITS; n++) {
    const number = random(FILES);
    contents[number] = `${contents[number]}\n${n} ${"x".repeat(random(50))}`;
    stream.commit("refs/heads/main", [{ path: `f${number}`, content: contents[number] ?? "" }]);
  }
  return stream;
}

describe("a part of a pack of deltas", () => {
  const source = new GitRepository();
  const store = new TestStore();
  const clients: GitRepository[] = [];
  afterAll(() => {
    for (const repository of [source, ...clients]) repository.dispose();
  });
  beforeAll(async () => {
    source.import(versions());
    const pack = source.pack(["--all"], "--delta-base-offset", "--depth=50", "--window=50", "--threads=1");
    await store.push(pack, [source.oid("main")]);
    store.setRefs(source.lines(["for-each-ref", REF_FORMAT]));
    // Another tip, which is not fetched, has the objects selected one by one.
    store.refs.set("refs/heads/other", { oid: "1".repeat(40) });
  });

  it.each([0, 1, 7, 30, 60, 90, 118])("has every object that the commit reaches, %i before the tip", async (before) => {
    const name = `main~${before}`;
    const client = new GitRepository();
    clients.push(client);
    for (const isSlow of [false, true]) {
      const pack = await store.fetch({ wants: [source.oid(name)], isSlow });
      client.git(["index-pack", "--stdin", "--strict"], pack);
    }
    const list = ["cat-file", "--batch-all-objects", "--batch-check=%(objectname)", "--unordered"];
    expect(client.lines(list).sort()).toEqual(source.objects(source.oid(name)));
  });
});

describe("a delta on another one that takes a shorter header", () => {
  /** A commit of files with these contents. */
  const filesOf = (...contents: Uint8Array[]): { oid: string; entries: RawEntry[] } => {
    const rows = contents.map((content, i): [string, string, string] => ["100644", `f${i}`, objectId("blob", content)]);
    const tree = treeOf(...rows);
    const commit = commitOf(objectId("tree", tree));
    const entries: RawEntry[] = [
      { type: "commit", content: commit },
      { type: "tree", content: tree },
    ];
    return { oid: objectId("commit", commit), entries };
  };

  it("finds its base", async () => {
    const [base, between] = [noise(60, 1), noise(20_000, 2)];
    const first = Buffer.concat([base, Buffer.from("first")]);
    const second = Buffer.concat([first, Buffer.from("second")]);
    const [wanted, other] = [filesOf(base, first, second), filesOf(between)];
    const whole = [base, between].map((content): RawEntry => ({ type: "blob", content }));
    const distance = whole.reduce((bytes, entry) => bytes + packEntry(entry).length, 0);
    // The distance to the base comes to take one byte, and not three. So the next delta's base lies two bytes nearer.
    const onBase: RawEntry = { type: "ofs-delta", content: createDelta(base, first), base: distance };
    const onThat: RawEntry = { type: "ofs-delta", content: createDelta(first, second), base: packEntry(onBase).length };
    const store = new TestStore();
    await store.push(buildPack([...wanted.entries, ...other.entries, ...whole, onBase, onThat]), []);
    store.refs.set("refs/heads/main", { oid: wanted.oid });
    store.refs.set("refs/heads/other", { oid: other.oid });
    const pack = await store.fetch({ wants: [wanted.oid] });
    const client = new GitRepository();
    client.git(["index-pack", "--stdin", "--strict"], pack);
    expect(pack.readUInt32BE(8)).toBe(5);
    expect(client.git(["cat-file", "blob", objectId("blob", second)])).toEqual(second);
    client.dispose();
  });
});
