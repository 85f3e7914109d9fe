/**
 * Remembers, for all requests of an isolate, what a repository's object has told of its packs. A pack's record does not
 * change but for its mark, and is named by a name that is never used again. So the object need not tell it again, and an
 * answer stays small however many packs there are.
 *
 * The large parts of records lie in the isolate's cache, under keys that begin with the repository's id. What is no longer
 * there is not known any more.
 *
 * @packageDocumentation
 */
import type { PackRecord } from "../catalog/pack-record.ts";
import type { Visibility } from "../refs/ref-store.ts";
import type { BlockCache } from "../store/block-cache.ts";

/** Repositories that are remembered, and packs of each. */
const MOST_REPOSITORIES = 200;
const MOST_PACKS = 500;

/** The parts of a record that lie in the cache. */
const PARTS = ["indexHead", "kinds", "tail"] as const;
type Part = (typeof PARTS)[number];
type Small = Omit<PackRecord, Part> & { readonly parts: readonly Part[] };

/** A repository's packs by name, and whether everybody could read it when they were told. */
type Remembered = { readonly id: string; readonly isPublic: boolean; readonly packs: ReadonlyMap<string, Small> };

/** The packs that are known of the repository with a name; `records` keeps their bytes from being evicted. */
export type KnownPacks = { readonly names: readonly string[]; readonly records: readonly PackRecord[] };

/** What the object tells of a catalog: see `OpenPage`. */
export type ToldPacks = {
  readonly record: { readonly id: string; readonly visibility: Visibility };
  readonly packs: readonly PackRecord[];
  readonly known: Uint8Array;
};

function keyOf(id: string, pack: string, part: Part): string {
  return `${id}/${pack}.${part}`;
}

/** The memory of one isolate. */
export class PackMemory {
  readonly #cache: Pick<BlockCache, "get" | "set">;
  /** By the repository's key, the youngest last. */
  readonly #repositories = new Map<string, Remembered>();

  constructor(cache: Pick<BlockCache, "get" | "set">) {
    this.#cache = cache;
  }

  /**
   * Returns what is known of the repository with this key, `{tenant}/{repo}`. With `publicOnly`, that is nothing of a private one: the
   * question of somebody who may not read it is the same as that for a name that nobody has.
   */
  of(key: string, publicOnly = false): KnownPacks {
    const found = this.#repositories.get(key);
    if (found === undefined || (publicOnly && !found.isPublic)) return { names: [], records: [] };
    const records: PackRecord[] = [];
    for (const pack of found.packs.values()) {
      const whole = this.#whole(found.id, pack);
      if (whole !== undefined) records.push(whole);
    }
    return { names: records.map(({ name }) => name), records };
  }

  #whole(id: string, { parts, ...pack }: Small): PackRecord | undefined {
    const bytes: { indexHead?: Uint8Array; kinds?: Uint8Array; tail?: Uint8Array } = {};
    for (const part of parts) {
      const found = this.#cache.get(keyOf(id, pack.name, part));
      if (found === undefined) return undefined;
      bytes[part] = found;
    }
    return bytes.indexHead === undefined ? undefined : { ...pack, ...bytes, indexHead: bytes.indexHead };
  }

  /** Returns the whole catalog of an answer to a caller that knew packs, and remembers it. */
  take(key: string, { record, packs, known }: ToldPacks, knew: KnownPacks): readonly PackRecord[] {
    const kept = knew.records.flatMap((pack, i) => {
      const flag = known[i] ?? 0; // The object told nothing of a pack that it has not been asked about.
      return flag === 0 ? [] : [{ ...pack, marked: flag === MARKED }];
    });
    const all = inOrder([...kept, ...packs]);
    this.#remember(key, record, all, new Set(kept.map(({ name }) => name)));
    return all;
  }

  /** Remembers a pack that was just committed, so that it is not told once more. */
  add(key: string, id: string, pack: PackRecord): void {
    const found = this.#repositories.get(key);
    if (found === undefined || found.id !== id) return;
    this.#keep(id, pack);
    this.#set(key, { ...found, packs: new Map([...found.packs, [pack.name, smallOf(pack)]]) });
  }

  /** Forgets what is known of a repository: others may read it now, or it has another name, or it is gone. */
  forget(key: string): void {
    this.#repositories.delete(key);
  }

  #remember(
    key: string,
    { id, visibility }: ToldPacks["record"],
    all: readonly PackRecord[],
    kept: ReadonlySet<string>,
  ): void {
    // A borrowed pack changes by its loan, and one with bitmaps by these: the object always tells of them.
    const plain = all.filter(({ loan, bitmap }) => loan === undefined && bitmap === undefined).slice(-MOST_PACKS);
    for (const pack of plain) if (!kept.has(pack.name)) this.#keep(id, pack);
    const isPublic = visibility === "public";
    this.#set(key, { id, isPublic, packs: new Map(plain.map((pack) => [pack.name, smallOf(pack)])) });
  }

  #keep(id: string, pack: PackRecord): void {
    for (const part of PARTS) {
      const bytes = pack[part];
      if (bytes !== undefined) this.#cache.set(keyOf(id, pack.name, part), ownedBytes(bytes));
    }
  }

  #set(key: string, remembered: Remembered): void {
    this.#repositories.delete(key);
    this.#repositories.set(key, remembered);
    for (const oldest of this.#repositories.keys()) {
      if (this.#repositories.size <= MOST_REPOSITORIES) return;
      this.#repositories.delete(oldest);
    }
  }
}

/** The flag of a known pack that has the mark: see `KNOWN_PACK` in `durable/repository/tables/packs.ts`. */
const MARKED = 2;

/** Returns packs oldest first, those of the tail last. */
function inOrder(packs: readonly PackRecord[]): PackRecord[] {
  const isLast = ({ tail }: PackRecord): number => Number(tail !== undefined);
  return packs.toSorted((a, b) => isLast(a) - isLast(b) || a.createdAt - b.createdAt);
}

function smallOf(record: PackRecord): Small {
  const { indexHead: _, kinds, tail, ...pack } = record;
  const parts: Part[] = ["indexHead"];
  if (kinds !== undefined) parts.push("kinds");
  if (tail !== undefined) parts.push("tail");
  return { ...pack, parts };
}

/** Returns bytes in memory of their own: the cache counts, and keeps, all of it. */
function ownedBytes(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const { buffer } = bytes;
  const isOwn = buffer instanceof ArrayBuffer && buffer.byteLength === bytes.length;
  return isOwn ? new Uint8Array(buffer) : bytes.slice();
}
