/**
 * Decides, command by command, which refs a push may move. It is pure, so that it can run twice. The first run is
 * before the pack is ingested, to refuse a doomed push early. The second is inside the transaction that lands the push,
 * where its verdict is final. What takes long of that, the comparison with rules, is done before the transaction.
 *
 * Commands are taken one after the other, as in C git. A command that deletes `refs/heads/a` makes room for a later one
 * that creates `refs/heads/a/b`, but not for an earlier one.
 *
 * @packageDocumentation
 * @see builtin/receive-pack.c `update()`, `execute_commands_atomic()`
 */
import { itemAt } from "../bytes/assert.ts";
import { fromHex } from "../bytes/hex.ts";
import { isPushableRefName, nameSteps } from "../object/ref-name.ts";
import {
  type Pusher,
  PushRules,
  type RefChange,
  type RefRule,
  refusalOfFinding,
  type RuleFinding,
} from "./ref-policy.ts";
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

/** The steps of a command, its name and its rules aside. */
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

/**
 * The most characters of all directories of the refs that a push creates, each with {@link DIRECTORY_COST} more. A name of 4096 bytes
 * can have 2,000 directories, which have 4 MB together, and each of them is looked for.
 */
const MOST_DIRECTORIES_COST = 48_000_000;
const DIRECTORY_COST = 64;
/** Steps of a character of a directory that is looked up. Beside them each takes as many as it costs without its characters. */
const CHARACTER_STEPS = 0.2;

/**
 * Returns the directories of the refs that a push creates; `undefined` if they are more than can be looked at. One that several
 * refs have counts once. Yields the steps of each ref.
 */
export function* createdDirectories(
  updates: readonly RefUpdate[],
): Generator<number, ReadonlySet<string> | undefined, undefined> {
  const seen = new Set<string>();
  let cost = 0;
  for (const { name, oldOid, newOid } of updates) {
    if (!isZeroOid(oldOid) || isZeroOid(newOid)) continue;
    let steps = COMMAND_STEPS;
    for (const directory of directoriesOf(name)) {
      if (seen.has(directory)) break;
      seen.add(directory);
      cost += directory.length + DIRECTORY_COST;
      if (cost > MOST_DIRECTORIES_COST) return undefined;
      steps += DIRECTORY_COST + directory.length * CHARACTER_STEPS;
    }
    yield steps;
  }
  return seen;
}

/** Returns the steps of looking for what stands in the way of a new ref: each directory of its name is looked up. */
export function directorySteps(name: string): number {
  let count = 0;
  for (let at = name.indexOf("/"); at >= 0; at = name.indexOf("/", at + 1)) count++;
  return count * (DIRECTORY_COST + (name.length / 2) * CHARACTER_STEPS);
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

function changeOf(update: RefUpdate, forwardKnown: boolean): RefChange {
  const { name, oldOid, newOid, forward } = update;
  const kind = isZeroOid(newOid) ? "delete" : isZeroOid(oldOid) ? "create" : "update";
  return { name, kind, ...(forwardKnown || forward ? { forward } : {}) };
}

/** What is found out of an update by itself: that no ref may have its name, or what the rules say of it. */
type Finding = "bad-name" | RuleFinding | undefined;

/** What was found out of each update of a push. It holds for as long as the rules are the same. */
export type RuleFindings = {
  readonly rules: readonly RefRule[];
  readonly findings: readonly Finding[];
};

function pushRulesOf({ rules, pusher, signed }: RulingPolicy): PushRules {
  return new PushRules(rules, { pusher, ...(signed === undefined ? {} : { signed }) });
}

/** What of a policy the rules depend on. */
type RulingPolicy = Pick<RefPolicy, "rules" | "pusher" | "signed">;

function findingOf(update: RefUpdate, rules: PushRules, forwardKnown: boolean): Finding {
  return isPushableRefName(update.name) ? rules.findingOf(changeOf(update, forwardKnown)) : "bad-name";
}

/**
 * Looks at the names of a push, and compares its updates, of which it is known whether they move forward, with the rules. Yields the steps of each: this is
 * done before the transaction that lands the push.
 */
export function* findInParts(
  updates: readonly RefUpdate[],
  policy: RulingPolicy,
): Generator<number, RuleFindings, undefined> {
  const { rules } = policy;
  const pushRules = pushRulesOf(policy);
  const findings: Finding[] = [];
  for (const update of updates) {
    findings.push(findingOf(update, pushRules, true));
    yield nameSteps(update.name) + pushRules.stepsOf(update.name);
  }
  return { rules, findings };
}

/** Returns the objects, by their names in hexadecimal, of which a plan asks in which contexts they succeeded. */
export function demandedValues(updates: readonly RefUpdate[], { findings }: RuleFindings): Set<string> {
  const values = new Set<string>();
  for (const [index, finding] of findings.entries()) {
    if (finding === undefined || finding === "bad-name" || !("demands" in finding)) continue;
    const { newOid, peeled = newOid } = itemAt(updates, index);
    values.add(peeled);
  }
  return values;
}

/** Returns what is found out of one update by itself. */
type Ruling = (update: RefUpdate, index: number) => Finding;

function ruleRefusal(
  { newOid, peeled = newOid }: RefUpdate,
  finding: RuleFinding | undefined,
  { succeeded }: RefPolicy,
): RefRejection | undefined {
  const refusal = finding === undefined ? undefined : refusalOfFinding(finding, succeeded?.(peeled));
  return refusal === undefined ? undefined : { kind: "rule", refusal };
}

type Found = { readonly policy: RefPolicy; readonly finding: Finding };

function decide(update: RefUpdate, { policy, finding }: Found, refs: PlannedRefs): RefRejection | undefined {
  if (policy.readOnly) return { kind: "read-only" };
  if (finding === "bad-name") return { kind: "bad-name" };
  const refused = ruleRefusal(update, finding, policy);
  if (refused !== undefined) return refused;
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

function* plan(
  updates: readonly RefUpdate[],
  policy: RefPolicy,
  state: RefState,
  ruling: Ruling,
): Generator<RefUpdate, RefOutcome[], undefined> {
  const refs = new PlannedRefs(state);
  const seen = new Set<string>();
  const outcomes: RefOutcome[] = [];
  let refused = false;
  for (const [index, update] of updates.entries()) {
    const { name } = update;
    const found = { policy, finding: ruling(update, index) };
    const why: RefRejection | undefined = seen.has(name) ? { kind: "duplicate" } : decide(update, found, refs);
    seen.add(name);
    if (why === undefined) {
      const deletes = isZeroOid(update.newOid);
      refs.set(name, deletes ? "" : update.newOid, !deletes && isZeroOid(update.oldOid));
      outcomes.push({ name, kind: "ok" });
    } else {
      refused = true;
      outcomes.push({ name, kind: "rejected", why });
    }
    yield update;
  }
  if (!policy.atomic || !refused) return outcomes;
  return outcomes.map((outcome) =>
    outcome.kind === "ok" ? { name: outcome.name, kind: "rejected", why: { kind: "atomic" } } : outcome,
  );
}

/**
 * Returns the outcome of each command, in their order, given what the rules say of each. A second command for the same ref is
 * refused, whatever it asks. In an atomic push one refusal refuses the other commands too. Yields the steps of each command.
 */
export function* planRefUpdates(
  updates: readonly RefUpdate[],
  policy: RefPolicy,
  state: RefState,
  { findings }: RuleFindings,
): Generator<number, RefOutcome[], undefined> {
  const parts = plan(updates, policy, state, (_, index) => findings[index]);
  return yield* counted(parts, ({ name }) => COMMAND_STEPS + directorySteps(name));
}

/** Runs through the commands of a plan, and yields the steps of each. */
function* counted(
  parts: Generator<RefUpdate, RefOutcome[], undefined>,
  stepsOf: (update: RefUpdate) => number,
): Generator<number, RefOutcome[], undefined> {
  for (;;) {
    const next = parts.next();
    if (next.done === true) return next.value;
    yield stepsOf(next.value);
  }
}

/** Compares with the rules as well, and returns the outcomes. Yields the steps of each command. */
export function* planInParts(
  updates: readonly RefUpdate[],
  policy: RefPolicy,
  state: RefState,
): Generator<number, RefOutcome[], undefined> {
  const rules = pushRulesOf(policy);
  const parts = plan(updates, policy, state, (update) => findingOf(update, rules, policy.forwardKnown));
  return yield* counted(
    parts,
    ({ name }) => COMMAND_STEPS + directorySteps(name) + nameSteps(name) + rules.stepsOf(name),
  );
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
