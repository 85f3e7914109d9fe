/**
 * Checks whether a history of operations on one register could have come about one operation at a time, each somewhere between its call
 * and its answer. The search is that of Wing and Gong, with Lowe's memory of what was tried.
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
};

/** Says that an operation can't have had its answer in a state. */
export const ILLEGAL = Symbol("illegal");

/** What was found. */
export type Verdict =
  | { readonly kind: "linearizable"; readonly tried: number }
  | {
      readonly kind: "impossible";
      /** The operations that no order has room for, the longest one found so far. */ readonly stuck: readonly string[];
      /** The state there. */
      readonly state: string;
    }
  | { readonly kind: "undecided"; readonly tried: number };

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

/** Searches for an order of the operations on one register. States are compared as strings. */
class Search<State> {
  readonly #answered: readonly Operation<State>[];
  readonly #open: readonly Operation<State>[];

  constructor(history: readonly Operation<State>[]) {
    const byCall = history.toSorted((a, b) => a.called - b.called);
    this.#answered = byCall.filter(({ answered }) => answered !== undefined);
    this.#open = byCall.filter(({ answered }) => answered === undefined);
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
      const at = this.#next(node).next.find((index) => this.#isRight(this.#operation(index), node.state));
      if (at === undefined) return node;
      node = this.#with(node, at, node.state);
    }
  }

  #answerOf(at: number): number {
    return this.#operation(at).answered ?? Number.POSITIVE_INFINITY;
  }

  #isRight(operation: Operation<State>, state: State): boolean {
    return operation.isReading && operation.apply(state) !== ILLEGAL;
  }

  /** Returns the places that one more change leads to. */
  #after(node: Node<State>): Node<State>[] {
    const { next, deadline } = this.#next(node);
    const nodes: Node<State>[] = [];
    for (const [at, operation] of this.#open.entries()) {
      if (operation.called > deadline || node.supposed.has(at)) continue;
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
    return nodes;
  }

  /** Searches. */
  run(initial: State): Verdict {
    const seen = new Set<string>();
    const stack: Node<State>[] = [{ first: 0, done: new Set(), supposed: new Set(), state: initial }];
    let farthest = 0;
    let stuck: readonly string[] = [];
    let state = "";
    for (let tried = 1; ; tried++) {
      const taken = stack.pop();
      if (taken === undefined) return { kind: "impossible", stuck, state };
      if (tried > MOST_TRIED) return { kind: "undecided", tried };
      const node = this.#settled(taken);
      if (node.first === this.#answered.length) return { kind: "linearizable", tried };
      const key = JSON.stringify([node.first, sorted(node.done), sorted(node.supposed), node.state]);
      if (seen.has(key)) continue;
      seen.add(key);
      if (node.first + node.done.size >= farthest) {
        farthest = node.first + node.done.size;
        stuck = this.#next(node).next.map((at) => this.#operation(at).name);
        state = String(node.state);
      }
      stack.push(...this.#after(node));
    }
  }
}

function sorted(numbers: ReadonlySet<number>): number[] {
  return [...numbers].toSorted((a, b) => a - b);
}

/** Checks a history of one register. States have to be strings, so that equal ones are the same. */
export function checkHistory<State extends string>(history: readonly Operation<State>[], initial: State): Verdict {
  return new Search(history).run(initial);
}
