/**
 * Compares the three trees of a merge, and collects the paths that are not settled by that, and the files that were
 * deleted or added, which may have been moved. A directory that one side left alone is not opened unless a file may have
 * been moved into it.
 *
 * @packageDocumentation
 * @see git-merge(1), "MERGE STRATEGIES", ort
 */
import { itemAt } from "../bytes/assert.ts";
import { FILE_MODE } from "../object/tree.ts";
import { assertDepth } from "../object/tree-depth.ts";
import { FOR_ANCESTOR, FOR_CONTENT, FOR_ITSELF, FOR_LOCATION, type MergeState, UNWANTED } from "./merge-state.ts";
import { charactersOf, depthOf, ENTRY_BYTES, matchingOf, OPEN_BYTES, PathInfo, SETTLED_BYTES } from "./path-info.ts";
import { type TreeRow, treeRows } from "./tree-rows.ts";
import { BASE, bitOf, NOTHING, OURS, type Side, SIDES, THEIRS, type TreeEntry, type Version } from "./version.ts";

/** All three trees. */
const ALL = 7;
/** Within a directory whose files are looked for wherever they went. */
const WANTED = 7;
/** Steps per path, and of opening a directory. */
const PATH_STEPS = 60;
const DIRECTORY_STEPS = 500;

/** Collects the paths of three trees, by their names in hexadecimal. */
export async function collectPaths(state: MergeState, trees: readonly [string, string, string]): Promise<void> {
  await new Collection(state).run(trees);
}

class Collection {
  readonly #state: MergeState;
  /**
   * What is known of renames of the directory at hand. 0: nothing is wanted. The bit of a side: the other side removed the
   * directory, and it matters if this side adds a file to it. `WANTED`: it does matter.
   */
  #mask = 0;

  constructor(state: MergeState) {
    this.#state = state;
  }

  async run(trees: readonly [string, string, string]): Promise<void> {
    const [base, ours, theirs] = trees.map((oid): Version => ({ mode: 0o40000, oid }));
    await this.#open("", [base ?? NOTHING, ours ?? NOTHING, theirs ?? NOTHING]);
    for (const side of SIDES) await this.#openDeferred(side);
  }

  /** Opens the directories that were put off, or settles them, if no deleted file of this side matters. */
  async #openDeferred(side: Side): Promise<void> {
    const renames = this.#state.renamesOf(side);
    renames.mayDefer = renames.wanted.size === 0;
    const { deferred } = renames;
    renames.deferred = new Map();
    for (const [path, mask] of deferred) {
      const info = this.#state.paths.open(path);
      if (renames.mayDefer) {
        info.settle(info.stages[side]);
        continue;
      }
      info.matching &= info.files;
      this.#mask = mask;
      await this.#open(path, directoriesOf(info));
    }
    for (const path of renames.deferred.keys()) {
      const info = this.#state.paths.open(path);
      info.settle(info.stages[side]);
    }
  }

  async #open(path: string, trees: readonly Version[]): Promise<void> {
    assertDepth(depthOf(path));
    const { source } = this.#state;
    await source.work(DIRECTORY_STEPS);
    const entries = await this.#read(trees);
    // Rows of a large directory take more than its entries: they are made twice, and one by one.
    let [count, length, isAdded] = [0, 0, false];
    const names: string[] = [];
    for (const row of treeRows(entries)) {
      count++;
      length += path.length + 1 + row.name.length;
      isAdded ||= row.files !== 0 && row.files === this.#mask;
      names.push(...namesToOpen(row));
    }
    this.#state.hold(count * SETTLED_BYTES + charactersOf(length));
    await source.work(count * PATH_STEPS + length);
    if (this.#mask !== 0 && this.#mask !== WANTED && isAdded) this.#mask = WANTED;
    await source.expect(names);
    for (const row of treeRows(entries)) await this.#visit(path, row);
  }

  /** Reads the same directory of three trees. Entries that are equal are held once. */
  async #read(trees: readonly Version[]): Promise<(readonly TreeEntry[])[]> {
    const entries: (readonly TreeEntry[])[] = [];
    const read = new Map<string, readonly TreeEntry[]>([["", []]]);
    for (const { oid } of trees) {
      let tree = read.get(oid);
      if (tree === undefined) {
        const all = await this.#state.source.readTree(oid);
        this.#state.hold(all.length * ENTRY_BYTES);
        const known = new Set<TreeEntry>();
        tree = all;
        for (const other of read.values()) tree = withEqual(tree, other, known);
        this.#state.hold(-known.size * ENTRY_BYTES);
        read.set(oid, tree);
      }
      entries.push(tree);
    }
    return entries;
  }

  async #visit(directory: string, row: TreeRow): Promise<void> {
    const { paths } = this.#state;
    const { name, files, directories, versions } = row;
    const path = directory === "" ? name : `${directory}/${name}`;
    const before = this.#mask;
    const matching = matchingOf(versions);
    if (matching === ALL || (matching !== 0 && files === ALL)) {
      paths.set(path, PathInfo.settled(directory, versions[changedSide(matching)]));
      return;
    }
    this.#noteRenames(directory, path, row, matching & files);
    this.#state.hold(OPEN_BYTES);
    const info = PathInfo.open(path, directory, versions);
    info.matching = matching;
    info.files = files;
    info.directories = directories;
    info.hasDirectoryConflict = files !== 0 && directories !== 0;
    // What is in it says whether it stays.
    info.isRemoved = directories !== 0;
    paths.set(path, info);
    if (directories === 0) return;
    if (!this.#defer(path, info, matching)) {
      info.matching &= files;
      await this.#open(path, directoriesOf(info));
    }
    this.#mask = before;
  }

  /** Puts a directory off that only one side has changed, or that only one side has. */
  #defer(path: string, info: PathInfo, matching: number): boolean {
    const { files, directories } = info;
    let side: Side | undefined;
    if (matching === (bitOf(BASE) | bitOf(OURS))) side = THEIRS;
    else if (matching === (bitOf(BASE) | bitOf(THEIRS))) side = OURS;
    if (files === 0 && (directories === bitOf(OURS) || directories === bitOf(THEIRS))) {
      info.matching = ALL - directories;
      side = directories === bitOf(OURS) ? OURS : THEIRS;
    }
    if (side === undefined || this.#mask === WANTED) return false;
    const renames = this.#state.renamesOf(side);
    if (!renames.mayDefer) return false;
    renames.deferred.set(path, this.#mask);
    return true;
  }

  #noteRenames(directory: string, path: string, { versions, files, directories }: TreeRow, matching: number): void {
    if (directories === 1 || directories === 3 || directories === 5) this.#noteGone(path, directories);
    if (this.#mask === WANTED && (files === bitOf(OURS) || files === bitOf(THEIRS))) {
      const removedBy = files === bitOf(OURS) ? THEIRS : OURS;
      this.#state.renamesOf(removedBy).removed.set(directory, FOR_ITSELF);
    }
    if (files === 0 || files === ALL) return;
    for (const side of SIDES) {
      const hadFile = (files & bitOf(BASE)) !== 0;
      const hasFile = (files & bitOf(side)) !== 0;
      if (hadFile && !hasFile) this.#noteDeleted(side, path, versions[BASE], matching);
      if (!hadFile && hasFile)
        this.#state.renamesOf(side).pairs.push({ before: undefined, after: { path, ...versions[side] } });
    }
  }

  /** Notes a directory that at least one side removed. */
  #noteGone(path: string, directories: number): void {
    if (this.#mask !== WANTED && directories !== bitOf(BASE)) this.#mask = directories & ~bitOf(BASE);
    const wanted = this.#mask === WANTED ? FOR_ANCESTOR : UNWANTED;
    for (const side of SIDES) {
      if ((directories & bitOf(side)) === 0) this.#state.renamesOf(side).removed.set(path, wanted);
    }
  }

  #noteDeleted(side: Side, path: string, version: Version, matching: number): void {
    const renames = this.#state.renamesOf(side);
    if (matching === 0) renames.wanted.set(path, FOR_CONTENT);
    else if (this.#mask === WANTED) renames.wanted.set(path, FOR_LOCATION);
    renames.pairs.push({ before: { path, ...version }, after: undefined });
  }
}

/** Returns whose version counts where the others are the same. */
function changedSide(matching: number): Side | typeof BASE {
  if (matching === ALL) return BASE;
  return matching === (bitOf(BASE) | bitOf(OURS)) ? THEIRS : OURS;
}

/** Returns the entries with those of another tree in the place of equal ones, and adds these to `known`. */
function withEqual(
  entries: readonly TreeEntry[],
  others: readonly TreeEntry[],
  known: Set<TreeEntry>,
): readonly TreeEntry[] {
  let at = 0;
  return entries.map((entry) => {
    const sought = orderOf(entry);
    while (at < others.length && orderOf(itemAt(others, at)) < sought) at++;
    const other = others[at];
    if (other === undefined || other.name !== entry.name || other.mode !== entry.mode || other.oid !== entry.oid)
      return entry;
    known.add(other);
    return other;
  });
}

/** Returns what an entry is ordered by in its tree. */
function orderOf({ name, mode }: TreeEntry): string {
  return mode === FILE_MODE.tree ? `${name}/` : name;
}

function directoriesOf({ stages, directories }: PathInfo): Version[] {
  return stages.map((version, stage) => ((directories & (1 << stage)) === 0 ? NOTHING : version));
}

/** Returns the directories at a name that are opened, unless they are put off. */
function namesToOpen({ versions, directories }: TreeRow): string[] {
  if (directories === 0 || matchingOf(versions) === ALL) return [];
  return [...new Set(versions.filter((_, stage) => (directories & (1 << stage)) !== 0).map(({ oid }) => oid))];
}
