/**
 * The port to the statuses of commits: what a build or a check says of one. A status is known by its commit and its
 * context, and a later one takes its place.
 *
 * @packageDocumentation
 */
import type { AnsweredOnce } from "./ref-store.ts";

/** What a status may say, the worst first. */
export const STATUS_STATES = ["error", "failure", "pending", "success"] as const;

/** What a status says. */
export type StatusState = (typeof STATUS_STATES)[number];

/** Contexts that one commit may have. */
export const MOST_CONTEXTS = 100;
/** Statuses of a repository: one goes when this many came after it. */
export const MOST_STATUSES = 50_000;

/** A status that is to be set. */
export type NewStatus = {
  /** Names what says it, as `ci/build`. */
  readonly context: string;
  readonly state: StatusState;
  /** This and the URL are "" where there is none. */
  readonly description: string;
  readonly targetUrl: string;
  /** Who set it, as the ref log identifies pushers, and the name that the token had then. */
  readonly actor: string;
  readonly actorName?: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
};

/** A status. Its number rises with each that is set in the repository. */
export type CommitStatus = NewStatus & { readonly id: number };

/** The contexts of one commit, counted by what they say. */
export type StatusCounts = Readonly<Record<StatusState, number>>;

/** A commit that has statuses. */
export type CountedCommit = { readonly oid: string; readonly counts: StatusCounts };

/** What webhooks are told of the commit of a status. */
export type ToldCommit = {
  readonly tree: string;
  readonly parents: readonly string[];
  readonly message: string;
  readonly author: ToldPerson;
  readonly committer: ToldPerson;
};

/** A person of a commit. The date is in ISO 8601. */
export type ToldPerson = { readonly name: string; readonly email: string; readonly date: string };

/** A request about statuses of the repository with an id. Names of objects are hexadecimal. */
export type StatusRequest = { readonly id: string } & (
  | {
      readonly kind: "set";
      readonly oid: string;
      readonly status: NewStatus;
      readonly commit: ToldCommit;
      /** If a request with this key was done within the last day, nothing is done. */
      readonly once?: { readonly key: string; readonly fingerprint: string; readonly answer: string };
    }
  /** Asks for all of one commit, in the order of their contexts. */
  | { readonly kind: "list"; readonly oid: string }
  /** Counts those of each of these commits. */
  | { readonly kind: "count"; readonly oids: readonly string[] }
);

/** The answer. `full`: the commit has as many contexts as it may; `gone`: there is no such repository. */
export type StatusAnswer =
  | { readonly kind: "set"; readonly status: CommitStatus }
  | { readonly kind: "answered"; readonly before: AnsweredOnce }
  | { readonly kind: "listed"; readonly statuses: readonly CommitStatus[] }
  /** Commits without a status are left out. */
  | { readonly kind: "counted"; readonly commits: readonly CountedCommit[] }
  | { readonly kind: "full" | "gone" };

/** The statuses of one repository. */
export interface StatusStore {
  statuses(request: StatusRequest): Promise<StatusAnswer>;
}

/** Counts statuses by what they say. */
export function countStatuses(statuses: readonly Pick<CommitStatus, "state">[]): StatusCounts {
  const counts = { error: 0, failure: 0, pending: 0, success: 0 };
  for (const { state } of statuses) counts[state]++;
  return counts;
}

/**
 * Returns what all statuses of a commit say together: `failure` if one says that or `error`, else `pending` if one does,
 * else `success`. Returns `undefined` if there is none.
 */
export function combinedState(counts: StatusCounts): Exclude<StatusState, "error"> | undefined {
  if (counts.error + counts.failure > 0) return "failure";
  if (counts.pending > 0) return "pending";
  return counts.success > 0 ? "success" : undefined;
}
