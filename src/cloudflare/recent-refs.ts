/**
 * Remembers the refs that an isolate has listed, so that a poll costs one question: is this still the version? A snapshot's
 * version rises with every change of refs and settings, and the Durable Object, which compares it, is asked each time. It
 * also says, each time, whether the caller may read. So what is remembered decides nothing.
 *
 * The rows of a large list lie in the isolate's cache of files, which evicts them for others: 100,000 refs take 5 MB. A list of which they are gone is read again.
 * Anybody who may read a large repository can ask for its refs by ever other prefixes, and have a list made for each. So all that lie there have a bound
 * together, and a new one first takes the place of others of its own repository.
 *
 * @packageDocumentation
 */
import { concat } from "../bytes/chunk.ts";
import type { OpenPage } from "../durable/repository/open-page.ts";
import type { KnownSnapshot, OpenAnswer, OpenRequest, OpenSnapshot, Unchanged } from "../refs/ref-store.ts";
import type { BlockCache } from "../store/block-cache.ts";

/**
 * How long refs are remembered, in milliseconds. If a database is put back to an earlier moment, as the platform can, its
 * versions are given out once more.
 */
const TIME = 5 * 60_000;
/** Bytes of all that is remembered here, of one list in it, and of all lists together whose rows lie in the cache. */
const MOST_BYTES = 4 * 1024 * 1024;
const MOST_LIST_BYTES = 1024 * 1024;
const MOST_CACHED_BYTES = 8 * 1024 * 1024;
/** Characters of a key. A client may send very many prefixes. */
const MOST_KEY = 4096;
/** Bytes that an entry takes beside its key and refs, about: the settings, with their rules. */
const ENTRY_BYTES = 4096;

/** The questions to a repository, for one request. */
export type AskRefs = {
  /** Returns the first page of the answer, unless the caller may read the repository and it is still as it is known. */
  unlessSame(known: KnownSnapshot): Promise<OpenPage | Unchanged>;
  /** Returns the whole answer. `first` is its first page, if that is here already. */
  whole(first?: OpenPage): Promise<OpenAnswer>;
};

/** The key and the bytes of rows that lie in the cache. */
type CachedRows = { readonly key: string; readonly bytes: number };

/** `cached`: the rows, if they lie in the cache, and not in the snapshot. */
type Entry = {
  readonly name: string;
  readonly snapshot: OpenSnapshot;
  readonly bytes: number;
  readonly until: number;
  readonly cached?: CachedRows;
};

/**
 * Returns the key of a list of refs; `undefined` if the request asks for more than that. Requests for different
 * repositories, or prefixes, or with different rights, never have the same key.
 *
 * @param name - The name of the repository: `{tenant}/{repo}`.
 */
export function listKey(name: string, request: OpenRequest): string | undefined {
  const { refPrefixes, publicOnly = false, pushSeed, ...more } = request;
  const asksMore = pushSeed === true || Object.values(more).some((value) => value !== undefined && value !== false);
  if (refPrefixes === undefined || asksMore) return undefined;
  const key = JSON.stringify([name, publicOnly, refPrefixes]);
  return key.length > MOST_KEY ? undefined : key;
}

/** The lists of one isolate. */
export class RecentRefs {
  readonly #now: () => number;
  readonly #cache: Pick<BlockCache, "get" | "set" | "forget">;
  /** The entries, the one set longest ago first. */
  readonly #entries = new Map<string, Entry>();
  #bytes = 0;
  /** Bytes of all rows that were put into the cache and not taken out of it here. It may have evicted some. */
  #cachedBytes = 0;

  /** `now` returns milliseconds since the epoch. */
  constructor(now: () => number, cache: Pick<BlockCache, "get" | "set" | "forget">) {
    this.#now = now;
    this.#cache = cache;
  }

  /** Answers a request for the repository of this name as `ask` would, with less to ask for. */
  async open(name: string, request: OpenRequest, ask: AskRefs): Promise<OpenAnswer> {
    const key = listKey(name, request);
    const kept = key === undefined ? undefined : this.#get(key);
    const known = kept && { id: kept.record.id, version: kept.version };
    const first = known && (await ask.unlessSame(known));
    if (kept !== undefined && first?.kind === "unchanged") return kept;
    const answer = await ask.whole(first?.kind === "unchanged" ? undefined : first);
    if (key !== undefined) this.#keep(name, key, answer);
    return answer;
  }

  /** The bytes that are remembered. */
  get bytes(): number {
    return this.#bytes;
  }

  #get(key: string): OpenSnapshot | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined || entry.until <= this.#now()) return undefined;
    if (entry.cached === undefined) return entry.snapshot;
    const refs = this.#cache.get(entry.cached.key);
    return refs === undefined ? undefined : { ...entry.snapshot, refs: [refs] };
  }

  /** Keeps a list that is not too large. What is told of a mirror changes without a new version. */
  #keep(name: string, key: string, answer: OpenAnswer): void {
    this.#forget(key);
    if (answer.kind === "missing" || answer.record.mirror !== undefined) return;
    const listed = answer.refs.reduce((sum, { length }) => sum + length, 0);
    if (listed > MOST_CACHED_BYTES) return;
    const isLarge = listed > MOST_LIST_BYTES;
    const bytes = (isLarge ? 0 : listed) + key.length + ENTRY_BYTES;
    const until = this.#now() + TIME;
    if (isLarge) {
      const { record, version } = answer;
      const cached = { key: `${record.id}/refs/${version} ${key}`, bytes: listed };
      this.#makeRoom(name, listed);
      this.#cachedBytes += listed;
      this.#cache.set(cached.key, concat(answer.refs));
      this.#entries.set(key, { name, snapshot: { ...answer, refs: [] }, bytes, until, cached });
    } else {
      this.#entries.set(key, { name, snapshot: answer, bytes, until });
    }
    this.#bytes += bytes;
    for (const oldest of this.#entries.keys()) {
      if (this.#bytes <= MOST_BYTES) return;
      this.#forget(oldest);
    }
  }

  /** Has long lists give way to one more of a repository: first those of the same, and of these the oldest first. */
  #makeRoom(name: string, bytes: number): void {
    const large = [...this.#entries].filter(([, { cached }]) => cached !== undefined);
    const own = large.filter((each) => each[1].name === name);
    const others = large.filter((each) => each[1].name !== name);
    for (const [key] of [...own, ...others]) {
      if (this.#cachedBytes + bytes <= MOST_CACHED_BYTES) return;
      this.#forget(key);
    }
  }

  #forget(key: string): void {
    const { bytes = 0, cached } = this.#entries.get(key) ?? {}; // What is not there takes nothing.
    this.#bytes -= bytes;
    if (cached !== undefined) {
      this.#cachedBytes -= cached.bytes;
      this.#cache.forget(cached.key);
    }
    this.#entries.delete(key);
  }
}
