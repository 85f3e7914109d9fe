/**
 * The limits of an archive. They grow with what is stored, because a few objects can stand for endless files: a dozen
 * trees, each of which holds the next ten times, or one blob of zeros under a million names.
 *
 * @packageDocumentation
 */
import { u8At } from "../bytes/assert.ts";
import { Budget } from "../bytes/budget.ts";
import type { BrowseSession } from "./browse-session.ts";

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;
/**
 * The most files and directories of an archive, including those that are left out. A path longer than
 * {@link PATH_BYTES} counts once for each such length.
 */
const MOST_ENTRIES = 500_000;
const PATH_BYTES = 256;
/** The entries that every repository may have, and how many more for each object in its packs. */
const FREE_ENTRIES = 10_000;
const ENTRIES_OF_OBJECT = 8;
/** The most bytes of all contents of an archive together, and those of contents that were in it before. */
const MOST_CONTENT_BYTES = 16 * GIB;
const FREE_CONTENT_BYTES = GIB;
const FREE_REPEATED_BYTES = 64 * MIB;
/** How many bytes more each may have for each byte of the packs. */
const CONTENT_OF_BYTE = 64;
const REPEATED_OF_BYTE = 16;
/** Bits of the table of contents that were met. Two that share a bit count as one that was repeated. */
const SEEN_BITS = 20;

/** The budgets of one archive. */
export class ArchiveLimits {
  readonly #entries: Budget;
  readonly #contents: Budget;
  readonly #files: Budget;
  readonly #repeated: Budget;
  readonly #seen = new Uint8Array(2 ** (SEEN_BITS - 3));

  /** `mostEntries` is the caller's own bound, if it has one. */
  constructor({ answer }: Pick<BrowseSession, "answer">, mostEntries = MOST_ENTRIES) {
    let [objects, bytes] = [0, 0];
    for (const pack of answer.packs) [objects, bytes] = [objects + pack.objects, bytes + pack.packBytes];
    const entries = Math.min(mostEntries, MOST_ENTRIES, FREE_ENTRIES + ENTRIES_OF_OBJECT * objects);
    this.#entries = new Budget({
      limit: "archive-entries",
      max: entries,
      message: `an archive of more than ${entries} files and directories is not made of this repository`,
    });
    this.#contents = contentBudget(FREE_CONTENT_BYTES + CONTENT_OF_BYTE * bytes, "files");
    this.#files = contentBudget(MOST_CONTENT_BYTES, "Git LFS files");
    this.#repeated = contentBudget(FREE_REPEATED_BYTES + REPEATED_OF_BYTE * bytes, "files that are in it twice");
  }

  /** Counts an entry. @throws LimitExceeded */
  addEntry(path: string): void {
    this.#entries.spend(1 + Math.floor(path.length / PATH_BYTES));
  }

  /**
   * Counts a file behind a pointer. The packs say nothing of how large it may be, and each costs a read of its own, which
   * bounds how often it may come.
   *
   * @throws LimitExceeded
   */
  addBehind(size: number): void {
    this.#files.spend(size);
  }

  /** Counts the content of a file, by its blob's raw name. @throws LimitExceeded */
  addContent(oid: Uint8Array, size: number): void {
    this.#contents.spend(size);
    const bit = ((u8At(oid, 0) << 16) | (u8At(oid, 1) << 8) | u8At(oid, 2)) >>> (24 - SEEN_BITS);
    const byte = u8At(this.#seen, bit >>> 3);
    const mask = 1 << (bit & 7);
    if ((byte & mask) !== 0) this.#repeated.spend(size);
    this.#seen[bit >>> 3] = byte | mask;
  }
}

function contentBudget(bytes: number, what: string): Budget {
  const max = Math.min(bytes, MOST_CONTENT_BYTES);
  const message = `an archive of more than ${max} bytes of ${what} is not made of this repository`;
  return new Budget({ limit: "archive-bytes", max, message });
}
