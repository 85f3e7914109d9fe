/**
 * Merges two versions of a path, which both have something of the same kind there.
 *
 * @packageDocumentation
 * @see gitattributes(5), "Performing a three-way merge"
 */
import type { AttributeValue } from "../object/attributes.ts";
import { type LineMergeOptions, mergeLines, type MergedFiles } from "../diff/merge-lines.ts";
import type { MergeSource } from "./merge-source.ts";
import type { MergeState } from "./merge-state.ts";
import type { Versions } from "./path-info.ts";
import { BASE, kindOf, OURS, THEIRS, type Version } from "./version.ts";

/** What is to be merged. */
export type ContentMerge = {
  /** The path that the result has: its attributes count. */
  readonly path: string;
  readonly versions: Readonly<Versions>;
  /** The path of each version. */
  readonly paths: readonly string[];
  /** By how much markers are longer than usual: there may be others within. */
  readonly extraMarkerSize: number;
};

/** The result, and whether it is without conflicts. `isBinary`: the files were not merged by lines. */
export type MergedContent = { readonly version: Version; readonly isClean: boolean; readonly isBinary: boolean };

/** The length of a conflict marker, and the most that an attribute may make it. */
const MARKER_SIZE = 7;
const LONGEST_MARKER = 1000;
/** The bytes in which a NUL makes a file binary. */
const BINARY_PREFIX = 8000;
const NO_BYTES = new Uint8Array(0);

/** Merges the versions. */
export async function mergeContent(state: MergeState, merge: ContentMerge): Promise<MergedContent> {
  const [base, ours, theirs] = merge.versions;
  // Either the modes are the same, or only one side changed it; two changes of it can't both stay.
  const isOurMode = ours.mode !== theirs.mode && ours.mode !== base.mode;
  const mode = isOurMode ? ours.mode : theirs.mode;
  const isModeClean = !isOurMode || theirs.mode === base.mode;
  const done = (oid: string, how = { isClean: true, isBinary: false }): MergedContent => ({
    version: { mode, oid },
    isClean: how.isClean && isModeClean,
    isBinary: how.isBinary,
  });
  if (ours.oid === theirs.oid || ours.oid === base.oid) return done(theirs.oid);
  if (theirs.oid === base.oid) return done(ours.oid);
  switch (kindOf(ours.mode)) {
    case "file": {
      const merged = await mergeFiles(state, merge);
      return done(merged.oid, merged);
    }
    case "symlink":
      return mergeLinks(state, merge.versions, mode);
    case "gitlink":
    case "tree":
    case "none":
      return mergeSubmodules(state, merge.versions, mode);
  }
}

function mergeLinks({ depth, options }: MergeState, versions: Readonly<Versions>, mode: number): MergedContent {
  if (depth > 0) return { version: versions[BASE], isClean: false, isBinary: false };
  const { oid } = versions[options.favor === "theirs" ? THEIRS : OURS];
  return { version: { mode, oid }, isClean: options.favor !== undefined, isBinary: false };
}

/** The history of a submodule is elsewhere, so that nobody can tell which of two commits has the other. */
function mergeSubmodules({ depth }: MergeState, versions: Readonly<Versions>, mode: number): MergedContent {
  const base = versions[BASE];
  const unmerged = { isClean: false, isBinary: false };
  if (depth === 0) return { version: { mode, oid: versions[OURS].oid }, ...unmerged };
  return kindOf(base.mode) === "gitlink"
    ? { version: { mode, oid: base.oid }, ...unmerged }
    : { version: base, ...unmerged };
}

type MergedFile = { readonly oid: string; readonly isClean: boolean; readonly isBinary: boolean };

async function mergeFiles(state: MergeState, merge: ContentMerge): Promise<MergedFile> {
  const { source, options, depth } = state;
  const [base, ours, theirs] = merge.versions;
  const ancestor = kindOf(base.mode) === "file" ? base.oid : source.emptyBlob;
  await source.expect([ancestor, ours.oid, theirs.oid]);
  const { merge: driver, markerSize } = await source.attributesOf(merge.path);
  const favor = depth > 0 ? undefined : options.favor;
  const files = await textsOf(source, { base: ancestor, ours: ours.oid, theirs: theirs.oid });
  if (driver === false || driver === "binary" || files === undefined) {
    if (depth > 0)
      return {
        oid: kindOf(base.mode) !== "file" ? await source.writeBlob(NO_BYTES) : ancestor,
        isClean: true,
        isBinary: true,
      };
    return { oid: favor === "theirs" ? theirs.oid : ours.oid, isClean: favor !== undefined, isBinary: true };
  }
  const by = driver === "union" ? "both" : favor;
  let reserved = 0;
  const { bytes, conflicts } = await mergeByLines(state, files, {
    reserve: (size) => {
      reserved = size;
      source.hold(size);
    },
    labels: labelsOf(state, merge.paths),
    markerSize: markerSizeOf(markerSize) + merge.extraMarkerSize,
    ...(by === undefined ? {} : { favor: by }),
  });
  source.hold(-reserved); // From here on the blob is held.
  return { oid: await source.writeBlob(bytes), isClean: conflicts === 0, isBinary: false };
}

/** Returns the three files; `undefined` if one of them is not a text, or too large to be merged by lines. */
async function textsOf(
  source: MergeSource,
  names: { readonly base: string; readonly ours: string; readonly theirs: string },
): Promise<MergedFiles | undefined> {
  const base = names.base === source.emptyBlob ? NO_BYTES : await source.readBlob(names.base);
  const ours = await source.readBlob(names.ours);
  const theirs = await source.readBlob(names.theirs);
  if (base === undefined || ours === undefined || theirs === undefined) return undefined;
  return [base, ours, theirs].some(hasNul) ? undefined : { base, ours, theirs };
}

function hasNul(bytes: Uint8Array): boolean {
  return bytes.subarray(0, BINARY_PREFIX).includes(0);
}

function labelsOf({ options }: MergeState, [base, ours, theirs]: readonly string[]): LineMergeOptions["labels"] {
  const { labels } = options;
  if (base === ours && ours === theirs) return labels;
  return { ours: `${labels.ours}:${ours}`, theirs: `${labels.theirs}:${theirs}` };
}

/** Returns the length that an attribute gives to markers. Each conflict has three of them, so that it has a bound. */
function markerSizeOf(value: AttributeValue): number {
  const size = typeof value === "string" ? Number.parseInt(value, 10) : 0;
  return size > 0 && size <= LONGEST_MARKER ? size : MARKER_SIZE;
}

async function mergeByLines(
  { source }: MergeState,
  files: MergedFiles,
  options: LineMergeOptions,
): Promise<{ readonly bytes: Uint8Array; readonly conflicts: number }> {
  const search = mergeLines(files, options);
  for (let next = search.next(); ; next = search.next()) {
    if (next.done === true) return next.value;
    await source.work(next.value);
  }
}
