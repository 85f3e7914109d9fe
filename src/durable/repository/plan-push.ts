/**
 * Finds out what the refs of a push come to: which may move, and which are refused. A small push has this done within its
 * transaction. That would keep all others waiting for one of very many refs, so it has it done before, in turns with them, and
 * the transaction only looks whether anything has changed since that the push has to do with.
 *
 * @packageDocumentation
 */
import {
  createdDirectories,
  demandedValues,
  directoriesOf,
  directorySteps,
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
import { namesMovedSince, refLogEnds } from "./tables/ref-log.ts";
import { namesWithRefsBelow, readRefsInParts, refNamesBelow } from "./tables/refs.ts";
import { readRepository, type RepositoryRow } from "./tables/repository.ts";

/** Refs of a push, and characters of their names, up to which what they come to is found out within its transaction. */
const FEW_REFS = 500;
const FEW_CHARACTERS = 65_536;
/** Moves that are looked at of those that came after something was found out. After more of them it is found out anew. */
const MOST_MOVED = 2000;

/** The steps of looking at the directories of refs that have moved, after which all is found out anew. */
const MOST_TOUCH_STEPS = 50_000_000;
/** The steps of putting a name to others. */
const NAME_STEPS = 30;

const NOWHERE: ReadonlySet<string> = new Set();

/** Whether updates are so few that all is found out of them, and done with them, in one turn. */
export function areFew(updates: readonly RefUpdate[]): boolean {
  return updates.length <= FEW_REFS && updates.reduce((sum, { name }) => sum + name.length, 0) <= FEW_CHARACTERS;
}

/** What the refs of a push come to. */
export type PlannedMoves = {
  readonly outcomes: readonly RefOutcome[];
  /** The updates that were accepted and change something, in the order of the commands. */
  readonly moves: readonly RefUpdate[];
  /** The directories of the refs that are created. A ref that has the name of one stands in the way. */
  readonly directories: ReadonlySet<string>;
};

/** The same, and of which state of the repository that is. `logEnd` is the newest place in the log of its refs. */
export type PlannedPush = PlannedMoves & { readonly of: RepositoryRow; readonly logEnd: number };

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
    return { outcomes: updates.map(({ name }) => ({ name, kind: "rejected", why })), moves: [], directories: NOWHERE };
  }
  const state = yield* loadState(db, updates, directories);
  const outcomes = yield* planRefUpdates(updates, policy, state, policy);
  return { outcomes, moves: movesOf(updates, outcomes), directories };
}

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

/** What of a push, or of a mirror's sync, its refs depend on. */
type Planned = Pick<CommitPushRequest, "id" | "updates">;

/**
 * Finds out before its transaction what the refs of a push come to. Yields the steps of it. Returns `undefined` for a push of few refs, and where
 * there is no such repository. `policy` returns the policy for it.
 */
export function* planPush(
  db: SqlDatabase,
  { updates, id }: Planned,
  policy: (of: RepositoryRow) => FoundPolicy,
): Generator<number, PlannedPush | undefined, undefined> {
  if (areFew(updates)) return undefined;
  const of = readRepository(db);
  if (of?.record.id !== id) return undefined;
  const logEnd = refLogEnds(db).newest;
  return { of, logEnd, ...(yield* planMoves(db, updates, policy(of))) };
}

/** Returns the refs that have moved since a place in the log; `undefined` if they are too many to be looked at. */
export function movedSince(db: SqlDatabase, place: number): ReadonlySet<string> | undefined {
  const moved = namesMovedSince(db, place, MOST_MOVED + 1);
  return moved.length > MOST_MOVED ? undefined : new Set(moved);
}

/**
 * Whether refs have moved since the plan was made that it depends on: refs of the push itself, and those that stand, or stood, in the
 * way of one. Every move of a ref is in the log. Yields the steps of it.
 */
function* areTouched(
  db: SqlDatabase,
  { logEnd, directories }: PlannedPush,
  updates: readonly RefUpdate[],
): Generator<number, boolean, undefined> {
  const moved = movedSince(db, logEnd);
  if (moved === undefined) return true;
  if (moved.size === 0) return false;
  const names = new Set<string>();
  for (const { name } of updates) {
    names.add(name);
    if (names.size % MOST_MOVED === 0) yield MOST_MOVED * NAME_STEPS;
  }
  let left = MOST_TOUCH_STEPS;
  for (const name of moved) {
    const steps = directorySteps(name);
    left -= steps;
    if (left < 0 || names.has(name) || directories.has(name)) return true;
    for (const directory of directoriesOf(name)) if (names.has(directory)) return true;
    yield steps;
  }
  return false;
}

/** Returns the plan that was made of updates before if it is what would be found out now. Yields the steps of it. */
export function* stillPlanned(
  db: SqlDatabase,
  planned: PlannedPush | undefined,
  updates: readonly RefUpdate[],
  { record, version }: RepositoryRow,
): Generator<number, PlannedPush | undefined, undefined> {
  if (planned === undefined) return undefined;
  const { head, readOnly, statusChanges } = planned.of.record;
  const isSame = head === record.head && readOnly === record.readOnly && statusChanges === record.statusChanges;
  if (!isSame) return undefined;
  // Every move of a ref makes another version.
  if (planned.of.version === version) return planned;
  return (yield* areTouched(db, planned, updates)) ? undefined : planned;
}
