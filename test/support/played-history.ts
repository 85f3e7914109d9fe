/**
 * Histories of clients on the refs of one repository as they would come of a host that is right, without a host; and the same with one
 * answer in them that is wrong.
 *
 * @packageDocumentation
 */
import { type Operation, ILLEGAL } from "./linearizability.ts";
import {
  both,
  type Effect,
  EMPTY,
  GONE,
  landed,
  listed,
  made,
  missing,
  type Move,
  openTo,
  PAIRS,
  refsIn,
  refsTold,
  refused,
  type RepositoryState,
  removed,
  shown,
  SINGLES,
  told,
  toldGone,
} from "./ref-history.ts";
import { SeededRandom } from "./seeded-random.ts";

/** One in how many changes has no answer, and how many of the owner's operations lie between two deletions. */
const CUT_ONE_IN = 25;
const OWNERS_ROUND = 40;

type Answer = { readonly effect: Effect; readonly state: RepositoryState; readonly seen?: ReadonlyMap<string, string> };
/** What a client asks for. `perhaps` is what it does where the answer does not come. */
type Request = { readonly perhaps?: Effect; readonly run: (state: RepositoryState) => Answer };
type Asked = Request & { readonly called: number; readonly isCut: boolean; answer?: Answer };

/** Clients, an owner, and the repository. */
class Play {
  readonly #random: SeededRandom;
  readonly operations: Operation<RepositoryState>[] = [];
  #state = EMPTY;
  #clock = 0;
  #made = 0;
  #owned = 0;

  constructor(seed: number) {
    this.#random = new SeededRandom(seed);
  }

  /** Has clients ask, each at its own pace, and be answered, until there are enough operations. */
  run(clients: number, wanted: number): void {
    const asked = new Map<number, Asked>();
    const seen = Array.from({ length: clients }, () => new Map<string, string>());
    while (this.operations.length < wanted || asked.size > 0) {
      const at = this.#random.below(clients + 1);
      const mine = seen[at];
      const request = asked.get(at);
      if (request === undefined) {
        if (this.operations.length >= wanted) continue;
        const next = mine === undefined ? this.#ownersRequest() : this.#request(mine);
        const isCut = next.perhaps !== undefined && this.#random.below(CUT_ONE_IN) === 0;
        asked.set(at, { ...next, called: this.#now(), isCut });
        continue;
      }
      const isHeard = !request.isCut || this.#random.below(2) === 0;
      if (request.answer === undefined && isHeard) {
        request.answer = request.run(this.#state);
        this.#state = request.answer.state;
        continue;
      }
      asked.delete(at);
      this.#note(request);
      for (const [key, value] of (request.isCut ? undefined : request.answer?.seen) ?? []) mine?.set(key, value);
    }
  }

  #now(): number {
    this.#clock += 1;
    return this.#clock;
  }

  #note({ called, isCut, answer, perhaps }: Asked): void {
    const effect = isCut ? perhaps : answer?.effect;
    if (effect === undefined) throw new Error("nothing to note");
    const answered = isCut ? undefined : this.#now();
    this.operations.push({
      name: effect.needs.join(", "),
      called,
      answered,
      isReading: effect.brings.length === 0,
      ...effect,
    });
  }

  #ownersRequest(): Request {
    this.#owned += 1;
    if (this.#owned % OWNERS_ROUND === 0) return { run: () => ({ effect: removed, state: GONE }) };
    if (this.#owned % OWNERS_ROUND === 1 && this.#owned > 1) return { run: () => ({ effect: made, state: EMPTY }) };
    const effect = shown(this.#random.pick(["public", "private"]));
    return { run: (state) => ({ effect, state: after(effect, state) }) };
  }

  #request(mine: ReadonlyMap<string, string>): Request {
    const next = `v${++this.#made}`;
    const keys = this.#random.below(3) === 0 ? this.#random.pick(PAIRS) : [this.#random.pick(SINGLES)];
    const [key] = keys;
    return this.#random.weighed<Request>([
      [9, moving(keys.map((one) => ({ key: one, old: mine.get(one) ?? "", next })))],
      [3, moving(keys.map((one) => ({ key: one, old: mine.get(one) ?? "", next: "" })))],
      [1, keys.length === 1 && key !== undefined ? forcing(key, next) : listing],
      [8, listing],
      [2, asking],
    ]);
  }
}

const after = (effect: Effect, state: RepositoryState): RepositoryState => {
  const next = effect.apply(state);
  if (next === ILLEGAL) throw new Error(`${effect.needs.join(", ")} in ${state}`);
  return next;
};

/** Moves refs, if they are what the client has seen. Of a single one it is told what it is. */
function moving(moves: readonly Move[]): Request {
  const effect = landed(moves);
  const run = (state: RepositoryState): Answer => {
    if (state === GONE) return { effect: missing, state };
    const next = effect.apply(state);
    if (next !== ILLEGAL) return { effect, state: next, seen: new Map(moves.map((move) => [move.key, move.next])) };
    const [move] = moves;
    if (move === undefined || moves.length > 1) return { effect: refused(moves), state };
    const value = refsIn(state).get(move.key) ?? "";
    const seen = new Map([[move.key, value]]);
    return { effect: value === "" ? toldGone(move.key) : told(move.key, value), state, seen };
  };
  return { perhaps: effect, run };
}

/** Moves a ref, whatever it is, and is told what it was. */
function forcing(key: string, next: string): Request {
  const run = (state: RepositoryState): Answer => {
    if (state === GONE) return { effect: missing, state };
    const effect = landed([{ key, old: refsIn(state).get(key) ?? "", next }]);
    return { effect, state: after(effect, state), seen: new Map([[key, next]]) };
  };
  return { perhaps: landed([{ key, next }]), run };
}

const listing: Request = {
  run: (state) => {
    if (state === GONE) return { effect: missing, state };
    const gone = [...SINGLES, ...PAIRS.flat()].map((name) => [name, ""] as const);
    return { effect: listed(refsIn(state)), state, seen: new Map([...gone, ...refsIn(state)]) };
  },
};

/** A stranger lists refs. */
const asking: Request = {
  run: (state) => {
    const isOpen = openTo(true).apply(state) !== ILLEGAL;
    return { effect: isOpen ? both(openTo(true), listed(refsIn(state))) : openTo(false), state };
  },
};

/** Returns the history of some clients. It has `operations` operations, and the few that are under way when these have ended. */
export function playedHistory(seed: number, clients: number, operations: number): Operation<RepositoryState>[] {
  const play = new Play(seed);
  play.run(clients, operations);
  return play.operations;
}

/**
 * Returns a history in which one list of refs is wrong: for one ref it has a value that an earlier list showed, and that a list between
 * the two did not show any more. No value is ever written twice, so the ref can't have had it again. The list is the first one from the
 * operation number `from` on for which this can be done.
 *
 * @throws Error where there is no such list
 */
export function withStaleRef(
  history: readonly Operation<RepositoryState>[],
  from: number,
): Operation<RepositoryState>[] {
  const lists = history.flatMap((operation) => {
    const refs = operation.isReading ? refsTold(operation) : undefined;
    return refs === undefined || operation.answered === undefined
      ? []
      : [{ operation, refs, answered: operation.answered }];
  });
  for (const list of lists.slice(lists.findIndex(({ operation }) => history.indexOf(operation) >= from))) {
    const middle = lists.findLast(({ answered }) => answered < list.operation.called);
    if (middle === undefined) continue;
    for (const { refs } of lists.filter(({ answered }) => answered < middle.operation.called).toReversed()) {
      const stale = [...refs].find(([name, value]) => middle.refs.get(name) !== value && list.refs.get(name) !== value);
      if (stale === undefined) continue;
      const lie = { ...list.operation, ...listed(new Map([...list.refs, stale])), name: "a lie" };
      return history.map((operation) => (operation === list.operation ? lie : operation));
    }
  }
  throw new Error("no list of refs can be made a stale one");
}

/**
 * Returns a history in which a ref is moved away from one value twice. The move that is made twice is the first one from the operation
 * number `from` on that was answered; the second one is made at the same time.
 */
export function withSecondMove(
  history: readonly Operation<RepositoryState>[],
  from: number,
): Operation<RepositoryState>[] {
  const at = history.findIndex(
    ({ answered, needs, brings }, index) =>
      index >= from &&
      answered !== undefined &&
      brings.length === 1 &&
      needs.some((fact) => /^refs\S+ \S+$/.test(fact)),
  );
  const move = history[at];
  const [key, old] = move?.needs.find((fact) => fact.startsWith("refs"))?.split(" ") ?? [];
  if (move === undefined || key === undefined || old === undefined) throw new Error("no ref is moved");
  return history.toSpliced(at, 0, { ...move, ...landed([{ key, old, next: "lie" }]), name: "a lie" });
}
