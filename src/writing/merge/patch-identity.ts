/**
 * Finds the commits whose changes a branch has already, in whatever commits: a rebase leaves them out. Two changes are the same if
 * git's patch ids are, which white space, line numbers and messages are no part of.
 *
 * @packageDocumentation
 * @see git-patch-id(1), git-rebase(1), patch-ids.c, diff.c `diff_get_patch_id()`
 */
import { type BloomKey, bloomKey } from "../../format/bloom-filter.ts";
import type { StreamingHash } from "../../bytes/hash.ts";
import { toHex } from "../../bytes/hex.ts";
import { hunkLines } from "../../diff/hunk-lines.ts";
import { DEFAULT_OPTIONS, diffHunks, diffLines, type LineDiff } from "../../diff/line-diff.ts";
import { countLines, LINE_BYTES } from "../../diff/line-table.ts";
import type { MergeSource } from "../../merge/merge-source.ts";
import { ENTRY_BYTES } from "../../merge/path-info.ts";
import { treeRows } from "../../merge/tree-rows.ts";
import { BASE, NOTHING, OURS, type TreeEntry, type Version } from "../../merge/version.ts";
import { bytesOf } from "../../object/byte-text.ts";
import { isGitlink, isTree } from "../../object/tree.ts";
import { ChangeHash } from "./change-hash.ts";
import type { CommitRecord } from "./commit-record.ts";

/** Files and directories of a change that is compared. A larger one is made again. */
const MOST_CHANGES = 2000;
/** Bytes in which a file that is not text has a NUL, as git looks for it. */
const BINARY_BYTES = 8000;
/** Steps of comparing a name, of reading a byte of a line or of a name, and of looking for a path in a commit's filter. */
const NAME_STEPS = 20;
const BYTE_STEPS = 1;
const FILTER_STEPS = 20;
/** Bytes that are held for each commit: its name, the hash of its paths, the hashes of one of them, and its patch id. */
const COMMIT_BYTES = 600;

/** What the changes of commits are read from. */
export type PatchSource = {
  readonly source: Pick<MergeSource, "emptyTree" | "readTree" | "readBlob" | "work" | "hold">;
  readonly commitOf: (oid: string) => Promise<Pick<CommitRecord, "tree" | "parents">>;
  readonly hash: () => StreamingHash;
  /** Whether a commit may change one of some paths. */
  readonly mayTouch: (oid: string, paths: readonly BloomKey[]) => Promise<boolean>;
};

/** What a commit has at one name, and had before. */
type Change = { readonly name: string; readonly before: Version; readonly after: Version };

/** Which files a commit changes. */
type ChangedFiles = {
  /** The hash of their paths. */
  readonly id: string;
  /** The hash of one of them for filters; `undefined` if its path is long. */
  readonly key: BloomKey | undefined;
};

/** Commits of two sides, by their full names. */
export type TwoSides = { readonly ours: readonly string[]; readonly theirs: readonly string[] };

/**
 * Returns those of their commits whose change one of ours makes. Merges, and commits that change nothing, are none. Each commit's trees are
 * compared with its parent's: the caller bounds how many there are, and `source` what that takes.
 *
 * @throws LimitExceeded
 */
export async function sameChanges(from: PatchSource, { ours, theirs }: TwoSides): Promise<ReadonlySet<string>> {
  if (ours.length === 0 || theirs.length === 0) return new Set();
  const { source } = from;
  const held = (ours.length + theirs.length) * COMMIT_BYTES;
  source.hold(held);
  try {
    return await found(from, { ours, theirs });
  } finally {
    source.hold(-held);
  }
}

async function found(from: PatchSource, { ours, theirs }: TwoSides): Promise<ReadonlySet<string>> {
  const comparison = new Comparison(from);
  const { byPaths, wanted } = await theirChanges(comparison, theirs);
  const same = new Set<string>();
  for (const oid of byPaths.size === 0 ? [] : ours) {
    if (wanted !== undefined) {
      await from.source.work(wanted.length * FILTER_STEPS);
      if (!(await from.mayTouch(oid, wanted))) continue;
    }
    const files = await comparison.filesOf(oid);
    const candidates = (files && byPaths.get(files.id)) ?? []; // What is not compared has none.
    await from.source.work(candidates.length * NAME_STEPS);
    for (const other of candidates)
      if (!same.has(other) && (await comparison.idOf(other)) === (await comparison.idOf(oid))) same.add(other);
  }
  return same;
}

/** Their commits by the files that they change, and one path of each; `undefined` if the path of one is long. */
type TheirChanges = {
  readonly byPaths: ReadonlyMap<string, readonly string[]>;
  readonly wanted: readonly BloomKey[] | undefined;
};

async function theirChanges(comparison: Comparison, theirs: readonly string[]): Promise<TheirChanges> {
  const byPaths = new Map<string, string[]>();
  const keys: (BloomKey | undefined)[] = [];
  for (const oid of theirs) {
    const files = await comparison.filesOf(oid);
    if (files === undefined) continue;
    const others = byPaths.get(files.id);
    if (others === undefined) byPaths.set(files.id, [oid]);
    else others.push(oid);
    keys.push(files.key);
  }
  const wanted = keys.filter((key) => key !== undefined);
  return { byPaths, wanted: wanted.length === keys.length ? wanted : undefined };
}

function kindOf({ before, after }: Change): string {
  if (before.mode === 0) return `new ${after.mode}`;
  return after.mode === 0 ? `deleted ${before.mode}` : "changed";
}

class Comparison {
  readonly #from: PatchSource;
  readonly #ids = new Map<string, string>();

  constructor(from: PatchSource) {
    this.#from = from;
  }

  /** Returns which files a commit changes; `undefined` if there are none, for a merge, and for a commit that changes too much. */
  async filesOf(oid: string): Promise<ChangedFiles | undefined> {
    const paths = new ChangeHash(this.#from.hash());
    if (!(await this.#walk(oid, paths, async () => {})) || !paths.hasFiles) return undefined;
    const { first } = paths;
    await this.#from.source.work((first?.length ?? 0) * BYTE_STEPS); // A long path is not hashed.
    return { id: toHex(paths.digest()), key: first === undefined ? undefined : bloomKey(first) };
  }

  /** Returns what two commits have in common if they make the same change, and only then. {@link Comparison.filesOf} knows both. */
  async idOf(oid: string): Promise<string> {
    const known = this.#ids.get(oid);
    if (known !== undefined) return known;
    const hash = this.#from.hash();
    const paths = new ChangeHash(hash);
    await this.#walk(oid, paths, async (change) => {
      await this.#add(hash, change);
    });
    const id = toHex(paths.digest());
    this.#ids.set(oid, id);
    return id;
  }

  /** Calls `visit` for each file that a commit changes. Returns `false` for a merge, and once it changes too much. */
  async #walk(oid: string, paths: ChangeHash, visit: (change: Change) => Promise<void>): Promise<boolean> {
    const { commitOf, source } = this.#from;
    const { tree, parents } = await commitOf(oid);
    const [parent] = parents;
    if (parents.length > 1) return false;
    const before = parent === undefined ? source.emptyTree : (await commitOf(parent)).tree;
    const walk = { paths, visit, left: MOST_CHANGES };
    return await this.#compare([before, tree], walk);
  }

  async #compare(trees: readonly [string, string], walk: Walk): Promise<boolean> {
    if (trees[0] === trees[1]) return true;
    const { source } = this.#from;
    const changes = await this.#changesIn(trees, walk);
    if (changes === undefined) return false;
    const held = changes.reduce((sum, { name }) => sum + ENTRY_BYTES + name.length, 0);
    source.hold(held);
    try {
      for (const change of changes) {
        await source.work(change.name.length * BYTE_STEPS);
        walk.paths.enter(change.name);
        const below = await this.#compare([this.#treeIn(change.before), this.#treeIn(change.after)], walk);
        walk.paths.leave();
        if (!below) return false;
        const file = { ...change, before: fileIn(change.before), after: fileIn(change.after) };
        if (file.before.mode === 0 && file.after.mode === 0) continue;
        walk.paths.file(file.name, kindOf(file));
        await walk.visit(file);
      }
    } finally {
      source.hold(-held);
    }
    return true;
  }

  /** Returns where two directories differ, by name; `undefined` once that is too much. Only these outlast the call, however deep it goes. */
  async #changesIn(trees: readonly [string, string], walk: Walk): Promise<readonly Change[] | undefined> {
    const { source } = this.#from;
    const [before, after] = [await source.readTree(trees[0]), await source.readTree(trees[1])];
    const held = bytesIn(before) + bytesIn(after);
    source.hold(held);
    try {
      await source.work((before.length + after.length) * NAME_STEPS);
      const changes: Change[] = [];
      for (const { name, versions } of treeRows([before, after])) {
        const [one, two] = [versions[BASE], versions[OURS]];
        if (one.mode === two.mode && one.oid === two.oid) continue;
        if (walk.left-- === 0) return undefined;
        changes.push({ name, before: one, after: two });
      }
      // Where a file gives way to a directory, rows come in an order that depends on what else is there.
      return changes.toSorted((a, b) => (a.name < b.name ? -1 : 1));
    } finally {
      source.hold(-held);
    }
  }

  #treeIn({ mode, oid }: Version): string {
    return isTree(mode) ? oid : this.#from.source.emptyTree;
  }

  /** Adds what a change does to a file. */
  async #add(hash: StreamingHash, { before, after }: Change): Promise<void> {
    const [one, two] = [await this.#contentOf(before), await this.#contentOf(after)];
    if (one === undefined || two === undefined || isBinary(one) || isBinary(two)) {
      hash.update(bytesOf(`${before.oid} ${after.oid}`));
      return;
    }
    const { source } = this.#from;
    const held = one.length + two.length + (countLines(one) + countLines(two)) * LINE_BYTES;
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

/** A comparison of two commits' trees: how many more changes it may find. */
type Walk = { readonly paths: ChangeHash; readonly visit: (change: Change) => Promise<void>; left: number };

function bytesIn(entries: readonly TreeEntry[]): number {
  return entries.reduce((sum, { name }) => sum + ENTRY_BYTES + name.length, 0);
}

function fileIn(version: Version): Version {
  return isTree(version.mode) ? NOTHING : version;
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
