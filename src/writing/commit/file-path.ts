/**
 * Decides whether a commit may have a file at a path.
 *
 * @packageDocumentation
 * @see verify_path() in git's read-cache.c, git-fsck(1)
 */
import { bytesOf, textOf } from "../../object/byte-text.ts";
import { fsckTreeEntry } from "../../object/fsck-tree.ts";
import { FILE_MODE } from "../../object/tree.ts";

/** Bytes of the longest path, as most file systems have it. */
const LONGEST_PATH = 4096;

/** Steps of looking at a path once, and of each of its characters: every other one may be a directory. */
const PATH_STEPS = 100;
const CHARACTER_STEPS = 16;

/** Returns the steps of checking a path, or of going to where it leads. */
export function pathSteps(path: string): number {
  return PATH_STEPS + path.length * CHARACTER_STEPS;
}

const encoder = new TextEncoder();

/** A path with one character per byte, or what is wrong with it. */
export type CheckedPath = { readonly path: string } | { readonly fault: string };

/** Checks a path that a caller wrote. `mode` is that of the entry. */
export function checkPath(text: string, mode: number): CheckedPath {
  if (text === "") return { fault: "is empty" };
  if (!text.isWellFormed()) return { fault: "has half a character" };
  return checkBytePath(textOf(encoder.encode(text)), mode);
}

/** Checks a path that has one character per byte. */
export function checkBytePath(path: string, mode: number): CheckedPath {
  if (path.startsWith("/")) return { fault: "is absolute: paths begin at the root of the tree, without a slash" };
  if (path.length > LONGEST_PATH) return { fault: `has more than ${LONGEST_PATH} bytes` };
  if (path.includes("\0")) return { fault: "has a NUL" };
  const names = path.split("/");
  for (const [at, name] of names.entries()) {
    const fault = nameFault(name, at === names.length - 1 ? mode : FILE_MODE.tree);
    if (fault !== undefined) return { fault };
  }
  return { path };
}

function nameFault(name: string, mode: number): string | undefined {
  if (name === "") return "has an empty part: no slash may stand at its end, or beside another";
  const { finding } = fsckTreeEntry(bytesOf(name), mode);
  return finding === undefined ? undefined : `git allows no such name in a tree: ${finding.text}`;
}
