/**
 * Remembers for a short time what repositories look like from outside, for one purpose: the version 2 capability
 * advertisement.
 *
 * That answer contains no ref and no object, only the hash function. So it is the one answer to a client that needs no
 * snapshot, and remembering it saves a Durable Object call per fetch. It is safe with data at most {@link TIME} old.
 * Access is still decided, on what was known then, and every later request asks the Durable Object anew. A repository
 * that was made private or deleted meanwhile answers, for that long, with an advertisement that tells only that it
 * existed. Only existing repositories are remembered, so a new one is seen at once.
 *
 * A faster answer shows that something was remembered. So that this tells nothing about a private repository to a
 * caller that may not read it, the addresses that were let in are remembered as well. The operator may know everything.
 * So the operator's requests also use what was found for a refused caller, such as git, which asks without credentials
 * first.
 *
 * @packageDocumentation
 */
import type { Subject } from "../access/decide.ts";
import { ExpiringMap } from "../bytes/expiring-map.ts";

/** The remembered facts of a repository. */
export type KnownRepository = Subject & {
  readonly objectFormat: "sha1" | "sha256";
  /** See `RepositoryRecord`. */
  readonly offloadFrom?: number;
};

/** The same, with the addresses that were let in. */
type RememberedRepository = KnownRepository & { readonly clients: ReadonlySet<string> };

/** How long an entry is used, in milliseconds. */
const TIME = 60_000;
const MOST = 1000;
/** Addresses per repository; the one let in longest ago is dropped. */
const MOST_CLIENTS = 20;

/** The cache of one isolate. */
export class FormatCache {
  readonly #known = new ExpiringMap<RememberedRepository>({ time: TIME, most: MOST });

  /** Returns the entry under a name; `undefined` if there is none, or it is too old. */
  get(key: string, now: number): RememberedRepository | undefined {
    return this.#known.get(key, now);
  }

  /** Remembers a repository to which `client` was let in. The oldest entry is dropped. */
  set(key: string, known: KnownRepository, { now, client }: { now: number; client: string }): void {
    const before = [...(this.get(key, now)?.clients ?? [])].filter((other) => other !== client);
    const clients = new Set([...before.slice(1 - MOST_CLIENTS), client]);
    this.#remember(key, { ...known, clients }, now);
  }

  /** Remembers a repository that was found for a caller who may not be let in, unless there is an entry. */
  note(key: string, known: KnownRepository, now: number): void {
    if (this.get(key, now) === undefined) this.#remember(key, { ...known, clients: new Set() }, now);
  }

  #remember(key: string, { clients, ...known }: RememberedRepository, now: number): void {
    const { visibility, readOnly, id, objectFormat, offloadFrom } = known;
    const offload = offloadFrom === undefined ? {} : { offloadFrom };
    const one = id === undefined ? {} : { id };
    this.#known.set(key, { visibility, readOnly, objectFormat, ...one, ...offload, clients }, now);
  }

  /** Forgets all repositories of a tenant. */
  forgetTenant(tenant: string): void {
    this.#known.deletePrefix(`${tenant}/`);
  }

  /** Forgets a name whose settings have changed. */
  forget(key: string): void {
    this.#known.delete(key);
  }
}
