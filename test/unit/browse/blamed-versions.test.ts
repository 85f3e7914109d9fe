/** What a blame remembers of very many versions of a file, and what it counts of them. */
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { Blame } from "../../../src/browse/blame.ts";
import { BlamedVersions } from "../../../src/browse/blamed-versions.ts";
import { BrowseSession } from "../../../src/browse/browse-session.ts";
import { toHex } from "../../../src/bytes/hex.ts";
import { cutPair } from "../../../src/diff/versions.ts";
import { GitRepository } from "../../support/git-repository.ts";
import { rawName, TestStore } from "../../support/store.ts";

const KIB = 1024;
const MIB = 1024 * KIB;
/** More small versions than a blame remembers. */
const VERSIONS = 5000;
/** The most that a blame remembers: two versions of the largest file, with all that is counted of them. */
const MOST_BYTES = 2 * (4 * MIB + 8 * 60_001 + KIB);
/** The bytes of each version. */
const TEXT_BYTES = 1000;
/**
 * How often the length of a version may be asked for: once for each byte while its lines are counted, and a few times in
 * each of its two comparisons.
 */
const MOST_LOOKS = TEXT_BYTES + 40;

const git = new GitRepository();
const store = new TestStore();

/** A stream for `git fast-import`: a file of two lines of which the first one changes in every commit. */
function smallVersions(): string {
  return Array.from({ length: VERSIONS }, (_, at) => {
    const text = `${String(at).padStart(8, "0")}
`.padEnd(TEXT_BYTES, "x");
    return (
      `commit refs/heads/many\ncommitter C O Mitter <c@example.com> ${1_700_000_000 + at} +0000\ndata 0\n` +
      `M 100644 inline small.txt\ndata ${TEXT_BYTES}\n${text}\n`
    );
  }).join("");
}

beforeAll(async () => {
  git.git(["fast-import", "--quiet"], smallVersions());
  store.packs = [{ ...(await store.push(git.pack(["--all"]), git.tips())), marked: true }];
});

afterAll(() => {
  git.dispose();
});

it("counts what each version takes, and looks at none but the two that are compared", async () => {
  const session = await BrowseSession.open(store.repository(), store.answer(new Uint8Array(0)));
  try {
    const { reader } = session.graph;
    const read = reader.copyIfHeld.bind(reader);
    let [looks, reads, kept, mostKept] = [0, 0, 0, 0];
    vi.spyOn(reader, "copyIfHeld").mockImplementation(async (name) => {
      const copy = await read(name);
      if (copy === undefined) return undefined;
      reads++;
      const bytes = copy.bytes.slice();
      const { length } = bytes;
      Object.defineProperty(bytes, "length", {
        get: () => {
          looks++;
          return length;
        },
      });
      return { ...copy, bytes };
    });
    const keep = session.keep.bind(session);
    vi.spyOn(session, "keep").mockImplementation((bytes) => {
      kept += bytes;
      mostKept = Math.max(mostKept, kept);
      keep(bytes);
    });
    const commit = rawName(git.oid("many"));
    const whole = [{ commit, path: "small.txt", lines: [{ line: 0, count: 2, source: 0 }] }];
    const blame = await Blame.resume(session, whole, { whitespace: "exact" });
    const found: string[] = [];
    if (blame === undefined) throw new Error("the commit is known");
    // A page ends after some reads of the store.
    while (blame.pending().length > 0)
      for await (const { commit: from, line } of blame.run(Infinity)) found[line] = toHex(from);
    expect(found).toEqual([git.oid("many"), git.lines(["rev-list", "--max-parents=0", "many"])[0]]);
    expect(reads).toBe(VERSIONS);
    expect(looks).toBeLessThan(MOST_LOOKS * VERSIONS);
    expect(mostKept).toBeGreaterThan(MOST_BYTES - 4 * KIB);
    expect(mostKept).toBeLessThan(MOST_BYTES + 4 * KIB);
  } finally {
    session.close();
  }
});

it("counts versions exactly while others are forgotten, and keeps the two that are compared", async () => {
  const [lines, most] = [1000, 60_000];
  const text = new TextEncoder().encode("x".repeat(999).concat("\n").repeat(lines));
  const cost = text.length + 8 * (lines + 1) + KIB;
  const reads: string[] = [];
  let kept = 0;
  const reader = {
    sizeOf: async () => text.length,
    copyIfHeld: async (name: Uint8Array) => {
      reads.push(toHex(name));
      return { bytes: text.slice() };
    },
  };
  const session = {
    graph: { reader },
    keep: (bytes: number) => {
      kept += bytes;
    },
    work: async () => {},
  };
  const versions = new BlamedVersions(session as unknown as BrowseSession);
  const content = (at: number): string => `100644 ${at.toString(16).padStart(40, "0")}`;
  // The first version is compared with every other one, as that of a merge is with those of its parents.
  for (let at = 1; at <= 12; at++) {
    const [before, after] = [await versions.of(content(at)), await versions.of(content(0))];
    expect([...cutPair(before, after, most)]).not.toEqual([]);
    versions.measure(content(at), content(0));
    expect(kept).toBe(cost * Math.min(at + 1, Math.floor(MOST_BYTES / cost)));
  }
  expect(reads).toHaveLength(13);
  // What was compared last is still remembered; what was compared first is not.
  await versions.of(content(12));
  expect(reads).toHaveLength(13);
  await versions.of(content(1));
  expect(reads).toHaveLength(14);
});
