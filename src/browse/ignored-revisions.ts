/**
 * Lists of commits that a blame passes over: those that only moved or reformatted what others wrote.
 *
 * @packageDocumentation
 * @see git-blame(1), `--ignore-revs-file`
 */
import { readBlob } from "./blob.ts";
import type { BrowseSession, Unanswered } from "./browse-session.ts";
import { findPath } from "./tree-at.ts";

/** The name that such a list has by convention. */
export const IGNORED_REVISIONS_FILE = ".git-blame-ignore-revs";
/** The largest list that is read, in bytes. */
const LARGEST_LIST = 256 * 1024;

/** The commits of a list, by their full names in hexadecimal. */
export type IgnoredRevisions = { readonly kind: "found"; readonly names: ReadonlySet<string> };

/**
 * Reads the list at a path of a tree (raw name). Each line is the full name of a commit, or empty; behind a `#` it is a
 * comment. Names of what is not here count for nothing, as in git.
 */
export async function readIgnoredRevisions(
  session: BrowseSession,
  tree: Uint8Array,
  path: string,
): Promise<IgnoredRevisions | Unanswered> {
  const entry = await findPath(session, tree, path);
  if (entry.kind !== "found") return entry;
  if (entry.type !== "blob") return { kind: "wrong", detail: "This is no file." };
  const { bytes, isWhole } = await readBlob(session, entry.oid, LARGEST_LIST);
  if (!isWhole) return { kind: "wrong", detail: `A list of revisions has at most ${LARGEST_LIST} bytes.` };
  const names = new Set<string>();
  const lines = new TextDecoder().decode(bytes).split("\n");
  for (const [at, line] of lines.entries()) {
    const [text = ""] = line.split("#");
    const name = text.trim().toLowerCase();
    if (name === "") continue;
    if (!/^[0-9a-f]+$/.test(name) || name.length !== session.format.hexSize)
      return { kind: "wrong", detail: `Line ${at + 1} is not the full name of an object.` };
    names.add(name);
  }
  return { kind: "found", names };
}
