/**
 * What the Durable Object of a repository works with.
 *
 * @packageDocumentation
 */
import type { UsageReport } from "../../access/quotas.ts";
import type { Job } from "../../events/job.ts";
import type { ObjectNamespace, PlacementSettings } from "../placement.ts";

/** What the object uses of the Worker's bindings. */
export type RepositoryObjectEnv = PlacementSettings & {
  readonly BUCKET: R2Bucket;
  readonly JOBS: Queue<Job>;
  readonly MIRROR_JOBS: Queue<Job>;
  readonly MIRROR_LEAST_INTERVAL?: string;
  readonly TENANTS: ObjectNamespace<TenantTold>;
};

/** What a repository asks of its tenant's object. An interface, since that class imports this one. */
export interface TenantTold {
  inForce(ids: readonly string[]): Promise<string[]>;
  noteUsage(report: UsageReport): Promise<void>;
  admitSync(repo: string): Promise<boolean>;
  syncGoesOn(repo: string): Promise<void>;
  syncEnded(repo: string): Promise<void>;
  leastMirrorInterval(): Promise<number>;
}
