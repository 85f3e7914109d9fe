/**
 * A path's content on one side of a merge.
 *
 * @packageDocumentation
 */
import { canonicalMode, FILE_MODE, isGitlink, isRegular, isSymlink, isTree } from "../object/tree.ts";

/** A mode, and the object's name in hexadecimal. Nothing has mode 0 and an empty name. */
export type Version = { readonly mode: number; readonly oid: string };

/** The version of a path that is not there. */
export const NOTHING: Version = { mode: 0, oid: "" };

/** An entry of a tree. The name has one character per byte. */
export type TreeEntry = Version & { readonly name: string };

/** The three trees of a merge: the ancestor's, ours and theirs. */
export const BASE = 0;
/** Our side. */
export const OURS = 1;
/** Their side. */
export const THEIRS = 2;

/** One of the sides that are merged. */
export type Side = typeof OURS | typeof THEIRS;
/** One of the three trees. */
export type Stage = typeof BASE | Side;

/** All three. */
export const STAGES: readonly Stage[] = [BASE, OURS, THEIRS];
/** Both sides. */
export const SIDES: readonly Side[] = [OURS, THEIRS];

/** Returns the other side. */
export function otherSide(side: Side): Side {
  return side === OURS ? THEIRS : OURS;
}

/** Returns the bit that stands for a tree where a number says which of the three have something. */
export function bitOf(stage: Stage): number {
  return 1 << stage;
}

/** Returns the mode that git takes a stored mode for. */
export function plainMode(mode: number): number {
  if (isRegular(mode)) return canonicalMode(mode);
  if (isTree(mode)) return FILE_MODE.tree;
  return isSymlink(mode) ? FILE_MODE.symlink : FILE_MODE.gitlink;
}

/** The kind of content that a mode stands for. Contents of different kinds can't be merged. */
export type Kind = "none" | "file" | "symlink" | "gitlink" | "tree";

/** Returns the kind of content that a mode stands for. */
export function kindOf(mode: number): Kind {
  if (mode === 0) return "none";
  if (isRegular(mode)) return "file";
  if (isTree(mode)) return "tree";
  return isGitlink(mode) ? "gitlink" : "symlink";
}
