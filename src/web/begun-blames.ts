/**
 * The commits of a file's lines, as far as views of its blame have found them. A page has about two seconds for the search.
 * So that it comes to its end where that is not enough, and is made once and not in each view, an isolate remembers what
 * was found, and where the search goes on.
 *
 * What is remembered follows from a commit, a path and the choices of the page alone. It is asked for with the
 * repository's id, by whoever has been shown that commit: so it decides nothing.
 *
 * @packageDocumentation
 */
import type { PendingLines } from "../browse/blame.ts";
import { Remembered } from "./remembered.ts";

/** What is shown of the commit that a line comes from. Its texts are copies. */
export type LineCommit = {
  readonly oid: string;
  readonly subject: string;
  readonly author: string;
  /** The day as it is shown; empty if it is not known. */
  readonly day: string;
};

/** How far a blame has come. */
export type BegunBlame = {
  readonly commits: readonly LineCommit[];
  /** For each line of the file, 1 + the number of its commit; 0 if it was not found. */
  readonly lines: Uint32Array;
  readonly pending: readonly PendingLines[];
};

/** Bytes of all that is remembered. */
const MOST_BYTES = 2 * 1024 * 1024;
/** About the bytes that a file takes, a commit beside its texts, a place where the search goes on, and lines there. */
const FILE_BYTES = 1024;
const COMMIT_BYTES = 300;
const PLACE_BYTES = 400;
const LINES_BYTES = 100;

/** The blames that an isolate remembers. */
export class BegunBlames {
  readonly #begun: Remembered<BegunBlame>;

  /** `most` is how many bytes are remembered. */
  constructor(most = MOST_BYTES) {
    this.#begun = new Remembered(most);
  }

  /** The bytes that are remembered. */
  get bytes(): number {
    return this.#begun.bytes;
  }

  /** Returns how far a blame has come; `undefined` if none has begun. */
  read(key: string): BegunBlame | undefined {
    return this.#begun.read(key);
  }

  /** Remembers a blame, unless another view of the file has come further meanwhile. */
  keep(key: string, begun: BegunBlame): void {
    const other = this.#begun.read(key);
    if (other === undefined || foundIn(other) <= foundIn(begun)) this.#begun.keep(key, begun, bytesOf(begun));
  }
}

function foundIn({ lines }: BegunBlame): number {
  return lines.reduce((sum, number) => sum + (number === 0 ? 0 : 1), 0);
}

function bytesOf({ commits, lines, pending }: BegunBlame): number {
  let bytes = FILE_BYTES + lines.byteLength;
  for (const { oid, subject, author, day } of commits)
    bytes += COMMIT_BYTES + oid.length + 2 * (subject.length + author.length + day.length);
  for (const { path, lines: parts } of pending) bytes += PLACE_BYTES + 2 * path.length + LINES_BYTES * parts.length;
  return bytes;
}
