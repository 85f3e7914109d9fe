/**
 * Finds what a created file was made of: a file that was moved or copied. The result is that of `git log --follow`.
 *
 * @packageDocumentation
 * @see git-log(1), `--follow`; gitdiffcore(7), "diffcore-rename"; `try_to_follow_renames` in git's tree-diff.c
 */
import { equal } from "../bytes/chunk.ts";
import { keepIfBetter, type Match, orderOfMatches } from "../diff/best-matches.ts";
import { MOST_SCORE } from "../diff/similarity.ts";
import { isRegular } from "../object/tree.ts";
import type { BrowseSession } from "./browse-session.ts";
import { RenameScores } from "./rename-scores.ts";
import { findPath } from "./tree-at.ts";
import { diffTrees, type FileState, MOST_HELD_CHARACTERS } from "./tree-diff.ts";

/** The most files of the older tree that are compared by their lines. Where there are more, only equal ones are found. */
const MOST_SOURCES = 10_000;
/** The least score of a copy: 50 %. */
const LEAST_SCORE = MOST_SCORE / 2;
/** The most equal files among which a better one is looked for, as in git. */
const MOST_EQUAL = 100;

/** A file of the older tree. */
type Source = { readonly path: string; readonly state: FileState };

/** A file that was created. The path has one character per byte. */
export type CreatedFile = { readonly path: string; readonly state: FileState };

/** Two trees, raw. */
export type TreePair = { readonly before: Uint8Array; readonly after: Uint8Array };

/** Returns the path that a created file had in the tree before; `undefined` if it was made of nothing that is there. */
export async function followedPath(
  session: BrowseSession,
  trees: TreePair,
  created: CreatedFile,
): Promise<string | undefined> {
  const search = new EqualSource(created, async ({ path }) => await isGone(session, trees.after, path));
  const sources: Source[] = [];
  let characters = 0;
  let isWhole = true;
  for await (const { path, after: state } of diffTrees(session, undefined, trees.before)) {
    session.assertSteps();
    if (state === undefined) continue;
    if (await search.add({ path, state })) break;
    characters += path.length;
    isWhole &&= sources.length < MOST_SOURCES && characters <= MOST_HELD_CHARACTERS;
    if (isWhole) sources.push({ path, state });
  }
  if (search.best !== undefined) return search.best.path;
  return isWhole ? (await similarSource(session, trees, { sources, created }))?.path : undefined;
}

/**
 * Whether a file has gone from the newer tree (raw name). It was moved then, not copied, and is preferred. Only few files
 * are asked about: a list of all that are gone could be as long as the older tree.
 */
async function isGone(session: BrowseSession, tree: Uint8Array, path: string): Promise<boolean> {
  const found = await findPath(session, tree, path);
  return found.kind !== "found" || found.type === "tree";
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** Chooses, of the sources that are equal to a file, the one that git chooses. */
class EqualSource {
  best: Source | undefined;
  readonly #created: CreatedFile;
  readonly #name: string;
  readonly #isGone: (source: Source) => Promise<boolean>;
  #rank = -1;
  #count = 0;

  constructor(created: CreatedFile, isGoneNow: (source: Source) => Promise<boolean>) {
    this.#created = created;
    this.#isGone = isGoneNow;
    this.#name = baseName(created.path);
  }

  /** Looks at a source, in the order of the tree. Returns whether no better one can follow. */
  async add(source: Source): Promise<boolean> {
    const { mode, oid } = this.#created.state;
    if (!equal(source.state.oid, oid)) return false;
    const areFiles = isRegular(source.state.mode) && isRegular(mode);
    if (!areFiles && source.state.mode !== mode) return false;
    const rank = Number(await this.#isGone(source)) + Number(baseName(source.path) === this.#name);
    if (rank > this.#rank) [this.best, this.#rank] = [source, rank];
    return rank === 2 || ++this.#count === MOST_EQUAL;
  }
}

/** Finds the most similar source. A file that is gone is preferred to one that is still there, if it is similar enough. */
async function similarSource(
  session: BrowseSession,
  { after }: TreePair,
  { sources, created }: { readonly sources: readonly Source[]; readonly created: CreatedFile },
): Promise<Source | undefined> {
  if (!isRegular(created.state.mode)) return undefined;
  const scores = new RenameScores(session);
  try {
    await scores.learnSizes([created.state, ...sources.map(({ state }) => state)]);
    const best: (Match & { readonly source: Source })[] = [];
    for (const source of sources) {
      const score = await scores.of(source.state, created.state, LEAST_SCORE);
      keepIfBetter(best, { source, score, named: baseName(source.path) === baseName(created.path) });
    }
    // What was found so far depends on the order of the files.
    if (scores.isSpent) return undefined;
    const enough = best.filter(({ score }) => score >= LEAST_SCORE).toSorted(orderOfMatches);
    for (const { source } of enough) if (await isGone(session, after, source.path)) return source;
    return enough[0]?.source;
  } finally {
    scores.release();
  }
}
