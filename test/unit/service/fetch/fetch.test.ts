/**
 * Packs for clients: what is in them must be whole with what the client has, and C git is the one who says so.
 *
 * @module-tag thorough
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { GitRepository } from "../../../support/git-repository.ts";
import { makeHistory } from "../../../support/random-history.ts";
import { REF_FORMAT, type StoreLayout, TINY, TestStore, pseudoRandom } from "../../../support/store.ts";

/** Entry types of a pack, as git counts them. */
function deltasOf(git: GitRepository, pack: Buffer): { ofs: number; objects: number } {
  const { idx } = git.index(pack);
  const objects = idx.readUInt32BE(8 + 255 * 4);
  const offsetsAt = 8 + 1024 + objects * (git.format.rawSize + 4);
  let ofs = 0;
  for (let i = 0; i < objects; i++) {
    const offset = idx.readUInt32BE(offsetsAt + i * 4);
    if ((((pack[offset] ?? 0) >> 4) & 7) === 6) ofs++;
  }
  return { ofs, objects };
}

/** A repository with the hash function of a store. */
function emptyLike({ format = "sha1" }: StoreLayout): GitRepository {
  return new GitRepository(`--object-format=${format}`);
}

/** Pushes a history commit by commit range, each push thin on the last, as clients do. */
async function pushAll(git: GitRepository, store: TestStore, steps: readonly string[][]): Promise<void> {
  let had: string[] = [];
  for (const step of steps) {
    const tips = step.map((ref) => git.oid(ref));
    const pack = git.pack([...tips, ...had.map((tip) => `^${tip}`)], "--thin", "--delta-base-offset");
    if (pack.readUInt32BE(8) > 0) await store.push(pack, tips);
    had = [...had, ...tips];
  }
  store.setRefs(git.lines(["for-each-ref", REF_FORMAT]));
}

/** Has a client take a pack, and check that it has all that `wants` reach. */
function expectClosed(client: GitRepository, pack: Buffer, wants: readonly string[]): void {
  if (pack.readUInt32BE(8) > 0) client.receive(pack);
  else expect(pack.length).toBe(12 + client.format.rawSize);
  expect(client.run(["rev-list", "--objects", "--quiet", ...wants]).stderr).toBe("");
}

const COMMITS = 60;
const refs = (random: (below: number) => number, count: number): string[] =>
  Array.from({ length: 1 + random(count) }, () => `c${random(COMMITS)}`);

describe.each<{ seed: number; skew?: number; layout: StoreLayout }>([
  { seed: 1, layout: {} },
  { seed: 2, skew: 10_000, layout: {} },
  { seed: 3, skew: 300, layout: TINY },
  { seed: 4, skew: 100_000, layout: TINY },
  { seed: 5, skew: 10_000, layout: { format: "sha256" } },
  { seed: 6, layout: { ...TINY, format: "sha256" } },
])("the pack of a fetch from a random history %o", ({ seed, skew, layout }) => {
  let git: GitRepository;
  let store: TestStore;
  beforeAll(async () => {
    git = emptyLike(layout);
    makeHistory(git, seed, { commits: COMMITS, ...(skew === undefined ? {} : { skew }) });
    store = new TestStore(layout);
    const all = git.lines(["for-each-ref", "--format=%(refname)"]);
    await pushAll(git, store, [["c10", "c11"], ["c20"], ["c30", "c31", "c35"], ["c50"], all]);
    if (store.packs.length < 4) throw new Error("too few packs to tell anything");
  });
  afterAll(() => git.dispose());

  it("is closed together with the client's objects", async () => {
    const random = pseudoRandom(seed);
    for (let round = 0; round < 8; round++) {
      if (round % 3 === 0) store.forget();
      const client = emptyLike(layout);
      try {
        const first = refs(random, 3).map((ref) => git.oid(ref));
        expectClosed(client, await store.fetch({ wants: first }), first);
        const wants = refs(random, 4).map((ref) => git.oid(ref));
        const pack = await store.fetch({ wants, haves: first });
        expectClosed(client, pack, wants);
        const sent = pack.readUInt32BE(8);
        const exact = git.objects(...wants, ...first.map((have) => `^${have}`)).length;
        const all = git.objects(...wants).length;
        expect(sent).toBeGreaterThanOrEqual(exact === 0 ? 0 : 1);
        expect(sent).toBeLessThanOrEqual(all);
        expect(client.run(["fsck", "--strict", "--connectivity-only"]).ok).toBe(true);
      } finally {
        client.dispose();
      }
    }
  });

  it("has exactly the objects that rev-list lists, if there are no haves", async () => {
    const random = pseudoRandom(seed + 100);
    for (let round = 0; round < 6; round++) {
      const wants = refs(random, 3).map((ref) => git.oid(ref));
      const pack = await store.fetch({ wants });
      const client = emptyLike(layout);
      client.receive(pack);
      expect(client.lines(["cat-file", "--batch-check=%(objectname)", "--batch-all-objects"])).toEqual(
        git.objects(...wants),
      );
      client.dispose();
    }
  });

  it("is thin, and has ofs-deltas, only if the client offered that", async () => {
    const random = pseudoRandom(seed + 200);
    for (let round = 0; round < 6; round++) {
      const wants = refs(random, 3).map((ref) => git.oid(ref));
      const haves = round % 2 === 0 ? [] : refs(random, 2).map((ref) => git.oid(ref));
      const pack = await store.fetch({ wants, haves, thinPack: false, ofsDelta: false });
      if (pack.readUInt32BE(8) === 0) continue;
      // indexed on its own: every base is in it
      expect(deltasOf(git, pack).ofs).toBe(0);
    }
  });

  it("has the stored packs for a fetch of everything, each object once", async () => {
    const wants = git.tips();
    expect(store.answer(Buffer.from(wants.join(""), "hex")).uncoveredTips).toBe(0);
    for (const ofsDelta of [true, false]) {
      for (const marked of [true, false]) {
        store.packs = store.packs.map((record) => ({ ...record, marked }));
        const pack = await store.fetch({ wants, ofsDelta });
        const client = emptyLike(layout);
        client.git(["index-pack", "--stdin", "--strict"], pack);
        expect(client.lines(["cat-file", "--batch-check=%(objectname)", "--batch-all-objects"])).toEqual(
          git.objects("--all"),
        );
        if (!ofsDelta) expect(deltasOf(git, pack).ofs).toBe(0);
        client.dispose();
      }
    }
  });

  it("is closed with indexes that have to be read as well", async () => {
    expect.hasAssertions();
    const random = pseudoRandom(seed + 300);
    store.makeRemote();
    store.forget();
    for (let round = 0; round < 4; round++) {
      const client = emptyLike(layout);
      const first = refs(random, 3).map((ref) => git.oid(ref));
      expectClosed(client, await store.fetch({ wants: first }), first);
      const wants = refs(random, 4).map((ref) => git.oid(ref));
      expectClosed(client, await store.fetch({ wants, haves: first }), wants);
      client.dispose();
    }
    const client = emptyLike(layout);
    store.packs = store.packs.map((record) => ({ ...record, marked: true }));
    const everything = await store.fetch({ wants: git.tips() });
    client.git(["index-pack", "--stdin", "--strict"], everything);
    client.dispose();
  });

  it("includes tags on request", async () => {
    const wants = [git.oid("c49")];
    const tags = git.lines(["for-each-ref", "--merged=c49", "--format=%(objectname)", "refs/tags/t*"]);
    expect(tags.length).toBeGreaterThan(0);
    const with_ = await store.fetch({ wants, includeTag: true });
    const client = emptyLike(layout);
    client.receive(with_);
    for (const tag of tags) client.git(["cat-file", "-e", tag]);
    client.git(["rev-list", "--objects", "--quiet", ...wants, ...tags]);
    client.dispose();
  });
});
