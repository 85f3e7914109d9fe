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
import type { BrowseSession } from "../browse/browse-session.ts";
import { LastChanges, type PendingEntries } from "../browse/last-changes.ts";
import type { DirectoryEntry } from "../browse/tree-at.ts";
import { toHex } from "../bytes/hex.ts";

/** The commits (raw names) that changed entries last, by the numbers of the entries, and what is still looked for. */
type Begun = { readonly found: ReadonlyMap<number, Uint8Array>; readonly pending: readonly PendingEntries[] };

/** A directory of a commit (raw name). */
export type ChangedDirectory = {
  readonly commit: Uint8Array;
  /** One character per byte. */
  readonly path: string;
  /** Its entries, or the first of them, in git's order. */
  readonly entries: readonly DirectoryEntry[];
};

/** Bytes of all that is remembered. */
const MOST_BYTES = 1024 * 1024;
/** About the bytes that a directory takes beside its entries and its key, and those of an entry. */
const DIRECTORY_BYTES = 1024;
const ENTRY_BYTES = 160;

/** The searches that an isolate remembers. */
export class BegunChanges {
  readonly #most: number;
  /** What was used longest ago comes first. */
  readonly #begun = new Map<string, Begun & { readonly bytes: number }>();
  #bytes = 0;

  /** `most` is how many bytes are remembered. */
  constructor(most = MOST_BYTES) {
    this.#most = most;
  }

  /** The bytes that are remembered. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Goes on with the search, for as many steps at most. Returns the commits that were found so far, by the numbers of entries. */
  async find(
    session: BrowseSession,
    { commit, path, entries }: ChangedDirectory,
    steps: number,
  ): Promise<ReadonlyMap<number, Uint8Array>> {
    const key = `${session.answer.record.id} ${toHex(commit)} ${entries.length} ${path}`;
    const begun = this.#begun.get(key) ?? {
      found: new Map<number, Uint8Array>(),
      pending: [{ commit, entries: entries.map((_, at) => at) }],
    };
    const found = new Map(begun.found);
    let { pending } = begun;
    if (pending.length > 0) {
      const search = await LastChanges.resume(session, path, entries, pending);
      if (search === undefined) return found;
      for await (const change of search.run(steps)) found.set(change.entry, change.commit);
      pending = search.pending();
    }
    this.#keep(key, { found, pending });
    return found;
  }

  /** Remembers a search, unless another view of the directory has come further meanwhile. */
  #keep(key: string, { found, pending }: Begun): void {
    const other = this.#begun.get(key);
    if (other !== undefined && other.found.size > found.size) return;
    this.#forget(key);
    const looked = pending.reduce((count, { entries }) => count + entries.length + 1, 0);
    const bytes = DIRECTORY_BYTES + 2 * key.length + ENTRY_BYTES * (found.size + looked);
    this.#begun.set(key, { found, pending, bytes });
    this.#bytes += bytes;
    for (const oldest of this.#begun.keys()) {
      if (this.#bytes <= this.#most) return;
      this.#forget(oldest);
    }
  }

  #forget(key: string): void {
    this.#bytes -= this.#begun.get(key)?.bytes ?? 0; // What is not there takes nothing.
    this.#begun.delete(key);
  }
}
