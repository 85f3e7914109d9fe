/**
 * What many clients do to the refs of one repository at once, written down: when each asked, when it was answered, and what that says of
 * the state of the whole repository.
 *
 * @packageDocumentation
 */
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

function valueIn(state: RepositoryState, key: string): string | undefined {
  return state === GONE ? undefined : state.split(" ")[numbers.get(key) ?? -1];
}

function agrees(state: RepositoryState, moves: readonly Move[]): boolean {
  return state !== GONE && moves.every(({ key, old }) => old === undefined || valueIn(state, key) === old);
}

function moved(state: RepositoryState, moves: readonly Move[]): RepositoryState {
  const values = state.split(" ");
  for (const { key, next } of moves) values[numbers.get(key) ?? -1] = next;
  return values.join(" ");
}

/** A move that was made, or may have been. */
export function landed(moves: readonly Move[]): Apply {
  return (state) => (agrees(state, moves) ? moved(state, moves) : ILLEGAL);
}

/** Says what an answer tells of the state. */
export type Apply = Operation<RepositoryState>["apply"];

const only =
  (holds: (state: RepositoryState) => boolean): Apply =>
  (state) =>
    holds(state) ? state : ILLEGAL;

/** A move that was refused because a value is another one. */
export const refused = (moves: readonly Move[]): Apply => only((state) => state !== GONE && !agrees(state, moves));
/** The same, or the repository was deleted meanwhile. */
export const refusedOrMissing = (moves: readonly Move[]): Apply => only((state) => !agrees(state, moves));
/** Something that was refused because there is no repository. */
export const missing: Apply = only((state) => state === GONE);
/** An answer that says nothing of the state. */
export const silent: Apply = only(() => true);
/** The repository is deleted. */
export const removed: Apply = (state) => (state === GONE ? ILLEGAL : GONE);
/** The repository is made. */
export const made: Apply = (state) => (state === GONE ? EMPTY : ILLEGAL);
/** A value that was told. */
export const told = (key: string, value: string): Apply => only((state) => valueIn(state, key) === value);
/** A ref that was told not to be there: there may be no repository either. */
export const toldGone = (key: string): Apply => only((state) => state === GONE || valueIn(state, key) === "");
/** All refs as they were listed. */
export const listed = (refs: ReadonlyMap<string, string>): Apply =>
  only((state) => state !== GONE && NAMES.every((name) => valueIn(state, name) === (refs.get(name) ?? "")));
/** The repository is made public or private. */
export const shown = (visibility: string): Apply => landed([{ key: VISIBILITY, next: visibility }]);
/** A stranger was let in, or not. */
export const openTo = (isLetIn: boolean): Apply =>
  only((state) => (valueIn(state, VISIBILITY) === "public") === isLetIn);

/** The host has no room now: nothing was done, and nothing told. */
export class Busy extends Error {}

/** What came of a request. */
export type Told = {
  readonly kind: "changes" | "reads";
  readonly apply: Apply;
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
  async ask(name: string, work: () => Promise<Told>, perhaps?: Apply): Promise<void> {
    const called = this.#now();
    try {
      const { kind, apply, says = kind } = await work();
      this.operations.push({
        name: `${name}: ${says}`,
        called,
        answered: this.#now(),
        isReading: kind === "reads",
        apply,
      });
    } catch (error) {
      if (error instanceof Busy) return;
      if (!isCut(error)) this.faults.push(`${name}: ${String(error)}`);
      if (perhaps !== undefined)
        this.operations.push({ name, called, answered: undefined, isReading: false, apply: perhaps });
    }
  }
}

/** Whether a client has ended its own request. */
function isCut(error: unknown): boolean {
  return error instanceof Error && error.name === "AbortError";
}
