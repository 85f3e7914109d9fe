/**
 * Settles what becomes of each path, or finds that it is in conflict, and writes the trees of the result.
 *
 * @packageDocumentation
 * @see git-merge(1), git-merge-tree(1), "CONFLICTED FILE INFO"
 */
import { assert } from "../bytes/assert.ts";
import { type MergedContent, mergeContent } from "./content-merge.ts";
import type { MergeState } from "./merge-state.ts";
import type { PathInfo } from "./path-info.ts";
import { TreeWriter } from "./tree-writer.ts";
import { BASE, bitOf, kindOf, NOTHING, OURS, type Side, THEIRS, type Version } from "./version.ts";

/** Settles all paths. Returns the name of the resulting tree. */
export async function settlePaths(state: MergeState, ourTree: string): Promise<string> {
  const { paths, source } = state;
  if (paths.size === 0) return source.emptyTree;
  const writer = new TreeWriter(source, paths);
  const settling = new Settling(state, writer);
  for (const path of paths.sorted().toReversed()) {
    const info = paths.get(path);
    // A path that was replaced by others has gone meanwhile.
    if (info === undefined) continue;
    await writer.enter(info.directory);
    if (info.isClean) writer.add(path, info);
    else await settling.settle(path, info);
  }
  return await writer.finish(ourTree);
}

class Settling {
  readonly #state: MergeState;
  readonly #writer: TreeWriter;

  constructor(state: MergeState, writer: TreeWriter) {
    this.#state = state;
    this.#writer = writer;
  }

  async settle(path: string, info: PathInfo): Promise<void> {
    if (info.directories !== 0) {
      this.#writer.add(path, info);
      if (info.files === 0) return;
      assert(info.hasDirectoryConflict, "a path with files and directories is a conflict of both");
    }
    const place = info.hasDirectoryConflict ? this.#makeWay(path, info) : { path, info };
    if (place === undefined) return;
    const settled = await this.#decide(place.path, place.info, place.side);
    if (!place.info.isClean) this.#state.conflicted.set(settled, place.info);
    this.#writer.add(settled, place.info);
  }

  /** Finds a place for a file where a directory is, too. Returns nothing if the file is on neither side. */
  #makeWay(path: string, info: PathInfo): { path: string; info: PathInfo; side?: Side } | undefined {
    if (info.result.mode === 0) {
      // The directory is gone.
      info.hasDirectoryConflict = false;
      info.isRemoved = false;
      info.keepFiles();
      return { path, info };
    }
    if (info.files === bitOf(BASE)) {
      info.files = 0;
      return undefined;
    }
    const moved = info.copy();
    moved.keepFiles();
    moved.isRemoved = false;
    const side = (info.directories & bitOf(OURS)) === 0 ? OURS : THEIRS;
    const free = this.#state.paths.unused(path, this.#state.labelOf(side));
    this.#state.paths.set(free, moved);
    this.#state.note("file-directory", free, path);
    info.files = 0;
    return { path: free, info: moved, side };
  }

  /** Decides what becomes of a path. Returns the path that it has then. */
  async #decide(path: string, info: PathInfo, side: Side | undefined): Promise<string> {
    const { files } = info;
    const [, ours, theirs] = info.stages;
    if (info.matching !== 0) this.#takeChanged(info);
    else if (files >= 6 && kindOf(ours.mode) !== kindOf(theirs.mode)) return this.#separate(path, info);
    else if (files >= 6) await this.#merge(path, info, side);
    else if (files === 3 || files === 5) this.#keepModified(path, info);
    else if (files === 2 || files === 4) {
      info.result = info.stages[files === 4 ? THEIRS : OURS];
      info.isClean = !info.hasDirectoryConflict && !info.hasPathConflict;
    } else if (files === 1) {
      info.isRemoved = true;
      info.result = NOTHING;
      info.isClean = !info.hasPathConflict;
    }
    return path;
  }

  /** Two of the three are the same: the other one counts, or what both sides have. */
  #takeChanged(info: PathInfo): void {
    info.isClean = !info.hasDirectoryConflict && !info.hasPathConflict;
    const other = 7 & ~info.matching;
    const side = info.matching === 6 || other === bitOf(OURS) ? OURS : THEIRS;
    info.result = info.stages[side];
    if (info.matching === 6) return;
    info.isRemoved = info.result.mode === 0;
    if (info.isRemoved) info.isClean = true;
  }

  async #merge(path: string, info: PathInfo, side: Side | undefined): Promise<void> {
    const merged = await mergeContent(this.#state, {
      path,
      versions: info.stages,
      paths: info.paths,
      extraMarkerSize: this.#state.depth * 2,
    });
    info.result = merged.version;
    info.isRemoved = merged.version.mode === 0;
    info.isClean = merged.isClean && !info.hasDirectoryConflict && !info.hasPathConflict;
    if (merged.isClean && info.hasDirectoryConflict && side !== undefined) {
      info.files = bitOf(side);
      info.stages[side] = merged.version;
    }
    if (!merged.isClean) this.#noteContent(path, info, merged);
  }

  #noteContent(path: string, { files, stages }: PathInfo, { version, isBinary }: MergedContent): void {
    const [base, ours, theirs] = stages;
    const modes = ours.mode !== theirs.mode && ours.mode !== base.mode && theirs.mode !== base.mode;
    if (kindOf(version.mode) === "gitlink") this.#state.note("submodule", path);
    else if (isBinary) this.#state.note("binary", path);
    else if (files === 6) this.#state.note("add-add", path);
    else this.#state.note(modes && (ours.oid === theirs.oid || ours.oid === base.oid || theirs.oid === base.oid) ? "modes" : "contents", path); // prettier-ignore
  }

  /** Keeps both of two things that can't be merged, at places of their own. */
  #separate(path: string, info: PathInfo): string {
    const { paths, conflicted, depth } = this.#state;
    const [base, ours, theirs] = info.stages;
    info.isClean = false;
    if (depth > 0) {
      info.result = base;
      info.isRemoved = base.mode === 0;
      return path;
    }
    const isOurFile = kindOf(ours.mode) === "file";
    const isTheirFile = kindOf(theirs.mode) === "file";
    const ourPath = isOurFile || !isTheirFile ? paths.unused(path, this.#state.labelOf(OURS)) : path;
    const theirPath = isOurFile ? path : paths.unused(path, this.#state.labelOf(THEIRS));
    this.#state.note("distinct-types", path, ...[ourPath, theirPath].filter((other) => other !== path));
    const other = info.copy();
    leaveSide(other, THEIRS, base);
    leaveSide(info, OURS, base);
    if (ourPath !== path) paths.set(ourPath, info);
    paths.set(theirPath, other);
    if (ourPath !== path && theirPath !== path) paths.delete(path);
    conflicted.set(theirPath, other);
    this.#writer.add(theirPath, other);
    return ourPath;
  }

  /** One side deleted what the other one changed: it stays, as a conflict. */
  #keepModified(path: string, info: PathInfo): void {
    const side = info.files === 5 ? THEIRS : OURS;
    info.result = info.stages[this.#state.depth > 0 ? BASE : side];
    info.isClean = false;
    const isMovedOnly = info.hasPathConflict && info.stages[BASE].oid === info.stages[side].oid;
    if (!isMovedOnly) this.#state.note("modify-delete", path);
  }
}

/** Leaves only one side's version of a path, and the ancestor's if it is of the same kind. */
function leaveSide(info: PathInfo, side: Side, base: Version): void {
  info.result = info.stages[side];
  info.stages[side === OURS ? THEIRS : OURS] = NOTHING;
  info.files = bitOf(side) | bitOf(BASE);
  if (kindOf(info.result.mode) === kindOf(base.mode)) return;
  info.stages[BASE] = NOTHING;
  info.files = bitOf(side);
}
