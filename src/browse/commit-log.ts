/**
 * The log: commits by date, youngest first, as `git log` lists them. The log of a path has the commits that changed it,
 * simplified as git does by default: of a merge, only a parent with the same content is followed.
 *
 * A page ends when it is full, or when enough was read for one request. Its cursor says where the next page begins, and
 * holds the commits that are next, so that no page repeats the walk of earlier ones. Wrong clocks can make this
 * ambiguous, because a parent may have been listed before its child. In that case the walk is repeated from its start.
 *
 * Where the commit-graph has a filter of the paths that a commit changed, and the path is not among them, no tree is
 * read.
 *
 * A log can follow a file through renames. It then has every commit but merges that changed the file, as git's own has,
 * and nothing is simplified. Where a commit created the file out of another one, all older commits are asked about that
 * one, on whichever branch they are.
 *
 * @packageDocumentation
 * @see git-log(1), "History Simplification", `--follow`; `try_to_simplify_commit` in git's revision.c
 */
import { QUEUED } from "../kernel/object-flags.ts";
import { LimitExceeded } from "../bytes/failure.ts";
import { concat } from "../bytes/chunk.ts";
import { CommitQueue } from "../graph/commit-queue.ts";
import { FILE_MODE } from "../object/tree.ts";
import type { BrowseSession } from "./browse-session.ts";
import { followedPath } from "./followed-path.ts";
import { contentState, PathContent } from "./path-content.ts";

/** The place where a log continues. */
export type LogPosition = {
  /** The raw name of the commit with which the log began. */
  readonly tip: Uint8Array;
  /** The number of commits that were looked at before. */
  readonly walked: number;
  /** The oldest time among them. */
  readonly oldest: number;
  /** The raw names of the commits that are next; empty if they are too many for a cursor. */
  readonly next: readonly Uint8Array[];
  /** The path that a log which follows renames has come to, one character per byte. */
  readonly followed?: string;
};

/** The most commits that one request looks at. */
const PAGE_WALK = 20_000;
/** The steps after which a page ends, whatever is on it: about half a second. */
const PAGE_STEPS = 60_000_000;
/** The most commits that one request walks again to get to its place. */
const MOST_REPEATED = 200_000;
/** The most commits that a cursor names. */
const MOST_NEXT = 32;
/** The steps of taking a commit out of the queue and putting its parents in. */
const COMMIT_STEPS = 200;

/** When a page of a log ends, if it is not full before. */
export type LogBounds = {
  /** The most commits that are looked at. */
  readonly commits: number;
  /** The most steps that the request takes. */
  readonly steps: number;
};

const PAGE_BOUNDS: LogBounds = { commits: PAGE_WALK, steps: PAGE_STEPS };

/** How a log is made, beside the path that it is of. */
export type LogOptions = {
  readonly bounds?: LogBounds;
  /** Whether the path's file is followed through renames. The empty path can't be. */
  readonly follows?: boolean;
};

/** A log in progress. */
export class CommitLog {
  readonly #session: BrowseSession;
  readonly #tip: Uint8Array;
  readonly #follows: boolean;
  readonly #bounds: LogBounds;
  #paths: PathContent | undefined;
  #listedPath = "";
  #isRepeating = false;
  #queue = new CommitQueue();
  #walked = 0;
  #walkedHere = 0;
  #oldest = Number.POSITIVE_INFINITY;
  /**
   * A parent of this time or younger may have been listed on an earlier page. `Infinity` if there was no earlier page.
   */
  #doubtfulFrom = Number.POSITIVE_INFINITY;
  #isEnd = false;

  private constructor(session: BrowseSession, tip: Uint8Array, path: string, options: LogOptions) {
    this.#session = session;
    this.#bounds = options.bounds ?? PAGE_BOUNDS;
    this.#follows = options.follows === true && path !== "";
    this.#tip = tip;
    this.#begin(path);
  }

  /** Has the log be of this path from here on. */
  #begin(path: string): void {
    this.#paths = path === "" ? undefined : new PathContent(this.#session, path);
  }

  /** The path that the commit which {@link next} gave last has the file at, one character per byte. */
  get listedPath(): string {
    return this.#listedPath;
  }

  /**
   * Starts the log of a commit (raw name). If `path` (one character per byte) is not empty, it is the log of that path.
   */
  static async start(
    session: BrowseSession,
    tip: Uint8Array,
    path: string,
    options: LogOptions = {},
  ): Promise<CommitLog> {
    await session.expectMany();
    const log = new CommitLog(session, tip, path, options);
    await log.#enqueue(session.graph.node(tip));
    return log;
  }

  /** Continues a log. Returns `undefined` if the position is impossible; a stranger may have made it up. */
  static async resume(
    session: BrowseSession,
    position: LogPosition,
    path: string,
    options: LogOptions = {},
  ): Promise<CommitLog | undefined> {
    await session.expectMany();
    // If a pack lacks the mark, the commits named as next are not looked up: the answer would reveal whether they are
    // stored.
    const named = session.allReachable ? position.next : [];
    if (!(await session.isShown(position.tip)) || !(await areCommits(session, [position.tip, ...named])))
      return undefined;
    const log = new CommitLog(session, position.tip, path, options);
    if (log.#follows) log.#begin(position.followed ?? path); // Without one, the file was not moved yet.
    log.#walked = position.walked;
    log.#oldest = position.oldest;
    if (position.next.length === 0 || !session.allReachable) {
      await log.#repeat();
      return position.next.length === 0 || log.#isAt(position.next) ? log : undefined;
    }
    log.#doubtfulFrom = position.oldest;
    for (const name of position.next) await log.#put(session.graph.node(name));
    return log;
  }

  /** Returns the node of the next commit; `undefined` at the end of the page or of the log. */
  async next(): Promise<number | undefined> {
    for (;;) {
      if (this.#walkedHere >= this.#bounds.commits || this.#session.hasSpent(this.#bounds.steps)) return undefined;
      const node = this.#queue.pop();
      if (node === undefined) {
        this.#isEnd = true;
        return undefined;
      }
      this.#walkedHere++;
      if (await this.#take(node)) return node;
    }
  }

  /** Returns the position of the next page; `undefined` at the end of the log. Must be called once, at the end. */
  position(): LogPosition | undefined {
    if (this.#isEnd || this.#queue.length === 0) return undefined;
    const next: Uint8Array[] = [];
    const count = this.#queue.length;
    if (count <= MOST_NEXT) {
      for (let node = this.#queue.pop(); node !== undefined; node = this.#queue.pop())
        next.push(this.#session.graph.nameOf(node));
    }
    const followed = this.#follows && this.#paths !== undefined ? { followed: this.#paths.path } : {};
    return { tip: this.#tip, walked: this.#walked, oldest: this.#oldest, next, ...followed };
  }

  /** Whether exactly these commits (raw names) are next. */
  #isAt(next: readonly Uint8Array[]): boolean {
    const nodes = new Set(next.map((name) => this.#session.graph.findNode(name)));
    return this.#queue.length === next.length && !this.#queue.some((node) => !nodes.has(node));
  }

  /** Takes a commit out of the walk and puts its parents in. Returns whether it is listed. */
  async #take(node: number): Promise<boolean> {
    const { commits } = this.#session.graph;
    this.#walked++;
    await this.#session.work(COMMIT_STEPS);
    this.#oldest = Math.min(this.#oldest, commits.timeOf(node));
    const parents = commits.parentsOf(node).slice();
    const { followed, isListed } = await this.#simplified(node, parents);
    for (const parent of followed) await this.#enqueue(parent);
    return isListed;
  }

  async #simplified(
    node: number,
    parents: Uint32Array,
  ): Promise<{ readonly followed: Iterable<number>; readonly isListed: boolean }> {
    const paths = this.#paths;
    if (paths === undefined) return { followed: parents, isListed: true };
    this.#listedPath = paths.path;
    if (this.#follows) {
      // Which commits are walked does not depend on the path, so a repeated walk needs no look at the file.
      const isListed = !this.#isRepeating && (await this.#hasChanged(node, parents, paths));
      return { followed: parents, isListed };
    }
    if (await paths.isUnchanged(node)) return { followed: parents.subarray(0, 1), isListed: false };
    const content = await paths.of(node);
    for (const parent of parents) {
      if ((await paths.of(parent)) === content) return { followed: [parent], isListed: false };
    }
    return { followed: parents, isListed: parents.length > 0 || content !== "" };
  }

  /** Whether a commit changed the file that is followed. Where it made the file of another one, that one is next. */
  async #hasChanged(node: number, [parent, ...others]: Uint32Array, paths: PathContent): Promise<boolean> {
    if (others.length > 0 || (await paths.isUnchanged(node))) return false;
    const after = await paths.of(node);
    const before = parent === undefined ? "" : await paths.of(parent);
    if (before === after) return false;
    const state = contentState(after);
    if (parent === undefined || before !== "" || state === undefined || state.mode === FILE_MODE.tree) return true;
    const { graph } = this.#session;
    const [older, newer] = [parent, node].map((commit) => graph.nameOf(graph.commits.treeOf(commit)));
    if (older === undefined || newer === undefined) return true;
    const created = { path: paths.path, state };
    const source = await followedPath(this.#session, { before: older, after: newer }, created);
    if (source !== undefined) this.#begin(source);
    return true;
  }

  async #enqueue(node: number): Promise<void> {
    const { graph } = this.#session;
    if (graph.has(node, QUEUED)) return;
    await graph.loadCommit(node);
    if (graph.commits.timeOf(node) >= this.#doubtfulFrom) await this.#repeat();
    else await this.#put(node);
  }

  async #put(node: number): Promise<void> {
    const { graph } = this.#session;
    if (graph.has(node, QUEUED)) return;
    graph.mark(node, QUEUED);
    await graph.loadCommit(node);
    this.#queue.push(node, graph.commits.timeOf(node));
  }

  /** Repeats the walk from its start to the place where this page begins. */
  async #repeat(): Promise<void> {
    const { graph } = this.#session;
    const upTo = this.#walked;
    if (upTo > MOST_REPEATED)
      throw new LimitExceeded("repeated-commits", MOST_REPEATED, `a log can't be read past ${MOST_REPEATED} commits`);
    for (let node = 0; node < graph.kernel.oidCount; node++) if (graph.has(node, QUEUED)) graph.unmark(node, QUEUED);
    this.#queue = new CommitQueue();
    this.#walked = 0;
    this.#doubtfulFrom = Number.POSITIVE_INFINITY;
    await this.#put(graph.node(this.#tip));
    this.#isRepeating = true;
    while (this.#walked < upTo) {
      this.#session.assertSteps();
      const node = this.#queue.pop();
      if (node === undefined) break;
      await this.#take(node);
    }
    this.#isRepeating = false;
  }
}

async function areCommits({ graph }: BrowseSession, names: readonly Uint8Array[]): Promise<boolean> {
  const { packs } = await graph.database.locate(concat(names));
  if (packs.some((pack) => pack < 0)) return false;
  for (const name of names) if (!(await graph.loadCommit(graph.node(name)))) return false;
  return true;
}
