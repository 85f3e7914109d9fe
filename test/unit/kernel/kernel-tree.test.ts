/**
 * The kernel's scan of trees, compared with its twin.
 *
 * @module-tag thorough
 */
import { REFERENCED, REF_BLOB, REF_TREE, SEEN } from "../../../src/kernel/object-flags.ts";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Arbitrary, array, assert, constantFrom, nat, oneof, property, tuple } from "fast-check";
import { describe, expect, it } from "vitest";
import { toHex } from "../../../src/bytes/hex.ts";
import { changedEntries, isLink, isTree, parseTreeTwin, scanTwin } from "../../support/kernel-twin/tree.ts";
import { type Kernel, SCAN_OK, SCAN_SUSPECT, TREE_CORRUPT } from "../../../src/kernel/kernel.ts";
import { testKernel } from "../../support/kernel.ts";

type Entry = { mode: string; name: string; oid: number };

const RAW_SIZES = [20, 32] as const;
const kernels = { 20: testKernel(), 32: testKernel({ rawSize: 32 }) };
const bytesOf = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0));

const rawNames = new Map<number, Uint8Array>([[0, new Uint8Array(32)]]);
function rawOf(oid: number): Uint8Array {
  const raw = rawNames.get(oid) ?? createHash("sha256").update(`${oid}`).digest();
  rawNames.set(oid, raw);
  return raw;
}

function encodeTree(entries: readonly Entry[], rawSize: number): Uint8Array {
  const parts = entries.flatMap(({ mode, name, oid }) => {
    const raw = rawOf(oid);
    return [bytesOf(`${mode} ${name}\0`), raw.subarray(0, rawSize)];
  });
  return new Uint8Array(Buffer.concat(parts));
}

const key = ({ mode, name }: Entry): string => name + (mode === "40000" ? "/" : "");
function sorted(entries: readonly Entry[]): Entry[] {
  const unique = [...new Map(entries.map((entry) => [entry.name, entry])).values()];
  return unique.sort((left, right) => (key(left) < key(right) ? -1 : 1));
}

/** Names that often are prefixes of each other, with characters that sort around the slash, and some others. */
const closeName = array(constantFrom("a", "b", "a", ".", "-", "0", "~", "é"), { minLength: 1, maxLength: 4 });
const anyName: Arbitrary<string> = oneof(
  { weight: 8, arbitrary: closeName.map((parts) => `x${parts.join("")}`) },
  {
    weight: 4,
    arbitrary: array(constantFrom("lib", "src", "test", "-", "_", "."), { minLength: 1, maxLength: 20 }).map(
      (parts) => `n${parts.join("")}`,
    ),
  },
  {
    weight: 1,
    arbitrary: constantFrom(".git", ".gitmodules", "GIT~1", "git", "gI", "gix", "a\\b", "a:b", "a\u0001", "a\u007f"),
  },
  { weight: 1, arbitrary: nat(40).map((length) => "z".repeat(240 + length)) },
  {
    weight: 1,
    arbitrary: array(nat(254), { minLength: 1, maxLength: 30 }).map((codes) =>
      String.fromCharCode(...codes.map((code) => (code + 1 === 0x2f ? 0x71 : code + 1))),
    ),
  },
);
const mode = oneof(
  { weight: 6, arbitrary: constantFrom("100644", "40000") },
  { weight: 2, arbitrary: constantFrom("100755", "120000", "160000") },
);
const entry = tuple(mode, anyName, nat(40)).map(([each, name, oid]) => ({ mode: each, name, oid: oid + 1 }));
const goodTree = array(entry, { maxLength: 40 }).map(sorted);

/** A tree and the tree from which it was made: some entries are the same, and some were changed, added or removed. */
const treePair = tuple(goodTree, array(tuple(nat(), nat(3), entry), { maxLength: 6 })).map(([base, edits]) => {
  const changed = base.map((each) => ({ ...each }));
  for (const [at, what, fresh] of edits) {
    const target = changed[at % Math.max(changed.length, 1)];
    if (what === 0 || target === undefined) changed.push(fresh);
    else if (what === 1) target.oid = fresh.oid;
    else if (what === 2) target.mode = fresh.mode;
    else changed.splice(at % changed.length, 1);
  }
  return { base, tree: sorted(changed) };
});

/** Arbitrary entries: unsorted and repeated, with odd modes and names, and with null object names. */
const oddEntry = tuple(
  oneof(
    { weight: 20, arbitrary: mode },
    { weight: 1, arbitrary: constantFrom("100664", "0100644", "040000", "1", "") },
  ),
  oneof(
    { weight: 20, arbitrary: anyName },
    { weight: 1, arbitrary: constantFrom("", "x/y", "/", "aaaaaaaaaaaaaaaaaaaaaaa/") },
  ),
  oneof({ weight: 20, arbitrary: nat(40).map((oid) => oid + 1) }, { weight: 1, arbitrary: constantFrom(0) }),
).map(([each, name, oid]) => ({ mode: each, name, oid }));
const oddTree = tuple(array(oddEntry, { maxLength: 8 }), nat(5)).map(([entries, shuffle]) => {
  const tree = [...entries].sort((left, right) => (key(left) < key(right) ? -1 : 1));
  const [first] = tree;
  if (shuffle === 0 && first !== undefined) tree.push(first);
  return tree;
});

function place(kernel: Kernel, tree: Uint8Array, base: Uint8Array): { at: number; baseAt: number } {
  const at = kernel.ringAt + 5;
  const baseAt = kernel.windowAt + 3;
  kernel.memory.set(tree, at);
  kernel.memory.fill(0x78, at + tree.length, at + tree.length + 64);
  kernel.memory.set(base, baseAt);
  kernel.memory.fill(0x78, baseAt + base.length, baseAt + base.length + 64);
  return { at, baseAt };
}

function marks(kernel: Kernel): Map<string, number> {
  return new Map(
    Array.from({ length: kernel.oidCount }, (_, index) => {
      const at = kernel.oidAt(index);
      return [toHex(kernel.memory, at, at + kernel.rawSize), kernel.flagsOf(index)] as const;
    }),
  );
}

type Scan = { suspicious: number[]; marks: Map<string, number> } | "suspect";

function scan(kernel: Kernel, tree: Uint8Array, base: Uint8Array, baseIsJudged = true): Scan {
  const { at, baseAt } = place(kernel, tree, base);
  kernel.reset();
  const status = kernel.scanTree(at, tree.length, baseAt, base.length, baseIsJudged);
  if (status !== SCAN_OK) return status === SCAN_SUSPECT ? "suspect" : expect.fail(`status ${status}`);
  const suspicious = Array.from({ length: kernel.suspiciousCount }, (_, i) => kernel.suspiciousAt(i));
  return { suspicious, marks: marks(kernel) };
}

function scanOfTwin(tree: Uint8Array, base: Uint8Array, rawSize: number, baseIsJudged = true): Scan {
  const twin = scanTwin(tree, base, rawSize, baseIsJudged);
  if (twin === undefined) return "suspect";
  const flags = { tree: REF_TREE | REFERENCED, blob: REF_BLOB | REFERENCED, both: REF_TREE | REF_BLOB | REFERENCED };
  const { suspicious, references } = twin;
  return { suspicious, marks: new Map([...references].map(([oid, kind]) => [oid, flags[kind]])) };
}

describe.each(RAW_SIZES)("scanTree with names of %i bytes", (rawSize) => {
  const kernel = kernels[rawSize];
  const none = new Uint8Array();

  it("marks what its twin marks, with and without a base", () => {
    assert(
      property(treePair, ({ tree, base }) => {
        expect(scan(kernel, encodeTree(tree, rawSize), none)).toEqual(
          scanOfTwin(encodeTree(tree, rawSize), none, rawSize),
        );
        expect(scan(kernel, encodeTree(tree, rawSize), encodeTree(base, rawSize))).toEqual(
          scanOfTwin(encodeTree(tree, rawSize), encodeTree(base, rawSize), rawSize),
        );
      }),
      { numRuns: 300 },
    );
  });

  it("suspects what its twin suspects, with and without a base", () => {
    assert(
      property(oddTree, goodTree, nat(99), (tree, base, cut) => {
        const bytes = encodeTree(tree, rawSize);
        expect(scan(kernel, bytes, none)).toEqual(scanOfTwin(bytes, none, rawSize));
        expect(scan(kernel, bytes, encodeTree(base, rawSize))).toEqual(
          scanOfTwin(bytes, encodeTree(base, rawSize), rawSize),
        );
        // A base that shares much with the tree, and was let pass unjudged.
        const most = encodeTree(tree.slice(1), rawSize);
        expect(scan(kernel, bytes, most, false)).toEqual(scanOfTwin(bytes, most, rawSize, false));
        if (cut < bytes.length)
          expect(scan(kernel, bytes.subarray(0, bytes.length - cut), none)).toEqual(
            scanOfTwin(bytes.subarray(0, bytes.length - cut), none, rawSize),
          );
      }),
      { numRuns: 1500 },
    );
  });

  it.each([
    [
      ["xa", "100644"],
      ["xa.b", "100644"],
      ["xa", "40000"],
    ],
    [
      ["x", "100644"],
      ["x-", "100644"],
      ["x-.c", "100644"],
      ["x-", "40000"],
      ["x", "40000"],
    ],
    [
      ["x", "100644"],
      ["x-", "40000"],
      ["x", "40000"],
    ],
  ])("detects a file and a directory of the same name that are apart: %j %j %j", (...named) => {
    const tree = named.map(([name = "", each = ""], i) => ({ name, mode: each, oid: i + 1 }));
    expect(scanTwin(encodeTree(tree, rawSize), none, rawSize)).toBeUndefined();
    expect(scan(kernel, encodeTree(tree, rawSize), none)).toEqual(scanOfTwin(encodeTree(tree, rawSize), none, rawSize));
    for (let left = 0; left < tree.length; left++) {
      const base = tree.filter((_, i) => i !== left);
      expect(scan(kernel, encodeTree(tree, rawSize), encodeTree(base, rawSize))).toEqual(
        scanOfTwin(encodeTree(tree, rawSize), encodeTree(base, rawSize), rawSize),
      );
      expect(scan(kernel, encodeTree(base, rawSize), none)).toEqual(
        scanOfTwin(encodeTree(base, rawSize), none, rawSize),
      );
    }
  });

  it("suspects a tree with more odd names than fit into the list", () => {
    const count = (1 << 16) + 1;
    const big = testKernel({ rawSize, ringBytes: 8 << 20 });
    const tree = Array.from({ length: count }, (_, i) => ({
      mode: "100644",
      name: `.${String(i).padStart(6, "0")}`,
      oid: 1,
    }));
    const bytes = encodeTree(tree, rawSize);
    big.memory.set(bytes, big.ringAt);
    expect(big.scanTree(big.ringAt, bytes.length, 0, 0)).toBe(SCAN_SUSPECT);
    const last = bytes.length / count;
    expect(big.scanTree(big.ringAt, bytes.length - last, 0, 0)).toBe(SCAN_OK);
    expect(big.suspiciousCount).toBe(count - 1);
    expect(big.suspiciousAt(count - 2)).toBe((count - 2) * last);
  });
});

describe.each(RAW_SIZES)("collectTree with names of %i bytes", (rawSize) => {
  const kernel = kernels[rawSize];

  it("lists each object that its twin lists, once", () => {
    assert(
      property(treePair, nat(1), nat(1), ({ tree, base }, withBase, blobs) => {
        const bytes = encodeTree(tree, rawSize);
        const baseBytes = withBase === 1 ? encodeTree(base, rawSize) : new Uint8Array();
        const { at, baseAt } = place(kernel, bytes, baseBytes);
        kernel.reset();
        const twin = changedEntries(
          parseTreeTwin(bytes, rawSize) ?? [],
          parseTreeTwin(baseBytes, rawSize) ?? [],
        ).filter((each) => !isLink(each) && (isTree(each) || blobs === 1));
        const expected = [...new Set(twin.map(({ oid }) => oid))];
        const count = kernel.collectTree(at, bytes.length, baseAt, baseBytes.length, blobs === 1);
        const listed = Array.from({ length: count }, (_, i) => kernel.oidAt(kernel.collectedAt(i)));
        expect(listed.map((place_) => toHex(kernel.memory, place_, place_ + rawSize))).toEqual(expected);
        expect(kernel.collectMore()).toBe(0);
        for (const [oid, flags] of marks(kernel)) {
          const first = twin.find((each) => each.oid === oid);
          expect(flags).toBe(SEEN | (first !== undefined && isTree(first) ? REF_TREE : REF_BLOB));
        }
        expect(kernel.collectTree(at, bytes.length, 0, 0, blobs === 1)).toBe(
          new Set(
            (parseTreeTwin(bytes, rawSize) ?? [])
              .filter((each) => !isLink(each) && (isTree(each) || blobs === 1))
              .map(({ oid }) => oid),
          ).size - expected.length,
        );
      }),
      { numRuns: 300 },
    );
  });

  it("continues when the list is full", () => {
    const count = 150_000;
    const big = testKernel({ rawSize, ringBytes: 12 << 20 });
    const parts: Uint8Array[] = [];
    for (let i = 0; i < count; i++) {
      const oid = new Uint8Array(rawSize);
      new DataView(oid.buffer).setUint32(4, i + 1);
      parts.push(bytesOf(`100644 ${String(i).padStart(6, "0")}\0`), oid);
    }
    const bytes = Buffer.concat(parts);
    big.memory.set(bytes, big.ringAt);
    const indexes: number[] = [];
    for (let found = big.collectTree(big.ringAt, bytes.length, 0, 0, true); found > 0; found = big.collectMore()) {
      for (let i = 0; i < found; i++) indexes.push(big.collectedAt(i));
    }
    expect(indexes).toHaveLength(count);
    expect(indexes.every((index, i) => index === i)).toBe(true);
  });

  it("marks what a tree refers to, even with old modes", () => {
    const tree = [
      { mode: "0100644", name: "a", oid: 1 },
      { mode: "040000", name: "b", oid: 2 },
      { mode: "100664", name: "c", oid: 3 },
      { mode: "160000", name: "d", oid: 4 },
    ];
    const bytes = encodeTree(tree, rawSize);
    const { at } = place(kernel, bytes, new Uint8Array());
    kernel.reset();
    expect(kernel.markTree(at, bytes.length, 1 << 9)).toBe(0);
    expect([...marks(kernel).values()]).toEqual([1 << 9, 1 << 9, 1 << 9]);
    expect(kernel.collectTree(at, bytes.length, 0, 0, true)).toBe(3);
    expect([...marks(kernel).values()]).toEqual([REF_BLOB, REF_TREE, REF_BLOB].map((type) => type | SEEN | (1 << 9)));
  });

  it("refuses a tree that is cut short at any length", () => {
    const bytes = encodeTree([{ mode: "100644", name: "name", oid: 1 }], rawSize);
    for (let length = 1; length < bytes.length; length++) {
      const { at } = place(kernel, bytes.subarray(0, length), new Uint8Array());
      expect(kernel.collectTree(at, length, 0, 0, true)).toBe(TREE_CORRUPT);
      expect(kernel.markTree(at, length, 1)).toBe(TREE_CORRUPT);
    }
  });
});

describe("scanTree and git fsck", () => {
  it("passes nothing that git complains of, and suspects no order that git accepts", () => {
    const repository = mkdtempSync(join(tmpdir(), "thinpack-kernel-"));
    try {
      const git = (args: string[], input = ""): string =>
        execFileSync("git", ["-C", repository, ...args], {
          input,
          encoding: "utf8",
          stdio: ["pipe", "pipe", "ignore"],
        });
      git(["init", "-q", "--object-format=sha1"]);
      mkdirSync(join(repository, "trees"));
      const trees: Uint8Array[] = [];
      const remember = property(oneof(oddTree, goodTree), (tree) => void trees.push(encodeTree(tree, 20)));
      assert(remember, { numRuns: 600 });
      const paths = trees.map((bytes, i) => {
        writeFileSync(join(repository, "trees", `${i}`), bytes);
        return `trees/${i}`;
      });
      const oids = git(
        ["hash-object", "--literally", "-w", "-t", "tree", "--stdin-paths"],
        `${paths.join("\n")}\n`,
      ).split("\n");
      const complaints = new Map<string, string>();
      for (const line of fsck(repository)) {
        const [, oid, complaint] = /in tree ([0-9a-f]+): (\w+): /.exec(line) ?? [];
        if (oid !== undefined && complaint !== undefined) complaints.set(oid, (complaints.get(oid) ?? "") + complaint);
      }
      expect(complaints.size).toBeGreaterThan(50);
      const kernel = kernels[20];
      for (const [i, bytes] of trees.entries()) {
        const { at } = place(kernel, bytes, new Uint8Array());
        kernel.reset();
        const status = kernel.scanTree(at, bytes.length, 0, 0);
        const complaint = complaints.get(oids[i] ?? "");
        if (status === SCAN_OK && kernel.suspiciousCount === 0) expect(complaint).toBeUndefined();
        if (status === SCAN_SUSPECT) expect(complaint).toBeDefined();
      }
    } finally {
      rmSync(repository, { recursive: true, force: true });
    }
  });
});

/** Returns the output of `git fsck`, which exits with an error if it finds something, as the tests intend. */
function fsck(repository: string): string[] {
  try {
    execFileSync("git", ["-C", repository, "fsck", "--strict", "--no-dangling"], { encoding: "utf8", stdio: "pipe" });
    return [];
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    return [...stdout.split("\n"), ...stderr.split("\n")];
  }
}
