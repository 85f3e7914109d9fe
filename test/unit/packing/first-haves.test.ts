/**
 * Fetches by clients that are a few commits behind, from a pack whose index is large: only the first of their haves are looked up.
 *
 * @module-tag thorough
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { FetchSession } from "../../../src/packing/pack-session.ts";
import { READING } from "../../../src/store/reading-policy.ts";
import { GitRepository } from "../../support/git-repository.ts";
import { makeHistory } from "../../support/random-history.ts";
import { pseudoRandom, REF_FORMAT, TestStore } from "../../support/store.ts";

const COMMITS = 60;
const HAVES = 16;
/** No object. */
const UNKNOWN = "12".repeat(20);

/** Has the catalog tell that indexes are large. Whoever reads one whole fails, since it ends sooner. */
function pretendLarge(store: TestStore): void {
  store.makeRemote();
  store.packs = store.packs.map((record) => ({ ...record, indexBytes: READING.costlyIndexBytes + 1 }));
}

/** A store in whose small packs look-ups count as costly. */
class CostlyStore extends TestStore {
  override async open(wants: readonly string[], isPlain = false): Promise<FetchSession> {
    const session = await super.open(wants, isPlain);
    Object.defineProperty(session.database, "isCostly", { value: true });
    return session;
  }
}

describe("the first haves of a client", () => {
  let git: GitRepository;
  let store: TestStore;
  let old: TestStore["packs"] = [];
  const line: string[] = [];
  beforeAll(async () => {
    git = new GitRepository();
    const commits = Array.from({ length: COMMITS }, (_, at) =>
      [
        "commit refs/heads/main",
        `committer A <a@example.com> ${1_700_000_000 + at} +0000`,
        "data 1",
        "x",
        `M 100644 inline file-${at}`,
        "data 1",
        "y",
      ].join("\n"),
    );
    git.git(["fast-import", "--quiet"], `${commits.join("\n")}\n`);
    line.push(...git.lines(["rev-list", "main"]));
    store = new TestStore();
    const [tip = "", before = ""] = line;
    await store.push(git.pack([before]), [before]);
    pretendLarge(store);
    old = store.packs;
    await store.push(git.pack([tip, `^${before}`], "--thin"), [tip]);
    store.setRefs(git.lines(["for-each-ref", REF_FORMAT]));
  });
  afterAll(() => git.dispose());

  /** Fetches the newest commit, and says which have decided. */
  async function fetched(
    haves: readonly string[],
    wants = line.slice(0, 1),
  ): Promise<{ decided?: string; objects: number }> {
    store.forget();
    const told: { decided?: string } = {};
    const pack = await store.fetch({
      wants,
      haves,
      early: (decided) => {
        if (decided !== undefined) told.decided = decided;
      },
    });
    return { ...told, objects: pack.readUInt32BE(8) };
  }

  it("decide where the parent of what is wanted is among them, and no index is read whole", async () => {
    const haves = line.slice(1, 1 + HAVES);
    expect(await fetched(haves)).toEqual({ decided: line[1], objects: 2 });
    const [large] = old;
    const ofIndex = store.log.filter((entry) => entry.includes(`${large?.name}.idx`));
    // The commit and its tree: where each lies among the names, and in the pack.
    expect(ofIndex.length).toBeLessThanOrEqual(4);
  });

  it("decide behind commits of the client's own", async () => {
    expect(await fetched([UNKNOWN, "34".repeat(20), ...line.slice(1, HAVES - 1)])).toEqual({
      decided: line[1],
      objects: 2,
    });
  });

  it("decide nothing where the client has more than a first round of them, or one", async () => {
    expect((await fetched(line.slice(1, 2))).decided).toBeUndefined();
    // Then all are looked up, which fails here.
    await expect(fetched(line.slice(1, 2 + HAVES))).rejects.toThrow(/idx ends at/);
  });

  it("decide nothing where more is wanted than a few commits", async () => {
    await expect(fetched(line.slice(40, 40 + HAVES))).rejects.toThrow(/idx ends at/);
  });
});

describe.each([1, 2, 3, 4])("the first haves of a client in a random history %i", (seed) => {
  it("leave the pack as all of them would make it", async () => {
    const git = new GitRepository();
    makeHistory(git, seed, { commits: COMMITS });
    const store = new CostlyStore();
    const tips = Array.from({ length: COMMITS }, (_, number) => git.oid(`c${number}`));
    await store.push(git.pack(tips), tips);
    store.setRefs(git.lines(["for-each-ref", REF_FORMAT]));
    const random = pseudoRandom(seed);
    let decided = 0;
    for (let round = 0; round < 25; round++) {
      const want = 1 + random(COMMITS - 1);
      const near = (): string => `c${Math.min(COMMITS - 1, Math.max(0, want - random(6) + 1))}`;
      const haves = git.lines(["rev-list", `-n${HAVES}`, near(), near()]);
      const wants = [git.oid(`c${want}`)];
      const all = (await store.fetch({ wants, haves })).readUInt32BE(8);
      const seen: string[] = [];
      const early = await store.fetch({ wants, haves, early: (name) => name !== undefined && seen.push(name) });
      if (seen.length === 0) continue;
      decided++;
      expect(early.readUInt32BE(8)).toBe(all);
    }
    expect(decided).toBeGreaterThan(3);
    git.dispose();
  });
});
