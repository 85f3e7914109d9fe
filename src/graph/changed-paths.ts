/**
 * Finds the paths at which a commit differs from its first parent, for its filter of changed paths.
 *
 * @packageDocumentation
 * @see git-diff-tree(1), `-r --no-renames`; `get_or_compute_bloom_filter` in git's bloom.c
 */
import { u8At } from "../bytes/assert.ts";
import { equal } from "../bytes/chunk.ts";
import { textOf } from "../object/byte-text.ts";
import { canonicalMode, isTree, TreeReader } from "../object/tree.ts";
import type { GraphSession } from "./graph-session.ts";

/** Steps charged to the pacer for each byte of a tree that is compared. */
const BYTE_STEPS = 1;
/** The steps charged for opening a tree. */
const TREE_STEPS = 200;
/** The steps after which a commit is taken for one that changes too much. */
export const MOST_COMMIT_STEPS = 64 * 1024 * 1024;
const NO_BYTES = new Uint8Array(0);
const SLASH = 0x2f;

/** Two directories at one path, by raw names; `undefined` is a directory that is not there. */
type Pair = {
  readonly before: Uint8Array | undefined;
  readonly after: Uint8Array | undefined;
  readonly prefix: string;
};

/** The entries of a tree, one by one. */
class Entries {
  readonly bytes: Uint8Array;
  readonly reader: TreeReader;
  readonly #rawSize: number;
  /** Whether there is an entry. */
  hasEntry: boolean;

  constructor(bytes: Uint8Array, rawSize: number) {
    this.bytes = bytes;
    this.#rawSize = rawSize;
    this.reader = new TreeReader(bytes, 0, bytes.length, rawSize);
    this.hasEntry = this.reader.next();
  }

  next(): void {
    this.hasEntry = this.reader.next();
  }

  get name(): string {
    return textOf(this.bytes.subarray(this.reader.nameAt, this.reader.nameEnd));
  }

  get oid(): Uint8Array {
    return this.bytes.subarray(this.reader.oidAt, this.reader.oidAt + this.#rawSize);
  }

  /** Returns a byte of the name as trees are ordered: a directory's name ends in a slash. */
  orderByte(i: number): number {
    const { nameAt, nameEnd, mode } = this.reader;
    if (nameAt + i < nameEnd) return u8At(this.bytes, nameAt + i);
    return nameAt + i === nameEnd && isTree(mode) ? SLASH : 0;
  }

  get orderLength(): number {
    return this.reader.nameEnd - this.reader.nameAt + 1;
  }
}

function orderOf(a: Entries, b: Entries): number {
  if (!a.hasEntry || !b.hasEntry) return a.hasEntry ? -1 : 1;
  const length = Math.max(a.orderLength, b.orderLength);
  for (let i = 0; i < length; i++) {
    const difference = a.orderByte(i) - b.orderByte(i);
    if (difference !== 0) return difference;
  }
  return 0;
}

function isSame(a: Entries, b: Entries): boolean {
  return canonicalMode(a.reader.mode) === canonicalMode(b.reader.mode) && equal(a.oid, b.oid);
}

/** What is known of a commit: the paths of files that changed, and what is left to be compared. */
type Search = {
  readonly found: string[];
  readonly stack: Pair[];
  /** The number of files and directories that changed. */
  changes: number;
};

/** Compares the trees of commits. */
export class ChangedPaths {
  readonly #session: GraphSession;
  readonly #most: number;

  /** `most`: the files and directories that a commit may change. */
  constructor(session: GraphSession, most: number) {
    this.#session = session;
    this.#most = most;
  }

  /**
   * Returns the paths of files that differ between a commit and its first parent, in no order, one character per byte. Returns
   * `undefined` if the commit changes too much, or if to compare its trees takes more than {@link MOST_COMMIT_STEPS}. Directories count,
   * too: a few trees that name one another can have any number of them, and no file.
   */
  async of(commit: number): Promise<string[] | undefined> {
    const session = this.#session;
    const { commits } = session;
    await session.loadCommit(commit);
    const after = session.nameOf(commits.treeOf(commit));
    const [parent] = commits.parentsOf(commit);
    if (parent !== undefined) await session.loadCommit(parent);
    const before = parent === undefined ? undefined : session.nameOf(commits.treeOf(parent));
    if (before !== undefined && equal(before, after)) return [];
    const { pacer } = session.database.context;
    const mostSteps = pacer.steps + MOST_COMMIT_STEPS;
    const search: Search = { found: [], stack: [{ before, after, prefix: "" }], changes: 0 };
    for (let pair = search.stack.pop(); pair !== undefined; pair = search.stack.pop()) {
      if (pacer.steps > mostSteps) return undefined;
      this.#compare(await this.#open(pair), pair.prefix, search);
      if (search.changes > this.#most) return undefined;
    }
    return search.found;
  }

  async #open({ before, after }: Pair): Promise<readonly [Entries, Entries]> {
    const { rawSize } = this.#session.format;
    return [new Entries(await this.#bytesOf(before), rawSize), new Entries(await this.#bytesOf(after), rawSize)];
  }

  async #bytesOf(tree: Uint8Array | undefined): Promise<Uint8Array> {
    if (tree === undefined) return NO_BYTES;
    const { reader, database } = this.#session;
    const { bytes } = await reader.readCopy(tree);
    const { pacer } = database.context;
    pacer.add(TREE_STEPS + bytes.length * BYTE_STEPS);
    if (pacer.isDue) await pacer.pace();
    return bytes;
  }

  #compare([left, right]: readonly [Entries, Entries], prefix: string, search: Search): void {
    while ((left.hasEntry || right.hasEntry) && search.changes <= this.#most) {
      const order = orderOf(left, right);
      const [hasBefore, hasAfter] = [order <= 0, order >= 0];
      if (!hasBefore || !hasAfter || !isSame(left, right)) {
        const entry = hasAfter ? right : left;
        const path = prefix + entry.name;
        search.changes++;
        if (isTree(entry.reader.mode)) {
          search.stack.push({
            before: hasBefore ? left.oid : undefined,
            after: hasAfter ? right.oid : undefined,
            prefix: `${path}/`,
          });
        } else {
          search.found.push(path);
        }
      }
      if (hasBefore) left.next();
      if (hasAfter) right.next();
    }
  }
}
