/**
 * What the routes get from the composition root, through Hono's variables: everything of the platform that HTTP needs.
 *
 * @packageDocumentation
 */
import type { Subject } from "../access/decide.ts";
import type { RegisterRefusal } from "../access/directory.ts";
import type { RepositoryName } from "../access/names.ts";
import type { Principal } from "../access/principal.ts";
import type { Allowance } from "../access/quotas.ts";
import type { Repository } from "../repository/repository.ts";
import type { RequestCounts } from "../repository/request-counts.ts";
import type { ClientNote } from "../service/exchange.ts";
import type { ArmouredSignature, SignatureCheck } from "../signing/verify.ts";
import type { FormatCache, KnownRepository } from "./format-cache.ts";
import type { UnboundedTenants } from "./unbounded-tenants.ts";

/** A part of a file: `length` bytes from `offset`. */
export type FileRange = { readonly offset: number; readonly length: number };

/** The files of a bare repository that a dumb client reads and that are made from a snapshot. */
export type PlainFile = "HEAD" | "info/refs" | "objects/info/packs";

/** Who asks, and what was learnt with it. */
export type Identity = {
  readonly principal: Principal;
  /** The hash function of the repository asked for, where the principal's tenant lists one of that name. It never changes. */
  readonly listed?: "sha1" | "sha256";
  /** What bounds the repository asked for, where the principal is of its tenant; else it says nothing of it. */
  readonly allowance?: Allowance;
  /** Why the principal's tenant takes no repository that a push would make now, where it takes none. */
  readonly takesNoMore?: RegisterRefusal;
};

/** The platform, for one request. */
export interface Host {
  /** Who asks, where that is known without asking a tenant. */
  readonly known: Principal | undefined;
  /**
   * Says who asks. A token is looked up once a request, at the first call, which opening a repository is too: so both go out
   * together. A token that was revoked, or has expired, is `invalid` from then on.
   */
  identify(name?: RepositoryName): Promise<Identity>;
  /**
   * Returns what bounds a push, whoever makes it. The operator's makes it be asked for, where it is not known that
   * nothing does.
   */
  allowance(name: RepositoryName): Promise<Partial<Allowance>>;
  /** The deployment's secret for the nonces of signed pushes, where it has one. */
  readonly pushCertSeed?: string;
  /** Verifies a signature over `payload` with the keys that the repository's tenant has registered. */
  verifySignature(name: RepositoryName, signature: ArmouredSignature, payload: Uint8Array): Promise<SignatureCheck>;
  /** The client's address; "" where the platform does not say. */
  readonly client: string;
  /** `agent=` and `Server:`, as this host gives them. */
  readonly agent: string;
  /** What the log knows this request by. */
  readonly sessionId: string;
  /** Has the log say what the client said of itself. */
  note(said: ClientNote): void;
  readonly formats: FormatCache;
  readonly unbounded: UnboundedTenants;
  /** Notes that who asks may read the repository, so that what is known of it serves the next request. */
  admitted(name: RepositoryName): void;
  /** Opens a repository, which need not exist. Nothing but who asks is asked before the first call. */
  repository(name: RepositoryName): Repository;
  /** Opens a mirror as it was at a moment, in milliseconds since the epoch, to be read. */
  historic(name: RepositoryName, at: number): Repository;
  /**
   * Enters a repository that is about to be made by a push with its tenant, and gives the id it is to have.
   *
   * @throws GitRefusal if the tenant takes no more.
   */
  register(name: RepositoryName, made: Pick<KnownRepository, "objectFormat" | "visibility">): Promise<string>;
  /** Opens a stored pack's file as a body that goes out untouched. @throws CorruptStore */
  packBody(id: string, pack: string, extension: "pack" | "idx", range: FileRange): Promise<ReadableStream>;
  /**
   * Makes a plain file from one snapshot, in pieces. `admit` is told what was found before anything is made of it, and may throw;
   * it must where there is nothing.
   */
  plainFile(
    name: RepositoryName,
    file: PlainFile,
    admit: (subject: Subject | undefined) => Promise<void>,
  ): Promise<Iterable<Uint8Array>>;
  /** Notes that access was refused: what the request cost is not told then, since it says what was looked at. */
  refused(): void;
  counts(): RequestCounts;
  /** Names work that goes on after the response has begun: the request is over, and logged, when it is done. */
  until(work: Promise<unknown>): void;
}

/** The type of Hono's environment in all routes. */
export type HostEnv = { readonly Variables: { readonly host: Host } };
