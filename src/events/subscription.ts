/**
 * Subscriptions to a repository's events: the conditions on which a subscriber was admitted, and the messages that it
 * gets.
 *
 * @packageDocumentation
 */

/** The conditions on which a subscriber was admitted. They are checked as long as its connection lasts. */
export type Subscription = {
  /** The id of the repository. The subscriber gets nothing of another one that takes its name. */
  readonly id: string;
  /** Whether it was admitted only because the repository is public. */
  readonly needsPublic: boolean;
  /**
   * The id of the token with which it was admitted, of the repository's own tenant. The token must still be in force
   * when a message is sent. Absent for a subscriber that needs no token, and for the operator.
   */
  readonly token?: string;
};

/** A request for a subscription. */
export type SubscriptionRequest = Subscription & {
  /** The token or address whose share of the repository's places it takes; absent if there is none to count by. */
  readonly holder?: string;
  /** Whether it may read the whole ref log. The others are told nothing from before they might have been. */
  readonly administers?: boolean;
  /** The time at which its token was made. Unless it administers, it is told only what anybody may know from before. */
  readonly tokenSince?: number;
  /** The last sequence number of the ref log that the subscriber knows. If absent, it gets events from now on. */
  readonly since?: number;
};

/** Parses a request that the Worker wrote as JSON. @throws TypeError if it is malformed. */
export function parseSubscriptionRequest(text: string): SubscriptionRequest {
  const json: unknown = JSON.parse(text);
  if (typeof json !== "object" || json === null) throw new TypeError("no subscription");
  const nothing = {
    id: "",
    needsPublic: true,
    administers: false,
    token: undefined,
    tokenSince: undefined,
    since: undefined,
    holder: undefined,
  };
  const { id, needsPublic, administers, token, tokenSince, since, holder } = { ...nothing, ...json };
  if (typeof id !== "string" || typeof needsPublic !== "boolean") throw new TypeError("no subscription");
  return {
    id,
    needsPublic,
    ...(administers ? { administers } : {}),
    ...(typeof token === "string" ? { token } : {}),
    ...(typeof tokenSince === "number" ? { tokenSince } : {}),
    ...(typeof since === "number" ? { since } : {}),
    ...(typeof holder === "string" ? { holder } : {}),
  };
}

/** An update of a ref. Object names are hexadecimal; zeros stand for "no object". */
export type MovedRef = {
  /** The sequence number of the update in the ref log. */
  readonly seq: number;
  readonly name: string;
  readonly oldOid: string;
  readonly newOid: string;
  /** The time of the update, in milliseconds since the epoch. */
  readonly at: number;
};

/** Returns the message about an update of a ref. `repo` is `{tenant}/{repo}`. */
export function formatRefMessage(repo: string, { seq, name, oldOid, newOid, at }: MovedRef): string {
  return JSON.stringify({ type: "ref", repo, name, old: oldOid, new: newOid, at: new Date(at).toISOString(), seq });
}

/** Returns the message that the events from `since` up to `seq` are not available. Later ones will be sent. */
export function formatGapMessage(repo: string, since: number, seq: number): string {
  return JSON.stringify({ type: "gap", repo, since, seq });
}
