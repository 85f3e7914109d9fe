/**
 * Commits.
 *
 * ```
 * tree <name>
 * parent <name>          any number, in order
 * author <identity>
 * committer <identity>
 * encoding …, gpgsig …, mergetag …, anything: continued on lines that begin with a space
 *
 * message
 * ```
 *
 * @packageDocumentation
 * @see git-commit-tree(1)
 */
import { ObjectRejected } from "../bytes/failure.ts";
import { lineEnd, readNameLine, splitHeaders, startsWithAt, textDecoder, type Header } from "./header-line.ts";
import { identityTime, parseIdentity, type Identity } from "./identity.ts";
import { parseObjectId, type ObjectFormat, type ObjectId } from "./object-id.ts";

const TREE = "tree ";
const PARENT = "parent ";
const AUTHOR = "author ";
const COMMITTER = "committer ";
const ENCODING = "encoding ";

/**
 * The links of a commit, for walks over millions of commits: one instance is read into again and again, and makes no
 * garbage. Its names are raw, because the tables in which they are looked up have raw names.
 */
export class CommitLinks {
  readonly format: ObjectFormat;
  /** Raw names: the tree's, then the parents' in order, and behind them what is left of earlier reads. */
  readonly #names: Uint8Array<ArrayBuffer>[] = [];
  /** The number of parents. */
  parentCount = 0;
  /** The commit time in seconds since the epoch; 0 if the commit doesn't have one. */
  time = 0;

  constructor(format: ObjectFormat) {
    this.format = format;
  }

  /** Returns the raw name of the tree (`link` 0) or of a parent (1 and up). The next read overwrites it. */
  nameOf(link: number): Uint8Array<ArrayBuffer> {
    return (this.#names[link] ??= new Uint8Array(this.format.rawSize));
  }

  /**
   * Reads the commit in `bytes[start, end)` as leniently as git: it reads every commit that git can walk.
   *
   * @throws ObjectRejected for a commit that git cannot walk: `bogus commit object`, `bad parents in commit`.
   */
  read(bytes: Uint8Array, start: number, end: number): void {
    const { hexSize } = this.format;
    let at = start + TREE.length;
    if (!startsWithAt(bytes, TREE, start, end) || !readNameLine(bytes, at, end, this.nameOf(0))) {
      throw new ObjectRejected("bogus commit object");
    }
    at += hexSize + 1;
    let parents = 0;
    // As in git, a line too short to have a name is not a parent but ends the list. It is fsck that complains.
    while (at + PARENT.length + hexSize < end && startsWithAt(bytes, PARENT, at, end)) {
      at += PARENT.length;
      parents++;
      if (!readNameLine(bytes, at, end, this.nameOf(parents))) throw new ObjectRejected("bad parents in commit");
      at += hexSize + 1;
    }
    this.parentCount = parents;
    this.time = committerTime(bytes, at, end);
  }
}

function committerTime(bytes: Uint8Array, at: number, end: number): number {
  if (!startsWithAt(bytes, AUTHOR, at, end)) return 0;
  const committer = lineEnd(bytes, at, end) + 1;
  if (!startsWithAt(bytes, COMMITTER, committer, end)) return 0;
  const stop = lineEnd(bytes, committer, end);
  return stop === end ? 0 : identityTime(bytes, committer, stop);
}

/** A parsed commit, to be shown. */
export type Commit = {
  readonly tree: ObjectId;
  readonly parents: readonly ObjectId[];
  /** `undefined` if the line is missing or has no address. */
  readonly author: Identity | undefined;
  readonly committer: Identity | undefined;
  /** Every header after `committer`, in order: `encoding`, `gpgsig`, `mergetag`, others. */
  readonly headers: readonly Header[];
  readonly message: string;
};

function nameOf(value: string, format: ObjectFormat): ObjectId {
  const name = parseObjectId(value.toLowerCase(), format);
  if (name === undefined) throw new ObjectRejected("bogus commit object");
  return name;
}

/** Returns the `parent` headers right after the tree. As in git, one that comes later is a header like any other. */
function parentsOf(headers: readonly Header[]): readonly Header[] {
  const end = headers.findIndex(({ name }, at) => at > 0 && name !== "parent");
  return headers.slice(1, end < 0 ? headers.length : end);
}

/**
 * Parses a whole commit. Its text is decoded by the commit's own `encoding`.
 *
 * @throws ObjectRejected if it has no tree, or if a tree or parent is not a name.
 */
export function parseCommit(bytes: Uint8Array, format: ObjectFormat): Commit {
  const utf8 = new TextDecoder();
  const plain = splitHeaders(bytes, (line) => utf8.decode(line));
  const encoding = plain.headers.find((header) => header.name === "encoding")?.value;
  const decoder = textDecoder(encoding);
  const { headers } = encoding === undefined ? plain : splitHeaders(bytes, (line) => decoder.decode(line));
  const valueOf = (name: string): string | undefined => headers.find((header) => header.name === name)?.value;
  const parents = parentsOf(headers);
  const known = ["tree", "author", "committer"];
  return {
    // A missing header is parsed as an empty one, as git shows it.
    tree: nameOf(valueOf("tree") ?? "", format),
    parents: parents.map((header) => nameOf(header.value, format)),
    // A missing header is parsed as an empty one.
    author: parseIdentity(valueOf("author") ?? ""),
    committer: parseIdentity(valueOf("committer") ?? ""), // As is a missing committer.
    headers: headers.slice(1 + parents.length).filter((header) => !known.includes(header.name)),
    message: decoder.decode(plain.body),
  };
}

/**
 * Reads who wrote a commit, and nothing else of it: walks over many commits ask for that alone. The name is decoded by
 * the commit's own `encoding`. Returns `undefined` if the line is missing or has no address.
 */
export function readAuthor(bytes: Uint8Array): Identity | undefined {
  let author: Uint8Array | undefined;
  let encoding: string | undefined;
  for (let at = 0, end = 0; at < bytes.length; at = end + 1) {
    end = lineEnd(bytes, at, bytes.length);
    if (end === at) break;
    if (author === undefined && startsWithAt(bytes, AUTHOR, at, end)) author = bytes.subarray(at + AUTHOR.length, end);
    else if (encoding === undefined && startsWithAt(bytes, ENCODING, at, end))
      encoding = new TextDecoder().decode(bytes.subarray(at + ENCODING.length, end));
  }
  return author === undefined ? undefined : parseIdentity(textDecoder(encoding).decode(author));
}
