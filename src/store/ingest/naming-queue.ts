/**
 * A queue of objects that wait for their names. Hashing four at a time takes less than half the time of one after the
 * other, so objects are named by the batch. They are named sooner if their bytes would be overwritten or a caller needs
 * the names.
 *
 * @packageDocumentation
 */
import type { Held, Inflating } from "../inflating.ts";

/** An object that waits for its name. */
export type Unnamed = { readonly number: number; readonly type: number; readonly held: Held };

/** The objects in line. */
export class NamingQueue {
  readonly #inflating: Inflating;
  readonly #named: (object: Unnamed, nameAt: number, collision: boolean) => void;
  #waiting: Unnamed[] = [];

  /**
   * `named` is called for each object, in order, with the address of its raw name and whether its SHA-1 is part of a
   * collision attack.
   */
  constructor(inflating: Inflating, named: (object: Unnamed, nameAt: number, collision: boolean) => void) {
    this.#inflating = inflating;
    this.#named = named;
  }

  /** Whether the queue is empty: no object waits. */
  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  /** Lines up an object. Its bytes stay in the ring until it is named. */
  add(object: Unnamed): void {
    const { kernel, ring } = this.#inflating;
    if (this.#waiting.length === kernel.batchCapacity) this.flush();
    if (this.#waiting.length === 0) ring.needFrom(object.held.position, () => this.flush());
    kernel.batchAdd(object.type, this.#inflating.pointer(object.held), object.held.size);
    this.#waiting.push(object);
  }

  /** Names all objects that wait. */
  flush(): void {
    const { kernel, ring } = this.#inflating;
    const waiting = this.#waiting;
    if (waiting.length === 0) return;
    this.#waiting = [];
    ring.needNothing();
    kernel.batchRun();
    try {
      for (const [i, object] of waiting.entries()) this.#named(object, kernel.batchNameAt(i), kernel.batchCollision(i));
    } finally {
      kernel.batchClear();
    }
  }
}
