/**
 * What a merge knows of each path.
 *
 * @packageDocumentation
 */
import { assert, present } from "../bytes/assert.ts";
import { BASE, NOTHING, OURS, type Stage, STAGES, THEIRS, type Version } from "./version.ts";

/** About the bytes that a path takes in memory, apart from its characters and from the entries of trees. */
export const SETTLED_BYTES = 150;
/** About the bytes that one takes besides which is not settled at once. */
export const OPEN_BYTES = 120;
/** About the bytes that an entry of a tree takes. */
export const ENTRY_BYTES = 130;
/** How often the characters of a path may be held at once: by themselves, and in what is said of it. */
const COPIES = 2;
/** Characters that are looked at in one step. */
const STEP_CHARACTERS = 16;

/** The versions of a path on the three sides. */
export type Versions = [Version, Version, Version];

/** Of a path that was settled at once, nothing but the result counts. */
const NO_VERSIONS: Versions = [NOTHING, NOTHING, NOTHING];
const NO_PATHS: [string, string, string] = ["", "", ""];

/** A path: a file, a directory, or both on different sides. */
export class PathInfo {
  /** Whether it is settled what becomes of the path; nothing but `result` and `isRemoved` counts then. */
  isClean: boolean;
  /** Whether the result is without the path. */
  isRemoved = false;
  result: Version = NOTHING;
  /** The path of the directory that it is in; empty at the top. */
  directory: string;
  stages: Versions;
  /** The path that each version has on its side, since files may have been moved. */
  readonly paths: [string, string, string];
  /** Which of the three trees have a file here, and which a directory: see `bitOf`. */
  files = 0;
  directories = 0;
  /** Which of the three trees have the same here: 0, or at least two bits. */
  matching = 0;
  /** Whether a file and a directory are both here. */
  hasDirectoryConflict = false;
  /** Whether there is a conflict of paths: a file that was moved in two ways, for example. */
  hasPathConflict = false;

  private constructor(directory: string, isClean: boolean, stages: Versions, paths: [string, string, string]) {
    this.directory = directory;
    this.isClean = isClean;
    this.stages = stages;
    this.paths = paths;
  }

  /** Returns a path that is settled. */
  static settled(directory: string, result: Version): PathInfo {
    const info = new PathInfo(directory, true, NO_VERSIONS, NO_PATHS);
    info.result = result;
    info.isRemoved = result.mode === 0;
    return info;
  }

  /** Returns a path of which it has to be found out what becomes of it. */
  static open(path: string, directory: string, stages: Versions): PathInfo {
    return new PathInfo(directory, false, stages, [path, path, path]);
  }

  /** Returns a copy, for another path. */
  copy(): PathInfo {
    const copy = new PathInfo(this.directory, this.isClean, [...this.stages], [...this.paths]);
    copy.isRemoved = this.isRemoved;
    copy.result = this.result;
    copy.files = this.files;
    copy.directories = this.directories;
    copy.matching = this.matching;
    copy.hasDirectoryConflict = this.hasDirectoryConflict;
    copy.hasPathConflict = this.hasPathConflict;
    return copy;
  }

  /** Settles the path. */
  settle(result: Version): void {
    this.isClean = true;
    this.isRemoved = result.mode === 0;
    this.result = result;
  }

  /** Settles that the path has nothing in the result. */
  remove(): void {
    this.isRemoved = true;
    this.isClean = true;
  }

  /** Leaves only the versions that are files. */
  keepFiles(): void {
    this.matching &= ~this.directories;
    this.directories = 0;
    for (const stage of STAGES) if ((this.files & (1 << stage)) === 0) this.stages[stage] = NOTHING;
  }
}

/** All paths that a merge has looked at, by their names. */
export class Paths {
  readonly #infos = new Map<string, PathInfo>();

  get size(): number {
    return this.#infos.size;
  }

  get(path: string): PathInfo | undefined {
    return this.#infos.get(path);
  }

  /** Returns a path that is not settled. @throws Bug */
  open(path: string): PathInfo {
    const info = present(this.#infos.get(path), "the path");
    assert(!info.isClean, "the path is not settled");
    return info;
  }

  set(path: string, info: PathInfo): void {
    this.#infos.set(path, info);
  }

  delete(path: string): void {
    this.#infos.delete(path);
  }

  /** Returns all paths; a directory comes right before what is in it. */
  sorted(): string[] {
    return [...this.#infos.keys()].sort((one, two) => {
      const [short, long] = one.length < two.length ? [one, two] : [two, one];
      if (!long.startsWith(short)) return one < two ? -1 : 1;
      // Each counts as if it ended in a slash.
      const isShortFirst = "/" <= long.charAt(short.length);
      return isShortFirst === (short === one) ? -1 : 1;
    });
  }

  /** Returns a path that nothing has yet: `path~side`, perhaps with a number. */
  unused(path: string, label: string): string {
    const name = `${path}~${label.replaceAll("/", "_")}`;
    if (!this.#infos.has(name)) return name;
    for (let number = 0; ; number++) if (!this.#infos.has(`${name}_${number}`)) return `${name}_${number}`;
  }

  /** Whether one side has something at a path, or what is there is settled. */
  isInTheWay(path: string, side: Stage): boolean {
    const info = this.#infos.get(path);
    return info !== undefined && (info.isClean || ((info.files | info.directories) & (1 << side)) !== 0);
  }
}

/** Returns about how many bytes paths take that have `length` characters together. */
export function charactersOf(length: number): number {
  return COPIES * length;
}

/** Returns the steps of going from a path through all directories that it is in, each of which is looked up. */
export function climbSteps(path: string): number {
  return 1 + Math.ceil((depthOf(path) * path.length) / STEP_CHARACTERS);
}

/** Returns the number of directories that a path is in. */
export function depthOf(path: string): number {
  let depth = 0;
  for (let at = path.indexOf("/"); at >= 0; at = path.indexOf("/", at + 1)) depth++;
  return depth;
}

/** Returns the directory of a path; empty at the top. */
export function directoryOf(path: string): string {
  return path.slice(0, Math.max(path.lastIndexOf("/"), 0));
}

/** Returns the last name of a path. */
export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** Returns which of three versions are the same. */
export function matchingOf([base, ours, theirs]: Readonly<Versions>): number {
  const same = (one: Version, two: Version): boolean => one.mode !== 0 && one.mode === two.mode && one.oid === two.oid;
  const [left, right] = [same(base, ours), same(base, theirs)];
  if (left) return right ? 7 : (1 << BASE) | (1 << OURS);
  if (right) return (1 << BASE) | (1 << THEIRS);
  return same(ours, theirs) ? (1 << OURS) | (1 << THEIRS) : 0;
}
