/**
 * Decides, command by command, what a push may move. Pure, so that it runs twice: before the pack is taken in, to refuse a doomed
 * push early, and inside the transaction that lands it, where its verdict is final.
 *
 * Commands are taken one after the other, as C git does: one that deletes `refs/heads/a` makes room for a later one that creates
 * `refs/heads/a/b`, not for an earlier one.
 *
 * @packageDocumentation
 * @see builtin/receive-pack.c `update()`, `execute_commands_atomic()`
 */
import { itemAt } from "../bytes/assert.ts";
import { fromHex } from "../bytes/hex.ts";
import { isPushableRefName } from "../object/ref-name.ts";
import { checkRules, type Pusher, type RefChange, type RefRule } from "./ref-policy.ts";
import type { RefOutcome, RefRejection, RefUpdate } from "./ref-update.ts";

/** What a push finds. */
export interface RefState {
  /** The value of a ref before the push, hex; "" where there is none. */
  current(name: string): string;
  /** Whether a ref called `name` exists before the push. Asked for every parent of a new name. */
  exists(name: string): boolean;
  /** Names of refs below `name/` before the push, or as many of them as can matter. */
  below(name: string): Iterable<string>;
}

/** What holds for a repository whatever the command. */
export type RefPolicy = {
  /** The branch HEAD points to: not to be deleted. */
  readonly head: string;
  readonly readOnly: boolean;
  /** All or nothing. */
  readonly atomic: boolean;
  readonly rules: readonly RefRule[];
  readonly pusher: Pusher;
  /** Whether the signature of the push is good; absent before it was looked at. */
  readonly signed?: boolean;
  /** Whether it was found out of each update if it moves its ref forward: not before the pack is there. */
  readonly forwardKnown: boolean;
};

const ZEROS = /^0+$/;

/** Whether `oid` is all zeros, which stand for "no ref". */
export function isZeroOid(oid: string): boolean {
  return ZEROS.test(oid);
}

/** Gives the raw name that the updates set `ref` to; `undefined` where they leave it alone or delete it. */
export function newValueOf(updates: readonly RefUpdate[], ref: string): Uint8Array | undefined {
  const update = updates.find(({ name, newOid }) => name === ref && !isZeroOid(newOid));
  return update === undefined ? undefined : fromHex(update.newOid);
}

/** Gives every directory of a ref name, deepest first: `refs/heads/a`, `refs/heads`, `refs` for `refs/heads/a/b`. */
export function* directoriesOf(name: string): Generator<string> {
  for (let end = name.lastIndexOf("/"); end > 0; end = name.lastIndexOf("/", end - 1)) yield name.slice(0, end);
}

/** What the push has changed so far. */
class PlannedRefs {
  readonly #state: RefState;
  /** Names decided on, with the value they get; "" for deleted ones. */
  readonly #values = new Map<string, string>();
  /** Directories of the refs this push made, each with one of them. */
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

  /** Gives a ref that stands in the way of a new one: a directory of its name, or below it. */
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

function changeOf({ name, oldOid, newOid, forward }: RefUpdate, { forwardKnown, signed }: RefPolicy): RefChange {
  const kind = isZeroOid(newOid) ? "delete" : isZeroOid(oldOid) ? "create" : "update";
  return {
    name,
    kind,
    ...(forwardKnown || forward ? { forward } : {}),
    ...(signed === undefined ? {} : { signed }),
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
    // A deletion of what never was is fine, as with C git; a ref made meanwhile is not: the client did not see it.
    if (deletes) return current === "" ? undefined : { kind: "stale", current };
    if (current !== "") return { kind: "exists", current };
    const other = refs.conflict(update.name);
    return other === undefined ? undefined : { kind: "directory-conflict", other };
  }
  if (current === "") return { kind: "missing-ref" };
  return current === update.oldOid ? undefined : { kind: "stale", current };
}

/**
 * Gives what becomes of each command, in their order. A second command for the same ref is refused, whatever it says; in an atomic
 * push one refusal refuses the others too.
 */
export function planRefUpdates(updates: readonly RefUpdate[], policy: RefPolicy, state: RefState): RefOutcome[] {
  const refs = new PlannedRefs(state);
  const seen = new Set<string>();
  let refused = false;
  const outcomes = updates.map((update): RefOutcome => {
    const { name } = update;
    const why: RefRejection | undefined = seen.has(name) ? { kind: "duplicate" } : decide(update, policy, refs);
    seen.add(name);
    if (why !== undefined) {
      refused = true;
      return { name, kind: "rejected", why };
    }
    const deletes = isZeroOid(update.newOid);
    refs.set(name, deletes ? "" : update.newOid, !deletes && isZeroOid(update.oldOid));
    return { name, kind: "ok" };
  });
  if (!policy.atomic || !refused) return outcomes;
  return outcomes.map((outcome) =>
    outcome.kind === "ok" ? { name: outcome.name, kind: "rejected", why: { kind: "atomic" } } : outcome,
  );
}

/** A state that knows only the values of the refs a push names: for the verdict before the pack is taken in. */
export function namedRefState(names: readonly string[], values: readonly string[]): RefState {
  const current = new Map(names.map((name, index) => [name, itemAt(values, index)] as const));
  // The empty text says that there is no such ref.
  const value = (name: string): string => current.get(name) ?? "";
  return { current: value, exists: (name) => value(name) !== "", below: () => [] };
}
