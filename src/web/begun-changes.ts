/**
 * The last changes of a directory's entries, as far as views of its page have found them. A page has a tenth of a second
 * for the search. So that a long history is gone through once and not in each view, an isolate remembers what was found,
 * and where the search goes on.
 *
 * What is remembered follows from a commit and a path alone. It is asked for with the repository's id, by whoever has
 * been shown that commit: so it decides nothing.
 *
 * @packageDocumentation
 */
import type { WeekOfCommits } from "../browse/activity.ts";
import type { PendingEntries } from "../browse/last-changes.ts";
import type { Identity } from "../object/identity.ts";
import { Remembered } from "./remembered.ts";

/** What is shown of a commit that changed an entry last. Its texts are copies: a part of a text would keep all of it in memory. */
export type LastCommit = {
  readonly oid: string;
  readonly subject: string;
  readonly committed: Pick<Identity, "time" | "zone"> | undefined;
};

/**
 * The commits that changed entries last, by the numbers of the entries, and what is still looked for. What is shown of the
 * commits is remembered, too: they are spread over all of a history, and to read them takes longer than to find them.
 */
export type Begun = { readonly found: ReadonlyMap<number, LastCommit>; readonly pending: readonly PendingEntries[] };

/** Bytes of all that is remembered. */
const MOST_BYTES = 2 * 1024 * 1024;
/** Bytes of all weeks that are remembered beside it. */
const MOST_WEEKS_BYTES = 256 * 1024;
/** About the bytes that a directory takes beside its entries and its key, and those of an entry. */
const DIRECTORY_BYTES = 1024;
const ENTRY_BYTES = 400;

/** Returns the name under which the weeks before a commit are remembered. */
export function weeksKey(repository: string, commit: string): string {
  return `${repository} ${commit}`;
}

/** The searches that an isolate remembers. */
export class BegunChanges {
  readonly #begun: Remembered<Begun>;

  /** The commits of the last weeks before a commit, under the names of {@link weeksKey}: what the front page plots. */
  readonly weeks = new Remembered<readonly WeekOfCommits[]>(MOST_WEEKS_BYTES);

  /** `most` is how many bytes of searches are remembered. */
  constructor(most = MOST_BYTES) {
    this.#begun = new Remembered(most);
  }

  /** The bytes that are remembered. */
  get bytes(): number {
    return this.#begun.bytes;
  }

  /** Returns what was found of a directory; `undefined` if nothing was. */
  read(key: string): Begun | undefined {
    return this.#begun.read(key);
  }

  /** Remembers a search, unless another view of the directory has come further meanwhile. */
  keep(key: string, { found, pending }: Begun): void {
    const other = this.#begun.read(key);
    if (other !== undefined && other.found.size > found.size) return;
    const looked = pending.reduce((count, { entries }) => count + entries.length + 1, 0);
    let bytes = DIRECTORY_BYTES + ENTRY_BYTES * (found.size + looked);
    for (const { subject, committed } of found.values()) {
      bytes += 2 * subject.length + (committed === undefined ? 0 : 2 * committed.zone.length);
    }
    this.#begun.keep(key, { found, pending }, bytes);
  }
}
