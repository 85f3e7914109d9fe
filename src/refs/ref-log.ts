/**
 * The record that is kept of every push that moved something: who moved which ref, when and from where. It includes the
 * push options and the certificate of the push.
 *
 * @packageDocumentation
 * @see git-receive-pack(1) on push certificates
 */

/** The comparison of a certificate's nonce with those that this host issues, in git's words. */
export type NonceStatus = "OK" | "SLOP" | "BAD" | "MISSING" | "UNSOLICITED";

/**
 * The verdict on a certificate's signature. `good`: by a registered key. `bad`: it does not fit the signed text.
 * `unknown-key`: the key is not registered. `unverified`: no keys are registered, or the kind of signature is not
 * known.
 */
export type SignatureVerdict = "good" | "bad" | "unknown-key" | "unverified";

/** The results of checking a push certificate. */
export type CertificateCheck = {
  readonly nonce: NonceStatus;
  /** Seconds by which the nonce is older than the push, if this host issued it. */
  readonly nonceSlop?: number;
  readonly signature: SignatureVerdict;
  /** The fingerprint of the registered key, if the signature is good. */
  readonly key?: string;
  /** The pusher that the certificate names: `A U Thor <author@example.com>`. It is only as true as the signature. */
  readonly signer: string;
};

/** A certificate to be kept. */
export type StoredCertificate = CertificateCheck & {
  /** The certificate as it came, with its signature. */
  readonly content: Uint8Array;
  /** The SHA-256 of the signed text, and not of `content`: the same text can have several valid signatures. */
  readonly digest: Uint8Array;
};

/** One ref that a push moved. Values are in hexadecimal; all zeros for none. */
export type LoggedMove = {
  /** The place in the log. It rises with every move. */
  readonly seq: number;
  readonly name: string;
  readonly oldOid: string;
  readonly newOid: string;
};

/** A push with all or some of its moves, the last first. */
export type LoggedPush = {
  readonly id: number;
  readonly actor: string;
  /** The name that the actor's token had then. It is absent if no token pushed, or if names were not kept yet. */
  readonly actorName?: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly options: readonly string[];
  readonly certificate?: CertificateCheck;
  readonly moves: readonly LoggedMove[];
};

/** The part of the log to read: at most `limit` moves, the newest before a place in the log. */
export type RefLogQuery = {
  readonly before?: number;
  readonly limit: number;
  /** Restricts the result to this ref. */
  readonly name?: string;
  /** Restricts the result to the push with this id. */
  readonly push?: number;
};

/** A page of the log, the newest pushes first. A push that moved many refs may continue on the next page. */
export type RefLogPage = {
  readonly pushes: readonly LoggedPush[];
  /** The value of `before` for the next page; absent on the last one. */
  readonly before?: number;
};
