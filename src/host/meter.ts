/**
 * Counts requests and jobs in the isolate's memory: for each tenant what its repositories were used for, and for the
 * operator the deployment's counters. What was counted is passed on some seconds later, so that a busy isolate writes
 * one row for many requests.
 *
 * @packageDocumentation
 */
import { type CountedUsage, DAY_COUNTS, type DayCounts, dayOf } from "../access/usage.ts";
import type { JobLine, RequestLine } from "../http/log.ts";

/** Repositories and days that are counted apart before what was counted is passed on at once. */
const MOST_COUNTED = 1000;

/** What was counted since the last time. */
export type Counted = {
  /** By tenant. */
  readonly tenants: ReadonlyMap<string, readonly CountedUsage[]>;
  /** The deployment's counters, by their names with labels. */
  readonly metrics: Readonly<Record<string, number>>;
};

/** Storage operations, by the names that they have in a line and in the counters. */
const OPERATIONS = [
  ["r2r", "r2_read"],
  ["r2w", "r2_write"],
  ["do", "durable_object"],
  ["kv", "kv_read"],
] as const;

function countsOf({ operation, in: bytesIn, out: bytesOut, ms }: RequestLine): DayCounts {
  return {
    requests: 1,
    clones: operation === "clone" ? 1 : 0,
    fetches: operation === "fetch" ? 1 : 0,
    pushes: operation === "push" ? 1 : 0,
    bytesIn,
    bytesOut,
    ms,
  };
}

function sum(a: CountedUsage, b: DayCounts): CountedUsage {
  return { ...a, ...Object.fromEntries(DAY_COUNTS.map((name) => [name, a[name] + b[name]])) };
}

/** The counts of one isolate. */
export class Meter {
  #usage = new Map<string, { readonly tenant: string; readonly counted: CountedUsage }>();
  #metrics = new Map<string, number>();
  #isPromised = false;

  /** Counts a request. `isOf` is the tenant that it counts for, if it counts for one. */
  request(line: RequestLine, isOf: string | undefined): void {
    const { operation, outcome } = line;
    this.#count(`thinpack_requests_total{operation="${operation}",outcome="${outcome}"}`, 1);
    this.#count(`thinpack_request_seconds_total{operation="${operation}"}`, line.ms / 1000);
    this.#count(`thinpack_received_bytes_total{operation="${operation}"}`, line.in);
    this.#count(`thinpack_sent_bytes_total{operation="${operation}"}`, line.out);
    this.#count("thinpack_r2_read_bytes_total", line.r2b);
    for (const [key, name] of OPERATIONS) this.#count(`thinpack_storage_operations_total{kind="${name}"}`, line[key]);
    if (isOf !== undefined) this.#use(isOf, line);
  }

  /** Counts a job. */
  job({ job, done, ms }: Pick<JobLine, "job" | "done" | "ms">): void {
    this.#count(`thinpack_jobs_total{job="${job}",outcome="${done ? "done" : "failed"}"}`, 1);
    this.#count(`thinpack_job_seconds_total{job="${job}"}`, ms / 1000);
  }

  /** Counts a job that failed in all its tries. */
  dead(job: string): void {
    this.#count(`thinpack_dead_letters_total{job="${job}"}`, 1);
  }

  /** Whether so much was counted that it has to be passed on now. */
  get isFull(): boolean {
    return this.#usage.size >= MOST_COUNTED;
  }

  /** Promises that what was counted will be passed on. Returns whether nobody has promised that before. */
  promise(): boolean {
    const isFirst = !this.#isPromised;
    this.#isPromised = true;
    return isFirst;
  }

  /** Takes what was counted. The next count begins at nothing. */
  take(): Counted {
    const tenants = new Map<string, CountedUsage[]>();
    for (const { tenant, counted } of this.#usage.values()) {
      tenants.set(tenant, [...(tenants.get(tenant) ?? []), counted]);
    }
    const metrics = Object.fromEntries(this.#metrics);
    this.#usage = new Map();
    this.#metrics = new Map();
    this.#isPromised = false;
    return { tenants, metrics };
  }

  #count(name: string, value: number): void {
    if (value > 0) this.#metrics.set(name, (this.#metrics.get(name) ?? 0) + value); // A new counter begins here.
  }

  #use(tenant: string, line: RequestLine): void {
    const day = dayOf(Date.parse(line.at));
    const { repo } = line;
    const key = `${tenant}/${repo ?? ""}/${day}`; // No repository has an empty name.
    const counts = countsOf(line);
    const known = this.#usage.get(key)?.counted;
    const counted =
      known === undefined ? { day, ...(repo === undefined ? {} : { repo }), ...counts } : sum(known, counts);
    this.#usage.set(key, { tenant, counted });
  }
}
