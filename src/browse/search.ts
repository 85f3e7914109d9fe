/**
 * Looks for a pattern in the files of a tree, and for files by their paths.
 *
 * @packageDocumentation
 * @see git-grep(1)
 */
import { concat } from "../bytes/chunk.ts";
import { isRegular } from "../object/tree.ts";
import { TYPE_NUMBER } from "../object/object-type.ts";
import { isText } from "./blob.ts";
import type { BrowseSession, Unanswered } from "./browse-session.ts";
import { LineMatcher, LineScan } from "./line-matcher.ts";
import { parsePattern, type Pattern } from "./pattern.ts";
import { findPath } from "./tree-at.ts";
import { diffTrees } from "./tree-diff.ts";

/** A file. */
export type FoundFile = {
  /** One character per byte. */
  readonly path: string;
  /** A raw name. */
  readonly oid: Uint8Array;
  readonly mode: number;
};

/** A line that has the pattern, without its line feed. */
export type FoundLine = FoundFile & {
  readonly kind: "line";
  /** From 1. */
  readonly line: number;
  /** The line's own bytes, the caller's to keep: the first of them, where it is long. */
  readonly text: Uint8Array;
  readonly isCut: boolean;
};

/** A file that is too large to be looked at. */
export type UnsearchedFile = FoundFile & { readonly kind: "unsearched" };

/** Where a search goes on: behind a file, and behind as many lines of the next one. */
export type SearchPosition = { readonly behind?: string; readonly line: number };

/** The steps after which a page of a search ends: about two seconds. */
const SEARCH_STEPS = 200_000_000;
/** The steps for a byte that is looked at, and for a file beside its bytes. */
const BYTE_STEPS = 0.3;
const FILE_STEPS = 500;
/** The most bytes of a line that are shown. */
const LONGEST_TEXT = 1000;
/** The bytes of memory of a line that was found, beside its text. */
const ITEM_BYTES = 500;
/** The files that are read ahead together: few at first, as the first ones may have enough. */
const FIRST_BATCH = 8;
const MOST_BATCH = 128;

/** Yields the files of a tree (raw name) that are at `path` or below it, in the order of their paths. */
export async function* filesBelow(
  session: BrowseSession,
  tree: Uint8Array,
  path: string,
  behind?: string,
): AsyncGenerator<FoundFile, undefined> {
  const found = await findPath(session, tree, path);
  if (found.kind !== "found") return;
  if (found.type !== "tree") {
    if (behind === undefined) yield { path, oid: found.oid, mode: found.mode };
    return;
  }
  const prefix = path === "" ? "" : `${path}/`;
  const below = behind?.startsWith(prefix) === true ? behind.slice(prefix.length) : undefined;
  for await (const { path: name, after } of diffTrees(session, undefined, found.oid, below)) {
    if (after !== undefined) yield { path: prefix + name, ...after };
  }
}

/** A search for a pattern in all regular files at or below a path. Binary files are passed over, as by `git grep -I`. */
export class ContentSearch {
  readonly kind = "found";
  readonly #session: BrowseSession;
  readonly #matcher: LineMatcher;
  #position: SearchPosition | undefined;

  private constructor(session: BrowseSession, pattern: Pattern, from: SearchPosition) {
    this.#session = session;
    this.#matcher = new LineMatcher(pattern);
    session.keep(this.#matcher.bytes);
    this.#position = from;
  }

  /** Makes a search ready, for a text of one character per byte. */
  static of(
    session: BrowseSession,
    asked: { readonly text: string; readonly isRegexp: boolean },
    from: SearchPosition = { line: 0 },
  ): ContentSearch | Unanswered {
    const pattern = parsePattern(asked.text, asked.isRegexp);
    return pattern.kind === "found" ? new ContentSearch(session, pattern, from) : pattern;
  }

  /** Where the search goes on; `undefined` when all was looked at. */
  get position(): SearchPosition | undefined {
    return this.#position;
  }

  /**
   * Yields what is found below `path` of a tree (raw name). It ends when all is, or when the request has taken this many
   * steps; the caller may end it after any line, too.
   */
  async *run(tree: Uint8Array, path: string, steps = SEARCH_STEPS): AsyncGenerator<FoundLine | UnsearchedFile> {
    const session = this.#session;
    await session.expectMany();
    // At least one file, so that each page comes further.
    let isFirst = true;
    for await (const file of this.#ahead(tree, path)) {
      if (!isFirst && session.hasSpent(steps)) return;
      yield* this.#file(file, steps);
      if (this.#position?.behind !== file.path) return;
      isFirst = false;
    }
    this.#position = undefined;
  }

  /** Looks at a file. The position is behind it afterwards, unless the steps are used up. */
  async *#file(file: FoundFile, steps: number): AsyncGenerator<FoundLine | UnsearchedFile, undefined> {
    const session = this.#session;
    const object = await session.graph.reader.copyIfHeld(file.oid);
    await session.work(FILE_STEPS);
    if (object === undefined) {
      this.#position = { behind: file.path, line: 0 };
      yield { kind: "unsearched", ...file };
    } else if (object.type === TYPE_NUMBER.blob && isText(object.bytes)) {
      session.hold(object.bytes.length);
      try {
        if (!(yield* this.#lines(file, object.bytes, steps))) return;
      } finally {
        session.letGo(object.bytes.length);
      }
    }
    this.#position = { behind: file.path, line: 0 };
  }

  /** Returns whether the text was looked at to its end. */
  async *#lines(file: FoundFile, bytes: Uint8Array, steps: number): AsyncGenerator<FoundLine, boolean> {
    const session = this.#session;
    const matcher = this.#matcher;
    const { behind, line = 0 } = this.#position ?? {}; // Without a position a search is at its end, and has no file.
    const scan = new LineScan(matcher, bytes);
    scan.skip(line);
    await session.work(bytes.length * BYTE_STEPS);
    for (let worked = matcher.work; ; worked = matcher.work) {
      const found = scan.next();
      await session.work(matcher.work - worked);
      if (found === "end") return true;
      this.#position = { ...(behind === undefined ? {} : { behind }), line: scan.line };
      if (found === "match") yield lineOf(file, bytes, scan);
      // At least one line; one that is too long for that is no answer at all.
      session.assertSteps();
      if (scan.line > line && session.hasSpent(steps)) return false;
    }
  }

  /**
   * Returns a page of at most `limit` lines below `path` of a tree (raw name), and where the next one begins;
   * `undefined` if there is none.
   */
  async page(
    tree: Uint8Array,
    path: string,
    limit: number,
  ): Promise<{
    readonly lines: readonly FoundLine[];
    readonly unsearched: readonly UnsearchedFile[];
    readonly next: SearchPosition | undefined;
  }> {
    const lines: FoundLine[] = [];
    const unsearched: UnsearchedFile[] = [];
    let next = this.#position;
    for await (const item of this.run(tree, path)) {
      if (lines.length === limit || unsearched.length === limit) return { lines, unsearched, next };
      if (item.kind === "line") lines.push(item);
      else unsearched.push(item);
      this.#session.keep(item.kind === "line" ? item.text.length + ITEM_BYTES : ITEM_BYTES);
      next = this.#position;
    }
    return { lines, unsearched, next: this.#position };
  }

  /** Yields the regular files in order. Those that come next are read together. */
  async *#ahead(tree: Uint8Array, path: string): AsyncGenerator<FoundFile> {
    let size = FIRST_BATCH;
    let batch: FoundFile[] = [];
    const { reader } = this.#session.graph;
    const readAhead = async (): Promise<FoundFile[]> => {
      const files = batch;
      batch = [];
      size = Math.min(2 * size, MOST_BATCH);
      await reader.prefetch(concat(files.map(({ oid }) => oid)));
      return files;
    };
    for await (const file of filesBelow(this.#session, tree, path, this.#position?.behind)) {
      if (isRegular(file.mode) && batch.push(file) === size) yield* await readAhead();
    }
    yield* await readAhead();
  }
}

function lineOf(file: FoundFile, bytes: Uint8Array, { line, start, end }: LineScan): FoundLine {
  const isCut = end - start > LONGEST_TEXT;
  return { kind: "line", ...file, line, text: bytes.slice(start, isCut ? start + LONGEST_TEXT : end), isCut };
}

/** The words that a path has to have, in lower case. */
function wordsOf(text: string): string[] {
  return text
    .toLowerCase()
    .split(/[ \t]+/)
    .filter((word) => word !== "");
}

/** What files are looked for: words of their paths, behind a path, and how many of them. */
export type FileQuestion = { readonly text: string; readonly behind?: string | undefined; readonly limit: number };

/**
 * Returns the files of a tree (raw name) whose paths have all words of `text`; capitals don't matter. `next` is the path
 * behind which the next page begins; `undefined` if there is none.
 */
export async function findFiles(
  session: BrowseSession,
  tree: Uint8Array,
  { text, behind, limit }: FileQuestion,
): Promise<{ readonly files: readonly FoundFile[]; readonly next: string | undefined }> {
  const words = wordsOf(text);
  const files: FoundFile[] = [];
  let last: string | undefined;
  for await (const file of filesBelow(session, tree, "", behind)) {
    if (files.length === limit || (last !== undefined && session.pageIsFull)) return { files, next: last };
    await session.work(file.path.length * Math.max(1, words.length));
    const path = file.path.toLowerCase();
    last = file.path;
    if (!words.every((word) => path.includes(word))) continue;
    files.push(file);
    session.keep(path.length + ITEM_BYTES);
  }
  return { files, next: undefined };
}
