/**
 * Where the directories went that one side moved, and where the other side's new files in them should go with that.
 *
 * @packageDocumentation
 * @see git-merge(1), git-config(1), `merge.directoryRenames`
 */
import { present } from "../bytes/assert.ts";
import { FILE_MODE } from "../object/tree.ts";
import { assertDepth } from "../object/tree-depth.ts";
import type { FilePair, MergeState } from "./merge-state.ts";
import {
  charactersOf,
  climbSteps,
  depthOf,
  directoryOf,
  ENTRY_BYTES,
  OPEN_BYTES,
  PathInfo,
  SETTLED_BYTES,
} from "./path-info.ts";
import { bitOf, NOTHING, otherSide, OURS, type Side, SIDES, STAGES, THEIRS } from "./version.ts";

/** Files of one side that would all be put at one path. */
type Collision = { readonly from: Set<string>; isReported: boolean };

/** The moves of directories on both sides. */
export class DirectoryRenames {
  readonly #state: MergeState;
  readonly #collisions: Readonly<Record<Side, Map<string, Collision>>> = { 1: new Map(), 2: new Map() };

  private constructor(state: MergeState) {
    this.#state = state;
  }

  /** Finds out where directories went. Renames of files were detected before. */
  static async find(state: MergeState): Promise<DirectoryRenames> {
    const found = new DirectoryRenames(state);
    if (state.depth === 0) {
      for (const side of SIDES) found.#decide(side);
      found.#forgetMovedByBoth();
    }
    for (const side of SIDES) await found.#findCollisions(side);
    return found;
  }

  /** Takes the directory to which the most files went. Where two have as many, it is a conflict. */
  #decide(side: Side): void {
    const { counts, directories } = this.#state.renamesOf(side);
    for (const [from, targets] of counts) {
      let most = 0;
      for (const count of targets.values()) most = Math.max(most, count);
      const best = [...targets].filter(([, count]) => count === most).map(([to]) => to);
      const [only] = best;
      if (most === 0 || only === undefined) continue;
      if (best.length === 1) {
        directories.set(from, only);
        continue;
      }
      this.#state.note("directory-rename-split", from);
      this.#state.isClean = false;
    }
  }

  #forgetMovedByBoth(): void {
    const [ours, theirs] = [this.#state.renamesOf(OURS).directories, this.#state.renamesOf(THEIRS).directories];
    for (const from of [...ours.keys()].filter((key) => theirs.has(key))) {
      ours.delete(from);
      theirs.delete(from);
    }
  }

  async #findCollisions(side: Side): Promise<void> {
    const collisions = this.#collisions[side];
    const { directories } = this.#state.renamesOf(otherSide(side));
    if (directories.size === 0) return;
    for (const { after } of this.#state.renamesOf(side).pairs) {
      const moved = after === undefined ? undefined : await this.#movedDirectory(after.path, directories);
      if (after === undefined || moved === undefined) continue;
      const path = movedPath(after.path, moved);
      const known = collisions.get(path);
      if (known !== undefined) known.from.add(after.path);
      else {
        this.#state.hold(SETTLED_BYTES + path.length);
        collisions.set(path, { from: new Set([after.path]), isReported: false });
      }
    }
  }

  /** Returns the nearest directory of a path that was moved. */
  async #movedDirectory(path: string, directories: ReadonlyMap<string, string>): Promise<MovedDirectory | undefined> {
    await this.#state.source.work(climbSteps(path));
    for (let from = directoryOf(path); from !== ""; from = directoryOf(from)) {
      const to = directories.get(from);
      if (to !== undefined) return { from, to };
    }
    return undefined;
  }

  /** Moves a file that one side put into a directory which the other side moved, unless something is in the way. */
  async follow(pair: FilePair, side: Side): Promise<void> {
    const after = present(pair.after, "the added file");
    const { directories } = this.#state.renamesOf(otherSide(side));
    if (directories.size === 0 || this.#collisions[otherSide(side)].has(after.path)) return;
    const moved = await this.#movedDirectory(after.path, directories);
    // What this side moved itself does not go on with the other side's move.
    if (moved === undefined || this.#state.renamesOf(side).directories.has(moved.to)) return;
    const path = movedPath(after.path, moved);
    assertDepth(depthOf(path));
    if (!(await this.#openTo(path)) || !this.#isFree(path, side)) {
      this.#state.isClean = false;
      return;
    }
    this.#move(after.path, path);
    pair.after = { ...after, path };
  }

  /**
   * Opens the directories on the way to a path that were settled without being opened: they stay what they are, but for
   * the path. Returns false if a file is on the way.
   */
  async #openTo(path: string): Promise<boolean> {
    const { paths, source } = this.#state;
    await source.work(climbSteps(path));
    for (let at = path.indexOf("/"); at >= 0; at = path.indexOf("/", at + 1)) {
      const directory = path.slice(0, at);
      const info = paths.get(directory);
      if (info === undefined) return true;
      if (!info.isClean || info.isRemoved) continue;
      if (info.result.mode !== FILE_MODE.tree) return false;
      const entries = await source.readTree(info.result.oid);
      const length = entries.reduce((sum, { name }) => sum + directory.length + 1 + name.length, 0);
      this.#state.hold(entries.length * (SETTLED_BYTES + ENTRY_BYTES) + charactersOf(length));
      await source.work(length);
      const open = PathInfo.open(directory, info.directory, [NOTHING, info.result, NOTHING]);
      open.directories = bitOf(OURS);
      paths.set(directory, open);
      for (const { name, mode, oid } of entries)
        paths.set(`${directory}/${name}`, PathInfo.settled(directory, { mode, oid }));
    }
    return true;
  }

  #isFree(path: string, side: Side): boolean {
    const collision = present(this.#collisions[side].get(path), "the files that go to a path");
    if (collision.isReported) return false;
    const isInTheWay = this.#state.paths.isInTheWay(path, side);
    if (!isInTheWay && collision.from.size === 1) return true;
    collision.isReported = true;
    const kind = isInTheWay ? "directory-rename-in-the-way" : "directory-rename-collision";
    this.#state.note(kind, path, ...collision.from);
    return false;
  }

  #move(from: string, to: string): void {
    const { paths } = this.#state;
    let info = paths.open(from);
    this.#state.hold(SETTLED_BYTES + OPEN_BYTES + charactersOf(to.length));
    const { files } = info;
    this.#makeDirectories(to, files);
    if (info.directories === 0) paths.delete(from);
    else {
      const file = info.copy();
      file.keepFiles();
      leaveDirectory(info);
      info = file;
    }
    info.directory = directoryOf(to);
    const there = paths.get(to);
    const side = files === bitOf(OURS) ? OURS : THEIRS;
    if (there === undefined) paths.set(to, info);
    else {
      there.files |= files;
      if (there.directories !== 0) there.hasDirectoryConflict = true;
      there.paths[side] = info.paths[side];
      there.stages[side] = info.stages[side];
      info = there;
    }
    info.hasPathConflict = true;
    this.#state.note("directory-rename-suggested", to, from);
  }

  /** Adds the directories on the way to a path that are not known yet. */
  #makeDirectories(path: string, files: number): void {
    const { paths } = this.#state;
    for (let directory = directoryOf(path); directory !== ""; directory = directoryOf(directory)) {
      if (paths.get(directory) !== undefined) return;
      this.#state.hold(SETTLED_BYTES + OPEN_BYTES + charactersOf(directory.length));
      const info = PathInfo.open(directory, directoryOf(directory), [NOTHING, NOTHING, NOTHING]);
      info.directories = files;
      paths.set(directory, info);
    }
  }
}

/** Leaves only what a path has as a directory. */
function leaveDirectory(info: PathInfo): void {
  info.files = 0;
  info.isClean = true;
  for (const stage of STAGES) if ((info.directories & bitOf(stage)) === 0) info.stages[stage] = NOTHING;
}

type MovedDirectory = { readonly from: string; readonly to: string };

/** Returns where a path goes with its directory. */
function movedPath(path: string, { from, to }: MovedDirectory): string {
  const rest = path.slice(from.length + 1);
  return to === "" ? rest : `${to}/${rest}`;
}
