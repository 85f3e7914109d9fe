/**
 * Checks whether a history of operations on one state could have come about one operation at a time, each somewhere between its call
 * and its answer. The search is that of Wing and Gong, with Lowe's memory of what was tried. It does not go on where an operation that is
 * left needs something of the state that nothing can bring back in time. Where values are hardly ever written twice, that leaves few
 * orders. The registers of which a state is made are not checked each by itself, since one answer tells of several.
 *
 * @packageDocumentation
 * @see Wing and Gong, "Testing and verifying concurrent objects"; Lowe, "Testing for linearizability"
 */

import { itemAt } from "../../src/bytes/assert.ts";

/** An operation as a client saw it. Times are of one clock. */
export type Operation<State> = {
  /** What it was, for whoever reads a counterexample. */
  readonly name: string;
  readonly called: number;
  /** When it was answered; `undefined` where it never was: it may have taken effect at any time since, or never. */
  readonly answered: number | undefined;
  /** Whether it changes nothing, whatever the state. */
  readonly isReading: boolean;
  /**
   * Returns the state after it, if it can have had this answer in a state; else `illegal`. An operation without an answer returns
   * what it would have done.
   */
  apply(state: State): State | typeof ILLEGAL;
  /** Facts, each of which has to be true of a state in which it can be done with this answer. Others may be needed, too. */
  readonly needs: readonly string[];
  /** All facts that it can make true of a state. */
  readonly brings: readonly string[];
};

/** Says that an operation can't have had its answer in a state. */
export const ILLEGAL = Symbol("illegal");

/** What was found. */
export type Verdict =
  | { readonly kind: "linearizable"; readonly tried: number }
  | {
      readonly kind: "impossible";
      readonly tried: number;
      /** The operations that might come next, behind the longest order found. */ readonly stuck: readonly string[];
      /** Those that need something there which the others would end. */ readonly needing: readonly string[];
      /** The state there. */
      readonly state: string;
    }
  | { readonly kind: "undecided"; readonly tried: number };

type Stuck = Pick<Extract<Verdict, { kind: "impossible" }>, "stuck" | "needing" | "state">;

/** Orders that are tried before a search is given up: some 10 s. */
const MOST_TRIED = 2_000_000;

/** A place in the search: the operations that are done. */
type Node<State> = {
  /** All answered operations below it are done. */
  readonly first: number;
  /** Those at or above it that are done. */
  readonly done: ReadonlySet<number>;
  /** The operations without an answer that were taken as done. */
  readonly supposed: ReadonlySet<number>;
  readonly state: State;
};

/** The operations that have to do with a fact, as numbers in the order of their calls. */
type Uses = { readonly needed: number[]; readonly brought: number[]; readonly supposed: number[] };

/** Says of which facts a state consists. */
export type FactsOf<State> = (state: State) => readonly string[];

/** Which operations need facts, and which can make them true. */
class Facts<State> {
  readonly #factsOf: FactsOf<State>;
  readonly #uses = new Map<string, Uses>();
  readonly #ofStates = new Map<State, ReadonlySet<string>>();

  constructor(answered: readonly Operation<State>[], open: readonly Operation<State>[], factsOf: FactsOf<State>) {
    this.#factsOf = factsOf;
    for (const [at, { needs, brings }] of answered.entries()) {
      for (const fact of needs) this.uses(fact).needed.push(at);
      for (const fact of brings) this.uses(fact).brought.push(at);
    }
    for (const [at, { brings }] of open.entries()) for (const fact of brings) this.uses(fact).supposed.push(at);
  }

  /** All facts that an operation needs or can make true. */
  get all(): Iterable<string> {
    return this.#uses.keys();
  }

  uses(fact: string): Uses {
    const known = this.#uses.get(fact);
    if (known !== undefined) return known;
    const uses: Uses = { needed: [], brought: [], supposed: [] };
    this.#uses.set(fact, uses);
    return uses;
  }

  of(state: State): ReadonlySet<string> {
    const known = this.#ofStates.get(state);
    if (known !== undefined) return known;
    const facts = new Set(this.#factsOf(state));
    this.#ofStates.set(state, facts);
    return facts;
  }
}

/**
 * The places that were seen. One that differs from another only in that more was supposed leads nowhere else: nothing that is supposed has
 * to be done.
 */
class Seen {
  readonly #supposed = new Map<string, ReadonlySet<number>[]>();

  /** Adds a place. Returns whether it is a new one. */
  add(place: string, supposed: ReadonlySet<number>): boolean {
    const known = this.#supposed.get(place) ?? [];
    if (known.some((less) => isWithin(less, supposed))) return false;
    this.#supposed.set(place, [...known.filter((more) => !isWithin(supposed, more)), supposed]);
    return true;
  }
}

/** Searches for an order of the operations on one state. States are compared as strings. */
class Search<State extends string> {
  readonly #answered: readonly Operation<State>[];
  readonly #open: readonly Operation<State>[];
  readonly #facts: Facts<State>;

  constructor(history: readonly Operation<State>[], factsOf: FactsOf<State>) {
    const byCall = history.toSorted((a, b) => a.called - b.called);
    this.#answered = byCall.filter(({ answered }) => answered !== undefined);
    this.#open = byCall.filter(({ answered }) => answered === undefined);
    this.#facts = new Facts(this.#answered, this.#open, factsOf);
  }

  #operation(at: number): Operation<State> {
    return itemAt(this.#answered, at);
  }

  /** Returns the operations that may come next: those called before any that is not done was answered; and that moment. */
  #next({ first, done }: Node<State>): { next: number[]; deadline: number } {
    const next: number[] = [];
    let deadline = Number.POSITIVE_INFINITY;
    for (let at = first; at < this.#answered.length; at++) {
      const operation = this.#operation(at);
      if (operation.called > deadline) break;
      if (done.has(at)) continue;
      next.push(at);
      deadline = Math.min(deadline, operation.answered ?? deadline);
    }
    return { next: next.filter((at) => this.#operation(at).called <= deadline), deadline };
  }

  #with(node: Node<State>, at: number, state: State): Node<State> {
    const done = new Set(node.done).add(at);
    let { first } = node;
    while (done.delete(first)) first += 1;
    return { first, done, supposed: node.supposed, state };
  }

  /** Does what only reads, and is right as it is: no order is lost by doing it at once. */
  #settled(from: Node<State>): Node<State> {
    let node = from;
    for (;;) {
      const { state } = node;
      const right = this.#next(node).next.filter((index) => this.#isRight(this.#operation(index), state));
      if (right.length === 0) return node;
      for (const at of right) node = this.#with(node, at, state);
    }
  }

  #answerOf(at: number): number {
    return this.#operation(at).answered ?? Number.POSITIVE_INFINITY;
  }

  #isRight(operation: Operation<State>, state: State): boolean {
    return operation.isReading && operation.apply(state) !== ILLEGAL;
  }

  /** Gives those of some operations that are not done, in the order of their calls. */
  *#left(operations: readonly number[], { first, done }: Node<State>): Iterable<number> {
    for (let n = firstFrom(operations, first); n < operations.length; n++) {
      const at = itemAt(operations, n);
      if (!done.has(at)) yield at;
    }
  }

  /** Whether an operation that was answered, and is called by some time, is left that makes a fact true. */
  #isBroughtBy(fact: string, time: number, node: Node<State>): boolean {
    for (const at of this.#left(this.#facts.uses(fact).brought, node)) return this.#operation(at).called <= time;
    return false;
  }

  /** Whether an operation without an answer may still be done: what it needs is true, or may be made true. */
  #isPossible(at: number, node: Node<State>): boolean {
    if (node.supposed.has(at)) return false;
    return itemAt(this.#open, at).needs.every(
      (fact) =>
        this.#facts.of(node.state).has(fact) ||
        this.#isBroughtBy(fact, Number.POSITIVE_INFINITY, node) ||
        this.#facts.uses(fact).supposed.some((other) => other !== at && !node.supposed.has(other)),
    );
  }

  /** Whether what is left can still have a fact that is not true now: whatever brings it is called before it is needed. */
  #canBeHad(fact: string, node: Node<State>): boolean {
    const { needed, supposed } = this.#facts.uses(fact);
    let time = Number.POSITIVE_INFINITY;
    for (const at of this.#left(needed, node)) {
      // Whatever is called later is answered later.
      if (this.#operation(at).called > time) break;
      time = Math.min(time, this.#answerOf(at));
    }
    if (time === Number.POSITIVE_INFINITY || this.#isBroughtBy(fact, time, node)) return true;
    return supposed.some((at) => itemAt(this.#open, at).called <= time && this.#isPossible(at, node));
  }

  /** Returns the facts that a change has ended, are needed, and can't come back in time. */
  #lost(before: State, node: Node<State>): string[] {
    const facts = this.#facts.of(node.state);
    return [...this.#facts.of(before)].filter((fact) => !facts.has(fact) && !this.#canBeHad(fact, node));
  }

  /** Returns the names of the operations that need one of some facts, and are not done. */
  #needing(facts: readonly string[], { first, done }: Node<State>): string[] {
    const needing = new Set(facts.flatMap((fact) => this.#facts.uses(fact).needed));
    return [...needing].filter((at) => at >= first && !done.has(at)).map((at) => this.#operation(at).name);
  }

  /** Returns the places that one more change leads to, and the facts that are needed and would be lost at others. */
  #after(node: Node<State>): { nodes: Node<State>[]; lost: string[] } {
    const { next, deadline } = this.#next(node);
    const nodes: Node<State>[] = [];
    for (const [at, operation] of this.#open.entries()) {
      if (operation.called > deadline) break;
      if (node.supposed.has(at)) continue;
      const state = operation.apply(node.state);
      if (state === ILLEGAL || state === node.state) continue;
      nodes.push({ ...node, supposed: new Set(node.supposed).add(at), state });
    }
    // What was answered first is tried first: that is nearly always the order.
    const byAnswer = next.toSorted((a, b) => this.#answerOf(b) - this.#answerOf(a));
    for (const at of byAnswer) {
      const state = this.#operation(at).apply(node.state);
      if (state !== ILLEGAL) nodes.push(this.#with(node, at, state));
    }
    const lost = nodes.map((after) => this.#lost(node.state, after));
    return { nodes: nodes.filter((_, at) => lost[at]?.length === 0), lost: lost.flat() };
  }

  /** Searches. */
  run(initial: State): Verdict {
    const seen = new Seen();
    const start: Node<State> = { first: 0, done: new Set(), supposed: new Set(), state: initial };
    const given = this.#facts.of(initial);
    const never = [...this.#facts.all].filter((fact) => !given.has(fact) && !this.#canBeHad(fact, start));
    const stack = never.length === 0 ? [start] : [];
    let farthest = -1;
    let at: Stuck = { stuck: [], needing: this.#needing(never, start), state: initial };
    for (let tried = 1; ; tried++) {
      const taken = stack.pop();
      if (taken === undefined) return { kind: "impossible", tried, ...at };
      if (tried > MOST_TRIED) return { kind: "undecided", tried };
      const node = this.#settled(taken);
      if (node.first === this.#answered.length) return { kind: "linearizable", tried };
      if (!seen.add(JSON.stringify([node.first, sorted(node.done), node.state]), node.supposed)) continue;
      const { nodes, lost } = this.#after(node);
      stack.push(...nodes);
      if (node.first + node.done.size <= farthest) continue;
      farthest = node.first + node.done.size;
      const stuck = this.#next(node).next.map((index) => this.#operation(index).name);
      at = { stuck, needing: this.#needing(lost, node), state: node.state };
    }
  }
}

/** Returns the first place in a sorted list that has a number or a greater one. */
function firstFrom(list: readonly number[], number: number): number {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (itemAt(list, middle) < number) low = middle + 1;
    else high = middle;
  }
  return low;
}

function isWithin(less: ReadonlySet<number>, more: ReadonlySet<number>): boolean {
  return less.size <= more.size && [...less].every((at) => more.has(at));
}

function sorted(numbers: ReadonlySet<number>): number[] {
  return [...numbers].toSorted((a, b) => a - b);
}

/**
 * Leaves out the operations without an answer that make nothing true which another one needs. Hardly ever is one of them needed to explain
 * an answer, and there are many of them.
 */
function withoutUseless<State>(history: readonly Operation<State>[]): Operation<State>[] {
  const needed = new Set<string>();
  let left: readonly Operation<State>[] = history;
  const taken: Operation<State>[] = [];
  for (;;) {
    const useful = left.filter(
      ({ answered, brings }) => answered !== undefined || brings.some((fact) => needed.has(fact)),
    );
    if (useful.length === 0) return taken;
    taken.push(...useful);
    for (const { needs } of useful) for (const fact of needs) needed.add(fact);
    const done = new Set(useful);
    left = left.filter((operation) => !done.has(operation));
  }
}

/** Checks a history of one state. States have to be strings, so that equal ones are the same. */
export function checkHistory<State extends string>(
  history: readonly Operation<State>[],
  initial: State,
  factsOf: FactsOf<State>,
): Verdict {
  const likely = withoutUseless(history);
  const verdict = new Search(likely, factsOf).run(initial);
  if (verdict.kind === "linearizable" || likely.length === history.length) return verdict;
  return new Search(history, factsOf).run(initial);
}
