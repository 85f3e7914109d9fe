/** The plan of a roll-up, with `git repack --geometric=2` as the judge of what is combined. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { planRollUp, ROLLING_UP, type RollUpPack } from "../../../src/catalog/roll-up.ts";
import { noise } from "../../support/git-fixtures.ts";
import { GitRepository } from "../../support/git-repository.ts";

const repositories: GitRepository[] = [];
afterAll(() => {
  for (const repository of repositories) repository.dispose();
});

const pack = (name: string, objects: number, more: Partial<RollUpPack> = {}): RollUpPack => ({
  name,
  objects,
  packBytes: 100 * objects,
  marked: true,
  source: "receive",
  ...more,
});
const namesOf = (packs: readonly RollUpPack[]): string[] => packs.map(({ name }) => name);

/** Has git repack packs of these numbers of objects. Returns the numbers of objects in the packs that it replaces. */
function replacedByGit(sizes: readonly number[]): number[] {
  const repository = new GitRepository();
  repositories.push(repository);
  const packs = join(repository.dir, "objects", "pack");
  const named = new Map<string, number>();
  for (const [i, size] of sizes.entries()) {
    const paths = Array.from({ length: size }, (_, n) => `${i} ${n}`);
    const stream = paths.map((text) => `blob\ndata ${text.length}\n${text}\n`).join("");
    repository.git(["-c", "fastimport.unpackLimit=1", "fast-import", "--quiet"], stream);
    for (const name of readdirSync(packs)) if (name.endsWith(".pack") && !named.has(name)) named.set(name, size);
  }
  repository.git(["repack", "--geometric=2", "-d", "-q"]);
  return [...named].filter(([name]) => !existsSync(join(packs, name))).map(([, size]) => size);
}

describe("planRollUp", () => {
  it("combines the packs that git repack --geometric=2 combines", () => {
    for (let times = 0; times < 6; times++) {
      const bytes = noise(20, times + 1);
      const sizes = Array.from(bytes.subarray(0, 2 + times), (byte) => 2 + (byte >> (byte % 8)));
      // So many bytes that they do not all become one pack.
      const packBytes = ROLLING_UP.askedBytes / 2 + 1;
      const planned = planRollUp(
        sizes.map((size, i) => pack(`${i}`, size, { packBytes })),
        true,
      );
      const sorted = (list: readonly number[]): number[] => list.toSorted((a, b) => a - b);
      expect([sizes, sorted(planned.map(({ objects }) => objects))]).toEqual([sizes, sorted(replacedByGit(sizes))]);
    }
  });

  it("waits until a step gathers enough packs, unless fewer are asked for", () => {
    const few = Array.from({ length: ROLLING_UP.duePacks - 1 }, (_, i) => pack(`${i}`, 3));
    expect(planRollUp(few, false)).toEqual([]);
    expect(planRollUp(few, true)).toEqual(few);
    expect(planRollUp([...few, pack("last", 3)], false)).toHaveLength(ROLLING_UP.duePacks);
  });

  it("keeps packs with the mark and packs without it apart, and leaves tip packs alone", () => {
    const packs = [
      pack("tip", 2, { source: "copy" }),
      pack("a", 3),
      pack("b", 3, { marked: false }),
      pack("c", 3),
      pack("d", 3, { marked: false }),
    ];
    expect(namesOf(planRollUp(packs, true))).toEqual(["a", "c"]);
    expect(namesOf(planRollUp(packs.slice(0, 3).concat(packs.slice(4)), true))).toEqual(["b", "d"]);
    expect(planRollUp(packs.slice(0, 3), true)).toEqual([]);
  });

  it("returns packs in the order of the catalog, however many objects they have", () => {
    expect(namesOf(planRollUp([pack("old", 5), pack("middle", 4), pack("new", 6)], true))).toEqual([
      "old",
      "middle",
      "new",
    ]);
  });

  it("stays within the bounds of a step, and takes up the rest in the next one", () => {
    const many = Array.from({ length: ROLLING_UP.mostPacks + 50 }, (_, i) => pack(`${i}`, 3));
    expect(planRollUp(many, true)).toHaveLength(ROLLING_UP.mostPacks);
    const large = [pack("huge", 5, { packBytes: ROLLING_UP.mostBytes + 1 }), pack("a", 4), pack("b", 4)];
    expect(namesOf(planRollUp(large, true))).toEqual(["a", "b"]);
    const half = ROLLING_UP.mostObjects / 2;
    const sizes = [half, half, half - 1, 1, 1].map((size, i) => pack(`${i}`, size));
    expect(namesOf(planRollUp(sizes, true))).toEqual(["2", "3", "4"]);
  });

  it("leaves packs alone of which a step could not combine two, so that small ones never bring them along", () => {
    const large = ROLLING_UP.mostObjects / 2 + 1;
    const packs = [pack("a", large), pack("b", large), pack("c", 1), pack("d", 1)];
    expect(namesOf(planRollUp(packs, true))).toEqual(["c", "d"]);
    expect(planRollUp(packs.slice(0, 2), true)).toEqual([]);
  });

  it("makes one pack of a small repository where it is asked for, and of a large one what is out of proportion", () => {
    const small = [pack("a", 4000), pack("b", 1000), pack("c", 100)];
    expect(planRollUp(small, true)).toEqual(small);
    expect(planRollUp(small.slice(0, 1), true)).toEqual([]);
    expect(planRollUp(small, false)).toEqual([]);
    const many = [pack("large", ROLLING_UP.askedObjects), pack("b", 1000), pack("c", 100)];
    expect(planRollUp(many, true)).toEqual([]);
    const heavy = [pack("a", 4000, { packBytes: ROLLING_UP.askedBytes }), pack("b", 1000), pack("c", 100)];
    expect(planRollUp(heavy, true)).toEqual([]);
  });

  it("writes each object few times over 2,000 pushes, and leaves few packs", () => {
    let packs: RollUpPack[] = [];
    let written = 0;
    for (let i = 0; i < 2000; i++) {
      packs.push(pack(`p${i}`, 4));
      const planned = planRollUp(packs, false);
      if (planned.length === 0) continue;
      const objects = planned.reduce((sum, { objects: of }) => sum + of, 0);
      written += objects;
      packs = [...packs.filter((each) => !planned.includes(each)), pack(`r${i}`, objects, { source: "repack" })];
    }
    expect(packs.length).toBeLessThanOrEqual(20);
    expect(written).toBeLessThanOrEqual(12 * 2000 * 4);
    expect(planRollUp(packs, true)).toEqual(packs);
  });
});
