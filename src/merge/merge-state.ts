/**
 * What the steps of one merge share.
 *
 * @packageDocumentation
 */
import type { MergeSource } from "./merge-source.ts";
import { Paths, type PathInfo } from "./path-info.ts";
import type { Side, Version } from "./version.ts";

/** How a merge is done. */
export type MergeOptions = {
  /** The names of both sides: they stand behind conflict markers, and in names of files that make way. */
  readonly labels: { readonly ours: string; readonly theirs: string };
  /** The side that settles conflicts within files. */
  readonly favor?: "ours" | "theirs";
};

/**
 * The kinds of conflicts. `contents`: both sides changed the same lines. `binary`: both changed a file that is not merged
 * by lines. `submodule`: both moved it. `rename-collides`: a file was moved to where another one is.
 */
export type ConflictKind =
  | "contents"
  | "add-add"
  | "binary"
  | "submodule"
  | "modes"
  | "file-directory"
  | "distinct-types"
  | "modify-delete"
  | "rename-rename"
  | "rename-collides"
  | "rename-delete"
  | "directory-rename-suggested"
  | "directory-rename-in-the-way"
  | "directory-rename-collision"
  | "directory-rename-split";

/** A conflict, and the paths that take part in it: first the one where it is. */
export type ConflictNote = { readonly kind: ConflictKind; readonly paths: readonly string[] };

/** Why the source of a rename is looked for. */
export const NO_LONGER_WANTED = 0;
/** The other side changed the file. */
export const FOR_CONTENT = 1;
/** The other side added files to a directory on the way to it. */
export const FOR_LOCATION = 2;

/** Whether it has to be found out where a directory went. */
export const UNWANTED = 0;
/** Only for one of the directories that it is in. */
export const FOR_ANCESTOR = 1;
/** The other side added files to it. */
export const FOR_ITSELF = 2;

/** A file that a side has at a path. */
export type PairEnd = Version & { readonly path: string };

/** A file that a side deleted, added, or moved: then it has both ends. */
export type FilePair = { before: PairEnd | undefined; after: PairEnd | undefined };

/** What is known of the files that one side moved. */
export type SideRenames = {
  pairs: FilePair[];
  /** Deleted files that matter, and why: `FOR_CONTENT` and so on. */
  readonly wanted: Map<string, number>;
  /** Directories that are gone, and whether it matters: `FOR_ITSELF` and so on. */
  readonly removed: Map<string, number>;
  /** For each old directory, how many of its files went to each new one. */
  readonly counts: Map<string, Map<string, number>>;
  /** Where directories went. */
  readonly directories: Map<string, string>;
  /** Directories that are opened only if it turns out to be needed, each with the state to go on with. */
  deferred: Map<string, number>;
  mayDefer: boolean;
};

function noRenames(): SideRenames {
  return {
    pairs: [],
    wanted: new Map(),
    removed: new Map(),
    counts: new Map(),
    directories: new Map(),
    deferred: new Map(),
    mayDefer: true,
  };
}

/** The state of one merge of three trees. */
export class MergeState {
  readonly source: MergeSource;
  readonly options: MergeOptions;
  /** How many merges this one is within: it is above 0 while ancestors are merged. */
  readonly depth: number;
  readonly paths = new Paths();
  readonly conflicted = new Map<string, PathInfo>();
  readonly notes: ConflictNote[] = [];
  /** Whether there is a result, apart from the conflicted paths. */
  isClean = true;
  #held = 0;
  readonly #renames: Readonly<Record<Side, SideRenames>> = { 1: noRenames(), 2: noRenames() };

  constructor(source: MergeSource, options: MergeOptions, depth: number) {
    this.source = source;
    this.options = options;
    this.depth = depth;
  }

  /** Accounts for bytes that the merge holds while it lasts. @throws LimitExceeded */
  hold(bytes: number): void {
    this.#held += bytes;
    this.source.hold(bytes);
  }

  /** Gives back what the merge held. */
  release(): void {
    this.source.hold(-this.#held);
    this.#held = 0;
  }

  /** Returns what one side moved. */
  renamesOf(side: Side): SideRenames {
    return this.#renames[side];
  }

  labelOf(side: Side): string {
    return side === 1 ? this.options.labels.ours : this.options.labels.theirs;
  }

  /** Notes a conflict. */
  note(kind: ConflictKind, ...paths: readonly string[]): void {
    if (this.depth === 0) this.notes.push({ kind, paths });
  }
}
