/**
 * The queue of jobs that failed in all their tries: its consumer, which keeps them in the directory's object, and what the operator does with
 * them.
 *
 * @packageDocumentation
 */
import type { DirectoryObject } from "../durable/tenant/directory-object.ts";
import type { DeadLetters } from "../events/dead-letter.ts";
import { type Job, parseJob } from "../events/job.ts";
import type { RequestCounters } from "./request-counters.ts";

/** The name of the queue. */
export const DEAD_QUEUE = "thinpack-dead";

/** The queues that jobs go to. */
export type JobQueues = {
  readonly JOBS: Queue<Job>;
  readonly MIRROR_JOBS: Queue<Job>;
  readonly MAINTENANCE_JOBS: Queue<Job>;
};

/** What a batch of jobs that were given up needs. */
export type DeadLetterHost = {
  /** Keeps jobs for the operator. */
  readonly keep: (jobs: readonly Job[]) => Promise<void>;
  /** Gets failures. */
  readonly onFault: (where: string, error: unknown) => void;
  /** Counts a job that was given up. */
  readonly onDead: (job: Job) => void;
};

/** Keeps the jobs of a batch. If that fails, the queue delivers the batch again. */
export async function keepDeadLetters(
  batch: Pick<MessageBatch, "messages" | "ackAll">,
  { keep, onFault, onDead }: DeadLetterHost,
): Promise<void> {
  const jobs: Job[] = [];
  for (const { body, id } of batch.messages) {
    const job = parseJob(body);
    if (job === undefined) onFault("queue", new Error(`message ${id}, which was given up, is no job`));
    else jobs.push(job);
  }
  if (jobs.length > 0) await keep(jobs);
  batch.ackAll();
  for (const job of jobs) onDead(job);
}

/** Returns the queue that takes jobs of this type. */
function queueOf({ type }: Job, queues: JobQueues): Queue<Job> {
  if (type === "mirror-sync") return queues.MIRROR_JOBS;
  return type === "maintenance" ? queues.MAINTENANCE_JOBS : queues.JOBS;
}

/** Opens the letters that are kept. */
export function durableDeadLetters(
  object: DurableObjectStub<DirectoryObject>,
  queues: JobQueues,
  counters: RequestCounters,
): DeadLetters {
  return {
    list: (query) => counters.run("do", async () => object.deadLetters(query)),
    redeliver: async (id) => {
      const job = await counters.run("do", async () => object.deadLetter(id));
      if (job === undefined) return false;
      // The letter goes last: a job may come twice, and must not be lost.
      await queueOf(job, queues).send(job);
      await counters.run("do", async () => object.removeDeadLetter(id));
      return true;
    },
    remove: (id) => counters.run("do", async () => object.removeDeadLetter(id)),
  };
}
