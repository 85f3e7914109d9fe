/**
 * The part of the platform that HTTP needs. The composition root passes it to the routes in Hono's variables.
 *
 * @packageDocumentation
 */
import type { Subject } from "../access/decide.ts";
import type { RegisterRefusal } from "../access/directory.ts";
import type { RepositoryName } from "../access/names.ts";
import type { Principal } from "../access/principal.ts";
import type { LfsLinks } from "../access/lfs-links.ts";
import type { Allowance } from "../access/quotas.ts";
import type { Offload } from "../access/token-store.ts";
import type { LfsFiles, LfsPresigner } from "../lfs/lfs-files.ts";
import type { StatusStore } from "../refs/commit-statuses.ts";
import type { LockStore } from "../refs/lfs-locks.ts";
import type { LfsUpstream } from "../lfs/lfs-upstream.ts";
import type { LfsStore } from "../refs/lfs-store.ts";
import type { Repository } from "../repository/repository.ts";
import type { RequestCounts } from "../repository/request-counts.ts";
import type { ClientNote, Served, StoredAnswer } from "../service/exchange.ts";
import type { ArmouredSignature, SignatureCheck } from "../signing/verify.ts";
import type { FormatCache, KnownRepository } from "./format-cache.ts";
import type { Traffic } from "./traffic.ts";
import type { RegisteredName } from "./registered-name.ts";
import type { UnboundedTenants } from "./unbounded-tenants.ts";

/** A part of a file: `length` bytes from `offset`. */
export type FileRange = { readonly offset: number; readonly length: number };

/** The files of a bare repository that a dumb client reads and that are made from a snapshot. */
export type PlainFile = "HEAD" | "info/refs" | "objects/info/packs";

/** The requester, and what was learnt with its identity. */
export type Identity = {
  readonly principal: Principal;
  /**
   * The hash function of the requested repository, if the principal's tenant lists one of that name. It never changes.
   */
  readonly listed?: "sha1" | "sha256";
  /** What the tenant knows of the requested repository's large blobs; absent if none are left out. */
  readonly offload?: Offload;
  /** The bounds of the requested repository, if the principal is of its tenant. */
  readonly allowance?: Allowance;
  /** Why the principal's tenant would not take a repository that a push makes now; absent if it would. */
  readonly takesNoMore?: RegisterRefusal;
};

/** The platform, for one request. */
export interface Host {
  /** The requester, if it is known without asking a tenant. */
  readonly known: Principal | undefined;
  /**
   * Returns the requester. A token is looked up once per request, at the first call. Opening a repository is one, too,
   * so both go out together. A token that was revoked or has expired is `invalid` from then on.
   */
  identify(name?: RepositoryName): Promise<Identity>;
  /** Has the requester looked up anew: what a client on a connection asks for next is a request of its own. */
  identifyAnew(): void;
  /** Returns the bounds of a push. For the operator, the tenant is asked, unless it is known to have none. */
  allowance(name: RepositoryName): Promise<Partial<Allowance>>;
  /** The deployment's secret for the nonces of signed pushes, if it has one. */
  readonly pushCertSeed?: string;
  /** Verifies a signature over `payload` with the keys that the repository's tenant has registered. */
  verifySignature(name: RepositoryName, signature: ArmouredSignature, payload: Uint8Array): Promise<SignatureCheck>;
  /**
   * Returns what signs for a tenant with its key on this host: it gets the bytes that are signed, and returns an armoured signature.
   *
   * @throws Problem from what is returned, if the tenant has no key that may sign
   */
  hostSignature(tenant: string): (payload: Uint8Array) => Promise<string>;
  /** The client's address; "" if the platform does not tell it. */
  readonly client: string;
  /** The value of `agent=` and `Server:`. */
  readonly agent: string;
  /** The id of this request in the log. */
  readonly sessionId: string;
  /** Logs the client's own description. */
  note(said: ClientNote): void;
  /** Notes what a service did for the client. */
  served(what: Served): void;
  /** Counts what passes in the request's bodies. */
  readonly traffic: Traffic;
  readonly formats: FormatCache;
  readonly unbounded: UnboundedTenants;
  /** Notes that the requester may read the repository, so that what is known about it serves the next request. */
  admitted(name: RepositoryName): void;
  /** Opens a repository, which need not exist. Before the first call, only the requester's identity is asked for. */
  repository(name: RepositoryName): Repository;
  /** Opens the Git LFS objects, and the locks, of a repository, as far as the requester may read it. */
  lfs(name: RepositoryName): LfsStore & LockStore;
  /** Opens the statuses of a repository's commits. Whether the requester may see a commit is decided before. */
  statuses(name: RepositoryName): StatusStore;
  /** Makes addresses at which clients reach the bytes in the bucket; `undefined` if the deployment has no keys for that. */
  readonly lfsPresigner: LfsPresigner | undefined;
  /** Opens the upstream of a mirror, by its id; `undefined` if it is none, or its credentials can't be read. */
  lfsUpstream(name: RepositoryName, id: string): Promise<LfsUpstream | undefined>;
  /** Opens the links, and the bytes, of a tenant's Git LFS objects. */
  lfsLinks(home: string): LfsLinks;
  lfsFiles(home: string): LfsFiles;
  /** Opens a mirror as it was at an instant, in milliseconds since the epoch, for reading. */
  historic(name: RepositoryName, at: number): Repository;
  /**
   * Registers a repository that a push is about to make with its tenant. Returns the id and the spelling that it must have.
   *
   * @throws GitRefusal if the tenant takes no more.
   */
  register(name: RepositoryName, made: Pick<KnownRepository, "objectFormat" | "visibility">): Promise<RegisteredName>;
  /** Deletes the repository with this id that a push has made, if nothing was put into it. */
  retract(name: RepositoryName, id: string): Promise<void>;
  /**
   * Opens a stored pack's file as a body that is sent untouched.
   *
   * @throws CorruptStore
   */
  packBody(id: string, pack: string, extension: "pack" | "idx", range: FileRange): Promise<ReadableStream>;
  /**
   * Opens the twin of a repository's packs, from its offset on, as a body that is sent untouched; `undefined` if it is not
   * there.
   */
  twinBody(twin: Omit<StoredAnswer, "before">): Promise<ReadableStream | undefined>;
  /**
   * Makes a plain file from one snapshot, in pieces. `admit` gets what was found before anything is made of it, and may
   * throw. It has to throw if there is nothing.
   */
  plainFile(
    name: RepositoryName,
    file: PlainFile,
    admit: (subject: Subject | undefined) => Promise<void>,
  ): Promise<Iterable<Uint8Array>>;
  /**
   * Returns the address of a path below a repository. That of a private one carries a ticket for the requester, if the deployment
   * has a secret that seals tickets. Returns `undefined` if the host does not know its own address.
   */
  addressOf(
    name: RepositoryName,
    path: string,
    record: Pick<Subject, "visibility" | "id">,
  ): Promise<string | undefined>;
  /** Notes that access was refused. The request's cost is then not reported, since it tells what was looked at. */
  refused(): void;
  counts(): RequestCounts;
  /** Adds work that goes on after the response has begun. The request ends, and is logged, when it is done. */
  until(work: Promise<unknown>): void;
}

/** The type of Hono's environment in all routes. */
export type HostEnv = { readonly Variables: { readonly host: Host } };
