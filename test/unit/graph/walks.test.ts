/**
 * Walks over random histories, against git rev-list.
 *
 * @module-tag thorough
 */
import { SELECTED, UNINTERESTING } from "../../../src/kernel/object-flags.ts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isAncestor, isReachedByAny } from "../../../src/graph/ancestry.ts";
import { CommitQueue } from "../../../src/graph/commit-queue.ts";
import { CommonCommits } from "../../../src/graph/common-commits.ts";
import { walkCommits } from "../../../src/graph/commit-walk.ts";
import { GraphSession } from "../../../src/graph/graph-session.ts";
import { NO_FILTER } from "../../../src/graph/object-filter.ts";
import { selectTreesOf } from "../../../src/graph/object-walk.ts";
import { whichReached } from "../../../src/graph/reachability.ts";
import type { ObjectFormatName } from "../../../src/object/object-id.ts";
import { GitRepository } from "../../support/git-repository.ts";
import { makeHistory } from "../../support/random-history.ts";
import { REF_FORMAT, TestStore, pseudoRandom, rawName } from "../../support/store.ts";

const COMMITS = 80;

/** A history in a store, and sessions over it. */
class Walked {
  readonly git: GitRepository;
  readonly store: TestStore;
  readonly #seed: number;
  readonly #skew: number | undefined;

  constructor(seed: number, skew: number | undefined, format: ObjectFormatName) {
    this.git = new GitRepository(`--object-format=${format}`);
    this.store = new TestStore({ format });
    this.#seed = seed;
    this.#skew = skew;
  }

  async prepare(): Promise<void> {
    makeHistory(this.git, this.#seed, {
      commits: COMMITS,
      ...(this.#skew === undefined ? {} : { skew: this.#skew }),
    });
    await this.store.push(this.git.pack(["--all"]), this.git.tips());
    this.store.setRefs(this.git.lines(["for-each-ref", REF_FORMAT]));
  }

  oid(number: number): string {
    return this.store.refs.get(`refs/heads/c${number}`)?.oid ?? "";
  }

  async session<T>(use: (session: GraphSession) => Promise<T>): Promise<T> {
    const kernel = await this.store.kernels.lend(this.store.format.rawSize);
    try {
      return await use(new GraphSession(this.store.database(), kernel));
    } finally {
      this.store.kernels.giveBack(kernel);
    }
  }
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

describe.each([
  [1, undefined, "sha1"],
  [2, 120, "sha1"],
  [3, 5000, "sha1"],
  [4, 1_000_000, "sha1"],
  [5, 5000, "sha256"],
] as const)("the graph of random history %d, clocks off by %s, %s", (seed, skew, format) => {
  const walked = new Walked(seed, skew, format);
  beforeAll(async () => await walked.prepare());
  afterAll(() => walked.git.dispose());
  const pick = (random: (below: number) => number, most: number): string[] =>
    Array.from({ length: random(most + 1) }, () => walked.oid(random(COMMITS)));

  it("walks the commits that rev-list lists", async () => {
    const random = pseudoRandom(seed);
    let extra = 0;
    for (let round = 0; round < 30; round++) {
      const wants = [walked.oid(random(COMMITS)), ...pick(random, 2)];
      const haves = pick(random, 3);
      const exact = walked.git.lines(["rev-list", ...wants, ...haves.map((have) => `^${have}`)]);
      const all = new Set(walked.git.lines(["rev-list", ...wants]));
      await walked.session(async (session) => {
        const nodes = (oids: readonly string[]): number[] => oids.map((oid) => session.node(rawName(oid)));
        const { interesting } = await walkCommits(session, nodes(wants), nodes(haves));
        const found = interesting.map((node) => hex(session.nameOf(node)));
        expect(new Set(found).size).toBe(found.length);
        for (const oid of exact) expect(found).toContain(oid);
        for (const oid of found) expect(all).toContain(oid);
        extra += found.length - exact.length;
      });
    }
    // more than rev-list's only where clocks are wrong
    if (skew === undefined) expect(extra).toBe(0);
  });

  it("selects the objects that the client lacks", async () => {
    const random = pseudoRandom(seed + 50);
    for (let round = 0; round < 15; round++) {
      const wants = [walked.oid(random(COMMITS)), ...pick(random, 2)];
      const haves = pick(random, 2);
      const missing = walked.git.objects(...wants, ...haves.map((have) => `^${have}`));
      const theirs = new Set(haves.length === 0 ? [] : walked.git.objects(...haves));
      const all = new Set(walked.git.objects(...wants));
      await walked.session(async (session) => {
        const nodes = (oids: readonly string[]): number[] => oids.map((oid) => session.node(rawName(oid)));
        const commits = await walkCommits(session, nodes(wants), nodes(haves));
        for (const node of commits.interesting) session.mark(node, SELECTED);
        let counted = 0;
        await selectTreesOf(session, commits, {
          filter: NO_FILTER,
          count: async (objects) => void (counted += objects),
        });
        const selected = new Set<string>();
        for (let node = 0; node < session.kernel.oidCount; node++) {
          const oid = hex(session.nameOf(node));
          if (session.has(node, SELECTED)) selected.add(oid);
          // what is told to be the client's is
          else if (session.has(node, UNINTERESTING)) expect(theirs).toContain(oid);
        }
        for (const oid of missing) if (!theirs.has(oid)) expect(selected).toContain(oid);
        for (const oid of selected) expect(all).toContain(oid);
        expect(counted + commits.interesting.length).toBe(selected.size);
      });
    }
  });

  it("ends negotiation when every want reaches a common commit", async () => {
    const random = pseudoRandom(seed + 70);
    for (let round = 0; round < 15; round++) {
      const wants = [walked.oid(random(COMMITS)), ...pick(random, 2)];
      const haves = pick(random, 3);
      const reaches = (want: string): boolean =>
        haves.some((have) => walked.git.run(["merge-base", "--is-ancestor", have, want]).ok);
      await walked.session(async (session) => {
        const common = new CommonCommits(session);
        const nodes = wants.map((want) => session.node(rawName(want)));
        expect(await common.suffice(nodes)).toBe(false);
        for (const have of haves) {
          await common.add(session.node(rawName(have)));
          common.forget();
        }
        const enough = await common.suffice(nodes);
        const expected = haves.length > 0 && wants.every(reaches);
        // a parent of what is common is common, too: more may suffice, and never less while clocks are right
        if (skew === undefined && expected) expect(enough).toBe(true);
        if (haves.length === 0) expect(enough).toBe(false);
      });
    }
  });

  it("tells ancestors from other commits, whatever the clocks say", async () => {
    const random = pseudoRandom(seed + 110);
    const seen = { yes: 0, no: 0 };
    for (let round = 0; round < 40; round++) {
      const [from, to] = [walked.oid(random(COMMITS)), walked.oid(random(COMMITS))];
      const expected = walked.git.run(["merge-base", "--is-ancestor", from, to]).ok;
      await walked.session(async (session) => {
        const nodes = [session.node(rawName(from)), session.node(rawName(to))] as const;
        expect(await isAncestor(session, ...nodes), `${from} ${to}`).toBe(expected);
        // the session is good for the next pair
        expect(await isAncestor(session, nodes[0], nodes[0])).toBe(true);
      });
      seen[expected ? "yes" : "no"] += 1;
    }
    expect(Math.min(seen.yes, seen.no)).toBeGreaterThan(3);
  });

  it("tells by one walk whether any of several commits reaches another", async () => {
    const random = pseudoRandom(seed + 115);
    const seen = { yes: 0, no: 0 };
    for (let round = 0; round < 40; round++) {
      const from = walked.oid(random(COMMITS));
      const tips = Array.from({ length: 1 + random(3) }, () => walked.oid(random(COMMITS)));
      const expected = tips.some((tip) => walked.git.run(["merge-base", "--is-ancestor", from, tip]).ok);
      await walked.session(async (session) => {
        const nodes = tips.map((tip) => session.node(rawName(tip)));
        expect(await isReachedByAny(session, session.node(rawName(from)), nodes), `${from} ${tips.join()}`).toBe(
          expected,
        );
        expect(await isReachedByAny(session, session.node(rawName(from)), [])).toBe(false);
      });
      seen[expected ? "yes" : "no"] += 1;
    }
    expect(Math.min(seen.yes, seen.no)).toBeGreaterThan(0);
  });

  it("tells which objects refs reach", async () => {
    const random = pseudoRandom(seed + 90);
    const everything = walked.git.lines(["cat-file", "--batch-check=%(objectname)", "--batch-all-objects"]);
    for (let round = 0; round < 15; round++) {
      const tips = [
        walked.oid(random(COMMITS)),
        ...(round % 3 === 0 ? [walked.git.oid("t7"), walked.git.oid("tree")] : []),
      ];
      const reached = new Set(walked.git.objects(...tips));
      const asked = Array.from({ length: 4 }, () => everything[random(everything.length)] ?? "");
      const found = await walked.session(
        async (session) => await whichReached(session, asked.map(rawName), tips.map(rawName)),
      );
      expect(found).toEqual(asked.map((oid) => reached.has(oid)));
    }
  });

  it("refuses a want that no ref reaches, and takes one that some ref does", async () => {
    const { store, git } = walked;
    const saved = [...store.refs];
    const twenty = walked.oid(20);
    store.setRefs([`refs/heads/main ${twenty}`, `refs/tags/tt ${git.oid("tt")} ${git.oid("tt^{}")}`]);
    const inside = git.objects(twenty, git.oid("tt"));
    const outside = git.objects("--all").filter((oid) => !inside.includes(oid));
    const check = async (want: string): Promise<void> => {
      const session = await store.open([want]);
      try {
        await session.checkWants();
      } finally {
        session.close();
      }
    };
    // with the mark all that is in the pack is reachable
    store.packs = store.packs.map((record) => ({ ...record, marked: true }));
    await check(outside[0] ?? "");
    store.packs = store.packs.map((record) => ({ ...record, marked: false }));
    for (const oid of inside.slice(0, 12)) await check(oid);
    for (const oid of [...outside.slice(0, 12), "1".repeat(walked.git.format.hexSize)]) {
      await expect(check(oid)).rejects.toMatchObject({
        name: "ProtocolError",
        message: `upload-pack: not our ref ${oid}`,
      });
    }
    store.refs.clear();
    for (const [name, value] of saved) store.refs.set(name, value);
  });
});

describe("CommitQueue", () => {
  it("pops the youngest first, and of the same time the one pushed first", () => {
    const random = pseudoRandom(11);
    const queue = new CommitQueue();
    const rows: { node: number; time: number }[] = [];
    for (let node = 0; node < 2000; node++) {
      const time = random(300) - 150;
      rows.push({ node, time });
      queue.push(node, time);
    }
    expect(queue.some((node) => node === 1999)).toBe(true);
    expect(queue.some((node) => node === 2000)).toBe(false);
    rows.sort((a, b) => b.time - a.time || a.node - b.node);
    for (const { node, time } of rows) {
      expect(queue.youngestTime).toBe(time);
      expect(queue.pop()).toBe(node);
    }
    expect(queue.pop()).toBeUndefined();
    expect(queue.youngestTime).toBe(Number.NEGATIVE_INFINITY);
  });
});
