/**
 * Finds out what the refs of a push come to: which may move, and which are refused. A small push has this done within its
 * transaction. That would keep all others waiting for one of very many refs, so it has it done before, in turns with them, and
 * the transaction only looks whether anything has changed since.
 *
 * @packageDocumentation
 */
import {
  createdDirectories,
  demandedValues,
  isZeroOid,
  planRefUpdates,
  type RefPolicy,
  type RefState,
  type RuleFindings,
} from "../../refs/ref-plan.ts";
import type { RefOutcome, RefUpdate } from "../../refs/ref-update.ts";
import type { CommitPushRequest } from "../../refs/ref-store.ts";
import type { SqlDatabase } from "../sql/sql-database.ts";
import { succeededContexts } from "./tables/commit-statuses.ts";
import { namesWithRefsBelow, readRefsInParts, refNamesBelow } from "./tables/refs.ts";
import { readRepository, type RepositoryRow } from "./tables/repository.ts";

/** Refs of a push, and characters of their names, up to which what they come to is found out within its transaction. */
const FEW_REFS = 500;
const FEW_CHARACTERS = 65_536;

/** What the refs of a push come to. */
export type PlannedMoves = {
  readonly outcomes: readonly RefOutcome[];
  /** The updates that were accepted and change something, in the order of the commands. */
  readonly moves: readonly RefUpdate[];
};

/** The same, and of which state of the repository that is. */
export type PlannedPush = PlannedMoves & { readonly of: RepositoryRow };

/** A policy, and what its rules say of each update. */
export type FoundPolicy = RefPolicy & RuleFindings;

/**
 * Loads everything that the plan asks for, in a statement for each few thousand refs. Names below a new ref are read only if
 * there are any: then the push is refused, or empties that directory first. Yields the steps of each statement.
 */
function* loadState(
  db: SqlDatabase,
  updates: readonly RefUpdate[],
  directories: ReadonlySet<string>,
): Generator<number, RefState, undefined> {
  const values = yield* readRefsInParts(
    db,
    updates.map((update) => update.name),
  );
  const taken = yield* readRefsInParts(db, directories);
  const created = updates.filter((update) => isZeroOid(update.oldOid) && !isZeroOid(update.newOid));
  const crowded = yield* namesWithRefsBelow(
    db,
    created.map((update) => update.name),
  );
  return {
    // An empty string stands for a ref that does not exist.
    current: (name) => values.get(name) ?? "",
    exists: (name) => taken.has(name) || values.has(name),
    below: (name) => (crowded.has(name) ? refNamesBelow(db, name) : []),
  };
}

function movesOf(updates: readonly RefUpdate[], outcomes: readonly RefOutcome[]): RefUpdate[] {
  return updates.filter((update, index) => {
    const nothing = isZeroOid(update.oldOid) && isZeroOid(update.newOid);
    return outcomes[index]?.kind === "ok" && !nothing;
  });
}

/** Finds out what updates come to, with what the tables say. Yields the steps of it. */
export function* planMoves(
  db: SqlDatabase,
  updates: readonly RefUpdate[],
  policy: FoundPolicy,
): Generator<number, PlannedMoves, undefined> {
  const directories = yield* createdDirectories(updates);
  if (directories === undefined) {
    const why = { kind: "too-many-directories" } as const;
    return { outcomes: updates.map(({ name }) => ({ name, kind: "rejected", why })), moves: [] };
  }
  const state = yield* loadState(db, updates, directories);
  const outcomes = yield* planRefUpdates(updates, policy, state, policy);
  return { outcomes, moves: movesOf(updates, outcomes) };
}

const NOWHERE: ReadonlySet<string> = new Set();

/** Returns the policy for a push. */
export function policyOf(
  db: SqlDatabase,
  { record: { head, readOnly } }: RepositoryRow,
  request: CommitPushRequest,
  found: RuleFindings,
): FoundPolicy {
  const succeeded = succeededContexts(db, demandedValues(request.updates, found));
  const { atomic, pusher, signed } = request;
  const judged = { head, readOnly, atomic, pusher, signed, forwardKnown: true };
  return { ...judged, ...found, succeeded: (oid) => succeeded.get(oid) ?? NOWHERE };
}

/**
 * Finds out before its transaction what the refs of a push come to. Yields the steps of it. Returns `undefined` for a push of few refs, and where
 * there is no such repository.
 */
export function* planPush(
  db: SqlDatabase,
  request: CommitPushRequest,
  found: RuleFindings,
): Generator<number, PlannedPush | undefined, undefined> {
  const { updates, id } = request;
  const characters = updates.reduce((sum, { name }) => sum + name.length, 0);
  if (updates.length <= FEW_REFS && characters <= FEW_CHARACTERS) return undefined;
  const of = readRepository(db);
  if (of?.record.id !== id) return undefined;
  return { of, ...(yield* planMoves(db, updates, policyOf(db, of, request, found))) };
}

/** Whether what was found out before is what would be found out now: every move of a ref makes another version. */
export function stillHolds(
  planned: PlannedPush | undefined,
  { record, version }: RepositoryRow,
): planned is PlannedPush {
  if (planned === undefined || planned.of.version !== version) return false;
  const { head, readOnly, statusChanges } = planned.of.record;
  return head === record.head && readOnly === record.readOnly && statusChanges === record.statusChanges;
}
