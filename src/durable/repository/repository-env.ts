/**
 * The environment of a repository's Durable Object.
 *
 * @packageDocumentation
 */
import type { MirrorReport } from "../../access/mirror-list.ts";
import type { UsageReport } from "../../access/quotas.ts";
import type { Job } from "../../events/job.ts";
import type { Lender } from "./loan-keeper.ts";
import type { Arrival } from "./repository-mover.ts";
import type { ObjectNamespace, PlacementSettings } from "../placement.ts";

/** The Worker's bindings that the object uses. */
export type RepositoryObjectEnv = PlacementSettings & {
  readonly BUCKET: R2Bucket;
  readonly JOBS: Queue<Job>;
  readonly MIRROR_JOBS: Queue<Job>;
  readonly MAINTENANCE_JOBS: Queue<Job>;
  readonly MIRROR_LEAST_INTERVAL?: string;
  readonly PUBLISH_AFTER?: string;
  readonly TENANTS: ObjectNamespace<TenantTold>;
  readonly REPOSITORIES: ObjectNamespace<Arrival>;
  readonly LENDERS: ObjectNamespace<Lender>;
};

/** The calls of a repository to its tenant's object. It is an interface because that class imports this module. */
export interface TenantTold {
  inForce(ids: readonly string[]): Promise<string[]>;
  noteUsage(report: UsageReport): Promise<void>;
  admitSync(repo: string): Promise<boolean>;
  syncGoesOn(repo: string): Promise<void>;
  syncEnded(repo: string, report?: MirrorReport): Promise<void>;
  noteMirror(repo: string, report?: MirrorReport): Promise<void>;
  leastMirrorInterval(): Promise<number>;
}

/** The seconds after which small pushes are published if the operator sets nothing. */
export const PUBLISH_AFTER = 60;
/** The most that the operator can set: a bucket that is further behind is of little use. */
export const MOST_PUBLISH_AFTER = 3600;

/** Returns after how many milliseconds small pushes are published; 0: they go to the bucket at once. */
export function publishAfterOf({ PUBLISH_AFTER: text = "" }: Pick<RepositoryObjectEnv, "PUBLISH_AFTER">): number {
  const seconds = text === "" ? PUBLISH_AFTER : Number(text);
  // What is no number is told by `scripts/start.ts`; here it counts as if nothing were set.
  const known = Number.isFinite(seconds) && seconds >= 0 ? seconds : PUBLISH_AFTER;
  return Math.min(known, MOST_PUBLISH_AFTER) * 1000;
}
