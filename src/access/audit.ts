/**
 * The audit log of a tenant: who made and revoked tokens, changed settings, rules and hooks, created, renamed and
 * deleted repositories, and whose tokens were refused. What was pushed is in each repository's ref log.
 *
 * @packageDocumentation
 */

/** Something that was done. */
export type AuditEntry = {
  /** The principal: `operator`, or `token:{id}`. */
  readonly actor: string;
  /** The name of the actor's token then. */
  readonly actorName?: string;
  /** What was done, such as `token.create`. */
  readonly action: string;
  /** The thing that it was done to: a repository's name, or the id of a token or hook. */
  readonly subject: string;
  /** More about it. It never has a secret. */
  readonly details: Readonly<Record<string, unknown>>;
};

/** An entry as it is stored. `at` is in milliseconds since the epoch; ids rise. */
export type AuditRecord = AuditEntry & { readonly id: number; readonly at: number };

/** What is asked of the log: the newest entries, or those before an id, and only those of one action. */
export type AuditQuery = { readonly limit: number; readonly before?: number; readonly action?: string };

/** The actor of a refused login, of which nobody knows who it was. */
export const NOBODY = "nobody";
