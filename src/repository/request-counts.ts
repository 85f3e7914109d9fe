/**
 * What a request has cost in storage operations. Budgets are tested on these figures: they don't depend on the machine.
 *
 * @packageDocumentation
 */

/** Storage operations of one request so far. */
export type RequestCounts = {
  /** R2 reads (get, head, list). */
  readonly r2r: number;
  /** R2 writes (put, part, complete, delete). */
  readonly r2w: number;
  /** Bytes read from R2. */
  readonly r2b: number;
  /** Durable Object calls. */
  readonly do: number;
  /** KV reads. */
  readonly kv: number;
  /** The longest chain of operations that each began after another had ended: sequential round trips. */
  readonly rt: number;
};

/** Gives the counts as a `Server-Timing` header. */
export function formatServerTiming(counts: RequestCounts): string {
  return Object.entries(counts)
    .map(([name, value]) => `${name};desc="${value}"`)
    .join(", ");
}
