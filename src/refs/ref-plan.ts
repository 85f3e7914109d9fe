/**
 * Decides, command by command, which refs a push may move. It is pure, so that it can run twice. The first run is
 * before the pack is ingested, to refuse a doomed push early. The second is inside the transaction that lands the push,
 * where its verdict is final.
 *
 * Commands are taken one after the other, as in C git. A command that deletes `refs/heads/a` makes room for a later one
 * that creates `refs/heads/a/b`, but not for an earlier one.
 *
 * @packageDocumentation
 * @see builtin/receive-pack.c `update()`, `execute_commands_atomic()`
 */
import { itemAt } from "../bytes/assert.ts";
import { fromHex } from "../bytes/hex.ts";
import { isPushableRefName } from "../object/ref-name.ts";
import { checkRules, type Pusher, type RefChange, type RefRule, ruleSteps } from "./ref-policy.ts";
import type { RefOutcome, RefRejection, RefUpdate } from "./ref-update.ts";

/** The refs that a push finds. */
export interface RefState {
  /** Returns the value of a ref before the push, in hexadecimal; "" if there is no such ref. */
  current(name: string): string;
  /** Whether a ref called `name` exists before the push. This is asked for every parent of a new name. */
  exists(name: string): boolean;
  /** Returns the names of refs below `name/` before the push, or as many of them as can matter. */
  below(name: string): Iterable<string>;
}

/** The conditions of a push that are the same for each command. */
export type RefPolicy = {
  /** The branch that HEAD points to, which may not be deleted. */
  readonly head: string;
  readonly readOnly: boolean;
  /** Whether all commands succeed or none. */
  readonly atomic: boolean;
  readonly rules: readonly RefRule[];
  readonly pusher: Pusher;
  /** Whether the signature of the push is good; absent until it was checked. */
  readonly signed?: boolean;
  /** Whether `forward` of each update is final. It is not before the pack has been ingested. */
  readonly forwardKnown: boolean;
  /** Returns the contexts in which a commit, by its name in hexadecimal, succeeded; absent where it is not known. */
  readonly succeeded?: (oid: string) => ReadonlySet<string>;
};

/** The steps of a command, its rules aside. */
const COMMAND_STEPS = 200;

const ZEROS = /^0+$/;

/** Whether `oid` is all zeros, which stand for "no ref". */
export function isZeroOid(oid: string): boolean {
  return ZEROS.test(oid);
}

/** Returns the raw name to which the updates set `ref`; `undefined` if they leave it alone or delete it. */
export function newValueOf(updates: readonly RefUpdate[], ref: string): Uint8Array | undefined {
  const update = updates.find(({ name, newOid }) => name === ref && !isZeroOid(newOid));
  return update === undefined ? undefined : fromHex(update.newOid);
}

/** Yields every directory of a ref name, deepest first: `refs/heads/a`, `refs/heads`, `refs` for `refs/heads/a/b`. */
export function* directoriesOf(name: string): Generator<string> {
  for (let end = name.lastIndexOf("/"); end > 0; end = name.lastIndexOf("/", end - 1)) yield name.slice(0, end);
}

/** The changes of the push so far. */
class PlannedRefs {
  readonly #state: RefState;
  /** The decided names with their new values; "" for deleted ones. */
  readonly #values = new Map<string, string>();
  /** The directories of the refs that this push creates, each with one of these refs. */
  readonly #directories = new Map<string, string>();

  constructor(state: RefState) {
    this.#state = state;
  }

  current(name: string): string {
    return this.#values.get(name) ?? this.#state.current(name);
  }

  set(name: string, value: string, created: boolean): void {
    this.#values.set(name, value);
    if (!created) return;
    for (const directory of directoriesOf(name)) {
      if (this.#directories.has(directory)) break;
      this.#directories.set(directory, name);
    }
  }

  /** Returns a ref that prevents a new one: a parent directory of its name, or a ref below it. */
  conflict(name: string): string | undefined {
    for (const directory of directoriesOf(name)) {
      const planned = this.#values.get(directory);
      if (planned === undefined ? this.#state.exists(directory) : planned !== "") return directory;
    }
    const made = this.#directories.get(name);
    if (made !== undefined) return made;
    for (const other of this.#state.below(name)) {
      if (this.#values.get(other) !== "") return other;
    }
    return undefined;
  }
}

function changeOf(update: RefUpdate, { forwardKnown, signed, succeeded }: RefPolicy): RefChange {
  const { name, oldOid, newOid, forward, peeled = newOid } = update;
  const kind = isZeroOid(newOid) ? "delete" : isZeroOid(oldOid) ? "create" : "update";
  return {
    name,
    kind,
    ...(forwardKnown || forward ? { forward } : {}),
    ...(signed === undefined ? {} : { signed }),
    ...(succeeded === undefined ? {} : { succeeded: () => succeeded(peeled) }),
  };
}

function decide(update: RefUpdate, policy: RefPolicy, refs: PlannedRefs): RefRejection | undefined {
  if (policy.readOnly) return { kind: "read-only" };
  if (!isPushableRefName(update.name)) return { kind: "bad-name" };
  const refusal = checkRules(policy.rules, changeOf(update, policy), policy.pusher);
  if (refusal !== undefined) return { kind: "rule", refusal };
  const current = refs.current(update.name);
  const creates = isZeroOid(update.oldOid);
  const deletes = isZeroOid(update.newOid);
  if (deletes && !creates && update.name === policy.head) return { kind: "delete-current" };
  if (creates) {
    // As in C git, a ref that never was may be deleted. A ref made meanwhile may not, because the client did not see
    // it.
    if (deletes) return current === "" ? undefined : { kind: "stale", current };
    if (current !== "") return { kind: "exists", current };
    const other = refs.conflict(update.name);
    return other === undefined ? undefined : { kind: "directory-conflict", other };
  }
  if (current === "") return { kind: "missing-ref" };
  return current === update.oldOid ? undefined : { kind: "stale", current };
}

/**
 * Returns the outcome of each command, in their order. A second command for the same ref is refused, whatever it asks.
 * In an atomic push one refusal refuses the other commands too. Yields the steps of each command.
 */
export function* planInParts(
  updates: readonly RefUpdate[],
  policy: RefPolicy,
  state: RefState,
): Generator<number, RefOutcome[], undefined> {
  const refs = new PlannedRefs(state);
  const seen = new Set<string>();
  const stepsOf = ruleSteps(policy.rules);
  const outcomes: RefOutcome[] = [];
  let refused = false;
  for (const update of updates) {
    const { name } = update;
    const why: RefRejection | undefined = seen.has(name) ? { kind: "duplicate" } : decide(update, policy, refs);
    seen.add(name);
    if (why === undefined) {
      const deletes = isZeroOid(update.newOid);
      refs.set(name, deletes ? "" : update.newOid, !deletes && isZeroOid(update.oldOid));
      outcomes.push({ name, kind: "ok" });
    } else {
      refused = true;
      outcomes.push({ name, kind: "rejected", why });
    }
    yield COMMAND_STEPS + stepsOf(name);
  }
  if (!policy.atomic || !refused) return outcomes;
  return outcomes.map((outcome) =>
    outcome.kind === "ok" ? { name: outcome.name, kind: "rejected", why: { kind: "atomic" } } : outcome,
  );
}

/** Does what {@link planInParts} does at once, as within a transaction. */
export function planRefUpdates(updates: readonly RefUpdate[], policy: RefPolicy, state: RefState): RefOutcome[] {
  const parts = planInParts(updates, policy, state);
  for (;;) {
    const next = parts.next();
    if (next.done === true) return next.value;
  }
}

/**
 * Returns a state with the values of the refs that a push names, and no others. It serves for the verdict before the
 * pack is ingested.
 */
export function namedRefState(names: readonly string[], values: readonly string[]): RefState {
  const current = new Map(names.map((name, index) => [name, itemAt(values, index)] as const));
  // An empty text stands for a missing ref.
  const value = (name: string): string => current.get(name) ?? "";
  return { current: value, exists: (name) => value(name) !== "", below: () => [] };
}
