/**
 * Histories with two tips to merge: both sides edit, move, delete and add files, move directories, and change what is at
 * a path. Some have several merge bases. The same for the same seed.
 *
 * @packageDocumentation
 */
import type { GitRepository } from "./git-repository.ts";

type Random = (below: number) => number;
type File = { readonly mode: string; readonly content: string };
type Files = Map<string, File>;

/** The names of the branches of a history. */
export type MergedBranches = { readonly ours: string; readonly theirs: string };

function pick<T>(random: Random, from: readonly T[]): T {
  const item = from[random(from.length)];
  if (item === undefined) throw new Error("nothing to pick from");
  return item;
}

const DIRECTORIES = ["", "a/", "a/b/", "a/b/c/", "d/", "d/e/", "f-x/", "f/"];
const NAMES = ["one", "two", "three.txt", "four.c", "a", "b", "x", "Makefile", "f.x", "f-y"];

function lines(random: Random, count: number): string {
  return Array.from({ length: count }, () => `line ${random(60)}\n`).join("");
}

function newFile(random: Random): File {
  const odd = random(25);
  if (odd === 0) return { mode: "120000", content: pick(random, ["one", "two", "../a"]) };
  if (odd === 1) return { mode: "160000", content: pick(random, ["1", "2", "3"]).repeat(40) };
  if (odd === 2) return { mode: "100644", content: `\0binary ${random(5)}\n${lines(random, 5)}` };
  const content = random(15) === 0 ? "" : lines(random, pick(random, [1, 3, 10, 20, 40]));
  return { mode: random(6) === 0 ? "100755" : "100644", content };
}

/** Puts a file at a path: what is in the way goes, be it a file or a directory. */
function put(files: Files, path: string, file: File): void {
  for (const other of files.keys()) {
    if (other.startsWith(`${path}/`) || path.startsWith(`${other}/`)) files.delete(other);
  }
  files.set(path, file);
}

function edit(random: Random, file: File): File {
  if (file.mode.startsWith("1600")) return { ...file, content: pick(random, ["4", "5", "6"]).repeat(40) };
  if (file.mode === "120000") return { ...file, content: `to${random(4)}` };
  const all = file.content.split("\n").slice(0, -1);
  for (let edits = 1 + random(3); edits > 0; edits--) {
    const at = random(all.length + 1);
    all.splice(at, random(3), ...Array.from({ length: random(3) }, () => `edit ${random(20)}`));
  }
  return { ...file, content: all.map((line) => `${line}\n`).join("") };
}

function moveDirectory(random: Random, files: Files): void {
  const from = pick(random, DIRECTORIES.slice(1));
  const to =
    random(8) === 0 ? "" : `${pick(random, ["", "a/", "d/", "g/"])}${pick(random, ["new", "moved", "b", "e"])}/`;
  if (to.startsWith(from)) return;
  for (const [path, file] of [...files].filter(([name]) => name.startsWith(from))) {
    if (random(12) === 0) continue;
    files.delete(path);
    put(files, to + path.slice(from.length), random(5) === 0 ? edit(random, file) : file);
  }
}

function change(random: Random, files: Files): void {
  const paths = [...files.keys()];
  const free = pick(random, DIRECTORIES) + pick(random, NAMES);
  const path = paths.length === 0 ? free : pick(random, paths);
  const file = files.get(path) ?? newFile(random);
  switch (random(12)) {
    case 0:
      files.delete(path);
      break;
    case 1:
      put(files, free, newFile(random));
      break;
    case 2:
    case 3:
      files.delete(path);
      put(files, random(2) === 0 ? free : `${path}.moved`, random(2) === 0 ? file : edit(random, file));
      break;
    case 4:
      moveDirectory(random, files);
      break;
    case 5:
      if (file.mode.startsWith("100")) files.set(path, { ...file, mode: file.mode === "100644" ? "100755" : "100644" });
      break;
    case 6:
      put(files, path, random(3) === 0 ? newFile(random) : edit(random, file));
      break;
    case 7:
      put(files, pick(random, ["a", "d", "a/b", "f", "one/two"]), newFile(random));
      break;
    default:
      files.set(path, edit(random, file));
  }
}

function changed(random: Random, files: Files, most: number): Files {
  const result = new Map(files);
  for (let changes = 1 + random(most); changes > 0; changes--) change(random, result);
  return result;
}

/** Mixes what two commits have, as a person might who merges them. */
function mixed(random: Random, one: Files, two: Files): Files {
  const result: Files = new Map();
  const takesOne = random(3);
  for (const path of new Set([...one.keys(), ...two.keys()])) {
    const file = (takesOne === 0 || random(3) > 0 ? one : two).get(path);
    if (file !== undefined) put(result, path, file);
  }
  return result;
}

/** Writes commits for `git fast-import`. */
class CommitStream {
  readonly parts: string[] = [];
  #marks = 0;

  commit(branch: string, files: Files, parents: readonly number[]): number {
    const mark = ++this.#marks;
    const [from, ...merges] = parents;
    this.parts.push(
      `reset refs/heads/${branch}\n\ncommit refs/heads/${branch}\nmark :${mark}\n`,
      `committer A <a@example.com> ${1_700_000_000 + mark} +0000\ndata 0\n`,
      from === undefined ? "" : `from :${from}\n`,
      ...merges.map((parent) => `merge :${parent}\n`),
      "deleteall\n",
    );
    for (const [path, { mode, content }] of files) {
      if (mode === "160000") this.parts.push(`M 160000 ${content} ${path}\n`);
      else this.parts.push(`M ${mode} inline ${path}\ndata ${content.length}\n${content}\n`);
    }
    return mark;
  }
}

function history(random: Random, stream: CommitStream, { ours, theirs }: MergedBranches): void {
  const files: Files = new Map();
  for (let count = 3 + random(20); count > 0; count--)
    put(files, pick(random, DIRECTORIES) + pick(random, NAMES), newFile(random));
  const base = stream.commit(ours, files, []);
  let [left, right] = [changed(random, files, 6), changed(random, files, 6)];
  let [one, two] = [stream.commit(ours, left, [base]), stream.commit(theirs, right, [base])];
  for (let crosses = pick(random, [0, 0, 0, 1, 1, 2]); crosses > 0; crosses--) {
    const [newLeft, newRight] = [mixed(random, left, right), mixed(random, right, left)];
    [left, right] = [changed(random, newLeft, 3), changed(random, newRight, 3)];
    [one, two] = [stream.commit(ours, left, [one, two]), stream.commit(theirs, right, [two, one])];
  }
}

/** Makes this many histories, with two branches each. */
export function importMerges(git: GitRepository, random: Random, count: number): MergedBranches[] {
  const stream = new CommitStream();
  const made = Array.from({ length: count }, (_, number) => ({ ours: `ours-${number}`, theirs: `theirs/${number}` }));
  for (const branches of made) history(random, stream, branches);
  git.git(["fast-import", "--quiet", "--force"], Buffer.from(stream.parts.join(""), "latin1"));
  return made;
}
