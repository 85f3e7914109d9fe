/**
 * Finds out which of the files that one side deleted and added were moved: the equal ones, those that alone have their
 * name, and then the most similar of all that are left and matter.
 *
 * @packageDocumentation
 * @see gitdiffcore(7), "diffcore-rename"; git-config(1), `merge.renameLimit`
 */
import { itemAt } from "../bytes/assert.ts";
import { keepIfBetter, type Match, orderOfMatches } from "../diff/best-matches.ts";
import { MOST_SCORE } from "../diff/similarity.ts";
import { countFile, countMove, likelyTargets } from "./directory-counts.ts";
import {
  FOR_ANCESTOR,
  FOR_ITSELF,
  FOR_LOCATION,
  type FilePair,
  type MergeState,
  NO_LONGER_WANTED,
  type PairEnd,
  type SideRenames,
  UNWANTED,
} from "./merge-state.ts";
import { climbSteps, directoryOf, nameOf } from "./path-info.ts";
import { SimilarFiles } from "./similar-files.ts";
import { kindOf, type Side } from "./version.ts";

/** The least score of a rename, and of one between the only files of their name. */
const LEAST_SCORE = MOST_SCORE / 2;
const LEAST_SAME_NAME_SCORE = (MOST_SCORE * 3) / 4;
/** Where more pairs are left than the square of this, they are not compared, as by `merge.renameLimit`. */
const RENAME_LIMIT = 7000;
/** The most equal files among which one of the same name is looked for. */
const MOST_EQUAL = 100;
/** Steps of looking at one of them. */
const EQUAL_STEPS = 10;
/** Stands for directories that files may have gone to: no directory has this name. */
const SOMEWHERE = "/";

/** A file that was deleted. */
type Source = { readonly end: PairEnd; readonly pair: FilePair; isUsed: boolean };
/** Files that may be the same. */
type FileMatch = Match & { readonly source: Source; readonly target: Target };
/** A file that was added, and where it came from. */
type Target = { readonly end: PairEnd; readonly pair: FilePair; from?: Source };

/** Joins the pairs of one side that are moves. */
export async function detectRenames(state: MergeState, side: Side): Promise<void> {
  const renames = state.renamesOf(side);
  if (renames.pairs.length === 0 || renames.wanted.size === 0) return;
  await new Detection(state, renames).run();
}

class Detection {
  readonly #work: (steps: number) => Promise<void>;
  readonly #renames: SideRenames;
  readonly #files: SimilarFiles;
  #sources: Source[] = [];
  readonly #targets: Target[] = [];

  constructor(state: MergeState, renames: SideRenames) {
    const { source } = state;
    this.#work = source.work;
    this.#renames = renames;
    this.#files = new SimilarFiles(state);
    const { emptyBlob } = source;
    for (const pair of renames.pairs) {
      if (pair.before !== undefined && pair.before.oid !== emptyBlob)
        this.#sources.push({ end: pair.before, pair, isUsed: false });
      if (pair.after !== undefined && pair.after.oid !== emptyBlob) this.#targets.push({ end: pair.after, pair });
    }
  }

  async run(): Promise<void> {
    if (this.#sources.length === 0 || this.#targets.length === 0) return;
    await this.#matchEqual();
    this.#sources = this.#sources.filter(({ isUsed }) => !isUsed);
    for (const { from, end } of this.#targets) if (from !== undefined) await this.#count(from, end);
    await this.#matchByName();
    this.#sources = this.#sources.filter(({ isUsed, end }) => !isUsed && this.#renames.wanted.has(end.path));
    await this.#leaveOutDecided();
    await this.#matchSimilar();
    this.#writeBack();
  }

  /** Counts a file that was moved, for the directories that it was in. */
  async #count({ end: { path } }: Source, target: PairEnd): Promise<void> {
    await this.#work(climbSteps(path) + climbSteps(target.path));
    countFile(this.#renames, path, target.path);
  }

  #join(source: Source, target: Target): void {
    source.isUsed = true;
    target.from = source;
  }

  /** Joins files of the same content; of several sources, one of the target's name is preferred. */
  async #matchEqual(): Promise<void> {
    const keyOf = ({ mode, oid }: PairEnd): string => `${kindOf(mode) === "file" ? "" : mode} ${oid}`;
    const byContent = new Map<string, EqualSources>();
    for (const source of this.#sources) {
      const equal = byContent.get(keyOf(source.end));
      if (equal === undefined) byContent.set(keyOf(source.end), new EqualSources(source));
      else equal.add(source);
    }
    for (const target of this.#targets) {
      const equal = byContent.get(keyOf(target.end));
      if (equal === undefined) continue;
      await this.#work(Math.min(equal.count, MOST_EQUAL) * EQUAL_STEPS);
      const source = equal.take(nameOf(target.end.path));
      if (source !== undefined) this.#join(source, target);
    }
  }

  /**
   * Joins files that alone have their name, if they are very similar. Where several have it, the target is looked for in
   * the directory to which most files of the source's directory went.
   */
  async #matchByName(): Promise<void> {
    const free = this.#targets.filter(({ from }) => from === undefined);
    const sourcesByName = onlyOfTheirName(this.#sources);
    const targetsByName = onlyOfTheirName(free);
    const byPath = new Map(free.map((target) => [target.end.path, target]));
    const likely = likelyTargets(this.#renames.counts);
    for (const source of this.#sources) {
      if (!this.#renames.wanted.has(source.end.path)) continue;
      const name = nameOf(source.end.path);
      if (!targetsByName.has(name)) continue;
      let target = sourcesByName.get(name) === undefined ? undefined : targetsByName.get(name);
      const directory = likely.get(directoryOf(source.end.path));
      if (target === undefined && directory !== undefined) target = byPath.get(`${directory}/${name}`);
      if (target === undefined || target.from !== undefined) continue;
      await this.#files.learnSizes([source.end, target.end]);
      const score = await this.#files.scoreOf(source.end, target.end, LEAST_SAME_NAME_SCORE);
      if (score < LEAST_SAME_NAME_SCORE) continue;
      this.#join(source, target);
      await this.#count(source, target.end);
    }
  }

  /** Leaves out sources that matter only for where directories went, where that is decided already. */
  async #leaveOutDecided(): Promise<void> {
    const { counts, removed, wanted } = this.#renames;
    for (const { end } of this.#sources) {
      await this.#work(2 * climbSteps(end.path)); // Once more below.
      let directory = directoryOf(end.path);
      while (directory !== "" && (removed.get(directory) ?? UNWANTED) !== UNWANTED) {
        countMove(counts, directory, SOMEWHERE);
        directory = directoryOf(directory);
      }
    }
    for (const [directory, targets] of counts) {
      if (removed.get(directory) === FOR_ITSELF && isDecided(targets)) removed.set(directory, FOR_ANCESTOR);
    }
    this.#sources = this.#sources.filter(({ end }) => {
      if (wanted.get(end.path) !== FOR_LOCATION || this.#isWithinUndecided(end.path)) return true;
      wanted.set(end.path, NO_LONGER_WANTED);
      return false;
    });
  }

  #isWithinUndecided(path: string): boolean {
    for (let directory = directoryOf(path); ; directory = directoryOf(directory)) {
      const why = this.#renames.removed.get(directory) ?? UNWANTED;
      if (why === UNWANTED) return false;
      if (why === FOR_ITSELF) return true;
      if (directory === "") return false;
    }
  }

  /** Compares all that are left with each other, and joins the most similar ones first. */
  async #matchSimilar(): Promise<void> {
    const targets = this.#targets.filter(({ from }) => from === undefined);
    const sources = this.#sources;
    if (targets.length * sources.length > RENAME_LIMIT * RENAME_LIMIT) return;
    if (targets.length === 0 || sources.length === 0) return;
    const [olds, news] = [sources.map(({ end }) => end), targets.map(({ end }) => end)];
    await this.#files.learnSizes([...olds, ...news]);
    await this.#files.expectPairs(olds, news, LEAST_SCORE);
    const matches: FileMatch[] = [];
    for (const target of targets) {
      const best: FileMatch[] = [];
      for (const source of sources) {
        const score = await this.#files.scoreOf(source.end, target.end, LEAST_SCORE);
        keepIfBetter(best, { source, target, score, named: nameOf(source.end.path) === nameOf(target.end.path) });
      }
      matches.push(...best);
    }
    matches.sort(orderOfMatches);
    for (const { source, target, score } of matches) {
      if (score < LEAST_SCORE) break;
      if (source.isUsed || target.from !== undefined) continue;
      this.#join(source, target);
      await this.#count(source, target.end);
    }
  }

  /** Makes one pair of each move, in the place of the added file. */
  #writeBack(): void {
    const { counts, removed } = this.#renames;
    const gone = new Set<FilePair>();
    for (const { pair, from } of this.#targets) {
      if (from === undefined) continue;
      gone.add(from.pair);
      pair.before = from.end;
    }
    this.#renames.pairs = this.#renames.pairs.filter((pair) => !gone.has(pair));
    for (const [directory, targets] of counts) {
      targets.delete(SOMEWHERE);
      if ((removed.get(directory) ?? UNWANTED) === UNWANTED) counts.delete(directory);
    }
  }
}

/** Deleted files of the same content, in their order. */
class EqualSources {
  readonly #sources: Source[];
  /** How many were taken: those stand first. */
  #taken = 0;

  constructor(first: Source) {
    this.#sources = [first];
  }

  /** The number of those that are left. */
  get count(): number {
    return this.#sources.length - this.#taken;
  }

  add(source: Source): void {
    this.#sources.push(source);
  }

  /** Takes one of this name if it is among the next, else the next. Returns `undefined` if none is left. */
  take(name: string): Source | undefined {
    const end = Math.min(this.#sources.length, this.#taken + MOST_EQUAL);
    let at = this.#taken;
    while (at < end && nameOf(itemAt(this.#sources, at).end.path) !== name) at++;
    const taken = this.#sources[at < end ? at : this.#taken];
    if (taken === undefined) return undefined;
    if (at < end) this.#sources.copyWithin(this.#taken + 1, this.#taken, at);
    this.#taken++;
    return taken;
  }
}

/** Returns the only file of each name; `undefined` where there are several. */
function onlyOfTheirName<T extends { readonly end: PairEnd }>(list: readonly T[]): Map<string, T | undefined> {
  const byName = new Map<string, T | undefined>();
  for (const one of list) {
    const name = nameOf(one.end.path);
    byName.set(name, byName.has(name) ? undefined : one);
  }
  return byName;
}

/** Whether it is known where most files went, wherever the others may be. */
function isDecided(targets: ReadonlyMap<string, number>): boolean {
  let [first, second] = [0, 0];
  for (const [to, count] of targets) {
    if (to === SOMEWHERE) continue;
    if (count >= first) [first, second] = [count, first];
    else if (count >= second) second = count;
  }
  return first > second + (targets.get(SOMEWHERE) ?? 0); // Without such files, there are none.
}
