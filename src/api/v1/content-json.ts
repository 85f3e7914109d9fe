/**
 * Writes the content of a repository as JSON. Names and paths are bytes in git. One that is not UTF-8 is shown with
 * replacement characters, and in full in a member of the same name with `_base64`.
 *
 * @packageDocumentation
 */
import { toHex } from "../../bytes/hex.ts";
import type { CutCommit } from "../../browse/commit.ts";
import type { ChangedFile } from "../../browse/renames.ts";
import type { DirectoryEntry } from "../../browse/tree-at.ts";
import { bytesOf } from "../../object/byte-text.ts";
import { dateText, type Identity } from "../../object/identity.ts";
import { modeText } from "../../object/tree.ts";

const SIGNATURES = new Set(["gpgsig", "gpgsig-sha256"]);
const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const lenient = new TextDecoder("utf-8", { fatal: false, ignoreBOM: true });

/** Returns the member `key` for text that has one character per byte, and also `{key}_base64` if it is not UTF-8. */
export function namedBytes(
  key: "name" | "path" | "old_path" | "heading" | "text",
  text: string,
): Record<string, string> {
  const bytes = bytesOf(text);
  try {
    return { [key]: strict.decode(bytes) };
  } catch {
    return { [key]: lenient.decode(bytes), [`${key}_base64`]: btoa(text) };
  }
}

function personJson(person: Identity | undefined): object | null {
  if (person === undefined) return null;
  return { name: person.name, email: person.email, date: dateText(person), time: person.time };
}

/** A commit as it is shown. */
export type ShownCommit = {
  readonly oid: string;
  readonly tree: string;
  readonly parents: readonly string[];
  readonly author: object | null;
  readonly committer: object | null;
  readonly message: string;
  readonly signed: boolean;
  /** Whether something of it is too long to be shown whole. */
  readonly truncated?: true;
};

/** Shows a commit. */
export function commitJson(oid: Uint8Array, commit: CutCommit): ShownCommit {
  return {
    oid: toHex(oid),
    tree: commit.tree,
    parents: commit.parents,
    author: personJson(commit.author),
    committer: personJson(commit.committer),
    message: commit.message,
    signed: commit.headers.some(({ name }) => SIGNATURES.has(name)),
    ...(commit.isCut ? { truncated: true } : {}),
  };
}

/** Shows an entry of a directory; `size` is that of a blob. */
export function entryJson(entry: DirectoryEntry, size: number | undefined): object {
  return {
    ...namedBytes("name", entry.name),
    mode: modeText(entry.mode),
    type: entry.type,
    oid: toHex(entry.oid),
    ...(size === undefined ? {} : { size }),
  };
}

/** Shows a changed file. */
export function changeJson(change: ChangedFile): object {
  const { status, path, before, after } = change;
  return {
    status,
    ...namedBytes("path", path),
    ...(change.status === "R" && { ...namedBytes("old_path", change.from), similarity: change.similarity }),
    ...(before && { old_mode: modeText(before.mode), old_oid: toHex(before.oid) }),
    ...(after && { new_mode: modeText(after.mode), new_oid: toHex(after.oid) }),
  };
}
