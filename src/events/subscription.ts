/**
 * What a subscriber to a repository's events was let in with, and what it is sent.
 *
 * @packageDocumentation
 */

/** What a subscriber may have, for as long as its connection lasts. */
export type Subscription = {
  /** The repository; another of the same name is none of the subscriber's business. */
  readonly id: string;
  /** Whether it is let in only because the repository is public. */
  readonly needsPublic: boolean;
  /**
   * The id of the token it is let in with, of the repository's own tenant, which must still be in force when something is sent;
   * absent for who needs none, and for the operator.
   */
  readonly token?: string;
};

/** A subscription to be begun. */
export type SubscriptionRequest = Subscription & {
  /** Whose share of the repository's places it takes: a token, or an address. Absent where there is none to count by. */
  readonly holder?: string;
  /** The last place in the ref log that the subscriber knows; absent: it is told what comes from now on. */
  readonly since?: number;
};

/** Reads a request that the Worker wrote as JSON. @throws TypeError where it is none. */
export function parseSubscriptionRequest(text: string): SubscriptionRequest {
  const json: unknown = JSON.parse(text);
  if (typeof json !== "object" || json === null) throw new TypeError("no subscription");
  const nothing = { id: "", needsPublic: true, token: undefined, since: undefined, holder: undefined };
  const { id, needsPublic, token, since, holder } = { ...nothing, ...json };
  if (typeof id !== "string" || typeof needsPublic !== "boolean") throw new TypeError("no subscription");
  return {
    id,
    needsPublic,
    ...(typeof token === "string" ? { token } : {}),
    ...(typeof since === "number" ? { since } : {}),
    ...(typeof holder === "string" ? { holder } : {}),
  };
}

/** A ref that moved. Hex; zeros for none. */
export type MovedRef = {
  readonly seq: number;
  readonly name: string;
  readonly oldOid: string;
  readonly newOid: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
};

/** Gives the message that tells of a moved ref. `repo` is `{tenant}/{repo}`. */
export function formatRefMessage(repo: string, { seq, name, oldOid, newOid, at }: MovedRef): string {
  return JSON.stringify({ type: "ref", repo, name, old: oldOid, new: newOid, at: new Date(at).toISOString(), seq });
}

/** Gives the message that what followed `since` can't be told; what comes after `seq` will be. */
export function formatGapMessage(repo: string, since: number, seq: number): string {
  return JSON.stringify({ type: "gap", repo, since, seq });
}
