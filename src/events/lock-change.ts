/**
 * The event `lock`: a file was locked, or its lock was given back or taken away. It is told to webhooks and to
 * subscribers.
 *
 * @packageDocumentation
 * @see https://github.com/git-lfs/git-lfs/blob/main/docs/api/locking.md
 */

/** A change of a lock. Names of people are those of their tokens. */
export type LockChange = {
  readonly action: "created" | "deleted";
  readonly id: string;
  readonly path: string;
  readonly owner: string;
  /** This and the next time are in milliseconds since the epoch. */
  readonly lockedAt: number;
  readonly at: number;
  /** Who made the change: somebody else than the owner, where a lock was taken away by force. */
  readonly by: string;
};

const iso = (time: number): string => new Date(time).toISOString();

function lockShape({ id, path, owner, lockedAt }: LockChange): object {
  return { id, path, locked_at: iso(lockedAt), owner: { name: owner } };
}

/** Reads the detail of a delivery, which the repository's object wrote. */
export function parseLockChange(detail: string): LockChange {
  return JSON.parse(detail);
}

/** Returns the members of a webhook's body that are not those of every event. */
export function lockBody(change: LockChange): object {
  const { action, owner, by, at } = change;
  return { action, lock: lockShape(change), forced: owner !== by, at: iso(at) };
}

/** Returns the message to subscribers. `repo` is `{tenant}/{repo}`. */
export function formatLockMessage(repo: string, change: LockChange): string {
  const { action, by, at } = change;
  return JSON.stringify({ type: "lock", repo, action, lock: lockShape(change), by, at: iso(at) });
}
