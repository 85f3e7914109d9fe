/**
 * The storage operations that a request has cost. Budgets are tested with these figures, because they don't depend on
 * the machine.
 *
 * @packageDocumentation
 */

/** The storage operations of one request so far. */
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

/** Returns the counts as a `Server-Timing` header. */
export function formatServerTiming(counts: RequestCounts): string {
  return Object.entries(counts)
    .map(([name, value]) => `${name};desc="${value}"`)
    .join(", ");
}
