/**
 * Blame: the commit that each line of a file comes from, through renames of the file.
 *
 * Lines are followed from a commit to its parents. Those that a parent has, too, are looked for there; those that no
 * parent has come from the commit. Commits are taken youngest first, so that lines which came apart meet again.
 *
 * @packageDocumentation
 * @see git-blame(1)
 */
import { toHex } from "../bytes/hex.ts";
import { guessBytes, guessLines } from "../diff/guess-lines.ts";
import { diffLines, lineChanges, type LineChange, NO_CONTEXT } from "../diff/line-diff.ts";
import { LINE_BYTES } from "../diff/line-table.ts";
import { cutPair, VersionDiffs } from "../diff/versions.ts";
import type { Whitespace } from "../diff/whitespace.ts";
import { CommitQueue } from "../graph/commit-queue.ts";
import { FILE_MODE } from "../object/tree.ts";
import { type BlamedLines, divide, redirect } from "./blamed-lines.ts";
import { BlamedVersions, MOST_LINES, tooLarge } from "./blamed-versions.ts";
import type { BrowseSession } from "./browse-session.ts";
import { PathContent } from "./path-content.ts";
import { renameSource } from "./renames.ts";
import { diffTrees } from "./tree-diff.ts";

/** Lines that come from a commit. */
export type BlameRange = BlamedLines & {
  /** A raw name. */
  readonly commit: Uint8Array;
  /** The file's path in that commit, one character per byte. */
  readonly path: string;
};

/** Lines that are in a file of a commit, whether they come from it or from an older one. */
export type PendingLines = {
  readonly commit: Uint8Array;
  readonly path: string;
  readonly lines: readonly BlamedLines[];
};

/** The steps after which a page ends: about two seconds. */
const WALK_STEPS = 200_000_000;
/**
 * The most steps of guessing where the lines of a commit that is passed over come from. Beyond it they stay with the
 * commit.
 */
const MOST_GUESS_STEPS = 150_000_000;
const COMMIT_STEPS = 200;
const TYPE_BITS = 0o170000;

/** A file of a parent: its path, and its content as {@link PathContent} tells it. */
type Source = { readonly path: string; readonly content: string };

/** How a blame is made. */
export type BlameOptions = {
  readonly whitespace: Whitespace;
  /** Commits that are passed over, by their names in hexadecimal: their lines are guessed to come from older ones. */
  readonly ignored?: ReadonlySet<string>;
};

/** A blame in progress. */
export class Blame {
  readonly #session: BrowseSession;
  readonly #whitespace: Whitespace;
  readonly #ignored: ReadonlySet<string>;
  readonly #queue = new CommitQueue();
  /** The lines that are looked for in each commit of the queue, by the file's path there. */
  readonly #lines = new Map<number, Map<string, BlamedLines[]>>();
  readonly #paths = new Map<string, PathContent>();
  readonly #contents: BlamedVersions;
  readonly #versions = new VersionDiffs();

  private constructor(session: BrowseSession, { whitespace, ignored = new Set() }: BlameOptions) {
    this.#session = session;
    this.#whitespace = whitespace;
    this.#ignored = ignored;
    this.#contents = new BlamedVersions(session);
  }

  /**
   * Begins or continues a blame. Returns `undefined` if `pending` is impossible; a stranger may have made it up.
   */
  static async start(
    session: BrowseSession,
    pending: readonly PendingLines[],
    options: BlameOptions,
  ): Promise<Blame | undefined> {
    await session.expectMany();
    const names = pending.map(({ commit }) => commit);
    if ((await session.shownOf(names)).length < names.length) return undefined;
    const blame = await Blame.resume(session, pending, options);
    if (blame === undefined) return undefined;
    for (const { commit, path, lines } of pending)
      if (!(await blame.#hasLines(session.graph.node(commit), path, lines))) return undefined;
    return blame;
  }

  /** As {@link Blame.start}, where `pending` is a file of a commit that is shown, or what a blame from there had left. */
  static async resume(
    session: BrowseSession,
    pending: readonly PendingLines[],
    options: BlameOptions,
  ): Promise<Blame | undefined> {
    await session.expectMany();
    const blame = new Blame(session, options);
    for (const { commit, path, lines } of pending) {
      const node = session.graph.node(commit);
      if (!(await session.graph.loadCommit(node))) return undefined;
      blame.#follow(node, path, lines);
    }
    return blame;
  }

  /** Returns the number of lines of a file; `undefined` if there is none at this path. */
  static async countLines(session: BrowseSession, commit: Uint8Array, path: string): Promise<number | undefined> {
    const content = await new PathContent(session, path).of(session.graph.node(commit));
    if (content === "" || !isFile(content)) return undefined;
    return (await new BlamedVersions(session).of(content)).count;
  }

  /**
   * Yields lines with the commits that they come from, as these are found. Ends at the end, or when the request has
   * taken this many steps.
   */
  async *run(steps = WALK_STEPS): AsyncGenerator<BlameRange, undefined> {
    // At least one commit, so that each page comes further.
    for (let isFirst = true; isFirst || !this.#session.hasSpent(steps); isFirst = false) {
      const node = this.#queue.pop();
      if (node === undefined) return;
      const files = this.#lines.get(node) ?? new Map<string, BlamedLines[]>();
      this.#lines.delete(node);
      for (const [path, lines] of files) {
        const left = await this.#passOn(node, path, lines);
        const commit = this.#session.graph.nameOf(node);
        for (const each of left) yield { ...each, commit, path };
      }
    }
  }

  /** Returns the lines whose commit was not found. */
  pending(): PendingLines[] {
    return [...this.#lines].flatMap(([node, files]) => {
      const commit = this.#session.graph.nameOf(node);
      return [...files].map(([path, lines]) => ({ commit, path, lines }));
    });
  }

  async #hasLines(node: number, path: string, lines: readonly BlamedLines[]): Promise<boolean> {
    const content = await this.#contentAt(node, path);
    if (!isFile(content)) return false;
    const { count } = await this.#contents.of(content);
    return lines.every((each) => each.source + each.count <= count);
  }

  #follow(node: number, path: string, lines: readonly BlamedLines[]): void {
    if (lines.length === 0) return;
    const files = this.#lines.get(node);
    if (files === undefined) {
      this.#lines.set(node, new Map([[path, [...lines]]]));
      this.#queue.push(node, this.#session.graph.commits.timeOf(node));
      return;
    }
    files.set(path, [...(files.get(path) ?? []), ...lines]);
  }

  async #contentAt(node: number, path: string): Promise<string> {
    return await this.#pathOf(path).of(node);
  }

  #pathOf(path: string): PathContent {
    let known = this.#paths.get(path);
    if (known === undefined) {
      known = new PathContent(this.#session, path);
      this.#paths.set(path, known);
    }
    return known;
  }

  /** Gives lines to the parents that have them, too. Returns those that no parent has. */
  async #passOn(node: number, path: string, lines: readonly BlamedLines[]): Promise<readonly BlamedLines[]> {
    await this.#session.work(COMMIT_STEPS);
    const parents = [...this.#session.graph.commits.parentsOf(node)];
    const [first] = parents;
    if (first !== undefined && (await this.#pathOf(path).isUnchanged(node))) {
      await this.#session.graph.loadCommit(first);
      this.#follow(first, path, lines);
      return [];
    }
    const own = await this.#contentAt(node, path);
    const sources = await this.#sourcesOf(node, path, parents);
    let left = lines;
    for (const parent of parents) {
      const source = sources.get(parent);
      if (source === undefined || left.length === 0) continue;
      const isWhole = oidOf(source.content) === oidOf(own);
      const { passed, kept } = isWhole
        ? { passed: left, kept: [] }
        : divide(left, await this.#changes(source.content, own));
      this.#follow(parent, source.path, passed);
      left = kept;
    }
    if (left.length === 0 || !this.#ignored.has(toHex(this.#session.graph.nameOf(node)))) return left;
    return await this.#passOver(own, parents, sources, left);
  }

  /** Gives lines of a commit that is passed over to the parents in which lines look alike. Returns those that stay. */
  async #passOver(
    own: string,
    parents: readonly number[],
    sources: ReadonlyMap<number, Source>,
    lines: readonly BlamedLines[],
  ): Promise<readonly BlamedLines[]> {
    let left = lines;
    for (const parent of parents) {
      const source = sources.get(parent);
      if (source === undefined || left.length === 0) continue;
      const changes = await this.#changes(source.content, own);
      const guesses = await this.#guesses(source.content, own, changes);
      if (guesses === undefined) break;
      const { passed, kept } = redirect(left, changes, guesses);
      this.#follow(parent, source.path, passed);
      left = kept;
    }
    return left;
  }

  /** Guesses lines; `undefined` if that takes too long. */
  async #guesses(
    before: string,
    after: string,
    changes: readonly LineChange[],
  ): Promise<readonly Int32Array[] | undefined> {
    const [left, right] = [await this.#contents.of(before), await this.#contents.of(after)];
    const bytes = guessBytes(left.bytes, right.bytes);
    this.#session.keep(bytes);
    const { pacer } = this.#session.repository;
    const most = pacer.steps + MOST_GUESS_STEPS;
    try {
      const search = guessLines(left.bytes, right.bytes, changes);
      for (let next = search.next(); ; next = search.next()) {
        if (next.done === true) return next.value;
        await this.#session.work(next.value);
        if (pacer.steps > most) return undefined;
      }
    } finally {
      this.#session.keep(-bytes);
    }
  }

  /**
   * Finds the file in parents: at the same path, and where it is not there, by its rename. Where a parent has the same
   * content, that one alone is returned. Of parents with another content that is the same in both, the first is.
   */
  async #sourcesOf(node: number, path: string, parents: readonly number[]): Promise<ReadonlyMap<number, Source>> {
    const own = oidOf(await this.#contentAt(node, path));
    const sources = new Map<number, Source>();
    const oids = new Set<string>();
    for (const isMoved of [false, true]) {
      for (const parent of parents) {
        if (sources.has(parent)) continue;
        const source = await (isMoved ? this.#renamed(node, parent, path) : this.#samePath(node, parent, path));
        if (source === undefined) continue;
        const oid = oidOf(source.content);
        if (oid === own) return new Map([[parent, source]]);
        if (!oids.has(oid)) sources.set(parent, source);
        oids.add(oid);
      }
    }
    return sources;
  }

  /** Finds the file at the same path of a parent. It must not have been of another type there. */
  async #samePath(node: number, parent: number, path: string): Promise<Source | undefined> {
    const [content, own] = [await this.#contentAt(parent, path), await this.#contentAt(node, path)];
    return content !== "" && typeOf(content) === typeOf(own) ? { path, content } : undefined;
  }

  /** Finds the file that was moved to the path, if the parent has none there. */
  async #renamed(node: number, parent: number, path: string): Promise<Source | undefined> {
    if ((await this.#contentAt(parent, path)) !== "") return undefined;
    const { graph } = this.#session;
    const [before, after] = [graph.commits.treeOf(parent), graph.commits.treeOf(node)].map((tree) =>
      graph.nameOf(tree),
    );
    if (before === undefined || after === undefined) return undefined;
    const found = await renameSource(this.#session, diffTrees(this.#session, before, after), path);
    return found === undefined ? undefined : { path: found, content: await this.#contentAt(parent, found) };
  }

  async #changes(before: string, after: string): Promise<LineChange[]> {
    const [left, right] = [await this.#contents.of(before), await this.#contents.of(after)];
    const pair = await this.#finished(cutPair(left, right, MOST_LINES));
    this.#contents.measure(before, after);
    if (pair === undefined) throw tooLarge();
    const bytes = LINE_BYTES * (pair.before.hashes.length + pair.after.hashes.length);
    this.#session.keep(bytes);
    try {
      const isExact = this.#whitespace === "exact";
      // White space that does not count is left out of each text anew.
      const search = isExact
        ? this.#versions.diff(pair)
        : diffLines(left.bytes, right.bytes, { ...NO_CONTEXT, whitespace: this.#whitespace });
      return [...lineChanges(await this.#finished(search))];
    } finally {
      this.#session.keep(-bytes);
    }
  }

  /** Runs a search to its end, in turns with other requests. */
  async #finished<T>(search: Generator<number, T, undefined>): Promise<T> {
    for (let next = search.next(); ; next = search.next()) {
      if (next.done === true) return next.value;
      await this.#session.work(next.value);
    }
  }
}

function oidOf(content: string): string {
  return content.slice(content.indexOf(" ") + 1);
}

function typeOf(content: string): number {
  return Number.parseInt(content, 8) & TYPE_BITS;
}

function isFile(content: string): boolean {
  const type = typeOf(content);
  return content !== "" && type !== FILE_MODE.tree && type !== FILE_MODE.gitlink;
}
