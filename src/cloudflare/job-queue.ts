/**
 * The queue's consumer: runs jobs, and reports to the repository that asked for them.
 *
 * @packageDocumentation
 */
import type { DamagedFile } from "../catalog/damaged-file.ts";
import { HostBusy, LimitExceeded } from "../bytes/failure.ts";
import { deliverAll } from "../events/deliver.ts";
import type { Happening } from "../events/hook.ts";
import type { PushContent } from "../events/push-content.ts";
import type { Repository } from "../repository/repository.ts";
import { parseJob, type Job } from "../events/job.ts";
import { sweepLfsObjects } from "../lfs/sweep.ts";
import { deletePrefix } from "../maintenance/delete-prefix.ts";
import { maintain } from "../maintenance/maintain.ts";
import { publish } from "../maintenance/publish.ts";
import { fetchReceiver } from "./fetch-receiver.ts";
import type { RequestCounts } from "../repository/request-counts.ts";
import type { RequestStorage } from "./open-repository.ts";

/** Pages of a thousand files that one run deletes; a new message continues. */
const PAGES_A_RUN = 50;

/** The host that jobs run on. */
export type JobHost = {
  /** Opens the storage of one job. */
  readonly open: () => RequestStorage;
  /** `thinpack/{version}`. */
  readonly agent: string;
  /** Whether private networks may be reached: see `parseOutgoingUrl`. */
  readonly allowPrivate: boolean;
  /** Reads the commits of a push, for webhooks. */
  readonly readPush?: (
    repository: Repository,
    move: { readonly id: string; readonly oldOid: string; readonly newOid: string },
  ) => Promise<PushContent | undefined>;
  /** Gets files that only save work and are damaged. */
  readonly onDamage: (file: DamagedFile) => void;
  /** Gets failures. */
  readonly onFault: (where: string, error: unknown) => void;
  /** Gets each job, with its costs. */
  readonly onEnd: (line: JobEnd) => void;
};

/** The end of a job. */
export type JobEnd = RequestCounts & {
  readonly job: Job["type"];
  readonly repository: string;
  readonly ms: number;
  readonly done: boolean;
  /** What came of it, if that is more than done or not. */
  readonly outcome?: string;
  /** Why a sync failed: the sentence that the mirror's owner is shown. */
  readonly error?: string;
  /** Bytes of the kernels' memory. */
  readonly wasm: number;
};

/**
 * Returns the function that reads the commits of a push. Deliveries of one job that are of the same push share the
 * answer. What can't be read is logged, and told without commits.
 */
function contentReader(
  job: Job,
  storage: RequestStorage,
  host: JobHost,
): (happening: Happening) => Promise<PushContent | undefined> {
  const { repository: name, id } = job;
  const known = new Map<number, Promise<PushContent | undefined>>();
  const read = async ({ oldOid, newOid }: Happening): Promise<PushContent | undefined> => {
    try {
      return await host.readPush?.(storage.repository(name), { id, oldOid, newOid });
    } catch (error) {
      // A push that is too large to be looked at is no fault.
      if (!(error instanceof LimitExceeded || error instanceof HostBusy))
        await tellFault(job, storage, host, [`push of ${name}`, error]);
      return undefined;
    }
  };
  return async (happening) => {
    const found = known.get(happening.seq) ?? read(happening);
    known.set(happening.seq, found);
    return await found;
  };
}

/** Sends a webhook's due deliveries. A repository or webhook that is gone has none. */
async function deliver(job: Extract<Job, { type: "deliver" }>, storage: RequestStorage, host: JobHost): Promise<void> {
  const hooks = storage.hooks(job.repository);
  const due = await hooks.takeDeliveries(job.id, job.hook);
  if (due === undefined) return;
  const { agent, allowPrivate } = host;
  const tools = {
    receiver: fetchReceiver,
    name: job.repository,
    agent,
    allowPrivate,
    now: () => Date.now(),
    contentOf: contentReader(job, storage, host),
  };
  const results = await deliverAll(due, tools);
  await hooks.deliveriesDone(job.id, job.hook, results);
}

/** The end of a job; one that is not done has to be delivered again. */
type Ended = Pick<JobEnd, "done" | "outcome" | "error">;

const DONE: Ended = { done: true };
/** The end of a job whose repository was deleted below it. */
const GONE: Ended = { done: true, outcome: "gone" };

/**
 * Whether the repository of a job that failed was deleted meanwhile, and its files with it, or has another name by now. What the job then
 * met is no fault. A repository that can't be asked counts as there.
 */
async function isGone({ type, repository, id }: Job, storage: RequestStorage): Promise<boolean> {
  // These two are about what deleted repositories have left.
  if (type === "delete-prefix" || type === "lfs-sweep") return false;
  try {
    return (await storage.refs(repository).describe())?.id !== id;
  } catch {
    return false;
  }
}

/** Logs a failure that the job itself goes on after, unless its repository is gone. Returns whether it is. */
async function tellFault(
  job: Job,
  storage: RequestStorage,
  host: JobHost,
  fault: readonly [string, unknown],
): Promise<boolean> {
  if (await isGone(job, storage)) return true;
  host.onFault(...fault);
  return false;
}

/** Deletes what a deleted repository has in the bucket. */
async function deletePrefixOf(job: Extract<Job, { type: "delete-prefix" }>, storage: RequestStorage): Promise<Ended> {
  // It may have come back since it was deleted, and have another name by now: only what its object gives up is deleted.
  const { kind } = await storage.backup.object("repository", job.repository).whereabouts(job.id);
  if (kind !== "doomed") return DONE;
  await storage.snapshots.delete(job.id);
  const kept = job.lent === true ? await storage.lender(job.id).doom() : [];
  const empty = await deletePrefix(storage.bareFiles(job.id), PAGES_A_RUN, kept);
  if (empty) await storage.refs(job.repository).prefixDeleted(job.id);
  return { done: empty };
}

/** Runs one job. */
async function runJob(job: Job, storage: RequestStorage, host: JobHost): Promise<Ended> {
  const repository = storage.repository(job.repository);
  const settings = storage.refs(job.repository);
  switch (job.type) {
    case "server-info": {
      const written = await publish({ repository, catalog: settings }, (id) => storage.bareFiles(id), job);
      if (written !== undefined) await settings.derivedFilesWritten(written.id, written.version);
      return DONE;
    }
    case "delete-prefix":
      return await deletePrefixOf(job, storage);
    case "lfs-sweep": {
      const store = storage.lfs(job.repository);
      const stores = {
        store,
        links: (home: string) => storage.lfsLinks(home),
        files: (home: string) => storage.lfsFiles(home),
      };
      return { done: await sweepLfsObjects(stores, PAGES_A_RUN) };
    }
    case "maintenance": {
      const run = await maintain(
        { repository, maintenance: settings, catalog: settings, lfs: storage.lfs(job.repository) },
        job.id,
      );
      if (run.error === undefined) return DONE;
      const fault = [`maintenance ${job.repository}`, new Error(run.error)] as const;
      return (await tellFault(job, storage, host, fault)) ? GONE : DONE;
    }
    case "deliver":
      await deliver(job, storage, host);
      return DONE;
    case "mirror-sync": {
      const result = await storage.syncMirror(job.repository);
      // The mirror has recorded the failure, and tries again when that is due.
      if (result.kind === "failed" && result.fault !== undefined) {
        if (await tellFault(job, storage, host, [`mirror ${job.repository}`, result.fault])) return GONE;
      }
      return { done: true, outcome: result.kind, ...(result.kind === "failed" ? { error: result.why } : {}) };
    }
  }
}

type Read = { readonly message: Message; readonly job: Job };

/** Runs jobs in order. Several lanes may take from the same jobs. */
async function runLane(jobs: Iterable<Read>, host: JobHost): Promise<void> {
  for (const { message, job } of jobs) {
    const began = Date.now();
    const storage = host.open();
    let ended: Ended = { done: false };
    try {
      ended = await runJob(job, storage, host);
    } catch (error) {
      if (await tellFault(job, storage, host, [`job ${job.type}`, error])) ended = GONE;
    }
    for (const file of await storage.reportDamage()) host.onDamage(file);
    if (ended.done) message.ack();
    else message.retry();
    const { type, repository } = job;
    host.onEnd({
      job: type,
      repository,
      ms: Date.now() - began,
      ...ended,
      ...storage.counters.counts(),
      wasm: storage.takeKernelBytes(),
    });
  }
}

/** Lanes of deliveries. A request may have six connections open; one is left for the other jobs. */
const DELIVERY_LANES = 5;

/** Yields the items of a list and removes them. Several loops may do so at once. */
function* takeFrom<Item>(items: Item[]): Generator<Item> {
  for (let item = items.shift(); item !== undefined; item = items.shift()) yield item;
}

/**
 * Runs a batch. A message whose job fails is delivered again; the others are not. Deliveries wait for strangers'
 * servers, so they run beside the other jobs and beside one another: silent receivers hold up few of the others.
 */
export async function runJobs(batch: MessageBatch, host: JobHost): Promise<void> {
  const jobs: Read[] = [];
  for (const message of batch.messages) {
    const job = parseJob(message.body);
    if (job !== undefined) {
      jobs.push({ message, job });
      continue;
    }
    host.onFault("queue", new Error(`message ${message.id} is no job`));
    message.ack();
  }
  const isDelivery = ({ job }: Read): boolean => job.type === "deliver";
  const waiting = jobs.filter(isDelivery);
  await Promise.all([
    runLane(
      jobs.filter((read) => !isDelivery(read)),
      host,
    ),
    ...Array.from({ length: DELIVERY_LANES }, () => runLane(takeFrom(waiting), host)),
  ]);
}
