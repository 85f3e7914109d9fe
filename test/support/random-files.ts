/**
 * Files that changed in all kinds of ways: lines from few words or many, indented or not, moved, doubled, with and without a feed
 * at the end. The same for the same seed.
 *
 * @packageDocumentation
 */
import type { GitRepository } from "./git-repository.ts";

type Random = (below: number) => number;

/** What a file was and what it is, one character per byte. */
export type FilePair = { readonly before: string; readonly after: string };

function pick<T>(random: Random, from: readonly T[]): T {
  const item = from[random(from.length)];
  if (item === undefined) throw new Error("nothing to pick from");
  return item;
}

function vocabulary(random: Random): string[] {
  const count = pick(random, [2, 3, 5, 10, 40, 400]);
  return Array.from({ length: count }, () => {
    if (random(7) === 0) return pick(random, ["", "  ", "\t", "}", "{"]);
    const indent = pick(random, ["", "  ", "    ", "\t", "\t\t", "        "]);
    const word = pick(random, ["foo", "bar", "if (x)", "return", "}", "$a", "_x", "#define", "caf\xc3\xa9 \xe9"]);
    return `${indent}${word}${" ".repeat(random(3))}${random(count)}${pick(random, ["", "", " ", "\r"])}`;
  });
}

/** Returns `lines` after some edits. */
function edited(random: Random, lines: readonly string[], words: readonly string[]): string[] {
  const result = [...lines];
  for (let edits = pick(random, [1, 1, 2, 3, 5, 10, 30]); edits > 0; edits--) {
    const from = random(result.length + 1);
    const count = Math.min(pick(random, [1, 1, 1, 2, 3, 10, 40]), result.length - from);
    const some = (length: number): string[] => Array.from({ length }, () => pick(random, words));
    switch (random(7)) {
      case 0:
        result.splice(from, count);
        break;
      case 1:
        result.splice(from, 0, ...some(pick(random, [1, 1, 2, 5, 20])));
        break;
      case 2:
        result.splice(from, count, ...some(count));
        break;
      case 3: {
        const moved = result.splice(from, count);
        result.splice(random(result.length + 1), 0, ...moved);
        break;
      }
      case 4:
        result.splice(from, 0, ...result.slice(from, from + count));
        break;
      default:
        for (let at = from; at < from + count; at++) {
          const line = result[at] ?? "";
          result[at] = random(2) === 0 ? line.replace(" ", "  ") : `  ${line}`;
        }
    }
  }
  return result;
}

function text(random: Random, lines: readonly string[]): string {
  return lines.length === 0 ? "" : lines.join("\n") + (random(7) === 0 ? "" : "\n");
}

/** Makes a pair. `most` is about the most lines of a file. */
export function filePair(random: Random, most = 800): FilePair {
  const words = vocabulary(random);
  const length = Math.min(most, pick(random, [0, 1, 3, 8, 20, 60, 200, 200, most]));
  const before = Array.from({ length }, () => pick(random, words));
  const after =
    random(7) === 0
      ? Array.from({ length: random(length + 10) }, () => pick(random, words))
      : edited(random, before, words);
  return { before: text(random, before), after: text(random, after) };
}

/** A file, and what two sides made of it, one character per byte. */
export type FileTriple = { readonly base: string; readonly ours: string; readonly theirs: string };

/** Makes a triple: both sides edit the same file, and sometimes make the same edits. */
export function fileTriple(random: Random): FileTriple {
  const words = vocabulary(random);
  const length = pick(random, [0, 1, 3, 8, 20, 60, 200, 800]);
  const base = Array.from({ length }, () => pick(random, words));
  const both = random(4) === 0 ? edited(random, base, words) : base;
  const [ours, theirs] = [edited(random, both, words), edited(random, both, words)];
  const ended = random(4) === 0 ? (lines: string[]) => lines.map((line) => `${line}\r`) : (lines: string[]) => lines;
  return {
    base: text(random, ended(base)),
    ours: text(random, random(8) === 0 ? ours : ended(ours)),
    theirs: text(random, random(8) === 0 ? theirs : ended(theirs)),
  };
}

/**
 * Makes a long pair that takes git's shortcuts: thousands of lines, most of them changed, with long common runs between
 * them.
 */
export function longPair(random: Random): FilePair {
  const words = pick(random, [3, 20, 300, 5000]);
  const line = (): string => `${"  ".repeat(random(3))}w${random(words)}`;
  const before = Array.from({ length: pick(random, [2000, 6000]) }, line);
  const after: string[] = [];
  const changed = pick(random, [2, 5, 10]);
  for (let from = 0; from < before.length;) {
    const run = before.slice(from, from + pick(random, [5, 25, 60, 400]));
    from += run.length;
    if (random(16) < changed) after.push(...Array.from({ length: random(2 * run.length) }, line));
    else after.push(...run.map((same) => (random(40) === 0 ? line() : same)));
  }
  return { before: `${before.join("\n")}\n`, after: `${after.join("\n")}\n` };
}

/** Commits all files of the first sides as `before`, and those of the second as `after`; the names are their numbers. */
export function commitPairs(git: GitRepository, pairs: readonly FilePair[]): void {
  const parts: string[] = [];
  for (const side of ["before", "after"] as const) {
    parts.push(`commit refs/heads/${side}\ncommitter A <a@example.com> 1700000000 +0000\ndata 0\n`);
    for (const [number, pair] of pairs.entries()) {
      parts.push(`M 100644 inline ${number}\ndata ${pair[side].length}\n${pair[side]}\n`);
    }
  }
  git.git(["fast-import", "--quiet", "--force"], Buffer.from(parts.join(""), "latin1"));
}

/** Commits all files as they were, as the branch `base`, and both sides of them on top of it, as `ours` and `theirs`. */
export function commitTriples(git: GitRepository, triples: readonly FileTriple[]): void {
  const parts: string[] = [];
  for (const side of ["base", "ours", "theirs"] as const) {
    const from = side === "base" ? "" : "from refs/heads/base\n";
    parts.push(`commit refs/heads/${side}\ncommitter A <a@example.com> 1700000000 +0000\ndata 0\n${from}`);
    for (const [number, triple] of triples.entries()) {
      parts.push(`M 100644 inline ${number}\ndata ${triple[side].length}\n${triple[side]}\n`);
    }
  }
  git.git(["fast-import", "--quiet", "--force"], Buffer.from(parts.join(""), "latin1"));
}

/** Returns the hunks of each file that git's `diff` of {@link commitPairs} shows, by its number. */
export function hunksByGit(git: GitRepository, options: readonly string[]): Map<string, string> {
  const hunks = new Map<string, string>();
  const shown = git.git(["diff", "-a", "--no-renames", ...options, "before", "after"]).toString("latin1");
  for (const part of shown.split(/^(?=diff --git )/m)) {
    const name = /^diff --git a\/(\d+) /.exec(part)?.[1];
    const at = part.search(/^@@ /m);
    if (name !== undefined && at >= 0) hunks.set(name, part.slice(at));
  }
  return hunks;
}
