/**
 * Sends a repository's due jobs to their queues.
 *
 * @packageDocumentation
 */
import type { Job } from "../../events/job.ts";
import type { DueWork } from "./due-work.ts";
import type { RepositoryDatabase } from "./repository-database.ts";
import type { RepositoryObjectEnv } from "./repository-env.ts";

type Queues = Pick<RepositoryObjectEnv, "JOBS" | "MAINTENANCE_JOBS">;

/** Sends the jobs of one repository, and notes each in its database once it is sent. */
export class JobSender {
  readonly #queue: Queue<Job>;
  readonly #maintenance: Queue<Job>;
  readonly #database: RepositoryDatabase;

  constructor({ JOBS, MAINTENANCE_JOBS }: Queues, database: RepositoryDatabase) {
    this.#queue = JOBS;
    this.#maintenance = MAINTENANCE_JOBS;
    this.#database = database;
  }

  /**
   * Sends the jobs that are due: the one that writes derived files, the one that does a step of maintenance, those that
   * deliver webhooks, the one that sweeps Git LFS objects, and those that delete prefixes.
   */
  async send(repository: string, due: DueWork, now: number): Promise<void> {
    const { id } = due;
    if (id !== undefined && due.derivedFiles) {
      await this.#queue.send({ type: "server-info", repository, id });
      this.#database.derivedJobSent(now);
    }
    if (id !== undefined && due.maintenance) {
      await this.#maintenance.send({ type: "maintenance", repository, id });
      this.#database.maintenance.jobSent(now);
    }
    if (id !== undefined) await this.#sendDeliveries(repository, id, due.hooks);
    if (due.lfsSweep) {
      // The repository may be gone, and its objects still to be deleted.
      await this.#queue.send({ type: "lfs-sweep", repository, id: id ?? "" });
      this.#database.lfs.jobSent(now);
    }
    for (const { id: doomed, lent } of due.doomedPrefixes) {
      await this.#queue.send({ type: "delete-prefix", repository, id: doomed, ...(lent ? { lent } : {}) });
      this.#database.prefixJobSent(doomed, now);
    }
  }

  async #sendDeliveries(repository: string, id: string, hooks: readonly string[]): Promise<void> {
    for (const hook of hooks) {
      await this.#queue.send({ type: "deliver", repository, id, hook });
      this.#database.hooks(id)?.jobSent(hook, Date.now());
    }
  }
}
