/**
 * What is on a host, and who may see it: the model beside a game of random operations. It is written from what the documents promise, and
 * shares no code with the host.
 *
 * @packageDocumentation
 * @see docs/security.md
 */
import type { Answered } from "./asked.ts";
import type { Connected } from "./connections.ts";
import type { ObjectPool } from "./object-pool.ts";

/** Two tenants with the same names of repositories, and a name that no repository ever has. All are of one length. */
export const TENANTS = ["tnalfa", "tnbeta"] as const;
export const REPOS = ["rqaaax", "rqbbbx", "rqcccx"] as const;
export const NEVER = "rqnnnx";

/** Milliseconds for which a value that a ref had may still be wanted, and those around its end for which nothing is said. */
const RECENT_TIME = 60_000;
const UNSURE_TIME = 15_000;
/** Milliseconds for which a token that was let in is asked for while it is looked up, and some more. */
const LET_IN_TIME = 6 * 60_000;

export type Visibility = "private" | "public";
/** The ref of the notes that `git notes` takes where none are named. */
export const NOTES_REF = "refs/notes/commits";

/** What somebody may do with a repository; each includes those before it. */
export type Right = "none" | "read" | "write" | "administer";
const RIGHTS: readonly Right[] = ["none", "read", "write", "administer"];

/** Whether a right includes another. */
export function includes(right: Right, other: Right): boolean {
  return RIGHTS.indexOf(right) >= RIGHTS.indexOf(other);
}

/** A repository of the model. */
export type ModelRepository = {
  visibility: Visibility;
  readonly refs: Map<string, string>;
  head: string;
  /** Values that refs had, and when they ceased to have them. */
  recent: { readonly oid: string; readonly at: number }[];
  /** Objects that may be stored: all that were ever pushed, and those of the repository that this is a fork of. */
  readonly stored: Set<string>;
  /** Names of Git LFS objects. */
  readonly lfs: Set<string>;
  /** Names of those that it may have got of its upstream, because somebody asked for them. */
  readonly fetched: Set<string>;
  /** Words that it has besides those of its objects: of statuses. */
  readonly words: Set<string>;
  /** Whether what no ref reaches may be gone already. */
  isPurged: boolean;
  /** Whether it follows another repository, so that nobody writes to it. */
  readonly isMirror: boolean;
  /** `{tenant}/{repo}` of the repository that it follows. */
  readonly upstream?: string;
  /** Repositories with the same number share files: a fork and its parent. */
  readonly lineage: number;
  /** Moves of refs: the model's moment of each, and the values that it names. */
  readonly log: { readonly at: number; readonly oids: readonly string[] }[];
  /** From which moment on everybody may be told of them; `undefined` where that is not so now. */
  publicSince: number | undefined;
  /** `{tenant}/{repo}` of the repository that it is a fork of, when it was made. */
  readonly parent?: string;
};

/** Somebody who asks. */
export type Person = {
  readonly name: string;
  token?: string;
  /** The cookie of a browser that has signed in with the token. */
  cookie?: string;
  /** Sends requests through a binding of another Worker, which says who asks. */
  readonly fetch?: (url: string, init: RequestInit) => Promise<Response>;
  /** Which of the model's moments the token is from: it is told no events of earlier ones, but what anybody is told. */
  readonly since?: number;
  /** Asks on a connection, of those who come by SSH or git:// and send no requests. */
  readonly connect?: (asked: Connected) => Promise<Answered>;
  readonly by?: "ssh" | "git";
  readonly publicKey?: string;
  /** Whether the key is for one repository, and which that was when it came to know it. */
  readonly isDeploying?: true;
  deploysTo?: string;
  /** Whose credentials stand behind a ticket. */
  readonly holder?: Person;
  /** Whoever has a token that is not in force is refused everywhere; whoever has a key that is not known may do what anybody may. */
  readonly kind: "anonymous" | "invalid" | "token" | "key" | "operator";
  readonly tenant?: string;
  readonly id?: string;
  readonly scope?: "repo:read" | "repo:write" | "tenant:admin";
  /** Repositories for which the token is, where it is not for all. A renamed one follows, a deleted one goes. */
  repos?: Set<string>;
  /** When it ends, in milliseconds since the epoch. */
  readonly ends?: number;
  isRevoked?: boolean;
};

const GIVEN = { "repo:read": "read", "repo:write": "write", "tenant:admin": "administer" } as const;

/** The model. */
export class World {
  readonly pool: ObjectPool;
  readonly repositories = new Map<string, ModelRepository>();
  /** Where old names lead, and whether everybody could read the repository when it left. */
  readonly forwards = new Map<string, { readonly to: string; readonly isPublic: boolean }>();
  readonly people: Person[] = [];
  /** Those who come by SSH or git://. */
  readonly connected: Person[] = [];
  readonly now: () => number;
  readonly #asked = new WeakMap<Person, Map<string, number>>();
  /** The notes of each commit of notes: their texts' names by their objects. */
  readonly #notes = new Map<string, ReadonlyMap<string, string>>();
  #made = 0;
  #moment = 0;
  /** Of objects of Git LFS that were sent to the bucket, by where they lie: for which repository the last time. */
  readonly sent = new Map<string, ModelRepository>();

  constructor(pool: ObjectPool, now: () => number) {
    this.pool = pool;
    this.now = now;
  }

  /** Whether somebody's token is in force. */
  isValid({ kind, isRevoked = false, ends = Infinity }: Person): boolean {
    return kind === "operator" || ((kind === "token" || kind === "key") && !isRevoked && ends > this.now());
  }

  /** What somebody may do with the repository of a name by their token, whether there is one or not. */
  givenRight(person: Person, path: string): Right {
    if (person.kind === "operator") return "administer";
    const [tenant, repo = ""] = path.split("/");
    if (!this.isValid(person) || person.tenant !== tenant || person.scope === undefined) return "none";
    if (person.repos !== undefined && !person.repos.has(repo)) return "none";
    return GIVEN[person.scope];
  }

  /** Returns a moment of the model's: later than all before, whatever the clock says. */
  moment(): number {
    return ++this.#moment;
  }

  /** Notes which notes a commit of notes has. */
  setNotes(commit: string, notes: ReadonlyMap<string, string>): void {
    this.#notes.set(commit, notes);
  }

  /** Returns the notes that a commit of notes has: none where there is no commit. */
  notesAt(commit: string | undefined): ReadonlyMap<string, string> {
    return (commit === undefined ? undefined : this.#notes.get(commit)) ?? new Map();
  }

  /** Notes that a repository is shown to everybody, or not any more. */
  show(repository: ModelRepository, visibility: Visibility): void {
    if (repository.visibility === visibility) return;
    repository.visibility = visibility;
    repository.publicSince = visibility === "public" ? this.moment() : undefined;
  }

  /** Notes that events name values of a repository from now on. */
  tell(repository: ModelRepository, oids: readonly string[]): void {
    repository.log.push({ at: this.moment(), oids });
  }

  /** Returns the values that a mirror's past may name to somebody who may read it, however young a token is. */
  pastFor(person: Person, path: string): Set<string> {
    const ofAll = { ...person, since: 0 };
    return this.loggedFor(ofAll, path);
  }

  /** Returns the values that events may name to somebody who may read a repository. */
  loggedFor(person: Person, path: string): Set<string> {
    const repository = this.repositories.get(path);
    const given = this.givenRight(person, path);
    const own = given === "none" ? Infinity : given === "administer" ? 0 : (person.since ?? 0);
    const since = Math.min(own, repository?.publicSince ?? Infinity);
    return new Set(repository?.log.flatMap(({ at, oids }) => (at > since ? oids : [])));
  }

  /** Notes that somebody asks about a path, before the answer. */
  noteAsked(person: Person, path: string): void {
    if (this.givenRight(person, path) === "none") return;
    const who = person.holder ?? person;
    const asked = this.#asked.get(who) ?? new Map<string, number>();
    this.#asked.set(who, asked.set(path, this.now()));
  }

  /** Whether somebody who is not let in any more was so just now: a token's questions are asked while it is looked up. */
  wasLetIn(person: Person, path: string): boolean {
    const at = this.#asked.get(person.holder ?? person)?.get(path);
    return at !== undefined && this.now() - at < LET_IN_TIME;
  }

  /** What somebody may do with a repository that is there; `none` of one that is not. */
  right(person: Person, path: string): Right {
    const repository = this.repositories.get(path);
    if (repository === undefined) return "none";
    const given = this.givenRight(person, path);
    if (given !== "none") return given;
    return repository.visibility === "public" && this.isLetIn(person) ? "read" : "none";
  }

  /** Whether somebody may write to a repository that is there. */
  mayWrite(person: Person, path: string): boolean {
    return includes(this.right(person, path), "write") && this.repositories.get(path)?.isMirror !== true;
  }

  /** Returns whom a repository follows, to somebody who could push to it if it followed nobody. */
  mayKnowUpstream(person: Person, path: string): string | undefined {
    return includes(this.right(person, path), "write") ? this.repositories.get(path)?.upstream : undefined;
  }

  /** Whether somebody is asked for no other token: with one that is not in force, not even what is public is shown. */
  isLetIn(person: Person): boolean {
    return person.kind === "anonymous" || person.kind === "key" || this.isValid(person);
  }

  /** Returns a name that a repository got, and those that it got later. */
  namesSince(path: string): string[] {
    const names = [path];
    for (let next = this.forwards.get(path)?.to; next !== undefined && !names.includes(next);) {
      names.push(next);
      next = this.repositories.has(next) ? undefined : this.forwards.get(next)?.to;
    }
    return names;
  }

  /** Where a name leads that a repository had before, for somebody who may know that. */
  forwardOf(person: Person, path: string): string | undefined {
    const forward = this.repositories.has(path) ? undefined : this.forwards.get(path);
    if (forward === undefined || !this.isLetIn(person)) return undefined;
    if (this.givenRight(person, forward.to) !== "none") return forward.to;
    const target = this.repositories.get(forward.to);
    const isPublic =
      target === undefined ? this.forwards.get(forward.to)?.isPublic === true : target.visibility === "public";
    return forward.isPublic && isPublic ? forward.to : undefined;
  }

  /** What refs of a repository reach. */
  reached({ refs }: ModelRepository): Set<string> {
    return this.pool.reachedFrom(refs.values());
  }

  /** Whether an object may be wanted: `undefined` where the time for it is about to end. */
  isWantable(repository: ModelRepository, oid: string): boolean | undefined {
    if (this.reached(repository).has(oid)) return true;
    const ages = repository.recent
      .filter((former) => this.pool.reachedFrom([former.oid]).has(oid))
      .map(({ at }) => this.now() - at);
    const age = Math.min(Infinity, ...ages);
    const isUnsure = Math.abs(age - RECENT_TIME) < UNSURE_TIME || (age < RECENT_TIME && repository.isPurged);
    return isUnsure ? undefined : age < RECENT_TIME;
  }

  /** Whether a repository has an object of Git LFS: `undefined` where a mirror may get it of its upstream, or has. */
  hasLfs({ lfs, fetched, upstream }: ModelRepository, oid: string): boolean | undefined {
    if (lfs.has(oid)) return true;
    const names = upstream === undefined ? [] : this.namesSince(upstream);
    return fetched.has(oid) || names.some((name) => this.repositories.get(name)?.lfs.has(oid)) ? undefined : false;
  }

  /** Notes that a ref has another value, or none. */
  move(repository: ModelRepository, ref: string, oid: string | undefined): void {
    const old = repository.refs.get(ref);
    this.tell(
      repository,
      [old, oid].filter((each) => each !== undefined),
    );
    if (old !== undefined && old !== oid) repository.recent.push({ oid: old, at: this.now() });
    if (oid === undefined) {
      repository.refs.delete(ref);
      return;
    }
    repository.refs.set(ref, oid);
    for (const name of this.pool.reachedFrom([oid])) repository.stored.add(name);
  }

  /** Notes that a repository is there from now on. */
  make(path: string, repository: Partial<ModelRepository> = {}): ModelRepository {
    const made: ModelRepository = {
      visibility: "private",
      refs: new Map(),
      head: "refs/heads/main",
      recent: [],
      stored: new Set(),
      lfs: new Set(),
      fetched: new Set(),
      words: new Set(),
      isPurged: false,
      isMirror: false,
      log: [],
      publicSince: repository.visibility === "public" ? this.moment() : undefined,
      lineage: ++this.#made,
      ...repository,
    };
    this.repositories.set(path, made);
    this.forwards.delete(path);
    return made;
  }

  /** Notes that a repository has another name, or is another tenant's. */
  rename(path: string, target: string): void {
    const repository = this.repositories.get(path);
    if (repository === undefined) throw new Error(`there is no ${path}`);
    this.repositories.delete(path);
    this.repositories.set(target, repository);
    this.forwards.delete(target);
    this.forwards.set(path, { to: target, isPublic: repository.visibility === "public" });
    const [tenant, repo = ""] = path.split("/");
    const [newTenant, newRepo = ""] = target.split("/");
    for (const { tenant: own, repos } of [...this.people, ...this.connected]) {
      // Those of the tenant that it left lose it.
      if (own === tenant && repos?.delete(repo) === true && newTenant === tenant) repos.add(newRepo);
    }
  }

  /** Notes that a repository is gone, and who may not have its name any more. */
  remove(path: string): void {
    this.repositories.delete(path);
    const [tenant, repo = ""] = path.split("/");
    for (const { tenant: own, repos } of [...this.people, ...this.connected]) if (own === tenant) repos?.delete(repo);
  }
}
