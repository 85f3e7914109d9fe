/** What holds for any bytes: a reader that throws anything but its own refusal, or never ends, is a way to bring a host down. */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ObjectRejected } from "../../../src/bytes/failure.ts";
import { parseCommit } from "../../../src/object/commit.ts";
import { fsckGitattributes, fsckGitmodules } from "../../../src/object/fsck-blob.ts";
import { fsckTree, fsckTreeEntry } from "../../../src/object/fsck-tree.ts";
import { objectFormat } from "../../../src/object/object-id.ts";
import { readTagLinks } from "../../../src/object/tag.ts";
import { fsckObject, readCommitLinks, readTreeEntries } from "../../support/objects.ts";
import { finished } from "../../support/finished.ts";

const sha1 = objectFormat("sha1");
const NAME = "8d1e8e6dbc8e5d7d4f2f1a0e3b2c1d0e9f8a7b6c";
const WHO = "A <a@b> 1700000000 +0000";

const pieces = [
  "tree ",
  "parent ",
  "author ",
  "committer ",
  "object ",
  "type ",
  "commit",
  "tag ",
  "tagger ",
  `${NAME}\n`,
  NAME,
  `${WHO}\n`,
  "\n",
  "\n\n",
  "\0",
  " ",
  "<",
  ">",
  "100644 ",
  "40000 ",
  "a\0",
  ".git",
  "~1",
  "\\",
  "\xe2\x80\x8c",
  "x".repeat(20),
  "[",
  "]",
  '"',
  "submodule",
  "=",
  "#",
  "url",
  "../",
  "://",
  ":",
  "@",
  "%0a",
  "é",
  "0",
  "9".repeat(20),
  "+0000",
];
const bytes = fc
  .array(fc.oneof(fc.constantFrom(...pieces), fc.string({ maxLength: 3, unit: "binary-ascii" })), { maxLength: 25 })
  .map((parts) => Uint8Array.from(Buffer.from(parts.join(""), "latin1")));

/** A good object with a piece or two dropped or put in: what fsck passes and what it doesn't lie close together here. */
function nearly(good: readonly string[]): fc.Arbitrary<Uint8Array> {
  const edit = fc.record({
    at: fc.nat(good.length),
    drop: fc.nat(1),
    put: fc.oneof(fc.constant(""), fc.constantFrom(...pieces)),
  });
  return fc.array(edit, { maxLength: 2 }).map((edits) => {
    const parts = [...good];
    for (const { at, drop, put } of edits) parts.splice(at, drop, put);
    return Uint8Array.from(Buffer.from(parts.join(""), "latin1"));
  });
}

const commits = nearly([
  "tree ",
  `${NAME}\n`,
  "parent ",
  `${NAME}\n`,
  "author ",
  `${WHO}\n`,
  "committer ",
  `${WHO}\n`,
  "\n",
  "x",
]);
const trees = nearly([
  "100644 ",
  "a\0",
  "x".repeat(20),
  "40000 ",
  "b\0",
  "x".repeat(20),
  "120000 ",
  "c\0",
  "x".repeat(20),
]);

/** Says whether `read` took the bytes; anything but a refusal comes through. */
function takes(read: () => unknown): boolean {
  try {
    read();
    return true;
  } catch (error) {
    if (error instanceof ObjectRejected) return false;
    throw error;
  }
}

const runs = { numRuns: 3000 };

describe("random bytes", () => {
  it("can be read if fsck passes them as a commit", () => {
    let passed = 0;
    fc.assert(
      fc.property(fc.oneof(bytes, commits), (some) => {
        if (fsckObject("commit", some, sha1) !== undefined) return;
        passed++;
        expect(takes(() => readCommitLinks(some, 0, some.length, sha1))).toBe(true);
        expect(takes(() => parseCommit(some, sha1))).toBe(true);
      }),
      runs,
    );
    expect(passed).toBeGreaterThan(100);
  });

  it("can be read if fsck passes them as a tree", () => {
    let passed = 0;
    fc.assert(
      fc.property(fc.oneof(bytes, trees), (some) => {
        if (fsckTree(some, sha1) !== undefined) return;
        passed++;
        expect(takes(() => [...readTreeEntries(some, sha1)])).toBe(true);
      }),
      runs,
    );
    expect(passed).toBeGreaterThan(100);
  });

  it("are read the same from the midst of other bytes, and never beyond their end", () => {
    fc.assert(
      fc.property(fc.oneof(bytes, commits), fc.nat(8), bytes, (some, before, after) => {
        const within = new Uint8Array([...new Uint8Array(before), ...some, ...after]);
        const end = before + some.length;
        const read = [
          (all: Uint8Array, from: number, to: number): unknown => readCommitLinks(all, from, to, sha1),
          (all: Uint8Array, from: number, to: number): unknown => readTagLinks(all, from, to, sha1),
        ];
        for (const reader of read) {
          expect(takes(() => reader(within, before, end))).toBe(takes(() => reader(some, 0, some.length)));
        }
      }),
      runs,
    );
  });

  it("get a verdict from every check", () => {
    fc.assert(
      fc.property(bytes, fc.constantFrom(0o100644, 0o120000, 0o40000, 0o160000, 0), (some, mode) => {
        const findings = [
          fsckObject("tag", some, sha1),
          finished(fsckGitmodules(some)),
          fsckGitattributes(some),
          fsckTreeEntry(some, mode).finding,
        ];
        for (const finding of findings) expect(finding?.text).not.toBe("");
      }),
      runs,
    );
  });
});
