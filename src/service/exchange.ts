/**
 * Everything that a service is given for one request. Services know nothing of HTTP: an HTTP route, a WebSocket and a
 * test each make an exchange.
 *
 * @packageDocumentation
 */
import type { ByteSink, ByteSource } from "../bytes/byte-stream.ts";
import type { CertificateCheck } from "../refs/ref-log.ts";
import type { Pusher } from "../refs/ref-policy.ts";
import type { CreateRequest, NewRepository, RepositoryRecord } from "../refs/ref-store.ts";
import type { Allowance } from "../repository/allowance.ts";
import type { Repository } from "../repository/repository.ts";
import type { PushCertificate } from "../wire/push-certificate.ts";

/**
 * The description that a client gives of itself and its user, for the log. The text is as it came, so it must be
 * displayed with care.
 */
export type ClientNote = {
  readonly sessionId?: string | undefined;
  readonly serverOptions?: readonly string[];
};

/**
 * What a service did for a client, for the log and the tenant's usage. `clone` is a pack for a client that has nothing
 * and wants the value of a ref; `rejected` is a push of which no ref was moved.
 */
export type Served = "clone" | "fetch" | "push" | "rejected";

/** A stored answer, or its end, and what goes before it. */
export type StoredAnswer = {
  /** The id of the repository below whose prefix it lies. */
  readonly id: string;
  /** See `CloneTwin`. */
  readonly name: string;
  readonly bytes: number;
  /** Where in the file the answer goes on. */
  readonly offset: number;
  readonly before: Uint8Array;
};

/** One request to one repository, or one connection to it. */
export type Exchange = {
  readonly repository: Repository;
  /** The request body, already decompressed, or all that the client sends on its connection. */
  readonly input: ByteSource;
  /** The response body. Until the first write a service may throw and the caller can still answer otherwise. */
  readonly output: ByteSink;
  /**
   * Set for a client on a connection of its own. It sends its next message when it has read the answer to the last, so
   * nothing waits for the end of what it sends, and a negotiation remembers its earlier rounds.
   */
  readonly stateful?: true;
  /**
   * Admits the requester to the repository found under the name, or to none. A service calls it before the first write
   * and before any change, and once more with a repository that a push has made. Throws if the requester may not do
   * this, or if there is nothing to admit to.
   */
  admit(record: RepositoryRecord | undefined): Promise<void>;
  /**
   * Has the requester looked up anew for the next admission, if there was one before. It is there for a client on a
   * connection, each of whose messages is judged by what its token or key may do at that moment.
   */
  renew?(): void;
  /**
   * Says that the client may be at work itself before it sends more: it indexes the pack that it got, runs a hook before it
   * pushes, or compresses what it pushes. Its silence is no standstill then.
   */
  pauses?(): void;
  /** The value of `agent=` that this host advertises. */
  readonly agent: string;
  /** The value of `session-id=` for this request, by which the log knows it. */
  readonly sessionId: string;
  /** Records what the client says about itself. */
  note(said: ClientNote): void;
  /** Records what the service does, as soon as that is certain. */
  served?(what: Served): void;
  /**
   * Answers with a stored twin, in place of writes. Returns false if the file is not there: then nothing has happened. It
   * is absent if everything has to be written.
   */
  passOn?(stored: StoredAnswer): Promise<boolean>;
  /**
   * Returns the address at which a path below the repository is read by HTTP, for a while without credentials where the repository
   * is private; `undefined` if the host does not know its own address.
   */
  addressOf?(path: string, record: Pick<RepositoryRecord, "visibility" | "id">): Promise<string | undefined>;
  /** Returns what the repository offers as a promisor remote, formatted; `undefined` if it offers nothing. */
  promisorOf?(record: OffloadedRecord): Promise<string | undefined>;
  /** Aborted when the client is gone. */
  readonly signal: AbortSignal;
};

/** The part of a repository that decides what is offered as a promisor remote. Where only its name is known, `id` is absent. */
export type OffloadedRecord = Pick<RepositoryRecord, "visibility" | "offloadFrom"> &
  Partial<Pick<RepositoryRecord, "id">>;

/** One push to one repository. */
export type PushExchange = Exchange & {
  /** The length of the request's body, if the client announced it. */
  readonly bodyBytes?: number;
  /** The name of the upload that holds the request's pack; absent if the pack is part of the body. */
  readonly upload?: string;
  /** The settings of the repository that is made if a push to a missing one is admitted. */
  readonly create?: NewRepository;
  /**
   * Registers the repository that is about to be made with its tenant, and returns the id and the spelling that it is
   * to have. Throws if the tenant takes no more repositories.
   */
  register?(create: CreateRequest): Promise<Pick<CreateRequest, "id" | "spelled" | "tenantHooks">>;
  /**
   * Removes the repository that this push made, by its id, if nothing is in it: a refused push leaves nothing behind.
   */
  retract?(id: string): Promise<void>;
  /** The line for the user of a client whose push made the repository. */
  readonly madeNote?: string;
  /** The pusher, as the ref log identifies it. */
  readonly actor: string;
  /** The name of the pusher's token, for the ref log. It is absent if no token pushes. */
  readonly actorName?: string;
  /** The pusher as the repository's rules know it. */
  readonly pusher: Pusher;
  /** The pusher as the owner of locks. Without it no lock binds the push. */
  readonly lockOwner?: string;
  /** Returns those of some Git LFS objects that the repository does not have. If it is absent, none is asked for. */
  readonly missingLfs?: (oids: readonly string[]) => Promise<readonly string[]>;
  /** The deployment's secret for the nonces of signed pushes. If it is absent, each repository has its own. */
  readonly pushCertSeed?: string;
  /** Returns the allowance of the repository's tenant. If it is absent, only the host's limits bind a push. */
  readonly allowance?: () => Promise<Allowance>;
  /**
   * Verifies a signature over `payload` with the keys that are registered for the repository. It is absent if no keys
   * can be registered.
   */
  readonly verifySignature?: (
    signature: NonNullable<PushCertificate["signature"]>,
    payload: Uint8Array,
  ) => Promise<Pick<CertificateCheck, "signature" | "key">>;
};
