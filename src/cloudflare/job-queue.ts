/**
 * The queue's consumer: runs jobs and says so to the repository that asked.
 *
 * @packageDocumentation
 */
import { parseJob, type Job } from "../events/job.ts";
import { deletePrefix } from "../maintenance/delete-prefix.ts";
import { writeServerInfo } from "../maintenance/server-info.ts";
import type { RequestStorage } from "./open-repository.ts";

/** Pages of a thousand files that one run deletes; the rest is a new message's. */
const PAGES_A_RUN = 50;

/** Runs one job; gives whether it is done, or to be delivered again. */
async function runJob(job: Job, storage: RequestStorage): Promise<boolean> {
  const repository = storage.repository(job.repository);
  const settings = storage.refs(job.repository);
  switch (job.type) {
    case "server-info": {
      const written = await writeServerInfo(repository, (id) => storage.bareFiles(id), job.id);
      if (written !== undefined) await settings.derivedFilesWritten(written.id, written.version);
      return true;
    }
    case "delete-prefix": {
      const empty = await deletePrefix(storage.bareFiles(job.id), PAGES_A_RUN);
      if (empty) await settings.prefixDeleted(job.id);
      return empty;
    }
  }
}

/**
 * Runs a batch, message by message; one that fails is delivered again, the others are not. `open` gives each job its storage, and
 * `onFault` is told of failures.
 */
export async function runJobs(
  batch: MessageBatch,
  open: () => RequestStorage,
  onFault: (where: string, error: unknown) => void,
): Promise<void> {
  for (const message of batch.messages) {
    const job = parseJob(message.body);
    if (job === undefined) {
      onFault("queue", new Error(`message ${message.id} is no job`));
      message.ack();
      continue;
    }
    try {
      if (await runJob(job, open())) message.ack();
      else message.retry();
    } catch (error) {
      onFault(`job ${job.type}`, error);
      message.retry();
    }
  }
}
