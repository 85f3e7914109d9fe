/**
 * Partial clones of everything: what they get of packs that share objects.
 *
 * @module-tag thorough
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { NO_FILTER, type ObjectFilter, typesFilter } from "../../../src/graph/object-filter.ts";
import { writeBitmap } from "../../../src/maintenance/write-bitmap.ts";
import { linear, noise, project } from "../../support/git-fixtures.ts";
import { GitRepository } from "../../support/git-repository.ts";
import { TINY, TestStore } from "../../support/store.ts";

const source = new GitRepository();
const clients: GitRepository[] = [];
afterAll(() => {
  for (const repository of [source, ...clients]) repository.dispose();
});

function listed(pack: Buffer): string[] {
  const client = new GitRepository();
  clients.push(client);
  client.git(["index-pack", "--stdin"], pack);
  return client.lines(["cat-file", "--batch-all-objects", "--batch-check=%(objectname)"]).sort();
}

describe("a partial clone of everything", () => {
  const store = new TestStore(TINY);
  beforeAll(async () => {
    source.import(linear(90));
    await store.push(source.pack(["main~20"]), [source.oid("main~20")]);
    // Both have the commits in between, and their objects.
    await store.push(source.pack(["main", "^main~50"], "--thin"), [source.oid("main")]);
    store.setRefs(source.lines(["for-each-ref", "--format=%(refname) %(objectname)"]));
  });

  const filters: [string, ObjectFilter, readonly string[]][] = [
    ["no blobs", typesFilter("commit", "tree", "tag"), ["--filter=blob:none"]],
    ["no trees", { ...NO_FILTER, treeDepth: 0 }, ["--filter=tree:0"]],
    ["small blobs", { ...NO_FILTER, blobBytes: 4 }, ["--filter=blob:limit=4"]],
  ];
  it.each(filters)("gets each object once: %s", async (_, filter, options) => {
    expect(store.packs.every(({ marked }) => marked)).toBe(true);
    for (const isSlow of [false, true]) {
      const pack = await store.fetch({ wants: [source.oid("main")], filter, isSlow });
      const wanted = source.objects("main", ...options);
      expect(listed(pack)).toEqual(wanted);
      expect(pack.readUInt32BE(8)).toBe(wanted.length);
    }
  });

  it("gets the same where bitmaps tell the types, and where these are damaged", async () => {
    const wants = ["main", "main:VERSION", "main~60:VERSION"].map((name) => source.oid(name));
    const gets = async (): Promise<Buffer[]> => {
      store.forget();
      const packs: Buffer[] = [];
      for (const [, filter] of filters) packs.push(await store.fetch({ wants, filter }));
      return packs;
    };
    const before = store.packs;
    const without = await gets();
    const [first, second] = before;
    if (first === undefined || second === undefined) throw new Error("there are no packs");
    const bitmap = await writeBitmap({
      repository: store.repository(),
      record: store.answer(new Uint8Array(0)).record,
      pack: first,
    });
    store.packs = [{ ...first, bitmap }, second];
    expect(await gets()).toEqual(without);
    expect(store.log.some((line) => line.includes(".bitmap"))).toBe(true);
    const file = `${first.name}.bitmap`;
    const bytes = store.storage.files.get(file) ?? new Uint8Array(0);
    store.storage.files.set(
      file,
      bytes.map((byte, at) => (at === 50 ? byte ^ 1 : byte)),
    );
    expect(await gets()).toEqual(without);
    store.packs = before;
  });

  it("gets blobs that it names, of either pack, in spite of the filter", async () => {
    const blobs = ["main:VERSION", "main~60:VERSION", "main~30:src/file-1.txt"].map((name) => source.oid(name));
    const filter = typesFilter("commit", "tree", "tag");
    const pack = await store.fetch({ wants: [source.oid("main"), ...blobs], filter });
    expect(listed(pack)).toEqual([...source.objects("main", "--filter=blob:none"), ...blobs].sort());
  });
});

describe("a partial clone that leaves nothing out", () => {
  it.each([
    ["by distance", []],
    ["by name", ["--no-delta-base-offset"]],
  ])("gets the pack as it lies, with large entries and deltas %s", async (_, options) => {
    const repository = new GitRepository();
    clients.push(repository);
    const stream = project(12);
    stream.commit("refs/heads/main", [{ path: "large.bin", content: noise(700_000, 3) }]);
    repository.import(stream);
    const store = new TestStore(TINY);
    const stored = await store.push(repository.pack(["main"], ...options), [repository.oid("main")]);
    store.setRefs(repository.lines(["for-each-ref", "--format=%(refname) %(objectname)"]));
    const filter = { ...NO_FILTER, blobBytes: 1_000_000 };
    for (const isSlow of [false, true]) {
      const pack = await store.fetch({ wants: [repository.oid("main")], filter, isSlow });
      expect(pack.equals(store.file(stored, "pack"))).toBe(true);
    }
  });
});
