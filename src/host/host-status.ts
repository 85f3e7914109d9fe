/**
 * Tells the operator's page the state of the deployment.
 *
 * @packageDocumentation
 */
import { dayOf } from "../access/usage.ts";
import { DEAD_QUEUE } from "../cloudflare/dead-letters.ts";
import { readCounters, readOutcomes } from "../cloudflare/usage-sink.ts";
import type { Env } from "../env.ts";
import { type HostStatus, type QueueStatus, SHOWN_DAYS } from "../web/host-status.ts";
import type { Meter } from "./meter.ts";
import { passOn } from "./pass-on.ts";

/** Returns how many jobs wait in a queue, where the platform tells it. */
async function queueStatus(name: string, queue: Queue): Promise<QueueStatus> {
  try {
    const { backlogCount, oldestMessageTimestamp } = await queue.metrics();
    // A queue in which nothing waits has no oldest message: some say the epoch.
    const oldest = backlogCount > 0 ? oldestMessageTimestamp?.getTime() : undefined;
    return { name, waiting: backlogCount, oldest };
  } catch {
    // The page is about all queues, and says of this one that nothing is known.
    return { name, waiting: undefined, oldest: undefined };
  }
}

/** Returns the state of the deployment. */
export async function hostStatus(
  env: Env,
  { meter, version }: { readonly meter: Meter; readonly version: string },
): Promise<HostStatus> {
  await passOn(env, meter);
  const [counters, outcomes, ...queues] = await Promise.all([
    readCounters(env),
    readOutcomes(env, dayOf(Date.now()) - SHOWN_DAYS + 1),
    queueStatus("thinpack-jobs", env.JOBS),
    queueStatus("thinpack-mirrors", env.MIRROR_JOBS),
    queueStatus("thinpack-maintenance", env.MAINTENANCE_JOBS),
    queueStatus(DEAD_QUEUE, env.DEAD_JOBS),
  ]);
  return { version, queues, counters, outcomes };
}
