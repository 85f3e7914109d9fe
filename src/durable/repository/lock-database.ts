/**
 * A repository's locks on its SQL database. No other request comes in between within a method.
 *
 * @packageDocumentation
 */
import { type LockAnswer, type LockOutcome, type LockRequest, MOST_LOCKS } from "../../refs/lfs-locks.ts";
import type { LockChange } from "../../events/lock-change.ts";
import type { SqlDatabase } from "../sql/sql-database.ts";
import type { LfsRepository } from "./lfs-repository.ts";
import { forwardOf } from "./move-database.ts";
import { countLocks, deleteLock, insertLock, listLocks, lockOfId, lockOfPath } from "./tables/lfs-locks.ts";
import { isHidden } from "./tables/repository.ts";

type Locking = Extract<LockRequest, { kind: "lock" }>;
type Unlocking = Extract<LockRequest, { kind: "unlock" }>;

function lock(db: SqlDatabase, { path, owner }: Locking, now: number): LockOutcome {
  const taken = lockOfPath(db, path);
  if (taken !== undefined) return { kind: "taken", lock: taken };
  if (countLocks(db) >= MOST_LOCKS) return { kind: "full" };
  insertLock(db, path, owner, now);
  const made = lockOfPath(db, path);
  return made === undefined ? { kind: "missing" } : { kind: "locked", lock: made };
}

function unlock(db: SqlDatabase, { id, owner, force }: Unlocking): LockOutcome {
  const found = lockOfId(db, id);
  if (found === undefined) return { kind: "missing" };
  if (found.owner.key !== owner.key && !force) return { kind: "foreign", lock: found };
  deleteLock(db, found.path);
  return { kind: "unlocked", lock: found };
}

/** Answers a request about locks. */
export function answerLocks(db: SqlDatabase, repository: LfsRepository, request: LockRequest, now: number): LockAnswer {
  const row = repository.read();
  if (row === undefined) return { kind: "missing", ...forwardOf(repository.moves) };
  if (isHidden(row, request.publicOnly)) return { kind: "missing" };
  const record = repository.record(row);
  if (request.kind === "list") {
    const found = listLocks(db, request.query);
    const { limit } = request.query;
    return { kind: "found", record, locks: found.slice(0, limit), more: found.length > limit };
  }
  const answer = { kind: "found", record, locks: [], more: false } as const;
  if (record.readOnly || record.mirror !== undefined) return answer;
  const outcome = db.transaction(() => (request.kind === "lock" ? lock(db, request, now) : unlock(db, request)));
  return { ...answer, outcome };
}

/** Returns what a request has changed; `undefined` if that is nothing. */
export function lockChangeOf(
  request: LockRequest,
  answer: LockAnswer | undefined,
  now: number,
): LockChange | undefined {
  const outcome = answer?.kind === "found" ? answer.outcome : undefined;
  if (request.kind === "list" || (outcome?.kind !== "locked" && outcome?.kind !== "unlocked")) return undefined;
  const { id, path, owner, lockedAt } = outcome.lock;
  const action = outcome.kind === "locked" ? "created" : "deleted";
  return { action, id, path, owner: owner.name, lockedAt, at: now, by: request.owner.name };
}
