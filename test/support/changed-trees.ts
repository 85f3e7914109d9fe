/**
 * Pairs of trees with everything that a patch may tell: files edited, moved, copied, deleted, made, and made into something else,
 * under names that have to be quoted. The same for the same seed.
 *
 * @packageDocumentation
 */
import type { GitRepository } from "./git-repository.ts";
import { filePair } from "./random-files.ts";

type Random = (below: number) => number;

/** A file as one character per byte. */
type TreeFile = { readonly mode: string; readonly content: string };

type Tree = Map<string, TreeFile>;

const NAMES = [
  "a",
  "b.c",
  "caf\xc3\xa9",
  "a b",
  'quo"te',
  "tab\there",
  "\xff\xfe",
  "Makefile",
  "README.md",
  "x.h",
  "back\\slash",
  "f1",
  "f2",
  "f3",
];
const LONG = "a-directory-with-a-name/".repeat(4);
const DIRECTORIES = ["", "", LONG, `${LONG}x/y/`, "src/", "src/deep/", "doc/", "a b/", "d\xc3\xa9/"];

function nameOf(random: Random): string {
  return `${DIRECTORIES[random(DIRECTORIES.length)] ?? ""}${NAMES[random(NAMES.length)] ?? ""}${random(3) === 0 ? random(9) : ""}`;
}

function newFile(random: Random): TreeFile {
  switch (random(12)) {
    case 0:
      return { mode: "120000", content: `target${random(3)}` };
    case 1:
      return { mode: "100755", content: `#!/bin/sh\necho ${random(5)}\n` };
    case 2:
      return { mode: "100644", content: `binary\0${"x".repeat(random(300))}${random(4)}\n` };
    case 3:
      return { mode: "100644", content: "" };
    case 4:
      return { mode: "160000", content: `${"0123456789".repeat(7).slice(0, 39)}${random(10)}` };
    default:
      return { mode: "100644", content: filePair(random, 120).before.replace(/\n*$/, "\n") };
  }
}

/** Whether a name can be in a tree beside the others: it is not a directory of one, nor below one. */
function fits(tree: Tree, name: string): boolean {
  return [...tree.keys()].every(
    (other) => other !== name && !other.startsWith(`${name}/`) && !name.startsWith(`${other}/`),
  );
}

function put(tree: Tree, random: Random, file: TreeFile): void {
  const name = nameOf(random);
  if (fits(tree, name)) tree.set(name, file);
}

function slightlyEdited(random: Random, content: string): string {
  const lines = content.split("\n");
  for (let edits = random(1 + (lines.length >> 1)); edits > 0; edits--) {
    const at = random(lines.length);
    if (random(2) === 0) lines[at] = `${lines[at] ?? ""} edited ${random(100)}`;
    else lines.splice(at, random(3), `new ${random(100)}`);
  }
  // git before 2.43.2 leaves an incomplete last line out of its estimate of similarity
  return lines.join("\n").replace(/\n*$/, "\n");
}

/** Changes a tree: some files are moved or copied (`moves`), with or without edits. */
function changed(random: Random, tree: Tree, moves: boolean): Tree {
  const result = new Map(tree);
  for (const [name, file] of tree) {
    const choice = random(moves ? 9 : 5);
    const isText = file.mode.startsWith("100") && !file.content.includes("\0");
    if (choice === 0) result.delete(name);
    else if (choice === 1) result.set(name, newFile(random));
    else if (choice === 2 && isText) result.set(name, { ...file, content: slightlyEdited(random, file.content) });
    else if (choice === 3 && file.mode.startsWith("100"))
      result.set(name, { ...file, mode: file.mode === "100644" ? "100755" : "100644" });
    else if (choice > 5) {
      result.delete(name);
      const content = isText && random(2) === 0 ? slightlyEdited(random, file.content) : file.content;
      put(result, random, { ...file, content });
      if (random(4) === 0) put(result, random, { ...file, content });
    }
  }
  for (let count = random(4); count > 0; count--) put(result, random, newFile(random));
  return result;
}

function commitText(tree: Tree, parent: string): string {
  const files = [...tree].map(([name, { mode, content }]) => {
    const quoted = `"${name.replaceAll(/[\\"]/g, "\\$&").replaceAll("\t", "\\t").replaceAll("\n", "\\n")}"`;
    if (mode === "160000") return `M ${mode} ${content} ${quoted}\n`;
    return `M ${mode} inline ${quoted}\ndata ${content.length}\n${content}\n`;
  });
  return `committer A <a@example.com> 1700000000 +0000\ndata 0\n${parent}deleteall\n${files.join("")}\n`;
}

/** Commits `count` pairs of trees as the tags `before0`, `after0`, `before1` and so on. */
export function commitTrees(
  git: GitRepository,
  random: Random,
  { count, moves }: { readonly count: number; readonly moves: boolean },
): void {
  const parts: string[] = [];
  for (let number = 0; number < count; number++) {
    const before: Tree = new Map();
    for (let files = random(number % 8 === 0 ? 60 : 16); files > 0; files--) put(before, random, newFile(random));
    parts.push(`commit refs/tags/before${number}\n${commitText(before, "")}`);
    const after = changed(random, before, moves);
    parts.push(`commit refs/tags/after${number}\n${commitText(after, `from refs/tags/before${number}\n`)}`);
  }
  git.git(["fast-import", "--quiet", "--force"], Buffer.from(parts.join(""), "latin1"));
}
