/**
 * Writes commits and annotated tags.
 *
 * @packageDocumentation
 * @see git-commit-tree(1), git-mktag(1), git-interpret-trailers(1)
 */
import { formatIdentity, type Identity } from "../../object/identity.ts";
import type { ObjectType } from "../../object/object-type.ts";

const encoder = new TextEncoder();

/** What git drops at both ends of names and addresses (`strbuf_addstr_without_crud`). */
const CRUD = /^[\x00-\x20.,:;<>"\\']+|[\x00-\x20.,:;<>"\\']+$/g; // eslint-disable-line no-control-regex -- as git does
/** What no name or address may have inside. */
const NOT_IN_NAMES = /[<>\n\0]/;

/** A commit that is to be made. Names of objects are hexadecimal. */
export type CommitFields = {
  readonly tree: string;
  readonly parents: readonly string[];
  readonly author: Identity;
  readonly committer: Identity;
  readonly message: string;
};

/** Writes a commit. */
export function encodeCommit({ tree, parents, author, committer, message }: CommitFields): Uint8Array {
  const head = [
    `tree ${tree}`,
    ...parents.map((parent) => `parent ${parent}`),
    `author ${formatIdentity(author)}`,
    `committer ${formatIdentity(committer)}`,
  ];
  return encoder.encode(`${head.join("\n")}\n\n${message}`);
}

/** Returns a name or an address as git writes it; `undefined` if nothing is left, or if it can't be one. */
export function cleanName(text: string): string | undefined {
  const clean = text.replaceAll(CRUD, "");
  return clean === "" || NOT_IN_NAMES.test(clean) ? undefined : clean;
}

/** Returns a message that ends its last line, as `git commit-tree -m` writes it. */
export function wholeLines(message: string): string {
  return message.endsWith("\n") ? message : `${message}\n`;
}

const TRAILER = /^[A-Za-z0-9-]+[ \t]*:/;
const FROM_GIT = /^(?:Signed-off-by: |\(cherry picked from commit )/;

/** Whether the last paragraph of a message consists of trailers. The first paragraph is the title. */
function endsInTrailers(message: string): boolean {
  const paragraphs = message.trimEnd().split(/\n[ \t]*\n/);
  const last = paragraphs.length > 1 ? (paragraphs.at(-1) ?? "") : ""; // A split text has a last part.
  const lines = last.split("\n").filter((line) => !/^[ \t]/.test(line));
  return last !== "" && lines.every((line) => TRAILER.test(line) || FROM_GIT.test(line));
}

/** A trailer: `key: value`. */
export type Trailer = { readonly key: string; readonly value: string };

/** Adds trailers to the end of a message, in a paragraph of their own, or to the one that is there. */
export function addTrailers(message: string, trailers: readonly Trailer[]): string {
  if (trailers.length === 0) return message;
  const gap = endsInTrailers(message) ? "" : "\n";
  const lines = trailers.map(({ key, value }) => `${key}: ${value}\n`).join("");
  return `${message.trimEnd()}\n${gap}${lines}`;
}

/** An annotated tag that is to be made. The name of its object is hexadecimal. */
export type TagFields = {
  readonly object: string;
  readonly type: ObjectType;
  /** The short name. */
  readonly name: string;
  readonly tagger: Identity;
  readonly message: string;
};

/** Writes an annotated tag. */
export function encodeTag({ object, type, name, tagger, message }: TagFields): Uint8Array {
  const head = [`object ${object}`, `type ${type}`, `tag ${name}`, `tagger ${formatIdentity(tagger)}`];
  return encoder.encode(`${head.join("\n")}\n\n${message}`);
}
