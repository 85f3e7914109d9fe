/**
 * Histories of files that are edited line by line, moved, deleted and made again, on branches that are merged, with clocks that
 * go back now and then. The same for the same seed.
 *
 * @packageDocumentation
 */
import type { GitRepository } from "./git-repository.ts";

type Random = (below: number) => number;
type Files = ReadonlyMap<string, readonly string[]>;

const DIRECTORIES = ["", "src/", "src/deep/", "doc/"];

function newPath(random: Random): string {
  return `${DIRECTORIES[random(DIRECTORIES.length)] ?? ""}file${random(9)}.txt`;
}

function edited(random: Random, lines: readonly string[], number: number): string[] {
  const result = [...lines];
  for (let edits = 1 + random(4); edits > 0; edits--) {
    const at = random(result.length + 1);
    const choice = random(6);
    if (choice < 2)
      result.splice(at, 0, ...Array.from({ length: 1 + random(4) }, (_, i) => `added ${number} ${i % 2}`));
    else if (choice === 2) result.splice(at, 1 + random(3));
    else if (choice === 3) result.splice(at, 1, `changed ${random(20)}`);
    else if (choice === 4) result.splice(at, 0, ...result.slice(at, at + 3));
    else if (at < result.length) result[at] = `  ${result[at] ?? ""}`;
  }
  return result;
}

function changed(random: Random, before: Files, number: number): Files {
  const files = new Map(before);
  for (let changes = 1 + random(3); changes > 0; changes--) {
    const paths = [...files.keys()];
    const path = paths[random(paths.length)];
    const lines = path === undefined ? undefined : files.get(path);
    const choice = random(12);
    if (path === undefined || lines === undefined || choice === 0) {
      files.set(
        newPath(random),
        Array.from({ length: 5 + random(40) }, (_, i) => `${number} line ${i}`),
      );
    } else if (choice === 1 && paths.length > 3) {
      files.delete(path);
    } else if (choice < 4) {
      files.delete(path);
      files.set(newPath(random), random(2) === 0 ? lines : edited(random, lines, number));
    } else {
      files.set(path, edited(random, lines, number));
    }
  }
  return files;
}

/** Joins two sides: a file is that of one of them, or in part of both. */
function merged(random: Random, one: Files, two: Files): Files {
  const files = new Map<string, readonly string[]>();
  for (const path of new Set([...one.keys(), ...two.keys()])) {
    const [left, right] = [one.get(path), two.get(path)];
    const choice = random(5);
    if (left !== undefined && right !== undefined && choice < 2) {
      const at = random(Math.min(left.length, right.length));
      files.set(path, [...left.slice(0, at), ...right.slice(at)]);
    } else {
      const chosen = choice % 2 === 0 ? (left ?? right) : (right ?? left);
      if (chosen !== undefined && (left !== undefined || right !== undefined)) files.set(path, chosen);
    }
  }
  return files;
}

/** Makes a history of `count` commits, which are the branches `c0` and so on. */
export function makeEdits(git: GitRepository, random: Random, count: number): void {
  const commits: Files[] = [];
  const parts: string[] = [];
  for (let number = 0; number < count; number++) {
    const parents = number === 0 ? [] : [number - 1 - random(Math.min(number, 4))];
    const other = number - 1 - random(Math.min(number + 1, 12));
    if (number > 4 && random(4) === 0 && other >= 0 && other !== parents[0]) parents.push(other);
    const [one, two] = parents.map((parent) => commits[parent] ?? new Map<string, string[]>());
    const base =
      one !== undefined && two !== undefined ? merged(random, one, two) : (one ?? new Map<string, string[]>());
    const files = parents.length === 2 && random(3) > 0 ? base : changed(random, base, number);
    commits.push(files);
    const time = 1_700_000_000 + number * 60 - (random(10) === 0 ? random(600) : 0);
    parts.push(
      `commit refs/heads/c${number}\nmark :${number + 1}\ncommitter A <a@example.com> ${time} +0000\ndata 0\n`,
    );
    parts.push(...parents.map((parent, at) => `${at === 0 ? "from" : "merge"} :${parent + 1}\n`), "deleteall\n");
    for (const [path, lines] of files) {
      const text = `${lines.join("\n")}\n`;
      parts.push(`M 100644 inline ${path}\ndata ${text.length}\n${text}\n`);
    }
  }
  git.git(["fast-import", "--quiet", "--force"], parts.join(""));
}
