/**
 * Remembers for a moment what repositories look like from outside, for one purpose: the version 2 capability advertisement.
 *
 * That answer holds no ref and no object, only the hash function, so that of everything a client asks it is the one that needs no
 * snapshot; remembering it saves a Durable Object call a fetch. It is safe for what is at most {@link TIME} old: access is still
 * decided, on what was known then, and every request that follows asks the Durable Object anew. A repository made private or
 * deleted meanwhile answers, for that long, with an advertisement that says no more than that it was there. Only what exists is
 * remembered, so a repository that has just been made is seen at once.
 *
 * An answer that comes sooner than another tells that something was remembered. So that this says nothing of a private repository
 * to who may not read it, the addresses are remembered that were let in. The operator may know all: to him also what was found for
 * somebody who was refused is told, such as git, which asks without credentials first.
 *
 * @packageDocumentation
 */
import type { Subject } from "../access/decide.ts";

/** What is remembered of a repository. */
export type KnownRepository = Subject & { readonly objectFormat: "sha1" | "sha256" };

/** The same, with the addresses that have been let in. */
type RememberedRepository = KnownRepository & { readonly clients: ReadonlySet<string> };

/** Milliseconds. */
const TIME = 60_000;
const MOST = 1000;
/** Addresses a repository; the one let in longest ago gives way. */
const MOST_CLIENTS = 20;

/** One a isolate. */
export class FormatCache {
  readonly #known = new Map<string, { readonly repository: RememberedRepository; readonly until: number }>();

  /** Returns what is remembered under a name; `undefined` if nothing is, or not any more. */
  get(key: string, now: number): RememberedRepository | undefined {
    const entry = this.#known.get(key);
    return entry === undefined || entry.until <= now ? undefined : entry.repository;
  }

  /** Remembers a repository to which `client` was let in; the one remembered longest gives way. */
  set(key: string, known: KnownRepository, { now, client }: { now: number; client: string }): void {
    const before = [...(this.get(key, now)?.clients ?? [])].filter((other) => other !== client);
    const clients = new Set([...before.slice(1 - MOST_CLIENTS), client]);
    this.#remember(key, { ...known, clients }, now);
  }

  /** Remembers a repository that was found for who may not be let in, where nothing is remembered of it. */
  note(key: string, known: KnownRepository, now: number): void {
    if (this.get(key, now) === undefined) this.#remember(key, { ...known, clients: new Set() }, now);
  }

  #remember(key: string, { visibility, readOnly, objectFormat, clients }: RememberedRepository, now: number): void {
    this.#known.delete(key);
    if (this.#known.size >= MOST) {
      const [oldest] = this.#known.keys();
      if (oldest !== undefined) this.#known.delete(oldest);
    }
    this.#known.set(key, { repository: { visibility, readOnly, objectFormat, clients }, until: now + TIME });
  }

  /** Forgets all of a tenant's. */
  forgetTenant(tenant: string): void {
    for (const key of this.#known.keys()) {
      if (key.startsWith(`${tenant}/`)) this.#known.delete(key);
    }
  }

  /** Forgets a name, whose settings have changed. */
  forget(key: string): void {
    this.#known.delete(key);
  }
}
