/**
 * Has a repository report to its tenant what it holds, after each change. The alarm sends the report, so that no push
 * waits for it and changes close together share one. A repeated report does no harm, and a late one is known by its
 * version.
 *
 * @packageDocumentation
 */
import type { UsageReport } from "../../access/quotas.ts";

/** The report, without the repository's name. */
type Report = Omit<UsageReport, "repo">;

/** The table that records which report the tenant has. */
export interface UsageTable {
  /** Whether there is something to report. */
  readonly isUsageUnreported: boolean;
  /** When the report is due at the earliest, in milliseconds since the epoch: many small pushes share one. */
  readonly usageDueFrom: number;
  /** Returns the report that the tenant has to get; `undefined` if it has the newest. */
  unreportedUsage(): Report | undefined;
  /** Notes that the tenant has this report. */
  usageReported(report: Pick<Report, "id" | "version">): void;
}

/** How much later a report that failed is sent again. Milliseconds. */
const RETRY_DELAY = 30_000;

/** Sends the reports of one repository. */
export class UsageReporter {
  readonly #table: UsageTable;
  readonly #tell: (report: Report) => Promise<void>;
  #dueAt = 0;

  constructor(table: UsageTable, tell: (report: Report) => Promise<void>) {
    this.#table = table;
    this.#tell = tell;
  }

  /** When there is something to do, in milliseconds since the epoch; infinite if never. */
  get nextDue(): number {
    return this.#table.isUsageUnreported ? Math.max(this.#dueAt, this.#table.usageDueFrom) : Number.POSITIVE_INFINITY;
  }

  /** Sends the report if it is due. It does not throw: nothing else has to wait for a tenant that fails. */
  async work(now: number): Promise<void> {
    const report = this.#table.unreportedUsage();
    if (report === undefined || now < this.#dueAt) return;
    this.#dueAt = now + RETRY_DELAY;
    try {
      await this.#tell(report);
    } catch {
      // The object that failed logs the reason.
      return;
    }
    this.#dueAt = 0;
    this.#table.usageReported(report);
  }
}
