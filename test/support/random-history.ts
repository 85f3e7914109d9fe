/**
 * Histories that look like anything: merges, octopuses, several roots, criss-cross, clocks that are wrong, reverts, files that
 * move. The same for the same seed.
 *
 * @packageDocumentation
 */
import type { GitRepository } from "./git-repository.ts";
import { pseudoRandom } from "./store.ts";

/** What a history is to be like. */
export type HistoryShape = {
  readonly commits: number;
  /** Seconds by which a commit's clock may be off. */
  readonly skew?: number;
};

/** Makes a history in an empty repository: every commit is `refs/heads/c<number>`, and some have tags. */
export function makeHistory(git: GitRepository, seed: number, shape: HistoryShape): void {
  const random = pseudoRandom(seed);
  const lines: string[] = [];
  const data = (text: string): void => void lines.push(`data ${Buffer.byteLength(text)}`, text);

  for (let number = 0; number < shape.commits; number++) {
    const time = 1_700_000_000 + number * 60 + (shape.skew === undefined ? 0 : random(shape.skew * 2) - shape.skew);
    const who = `A U Thor <author@example.com> ${time} +0000`;
    lines.push(`commit refs/heads/c${number}`, `mark :${number + 1}`, `author ${who}`, `committer ${who}`);
    data(`commit ${number}\n${"text that makes commits worth a delta\n".repeat(random(4))}`);
    const parents = parentsOf(number, random);
    for (const [i, parent] of parents.entries()) lines.push(`${i === 0 ? "from" : "merge"} :${parent + 1}`);
    for (let changes = 1 + random(3); changes > 0; changes--) {
      lines.push(`M 100644 inline ${pathOf(random)}`);
      data(contentOf(random));
    }
    if (random(12) === 0) lines.push(`M 160000 ${"12".repeat(git.format.rawSize)} modules/m${random(3)}`);
    lines.push("");
  }
  git.git(["fast-import", "--quiet", "--force"], `${lines.join("\n")}\n`);
  for (let number = 0; number < shape.commits; number += 7) {
    git.git(["tag", "-a", "-m", "a tag", `t${number}`, `c${number}`]);
  }
  git.git(["tag", "-a", "-m", "a tag of a tag", "tt", "t0"]);
  git.git(["tag", "-a", "-m", "a tag of a tree", "tree", "c1^{tree}"]);
  git.git(["tag", "blob", git.text(["hash-object", "-w", "--stdin"], "a tagged blob\n")]);
}

function parentsOf(number: number, random: (below: number) => number): number[] {
  if (number === 0 || random(40) === 0) return [];
  const count = random(5) === 0 ? 2 + random(2) : 1;
  const near = (): number => Math.max(0, number - 1 - random(random(8) === 0 ? number : 5));
  return [...new Set(Array.from({ length: count }, near))];
}

function pathOf(random: (below: number) => number): string {
  const depth = random(4);
  return [...Array.from({ length: depth }, () => `d${random(3)}`), `f${random(6)}`].join("/");
}

function contentOf(random: (below: number) => number): string {
  const type = random(5);
  return Array.from(
    { length: 30 + type },
    (_, line) => `${type} line ${line} ${random(10) === 0 ? random(1000) : ""}\n`,
  ).join("");
}
