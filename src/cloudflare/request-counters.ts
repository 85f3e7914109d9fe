/**
 * Counts the storage operations of one request. Every call to R2, KV, a Durable Object or a queue goes through here.
 *
 * @packageDocumentation
 */
import type { RequestCounts } from "../repository/request-counts.ts";

/** The kinds of operations; `queue` counts as a round trip only. */
export type OperationKind = "r2r" | "r2w" | "do" | "kv" | "queue";

/** The counters of one request. */
export class RequestCounters {
  readonly #operations: Record<OperationKind, number> = { r2r: 0, r2w: 0, do: 0, kv: 0, queue: 0 };
  #bytesRead = 0;
  /** The depth of the deepest operation that has ended. */
  #ended = 0;
  #deepest = 0;

  /**
   * Runs an operation and counts it. Its depth is one more than that of the deepest operation that had ended when it
   * began.
   */
  async run<T>(kind: OperationKind, operation: () => Promise<T>): Promise<T> {
    this.#operations[kind]++;
    const depth = this.#ended + 1;
    this.#deepest = Math.max(this.#deepest, depth);
    try {
      return await operation();
    } finally {
      this.#ended = Math.max(this.#ended, depth);
    }
  }

  /** Counts bytes that came from R2. */
  addBytesRead(bytes: number): void {
    this.#bytesRead += bytes;
  }

  /** Returns the counts so far. */
  counts(): RequestCounts {
    const { r2r, r2w, do: calls, kv } = this.#operations;
    return { r2r, r2w, r2b: this.#bytesRead, do: calls, kv, rt: this.#deepest };
  }
}
