/**
 * A commit as it is written: its text has one character per byte, so that a commit that is made again keeps it, whatever
 * its encoding is.
 *
 * @packageDocumentation
 * @see git-commit-tree(1), gitformat-signature(5)
 */
import { concat } from "../../bytes/chunk.ts";
import { ObjectRejected } from "../../bytes/failure.ts";
import { bytesOf, textOf } from "../../object/byte-text.ts";
import { formatIdentity, type Identity } from "../../object/identity.ts";

/** A commit that was read. Names are hexadecimal. */
export type CommitRecord = {
  readonly oid: string;
  readonly tree: string;
  readonly parents: readonly string[];
  /** The value of the header. */
  readonly author: string;
  readonly encoding: string | undefined;
  readonly message: string;
};

/** A commit that is to be made again, or anew. */
export type NewRecord = Omit<CommitRecord, "oid" | "author"> & {
  readonly author: string | Identity;
  readonly committer: Identity;
};

/** Characters of a subject in the label of a conflict marker. */
const LABEL_SUBJECT = 200;
/** Hexadecimal digits of an abbreviated name. */
const SHORT = 7;

const encoder = new TextEncoder();

/** Reads a commit. @throws ObjectRejected */
export function readCommit(oid: string, bytes: Uint8Array): CommitRecord {
  const text = textOf(bytes);
  const end = text.indexOf("\n\n");
  const head = end < 0 ? text : text.slice(0, end);
  const lines = head.split("\n");
  const valuesOf = (name: string): string[] =>
    lines.filter((line) => line.startsWith(`${name} `)).map((line) => line.slice(name.length + 1));
  const [tree] = valuesOf("tree");
  if (tree === undefined) throw new ObjectRejected("bogus commit object");
  return {
    oid,
    tree,
    parents: valuesOf("parent"),
    author: valuesOf("author")[0] ?? "", // A broken commit may have none.
    encoding: valuesOf("encoding")[0],
    message: end < 0 ? "" : text.slice(end + 2),
  };
}

/** Writes a commit. */
export function writeCommit({ tree, parents, author, committer, encoding, message }: NewRecord): Uint8Array {
  const line = (name: string, value: string | Identity): Uint8Array[] => [
    encoder.encode(`${name} `),
    typeof value === "string" ? bytesOf(value) : encoder.encode(formatIdentity(value)),
    encoder.encode("\n"),
  ];
  return concat([
    ...line("tree", tree),
    ...parents.flatMap((parent) => line("parent", parent)),
    ...line("author", author),
    ...line("committer", committer),
    ...(encoding === undefined ? [] : line("encoding", encoding)),
    encoder.encode("\n"),
    bytesOf(message),
  ]);
}

/** Returns text that came from a request with one character per byte. */
export function byteText(text: string): string {
  return textOf(encoder.encode(text));
}

/** Returns the first paragraph of a message in one line. */
export function subjectOf({ message }: Pick<CommitRecord, "message">): string {
  const lines = message.replace(/^\s+/, "").split("\n");
  const end = lines.findIndex((line) => line.trim() === "");
  return lines
    .slice(0, end < 0 ? lines.length : end)
    .map((line) => line.trimEnd())
    .join(" ");
}

/** Returns what stands behind conflict markers for a commit: its short name and its subject. */
export function labelOf(commit: CommitRecord): string {
  return `${commit.oid.slice(0, SHORT)} (${subjectOf(commit).slice(0, LABEL_SUBJECT)})`;
}
