/**
 * What an isolate remembers, under which keys, and for whom.
 *
 * @packageDocumentation
 */

import type { Person, World } from "./world.ts";

/** Where `test/worker/cache-keys-entry.ts` tells what was used since it was asked last. */
export const CACHE_USES_PATH = "/marks/cache-uses";
/** The header that names a request to it. */
export const ASKER_HEADER = "X-Asker";

/** That something was kept or found under a key. */
export type CacheUse = {
  /**
   * `files` and `blocks` are the isolate's, of the bucket's files; `pages` the location's; `hints` facts about names. `bucket` and `kv` are no
   * caches: what is read of them.
   */
  readonly cache: string;
  readonly key: string;
  /** Whether it was found there; else it was kept. */
  readonly found: boolean;
  /** The request. */
  readonly asker: string;
  /** The hash of the content, where one key is to stand for one content. */
  readonly digest?: string;
};

/** What the model says of a request. */
export type Asker = {
  /** `{tenant}/{repo}`. */
  readonly path: string;
  /** Repositories that share files: a fork and its parent, and one that was renamed. `undefined` where nothing may be read. */
  readonly lineage: number | undefined;
  /** Whether it is private, and the request's token was not let in to it just now. */
  readonly isSecret: boolean;
};

/**
 * Caches of what is in repositories: whoever may not read one has no business there. Lists of refs are none of them: they are confirmed
 * by the repository's object for each request, and may be asked for while the token is looked up.
 */
const OF_CONTENT = new Set(["files", "blocks", "begun", "pages", "bucket", "kv"]);
/** What says that a name is a mirror, and of whom, has to be read to be known. */
const POINTER = /^mirrors\//;
/** Objects of Git LFS are a tenant's: its repositories share them. */
const SHARED = /^lfs\//;

/**
 * What is known of packs goes along with a question to the repository's object, which alone says whether they are told: that of a
 * repository which is public, even for somebody whose token is none, or which was public and has gone, or that of somebody whose token was
 * let in just now: whether it still is, is found out meanwhile. Whether the name has another repository by now is found out then, too.
 */
const ASKED_AHEAD = /\.(?:indexHead|kinds|tail)$/;

/** Names a request about a path to the caches, before it is sent. Returns the name. */
export function namedAsker(world: World, caches: CacheKeys, person: Person, path: string): string {
  const right = world.right(person, path);
  // What is asked by an earlier name may be answered by the repository itself.
  const forwarded = right === "none" ? world.forwardOf(person, path) : undefined;
  const read = forwarded === undefined ? path : (world.namesSince(forwarded).at(-1) ?? forwarded); // It is one of them.
  const repository = world.repositories.get(read);
  const lineage = world.right(person, read) === "none" ? undefined : repository?.lineage;
  const isSecret = repository?.visibility === "private" && !world.wasLetIn(person, read);
  for (const each of [path, read]) world.noteAsked(person, each);
  return caches.name({ path: read, lineage, isSecret });
}

/** The keys of a host's caches, and what they stood for. */
export class CacheKeys {
  readonly #contents = new Map<string, string>();
  readonly #lineages = new Map<string, number>();
  /** Requests by their names, until their uses are told. */
  readonly #askers = new Map<string, Asker>();
  #count = 0;
  /** How often something was found. */
  found = 0;
  readonly keys = new Set<string>();

  /** Names a request. */
  name(asker: Asker): string {
    const name = String(++this.#count);
    this.#askers.set(name, asker);
    return name;
  }

  /** Looks at what was used. Returns what is wrong with it. */
  async read(base: string): Promise<string[]> {
    const uses = await (await fetch(base + CACHE_USES_PATH)).json<CacheUse[]>();
    return uses.flatMap((use) => this.#faultsOf(use));
  }

  #faultsOf({ cache, key, found, asker: name, digest }: CacheUse): string[] {
    const faults: string[] = [];
    const whole = `${cache} ${key}`;
    this.keys.add(whole);
    if (found) this.found++;
    if (digest !== undefined) {
      const before = this.#contents.get(whole) ?? digest;
      if (before !== digest) faults.push(`${whole} stands for two contents`);
      this.#contents.set(whole, digest);
    }
    const asker = this.#askers.get(name);
    if (asker === undefined || !OF_CONTENT.has(cache)) return faults;
    const { path, lineage, isSecret } = asker;
    if (cache === "bucket" && POINTER.test(key)) return faults;
    if (ASKED_AHEAD.test(key) && (lineage !== undefined || !isSecret)) return faults;
    if (lineage === undefined) return [...faults, `${whole} was used for somebody who may not read ${path}`];
    if (SHARED.test(key)) return faults;
    const before = this.#lineages.get(whole) ?? lineage;
    if (before !== lineage) faults.push(`${whole} was used for two repositories`);
    this.#lineages.set(whole, lineage);
    return faults;
  }
}
