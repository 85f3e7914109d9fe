/**
 * What is told of the conflicts of a merge.
 *
 * @packageDocumentation
 */
import type { ConflictKind } from "../../merge/merge-state.ts";
import type { MergeSource } from "../../merge/merge-source.ts";
import type { ConflictedPath, ConflictStage, MergeResult } from "../../merge/merge-trees.ts";
import { kindOf } from "../../merge/version.ts";

/** Conflicts that are told one by one. */
const MOST_CONFLICTS = 1000;
/** Bytes of a file with its markers that are told, and of all files. */
const MOST_FILE_BYTES = 64 * 1024;
const MOST_CONTENT_BYTES = 1024 * 1024;

/** A path in conflict. Paths have one character per byte. */
export type Conflict = {
  readonly path: string;
  readonly kind: ConflictKind;
  /** Other paths that take part: where a file was before, for example. */
  readonly others: readonly string[];
  readonly stages: readonly ConflictStage[];
  /** The file with its markers. It is missing where there is none, or where it is too large to be told. */
  readonly content?: Uint8Array;
};

/** The conflicts of a merge, the first ones of them at least. */
export type ConflictReport = { readonly conflicts: readonly Conflict[]; readonly count: number };

/** Describes the conflicts of a merge. */
export async function describeConflicts(
  source: MergeSource,
  { conflicted, notes }: MergeResult,
): Promise<ConflictReport> {
  const conflicts: Conflict[] = [];
  const told = new Set<string>();
  let left = MOST_CONTENT_BYTES;
  for (const one of conflicted.slice(0, MOST_CONFLICTS)) {
    const note =
      notes.find(({ paths }) => paths[0] === one.path) ?? notes.find(({ paths }) => paths.includes(one.path));
    for (const path of [one.path, ...(note?.paths ?? [])]) told.add(path); // A path without a note stands alone.
    const content = await contentOf(source, one, Math.min(left, MOST_FILE_BYTES));
    left -= content?.length ?? 0; // Nothing was told of it.
    conflicts.push({
      path: one.path,
      kind: note?.kind ?? "contents",
      others: (note?.paths ?? []).filter((path) => path !== one.path), // As above.
      stages: one.stages,
      ...(content === undefined ? {} : { content }),
    });
  }
  // Of a directory whose files went several ways, no path need be in conflict.
  const more = notes.filter(({ paths }) => !paths.some((path) => told.has(path)));
  for (const { kind, paths } of more.slice(0, MOST_CONFLICTS - conflicts.length)) {
    const [path = "", ...others] = paths;
    conflicts.push({ path, kind, others, stages: [] });
  }
  return { conflicts, count: conflicted.length + more.length };
}

async function contentOf(
  source: MergeSource,
  { result }: ConflictedPath,
  most: number,
): Promise<Uint8Array | undefined> {
  if (kindOf(result.mode) !== "file" || (await source.sizeOf(result.oid)) > most) return undefined;
  return await source.readBlob(result.oid);
}
