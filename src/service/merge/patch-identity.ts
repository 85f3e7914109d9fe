/**
 * Finds the commits whose changes a branch has already, in whatever commits: a rebase leaves them out. Two changes are the same if
 * git's patch ids are, which white space, line numbers and messages are no part of.
 *
 * @packageDocumentation
 * @see git-patch-id(1), git-rebase(1), patch-ids.c, diff.c `diff_get_patch_id()`
 */
import { type BloomKey, bloomKeys } from "../../format/bloom-filter.ts";
import type { StreamingHash } from "../../bytes/hash.ts";
import { toHex } from "../../bytes/hex.ts";
import { hunkLines } from "../../diff/hunk-lines.ts";
import { DEFAULT_OPTIONS, diffHunks, diffLines, type LineDiff } from "../../diff/line-diff.ts";
import { countLines, LINE_BYTES } from "../../diff/line-table.ts";
import type { MergeSource } from "../../merge/merge-source.ts";
import { treeRows } from "../../merge/tree-rows.ts";
import { BASE, OURS, type Version } from "../../merge/version.ts";
import { bytesOf } from "../../object/byte-text.ts";
import { isGitlink, isTree } from "../../object/tree.ts";
import type { CommitRecord } from "./commit-record.ts";

/** Files of a change that is compared. A larger one is made again. */
export const MOST_FILES = 2000;
/** Bytes in which a file that is not text has a NUL, as git looks for it. */
const BINARY_BYTES = 8000;
/** Steps of comparing a name, and of reading a byte of a line. */
const NAME_STEPS = 20;
const BYTE_STEPS = 1;

/** What the changes of commits are read from. */
export type PatchSource = {
  readonly source: Pick<MergeSource, "emptyTree" | "readTree" | "readBlob" | "work" | "hold">;
  readonly commitOf: (oid: string) => Promise<Pick<CommitRecord, "tree" | "parents">>;
  readonly hash: () => StreamingHash;
  /** Returns the paths that a commit changes; `undefined` for a merge, and for one that changes more than {@link MOST_FILES}. */
  readonly pathsOf: (oid: string) => Promise<readonly string[] | undefined>;
  /** Whether a commit may change one of some paths. */
  readonly mayTouch: (oid: string, paths: readonly (readonly BloomKey[])[]) => Promise<boolean>;
};

/** A file that a change is in. Modes are 0 where it is not there. */
type ChangedFile = { readonly path: string; readonly before: Version; readonly after: Version };

/** Commits of two sides, by their full names. */
export type TwoSides = { readonly ours: readonly string[]; readonly theirs: readonly string[] };

/** Returns those of their commits whose change one of ours makes. Merges, and commits that change nothing, are none. */
export async function sameChanges(from: PatchSource, { ours, theirs }: TwoSides): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  const byPaths = new Map<string, string[]>();
  const keys = new Map<string, readonly BloomKey[]>();
  for (const oid of ours.length === 0 ? [] : theirs) {
    const [first, ...more] = (await from.pathsOf(oid)) ?? []; // What is not compared has none.
    if (first === undefined) continue;
    const paths = [first, ...more].join("\0");
    byPaths.set(paths, [...(byPaths.get(paths) ?? []), oid]);
    keys.set(first, bloomKeys(first));
  }
  const comparison = new Comparison(from);
  const wanted = [...keys.values()];
  for (const oid of byPaths.size === 0 ? [] : ours) {
    if (!(await from.mayTouch(oid, wanted))) continue;
    const candidates = byPaths.get(((await from.pathsOf(oid)) ?? []).join("\0")) ?? []; // As above.
    for (const other of candidates)
      if (!found.has(other) && (await comparison.idOf(other)) === (await comparison.idOf(oid))) found.add(other);
  }
  return found;
}

function kindOf(before: Version, after: Version): string {
  if (before.mode === 0) return `new ${after.mode}`;
  return after.mode === 0 ? `deleted ${before.mode}` : "changed";
}

class Comparison {
  readonly #from: PatchSource;
  readonly #ids = new Map<string, string>();

  constructor(from: PatchSource) {
    this.#from = from;
  }

  async #filesOf(oid: string): Promise<readonly ChangedFile[]> {
    const { commitOf, source } = this.#from;
    const { tree, parents } = await commitOf(oid);
    const [parent] = parents;
    const before = parent === undefined ? source.emptyTree : (await commitOf(parent)).tree;
    const files: ChangedFile[] = [];
    await this.#compare("", [before, tree], files);
    return files;
  }

  async #compare(path: string, trees: readonly [string, string], files: ChangedFile[]): Promise<void> {
    if (trees[0] === trees[1]) return;
    const { source } = this.#from;
    const [before, after] = [await source.readTree(trees[0]), await source.readTree(trees[1])];
    await source.work((before.length + after.length) * NAME_STEPS);
    for (const { name, versions } of treeRows([before, after])) {
      const [one, two] = [versions[BASE], versions[OURS]];
      if (one.mode === two.mode && one.oid === two.oid) continue;
      const full = path + name;
      const below = [this.#treeIn(one), this.#treeIn(two)] as const;
      await this.#compare(`${full}/`, below, files);
      const [was, is] = [fileIn(one), fileIn(two)];
      if (was.mode !== 0 || is.mode !== 0) files.push({ path: full, before: was, after: is });
    }
  }

  #treeIn({ mode, oid }: Version): string {
    return isTree(mode) ? oid : this.#from.source.emptyTree;
  }

  /** Returns what two commits have in common if they make the same change, and only then. */
  async idOf(oid: string): Promise<string> {
    const known = this.#ids.get(oid);
    if (known !== undefined) return known;
    const hash = this.#from.hash();
    for (const file of await this.#filesOf(oid)) await this.#add(hash, file);
    const id = toHex(hash.digest());
    this.#ids.set(oid, id);
    return id;
  }

  async #add(hash: StreamingHash, { path, before, after }: ChangedFile): Promise<void> {
    hash.update(bytesOf(`\0${kindOf(before, after)} ${path}\0`));
    const [one, two] = [await this.#contentOf(before), await this.#contentOf(after)];
    if (one === undefined || two === undefined || isBinary(one) || isBinary(two)) {
      hash.update(bytesOf(`${before.oid} ${after.oid}`));
      return;
    }
    const { source } = this.#from;
    const held = (countLines(one) + countLines(two)) * LINE_BYTES;
    source.hold(held);
    try {
      const diff = await this.#diff(one, two);
      for (const hunk of diffHunks(diff))
        for (const { sign, text } of hunkLines(diff, hunk)) hash.update(withoutSpace(sign, text));
      await source.work((one.length + two.length) * BYTE_STEPS);
    } finally {
      source.hold(-held);
    }
  }

  async #diff(before: Uint8Array, after: Uint8Array): Promise<LineDiff> {
    const search = diffLines(before, after, DEFAULT_OPTIONS);
    for (;;) {
      const step = search.next();
      if (step.done === true) return step.value;
      await this.#from.source.work(step.value);
    }
  }

  /** Returns a file as git compares it; `undefined` if it is too large to be held. */
  async #contentOf({ mode, oid }: Version): Promise<Uint8Array | undefined> {
    if (mode === 0) return new Uint8Array(0);
    if (isGitlink(mode)) return bytesOf(`Subproject commit ${oid}\n`);
    return await this.#from.source.readBlob(oid);
  }
}

const NO_FILE: Version = { mode: 0, oid: "" };

function fileIn(version: Version): Version {
  return version.mode === 0 || isTree(version.mode) ? NO_FILE : version;
}

function isBinary(bytes: Uint8Array): boolean {
  return bytes.subarray(0, BINARY_BYTES).includes(0);
}

/** Returns a line of a patch as it counts: without white space, and so without the blank before a common line. */
function withoutSpace(sign: string, text: Uint8Array): Uint8Array {
  const kept = text.filter((byte) => byte !== 0x20 && (byte < 0x09 || byte > 0x0d));
  const line = new Uint8Array(kept.length + 1);
  line.set(kept, sign === " " ? 0 : 1);
  if (sign !== " ") line[0] = sign.charCodeAt(0);
  return sign === " " ? kept : line;
}
