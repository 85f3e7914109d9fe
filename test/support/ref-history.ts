/**
 * What many clients do to the refs of one repository at once, written down: when each asked, when it was answered, and what that says of
 * the state of the whole repository.
 *
 * @packageDocumentation
 */
import { itemAt } from "../../src/bytes/assert.ts";
import { type Operation, ILLEGAL } from "./linearizability.ts";

/** The names whose values are followed. A pair is moved together only. */
export const SINGLES = ["a", "b", "c", "d"].map((name) => `refs/heads/${name}`);
export const PAIRS = [["refs/heads/p/one", "refs/heads/p/two"] as const];
const NAMES = [...SINGLES, ...PAIRS.flat()];
const VISIBILITY = "visibility";
const KEYS = [...NAMES, VISIBILITY];

/** The state of a repository as text: the value of each key, in order. {@link GONE} where there is no repository. */
export type RepositoryState = string;
export const GONE: RepositoryState = "gone";
/** A repository as it is made. */
export const EMPTY: RepositoryState = stateOf(new Map([[VISIBILITY, "private"]]));

/** A change of one key, all of a change or none of it. `old` is not compared where it is not given; "" is no ref. */
export type Move = { readonly key: string; readonly old?: string; readonly next: string };

function stateOf(values: ReadonlyMap<string, string>): RepositoryState {
  return KEYS.map((key) => values.get(key) ?? "").join(" ");
}

const numbers = new Map(KEYS.map((key, at) => [key, at]));

/** The values of the state that was asked last: many are asked of one. */
let last: { readonly state: RepositoryState; readonly values: readonly string[] } = { state: GONE, values: [] };

function valueIn(state: RepositoryState, key: string): string | undefined {
  if (state !== last.state) last = { state, values: state === GONE ? [] : state.split(" ") };
  return last.values[numbers.get(key) ?? -1];
}

/** Returns the refs that are there in a state. */
export function refsIn(state: RepositoryState): Map<string, string> {
  const values = NAMES.map((name) => [name, valueIn(state, name) ?? ""] as const);
  return new Map(values.filter(([, value]) => value !== ""));
}

/** Returns the refs that were told where all were; `undefined` where they were not. */
export function refsTold({ needs }: Effect): Map<string, string> | undefined {
  const values = new Map(needs.map((one) => [one.slice(0, one.indexOf(" ")), one.slice(one.indexOf(" ") + 1)]));
  if (NAMES.some((name) => !values.has(name))) return undefined;
  return new Map([...values].filter(([name, value]) => NAMES.includes(name) && value !== ""));
}

function agrees(state: RepositoryState, moves: readonly Move[]): boolean {
  return state !== GONE && moves.every(({ key, old }) => old === undefined || valueIn(state, key) === old);
}

function moved(state: RepositoryState, moves: readonly Move[]): RepositoryState {
  const values = state.split(" ");
  for (const { key, next } of moves) values[numbers.get(key) ?? -1] = next;
  return values.join(" ");
}

/** Says what an answer tells of the state. */
export type Effect = Pick<Operation<RepositoryState>, "apply" | "needs" | "brings">;

const THERE = "there";
const fact = (key: string, value: string): string => `${key} ${value}`;

/** Returns the facts of a state: the value of each key, and whether there is a repository. */
export function factsOf(state: RepositoryState): string[] {
  return state === GONE ? [GONE] : [THERE, ...state.split(" ").map((value, at) => fact(itemAt(KEYS, at), value))];
}

/** A move that was made, or may have been. */
export function landed(moves: readonly Move[]): Effect {
  return {
    apply: (state) => (agrees(state, moves) ? moved(state, moves) : ILLEGAL),
    needs: [THERE, ...moves.flatMap(({ key, old }) => (old === undefined ? [] : [fact(key, old)]))],
    brings: moves.map(({ key, next }) => fact(key, next)),
  };
}

const only = (needs: readonly string[], holds: (state: RepositoryState) => boolean): Effect => ({
  apply: (state) => (holds(state) ? state : ILLEGAL),
  needs,
  brings: [],
});

/** Both of what two effects tell; neither changes anything. */
export const both = (one: Effect, other: Effect): Effect =>
  only([...one.needs, ...other.needs], (state) => one.apply(state) === state && other.apply(state) === state);
/** A move that was refused because a value is another one. */
export const refused = (moves: readonly Move[]): Effect =>
  only([THERE], (state) => state !== GONE && !agrees(state, moves));
/** The same, or the repository was deleted meanwhile. */
export const refusedOrMissing = (moves: readonly Move[]): Effect => only([], (state) => !agrees(state, moves));
/** Something that was refused because there is no repository. */
export const missing: Effect = only([GONE], (state) => state === GONE);
/** An answer that says nothing of the state. */
export const silent: Effect = only([], () => true);
/** The repository is deleted. */
export const removed: Effect = {
  apply: (state) => (state === GONE ? ILLEGAL : GONE),
  needs: [THERE],
  brings: factsOf(GONE),
};
/** The repository is made. */
export const made: Effect = {
  apply: (state) => (state === GONE ? EMPTY : ILLEGAL),
  needs: [GONE],
  brings: factsOf(EMPTY),
};
/** A value that was told. */
export const told = (key: string, value: string): Effect =>
  only([THERE, fact(key, value)], (state) => valueIn(state, key) === value);
/** A ref that was told not to be there: there may be no repository either. */
export const toldGone = (key: string): Effect => only([], (state) => state === GONE || valueIn(state, key) === "");
/** All refs as they were listed. */
export function listed(refs: ReadonlyMap<string, string>): Effect {
  const values = NAMES.map((name) => [name, refs.get(name) ?? ""] as const);
  return only(
    [THERE, ...values.map(([name, value]) => fact(name, value))],
    (state) => state !== GONE && values.every(([name, value]) => valueIn(state, name) === value),
  );
}
/** The repository is made public or private. */
export const shown = (visibility: string): Effect => landed([{ key: VISIBILITY, next: visibility }]);
/** A stranger was let in, or not. */
export const openTo = (isLetIn: boolean): Effect =>
  only(isLetIn ? [fact(VISIBILITY, "public")] : [], (state) => (valueIn(state, VISIBILITY) === "public") === isLetIn);

/** The host has no room now: nothing was done, and nothing told. */
export class Busy extends Error {}

/** What came of a request. */
export type Told = {
  readonly kind: "changes" | "reads";
  readonly effect: Effect;
  /** For whoever reads it. */ readonly says?: string;
};

/** The operations of all clients. */
export class RefHistory {
  readonly operations: Operation<RepositoryState>[] = [];
  readonly faults: string[] = [];
  #clock = 0;

  /** Returns the next moment. Counting tells all that time would: what was before what. */
  #now(): number {
    this.#clock += 1;
    return this.#clock;
  }

  /**
   * Has a client ask for something, and writes it down. `perhaps` is what it does where the answer does not come.
   */
  async ask(name: string, work: () => Promise<Told>, perhaps?: Effect): Promise<void> {
    const called = this.#now();
    try {
      const { kind, effect, says = kind } = await work();
      this.operations.push({
        name: `${name}: ${says}`,
        called,
        answered: this.#now(),
        isReading: kind === "reads",
        ...effect,
      });
    } catch (error) {
      if (error instanceof Busy) return;
      if (!isCut(error)) this.faults.push(`${name}: ${String(error)}`);
      if (perhaps !== undefined)
        this.operations.push({ name, called, answered: undefined, isReading: false, ...perhaps });
    }
  }
}

/** Whether a client has ended its own request. */
function isCut(error: unknown): boolean {
  return error instanceof Error && error.name === "AbortError";
}
