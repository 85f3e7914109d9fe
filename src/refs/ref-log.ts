/**
 * What is kept of every push that moved something: who moved which ref, when, from where, what the push said beside, and the
 * certificate it was signed with.
 *
 * @packageDocumentation
 * @see git-receive-pack(1) on push certificates
 */

/** How the nonce of a certificate compares with those this host gives out; git's words. */
export type NonceStatus = "OK" | "SLOP" | "BAD" | "MISSING" | "UNSOLICITED";

/**
 * What became of a certificate's signature: `good` by a registered key; `bad`, where it does not fit what it signs; of a key that is
 * not registered; or not looked at, where no keys are registered or the kind of signature is not known.
 */
export type SignatureVerdict = "good" | "bad" | "unknown-key" | "unverified";

/** What is known of a push certificate. */
export type CertificateCheck = {
  readonly nonce: NonceStatus;
  /** Seconds by which the nonce is older than the push, where it is one of ours. */
  readonly nonceSlop?: number;
  readonly signature: SignatureVerdict;
  /** The registered key, by its fingerprint, where the signature is good. */
  readonly key?: string;
  /** Who the certificate says pushes: `A U Thor <author@example.com>`. Only as true as the signature. */
  readonly signer: string;
};

/** A certificate to be kept. */
export type StoredCertificate = CertificateCheck & {
  /** As it came, its signature included. */
  readonly content: Uint8Array;
  /** The SHA-256 of what was signed. Not of `content`: a signature can be written in more than one way, what it signs can not. */
  readonly digest: Uint8Array;
};

/** One ref that a push moved. Hex; all zeros for none. */
export type LoggedMove = {
  /** Its place in the log: rises with every move. */
  readonly seq: number;
  readonly name: string;
  readonly oldOid: string;
  readonly newOid: string;
};

/** A push, with all or some of what it moved, the last first. */
export type LoggedPush = {
  readonly id: number;
  readonly actor: string;
  /** The name that the actor's token had then; absent where no token pushed, and where names were not kept yet. */
  readonly actorName?: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly options: readonly string[];
  readonly certificate?: CertificateCheck;
  readonly moves: readonly LoggedMove[];
};

/** Which part of the log is asked for: at most `limit` moves, the newest of those before a place in it. */
export type RefLogQuery = {
  readonly before?: number;
  readonly limit: number;
  /** Only of this ref. */
  readonly name?: string;
};

/** The newest pushes first; one that moved many refs may go on in the next page. */
export type RefLogPage = {
  readonly pushes: readonly LoggedPush[];
  /** What to ask for the next page with; absent on the last one. */
  readonly before?: number;
};
