/**
 * Selects the entries of an archive of a tree, in the order in which `git archive` writes them. It leaves out
 * directories in which nothing was found, and everything that `.gitattributes` marks `export-ignore`.
 *
 * @packageDocumentation
 * @see git-archive(1), archive.c
 */
import { Budget } from "../bytes/budget.ts";
import { concat } from "../bytes/chunk.ts";
import { toHex } from "../bytes/hex.ts";
import { TYPE_NUMBER } from "../object/object-type.ts";
import { textOf } from "../object/byte-text.ts";
import {
  type AttributeFile,
  type AttributeQuestion,
  attributeOf,
  heldBytesOf,
  parseAttributes,
  type PathRule,
  questionFor,
} from "../object/attributes.ts";
import { FILE_MODE, isRegular, isTree } from "../object/tree.ts";
import { assertDepth } from "../object/tree-depth.ts";
import type { ArchiveLimits } from "./archive-limits.ts";
import type { ArchivePaths } from "./archive-paths.ts";
import type { BrowseSession } from "./browse-session.ts";
import { findPath, HeldDirectory } from "./tree-at.ts";

/** An entry of an archive. */
export type ArchiveEntry = {
  /** One character per byte. The path of a directory or a submodule ends in a slash. */
  readonly path: string;
  readonly mode: number;
  /** A raw name. */
  readonly oid: Uint8Array;
};

const IGNORE = "export-ignore";
const ATTRIBUTES = ".gitattributes";
/** The entries whose blobs are read ahead together. */
const BATCH = 128;
/** The most steps of matching paths with patterns: about a second. */
const MOST_PATTERN_STEPS = 100_000_000;
/** The number of attribute files that are kept parsed; the next constant bounds the size of each. */
const MOST_PARSED = 16;
const PARSED_BYTES = 16 * 1024;

type Place = {
  /** "" or a path that ends in a slash. */
  readonly directory: string;
  /** The attribute files of this directory and of those above it, the deepest first. */
  readonly files: readonly AttributeFile[];
  readonly question: AttributeQuestion;
  /** The bytes that are held for this directory's own file. */
  readonly heldBytes: number;
};

const TOP: Place = { directory: "", files: [], question: questionFor(IGNORE, ""), heldBytes: 0 };

/**
 * Yields the entries of an archive of a tree (raw name).
 *
 * @throws LimitExceeded if it has too many entries, or leaves out too many.
 */
export async function* archiveEntries(
  session: BrowseSession,
  tree: Uint8Array,
  limits: ArchiveLimits,
  paths: ArchivePaths,
): AsyncGenerator<ArchiveEntry> {
  await session.expectMany();
  let batch: ArchiveEntry[] = [];
  for await (const entry of new ArchiveWalk(session, limits, paths).entries(tree)) {
    batch.push(entry);
    if (batch.length < BATCH) continue;
    yield* readAhead(session, batch);
    batch = [];
  }
  yield* readAhead(session, batch);
}

async function* readAhead(session: BrowseSession, batch: readonly ArchiveEntry[]): AsyncGenerator<ArchiveEntry> {
  const blobs = batch.filter(({ path }) => !path.endsWith("/"));
  await session.graph.reader.prefetch(concat(blobs.map(({ oid }) => oid)));
  yield* batch;
}

class ArchiveWalk {
  readonly #session: BrowseSession;
  readonly #limits: ArchiveLimits;
  readonly #paths: ArchivePaths;
  readonly #patterns: Budget;
  /** The rules of files that were met, by the hex name of their blob. A directory may occur a thousand times. */
  readonly #parsed = new Map<string, readonly PathRule[]>();
  /** Directories on the way down that are not written yet. */
  #waiting: ArchiveEntry[] = [];

  constructor(session: BrowseSession, limits: ArchiveLimits, paths: ArchivePaths) {
    const { pacer } = session.repository;
    this.#session = session;
    this.#limits = limits;
    this.#paths = paths;
    this.#patterns = new Budget(
      {
        limit: "archive-patterns",
        max: MOST_PATTERN_STEPS,
        message: "the patterns in .gitattributes take too long to match with all paths",
      },
      pacer,
    );
  }

  async *entries(tree: Uint8Array): AsyncGenerator<ArchiveEntry> {
    yield* this.#level(tree, TOP, 0);
  }

  async *#level(tree: Uint8Array, above: Place, depth: number): AsyncGenerator<ArchiveEntry> {
    assertDepth(depth);
    const place = await this.#placeOf(above, tree);
    const directory = await HeldDirectory.read(this.#session, tree);
    for (const { mode, name, oid, type } of directory.entries()) {
      const path = `${place.directory}${name}${type === "blob" ? "" : "/"}`;
      if (!(isTree(mode) ? this.#paths.hasPart(path) : this.#paths.hasEntry(path))) continue;
      this.#limits.addEntry(path);
      await this.#session.work(path.length);
      if (isTree(mode)) {
        if (this.#isIgnored(place, path)) continue;
        const count = this.#waiting.length;
        this.#waiting.push({ path, mode: FILE_MODE.tree, oid });
        yield* this.#level(oid, { ...place, directory: path, heldBytes: 0 }, depth + 1);
        // as in git, a directory with nothing in it is forgotten
        this.#waiting.length = Math.min(this.#waiting.length, count);
        continue;
      }
      yield* this.#waiting;
      this.#waiting = [];
      if (!this.#isIgnored(place, path)) yield { path, mode, oid };
    }
    directory.release();
    if (place.heldBytes > 0) this.#session.letGo(place.heldBytes);
  }

  #isIgnored({ files, question }: Place, path: string): boolean {
    return files.length > 0 && attributeOf(files, path, question, this.#patterns) === true;
  }

  /** Returns the place with the rules of its own attribute file. */
  async #placeOf(above: Place, tree: Uint8Array): Promise<Place> {
    const file = await findPath(this.#session, tree, ATTRIBUTES);
    if (file.kind !== "found" || !isRegular(file.mode)) return above;
    const isTop = above.directory === "";
    const parsed = isTop ? undefined : this.#parsed.get(toHex(file.oid));
    if (parsed !== undefined) return this.#placeWith(above, parsed, 0);
    const object = await this.#session.graph.reader.copyIfHeld(file.oid);
    if (object?.type !== TYPE_NUMBER.blob) return above;
    this.#patterns.spend(object.bytes.length);
    const text = textOf(object.bytes);
    const question = isTop ? questionFor(IGNORE, text) : above.question;
    const rules = parseAttributes(text, question);
    if (!isTop) this.#remember(file.oid, rules, text.length);
    return this.#placeWith({ ...above, question }, rules, text.length);
  }

  #remember(oid: Uint8Array, rules: readonly PathRule[], bytes: number): void {
    if (bytes > PARSED_BYTES) return;
    if (this.#parsed.size >= MOST_PARSED) this.#parsed.clear();
    this.#parsed.set(toHex(oid), rules);
  }

  /** `bytes` is the size of the text from which the rules were parsed. */
  #placeWith(above: Place, rules: readonly PathRule[], bytes: number): Place {
    if (rules.length === 0) return above;
    const heldBytes = rules.reduce((sum, rule) => sum + heldBytesOf(rule), bytes);
    this.#session.hold(heldBytes);
    return { ...above, heldBytes, files: [{ directory: above.directory, rules }, ...above.files] };
  }
}
