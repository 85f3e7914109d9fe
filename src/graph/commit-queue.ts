/**
 * A queue of commits, youngest first: a binary heap over typed arrays.
 *
 * @packageDocumentation
 */
import { f64At, u32At } from "../bytes/assert.ts";

/** Nodes ordered by time, latest first; nodes of equal time in the order they were pushed. */
export class CommitQueue {
  #nodes = new Uint32Array(256);
  #times = new Float64Array(256);
  #orders = new Float64Array(256);
  #length = 0;
  #pushed = 0;

  /** The number of nodes in the queue. */
  get length(): number {
    return this.#length;
  }

  /** The time of the youngest node; `-Infinity` if the queue is empty. */
  get youngestTime(): number {
    return this.#length === 0 ? Number.NEGATIVE_INFINITY : f64At(this.#times, 0);
  }

  /** Adds a node. `time` is its commit's, in seconds since the epoch. */
  push(node: number, time: number): void {
    if (this.#length === this.#nodes.length) this.#grow();
    let at = this.#length++;
    const order = this.#pushed++;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#isBefore(time, order, parent)) break;
      this.#move(parent, at);
      at = parent;
    }
    this.#nodes[at] = node;
    this.#times[at] = time;
    this.#orders[at] = order;
  }

  /** Removes and returns the youngest node; `undefined` if the queue is empty. */
  pop(): number | undefined {
    if (this.#length === 0) return undefined;
    const top = this.#nodes[0];
    const last = --this.#length;
    const time = f64At(this.#times, last);
    const order = f64At(this.#orders, last);
    const node = u32At(this.#nodes, last);
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= last) break;
      if (child + 1 < last && this.#isBefore(f64At(this.#times, child + 1), f64At(this.#orders, child + 1), child))
        child++;
      if (this.#isBefore(time, order, child)) break;
      this.#move(child, at);
      at = child;
    }
    this.#nodes[at] = node;
    this.#times[at] = time;
    this.#orders[at] = order;
    return top;
  }

  /** Yields the nodes in the queue, in no order. */
  *[Symbol.iterator](): Generator<number> {
    for (let i = 0; i < this.#length; i++) yield u32At(this.#nodes, i);
  }

  /** Whether some node in the queue passes the test. */
  some(test: (node: number) => boolean): boolean {
    for (let i = 0; i < this.#length; i++) if (test(u32At(this.#nodes, i))) return true;
    return false;
  }

  #isBefore(time: number, order: number, other: number): boolean {
    const otherTime = f64At(this.#times, other);
    return time > otherTime || (time === otherTime && order < f64At(this.#orders, other));
  }

  #move(from: number, to: number): void {
    this.#nodes[to] = u32At(this.#nodes, from);
    this.#times[to] = f64At(this.#times, from);
    this.#orders[to] = f64At(this.#orders, from);
  }

  #grow(): void {
    const size = this.#nodes.length * 2;
    const nodes = new Uint32Array(size);
    nodes.set(this.#nodes);
    this.#nodes = nodes;
    const times = new Float64Array(size);
    times.set(this.#times);
    this.#times = times;
    const orders = new Float64Array(size);
    orders.set(this.#orders);
    this.#orders = orders;
  }
}
