/**
 * Has a repository tell its tenant what it has, after each change: with the alarm, so that no push waits for it and the changes of a
 * moment are told once. Told twice it says the same, and what comes late is known by its version.
 *
 * @packageDocumentation
 */
import type { UsageReport } from "../../access/quotas.ts";

/** What is to be told, without the repository's name. */
type Report = Omit<UsageReport, "repo">;

/** Where it is known what the tenant knows. */
export interface UsageTable {
  /** Whether there is something to tell. */
  readonly isUsageUnreported: boolean;
  unreportedUsage(): Report | undefined;
  usageReported(report: Report): void;
}

/** A tenant that could not be told is told this much later. Milliseconds. */
const RETRY_DELAY = 30_000;

/** The telling of one repository. */
export class UsageReporter {
  readonly #table: UsageTable;
  readonly #tell: (report: Report) => Promise<void>;
  #dueAt = 0;

  constructor(table: UsageTable, tell: (report: Report) => Promise<void>) {
    this.#table = table;
    this.#tell = tell;
  }

  /** When there is something to do, in milliseconds since the epoch; infinite where never. */
  get nextDue(): number {
    return this.#table.isUsageUnreported ? this.#dueAt : Number.POSITIVE_INFINITY;
  }

  /** Tells the tenant, where that is due. Does not throw: nothing else has to wait for a tenant that fails. */
  async work(now: number): Promise<void> {
    const report = this.#table.unreportedUsage();
    if (report === undefined || now < this.#dueAt) return;
    this.#dueAt = now + RETRY_DELAY;
    try {
      await this.#tell(report);
    } catch {
      // Its reason is in the log of the object that failed.
      return;
    }
    this.#dueAt = 0;
    this.#table.usageReported(report);
  }
}
