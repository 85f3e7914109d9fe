/**
 * Finds files that were moved: pairs of a deleted file and a created one that are equal, or similar enough. The result
 * is that of `git diff -M`.
 *
 * @packageDocumentation
 * @see gitdiffcore(7), "diffcore-rename"
 */
import { toHex } from "../bytes/hex.ts";
import { keepIfBetter, type Match as Similar, orderOfMatches } from "../diff/best-matches.ts";
import { MOST_SCORE } from "../diff/similarity.ts";
import { isRegular } from "../object/tree.ts";
import type { BrowseSession } from "./browse-session.ts";
import { RenameScores } from "./rename-scores.ts";
import { type FileChange, type FileState, MOST_HELD_CHARACTERS } from "./tree-diff.ts";

/** A file that was moved, and perhaps edited. */
export type MovedFile = {
  readonly status: "R";
  /** The new path, one character per byte. */
  readonly path: string;
  /** The old path. */
  readonly from: string;
  /** How similar both are, in percent. */
  readonly similarity: number;
  readonly before: FileState;
  readonly after: FileState;
};

/** A change of a file, where renames were looked for. */
export type ChangedFile = FileChange | MovedFile;

/** The most changes among which renames are looked for. */
const MOST_CHANGES = 10_000;
/** The least score of a rename: 50 %. */
const LEAST_SCORE = MOST_SCORE / 2;
/** The least score of the only two files of one name, which are compared first. */
const LEAST_SAME_NAME_SCORE = (MOST_SCORE * 3) / 4;
/** Where more pairs are left than the square of this, only the steps before that are taken, as by `diff.renameLimit`. */
const RENAME_LIMIT = 1000;
/** The most equal files among which one of the same name is looked for. */
const MOST_EQUAL = 102;

/** Yields changes, with each pair of a deletion and a creation that is a rename joined at the place of the creation. */
export async function* withRenames(
  session: BrowseSession,
  changes: AsyncIterable<FileChange>,
): AsyncGenerator<ChangedFile, undefined> {
  let held: FileChange[] | undefined = [];
  let characters = 0;
  for await (const change of changes) {
    characters += change.path.length;
    if (held !== undefined && held.length < MOST_CHANGES && characters <= MOST_HELD_CHARACTERS) {
      held.push(change);
      continue;
    }
    // They are too many: those that were held are shown as they are, like all others.
    yield* held ?? [];
    held = undefined;
    yield change;
  }
  if (held !== undefined) yield* await renamed(session, held);
}

/** Returns the path that the created file at `path` had before, if it was moved. No other created file is looked at. */
export async function renameSource(
  session: BrowseSession,
  changes: AsyncIterable<FileChange>,
  path: string,
): Promise<string | undefined> {
  const held: FileChange[] = [];
  let characters = 0;
  for await (const change of changes) {
    session.assertSteps();
    if (change.status !== "D" && change.path !== path) continue;
    characters += change.path.length;
    if (held.length === MOST_CHANGES || characters > MOST_HELD_CHARACTERS) return undefined;
    held.push(change);
  }
  const targets = candidates(held, "after");
  const sources = candidates(held, "before");
  matchEqual(sources, targets);
  await matchSimilar(session, sources, targets);
  return targets[0]?.match?.other.path;
}

/** A file that may have been moved: the source of a rename if it was deleted, the target if it was created. */
type Candidate = { readonly path: string; readonly name: string; readonly state: FileState; match?: Match };
type Match = { readonly other: Candidate; readonly score: number };

function candidates(changes: readonly FileChange[], side: "before" | "after"): Candidate[] {
  const list: Candidate[] = [];
  for (const { status, path, [side]: state } of changes) {
    if (status !== (side === "before" ? "D" : "A") || state === undefined) continue;
    list.push({ path, name: path.slice(path.lastIndexOf("/") + 1), state });
  }
  return list;
}

async function renamed(session: BrowseSession, changes: readonly FileChange[]): Promise<readonly ChangedFile[]> {
  const sources = candidates(changes, "before");
  const targets = candidates(changes, "after");
  if (sources.length === 0 || targets.length === 0) return changes;
  matchEqual(sources, targets);
  await matchSimilar(session, sources, targets);
  const used = new Set(sources.filter(({ match }) => match !== undefined).map(({ path }) => path));
  const created = new Map(targets.map((target) => [target.path, target]));
  const result: ChangedFile[] = [];
  for (const change of changes) {
    const match = change.status === "A" ? created.get(change.path)?.match : undefined;
    if (match !== undefined && change.after !== undefined) {
      const { other, score } = match;
      const percent = Math.floor((score * 100) / MOST_SCORE);
      const sides = { before: other.state, after: change.after };
      result.push({ status: "R", path: change.path, from: other.path, similarity: percent, ...sides });
    } else if (change.status !== "D" || !used.has(change.path)) result.push(change);
  }
  return result;
}

function join(source: Candidate, target: Candidate, score: number): void {
  source.match = { other: target, score };
  target.match = { other: source, score };
}

const isFree = ({ match }: Candidate): boolean => match === undefined;

/** Joins files of the same content; of several sources, one of the target's name is preferred. */
function matchEqual(sources: readonly Candidate[], targets: readonly Candidate[]): void {
  const byContent = new Map<string, Candidate[]>();
  const keyOf = ({ mode, oid }: FileState): string => `${isRegular(mode) ? "" : mode} ${toHex(oid)}`;
  for (const source of sources) {
    const key = keyOf(source.state);
    const equal = byContent.get(key);
    if (equal === undefined) byContent.set(key, [source]);
    else equal.push(source);
  }
  for (const target of targets) {
    const equal = byContent.get(keyOf(target.state)) ?? [];
    const named = equal.slice(0, MOST_EQUAL).findIndex(({ name }) => name === target.name);
    const [source] = equal.splice(Math.max(named, 0), 1);
    if (source !== undefined) join(source, target, MOST_SCORE);
  }
}

async function matchSimilar(
  session: BrowseSession,
  sources: readonly Candidate[],
  targets: readonly Candidate[],
): Promise<void> {
  const left = [...sources.filter(isFree), ...targets.filter(isFree)];
  if (!sources.some(isFree) || !targets.some(isFree)) return;
  const scores = new RenameScores(session);
  try {
    await scores.learnSizes(left.map(({ state }) => state));
    await matchByName(scores, sources.filter(isFree), targets.filter(isFree));
    await matchAll(scores, sources.filter(isFree), targets.filter(isFree));
  } finally {
    scores.release();
  }
}

/** Joins files that alone have their name, on both sides, if they are very similar. */
async function matchByName(
  scores: RenameScores,
  sources: readonly Candidate[],
  targets: readonly Candidate[],
): Promise<void> {
  const alone = onlyOfTheirName(sources);
  const targetsByName = onlyOfTheirName(targets);
  for (const source of sources) {
    const target = alone.get(source.name) === source ? targetsByName.get(source.name) : undefined;
    if (target === undefined) continue;
    const score = await scores.of(source.state, target.state, LEAST_SAME_NAME_SCORE);
    if (score >= LEAST_SAME_NAME_SCORE) join(source, target, score);
  }
}

function onlyOfTheirName(list: readonly Candidate[]): Map<string, Candidate | undefined> {
  const byName = new Map<string, Candidate | undefined>();
  for (const one of list) byName.set(one.name, byName.has(one.name) ? undefined : one);
  return byName;
}

type Pair = Similar & { readonly source: Candidate; readonly target: Candidate };

/** Compares all that are left with each other, and joins the most similar ones first. */
async function matchAll(
  scores: RenameScores,
  sources: readonly Candidate[],
  targets: readonly Candidate[],
): Promise<void> {
  if (sources.length * targets.length > RENAME_LIMIT * RENAME_LIMIT) return;
  const pairs: Pair[] = [];
  for (const target of targets) {
    const best: Pair[] = [];
    for (const source of sources) {
      const score = await scores.of(source.state, target.state, LEAST_SCORE);
      keepIfBetter(best, { source, target, score, named: source.name === target.name });
    }
    // What was found so far depends on the order of the files: it is as if there were too many.
    if (scores.isSpent) return;
    pairs.push(...best.filter(({ score }) => score >= LEAST_SCORE));
  }
  pairs.sort(orderOfMatches);
  for (const { source, target, score } of pairs) if (isFree(source) && isFree(target)) join(source, target, score);
}
