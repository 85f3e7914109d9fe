/**
 * The differences of two trees, file by file. Only directories that differ are opened. Renames are not detected.
 *
 * @packageDocumentation
 * @see git-diff-tree(1), `-r --no-renames`
 */
import { equal } from "../bytes/chunk.ts";
import type { Pacer } from "../bytes/pacer.ts";
import { canonicalMode, isTree } from "../object/tree.ts";
import { assertDepth } from "../object/tree-depth.ts";
import type { BrowseSession } from "./browse-session.ts";
import { type DirectoryEntry, HeldDirectory } from "./tree-at.ts";

/** One side of a change. */
export type FileState = {
  readonly mode: number;
  /** A raw name. */
  readonly oid: Uint8Array;
};

/**
 * A file that was added, deleted or modified, or whose type changed (T: from a file to a symbolic link, for example).
 */
export type FileChange = {
  readonly status: "A" | "D" | "M" | "T";
  /** One character per byte. */
  readonly path: string;
  readonly before?: FileState;
  readonly after?: FileState;
};

/** The steps of comparing two directories, apart from those of their entries. */
const LEVEL_STEPS = 200;
/** The steps of telling of a change. */
const CHANGE_STEPS = 100;
/** Characters of a path that cost nothing, and the steps of each further one: a path is written again for each file below it. */
const FREE_CHARACTERS = 512;
const CHARACTER_STEPS = 16;
/** The most characters of the paths of changes that are held at once to find out which belong together. */
export const MOST_HELD_CHARACTERS = 4 * 1024 * 1024;
const TYPE_BITS = 0o170000;

type Pair = { readonly before?: DirectoryEntry | undefined; readonly after?: DirectoryEntry | undefined };

/**
 * Yields the changes from one tree (raw name; `undefined` is the empty tree) to another, ordered by path. If `behind`
 * is given, only changes behind that path are yielded.
 */
export async function* diffTrees(
  session: BrowseSession,
  before: Uint8Array | undefined,
  after: Uint8Array,
  behind?: string,
): AsyncGenerator<FileChange> {
  if (before !== undefined && equal(before, after)) return;
  // One generator for all levels: within each other, each of them would pass every change on.
  const levels = [await openLevel(session, { before, after, prefix: "", depth: 0 })];
  for (let level = levels.at(-1); level !== undefined; level = levels.at(-1)) {
    const pair = level.pairs.next().value;
    if (pair === undefined) {
      level.left?.release();
      level.right?.release();
      levels.pop();
      continue;
    }
    const entry = pair.after ?? pair.before;
    if (entry === undefined) {
      await session.repository.pacer.pace();
      continue;
    }
    const path = level.prefix + entry.name;
    if (isTree(entry.mode)) {
      const below = `${path}/`;
      if (isListed(below, behind)) continue;
      const next = { before: pair.before?.oid, after: pair.after?.oid, prefix: below, depth: level.depth + 1 };
      levels.push(await openLevel(session, next));
    } else {
      await session.work(CHANGE_STEPS + CHARACTER_STEPS * Math.max(0, path.length - FREE_CHARACTERS));
      if (!isListed(path, behind)) yield changeOf(path, pair);
    }
  }
}

type Trees = {
  readonly before: Uint8Array | undefined;
  readonly after: Uint8Array | undefined;
  readonly prefix: string;
  readonly depth: number;
};

/** Two directories that are open, and the entries of them that are left to be compared. */
type Level = {
  readonly left: HeldDirectory | undefined;
  readonly right: HeldDirectory | undefined;
  readonly pairs: Iterator<Pair, undefined>;
  readonly prefix: string;
  readonly depth: number;
};

async function openLevel(session: BrowseSession, { before, after, prefix, depth }: Trees): Promise<Level> {
  assertDepth(depth);
  session.assertSteps();
  await session.work(LEVEL_STEPS);
  const [left, right] = [await openedAt(session, before), await openedAt(session, after)];
  const { pacer } = session.repository;
  return { left, right, pairs: changedPairs({ pacer, left: left?.entries(), right: right?.entries() }), prefix, depth };
}

/**
 * Whether a file comes before or at the path `behind`. For a directory, whose path ends in a slash, whether everything
 * below it does.
 */
function isListed(path: string, behind: string | undefined): boolean {
  if (behind === undefined || (path.endsWith("/") && behind.startsWith(path))) return false;
  // one character per byte: text is ordered as bytes are
  return path <= behind;
}

async function openedAt(session: BrowseSession, tree: Uint8Array | undefined): Promise<HeldDirectory | undefined> {
  return tree === undefined ? undefined : await HeldDirectory.read(session, tree);
}

type Entries = Iterator<DirectoryEntry, undefined>;

/**
 * Pairs the entries of two directories and leaves out equal ones. A file and a directory of one name are two entries. A pair of
 * nothing says that it is time to give way to others: two large directories may have all in common.
 */
function* changedPairs({
  pacer,
  left: before = NONE,
  right: after = NONE,
}: {
  readonly pacer: Pacer;
  readonly left: Entries | undefined;
  readonly right: Entries | undefined;
}): Generator<Pair, undefined> {
  let [left, right] = [before.next().value, after.next().value];
  while (left !== undefined || right !== undefined) {
    const order = orderOf(left, right);
    const pair = { before: order <= 0 ? left : undefined, after: order >= 0 ? right : undefined };
    if (!isSame(pair)) yield pair;
    else if (pacer.isDue) yield NOTHING;
    if (order <= 0) left = before.next().value;
    if (order >= 0) right = after.next().value;
  }
  return undefined;
}

const NOTHING: Pair = {};
const NONE: Entries = { next: () => ({ done: true, value: undefined }) };

function isSame({ before, after }: Pair): boolean {
  if (before === undefined || after === undefined) return false;
  return canonicalMode(before.mode) === canonicalMode(after.mode) && equal(before.oid, after.oid);
}

/**
 * Orders entries as trees do: a directory's name counts as if it ended in a slash. A side without more entries comes
 * last.
 */
function orderOf(a: DirectoryEntry | undefined, b: DirectoryEntry | undefined): number {
  if (a === undefined || b === undefined) return a === undefined ? 1 : -1;
  const left = isTree(a.mode) ? `${a.name}/` : a.name;
  const right = isTree(b.mode) ? `${b.name}/` : b.name;
  return left === right ? 0 : left < right ? -1 : 1;
}

function changeOf(path: string, { before, after }: Pair): FileChange {
  const states = {
    ...(before && { before: { mode: before.mode, oid: before.oid } }),
    ...(after && { after: { mode: after.mode, oid: after.oid } }),
  };
  if (before === undefined) return { status: "A", path, ...states };
  if (after === undefined) return { status: "D", path, ...states };
  const sameType = (before.mode & TYPE_BITS) === (after.mode & TYPE_BITS);
  return { status: sameType ? "M" : "T", path, ...states };
}
