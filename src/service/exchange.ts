/**
 * What a service is given for one request. Services know nothing of HTTP: an HTTP route, a WebSocket and a test all make one.
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

/** What a client says of itself and its user, for the log: as it came, to be shown with care. */
export type ClientNote = {
  readonly sessionId?: string | undefined;
  readonly serverOptions?: readonly string[];
};

/** One request to one repository. */
export type Exchange = {
  readonly repository: Repository;
  /** The request body, already unzipped. */
  readonly input: ByteSource;
  /** The response body. The first write is the point of no return: until then a service may throw and be answered otherwise. */
  readonly output: ByteSink;
  /**
   * Called with what was found under the name (or nothing), before the first write and before anything is changed; once more with
   * what a push has made there. Throws where the requester may not do this, or where there is nothing.
   */
  admit(record: RepositoryRecord | undefined): Promise<void>;
  /** `agent=` as this host gives it. */
  readonly agent: string;
  /** `session-id=` of this request: what the log knows it by. */
  readonly sessionId: string;
  /** Told of what the client says of itself. */
  note(said: ClientNote): void;
  /** Aborted when the client is gone. */
  readonly signal: AbortSignal;
};

/** One push to one repository. */
export type PushExchange = Exchange & {
  /** Names the upload that the request's pack comes from, where that is no part of the body. */
  readonly upload?: string;
  /** How a repository is to be made by a push to it that was admitted though there is none. */
  readonly create?: NewRepository;
  /**
   * Enters the repository that is about to be made where its tenant keeps them, and gives the id it is to have. Throws where the
   * tenant takes no more.
   */
  register?(create: CreateRequest): Promise<string>;
  /** Who pushes, for the ref log. */
  readonly actor: string;
  /** Who pushes, as the repository's rules know it. */
  readonly pusher: Pusher;
  /** The deployment's secret for the nonces of signed pushes; absent: each repository has its own. */
  readonly pushCertSeed?: string;
  /** Gives what the repository's tenant may have; absent: a push is bound by the host's limits alone. */
  readonly allowance?: () => Promise<Allowance>;
  /** Verifies a signature over `payload` with the keys that are registered for the repository; absent: nobody registers any. */
  readonly verifySignature?: (
    signature: NonNullable<PushCertificate["signature"]>,
    payload: Uint8Array,
  ) => Promise<Pick<CertificateCheck, "signature" | "key">>;
};
