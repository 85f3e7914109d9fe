/**
 * Where an isolate's counts go: to the object of each tenant, to the one that keeps the deployment's counters, and to
 * Analytics Engine where it is bound.
 *
 * @packageDocumentation
 */
import type { CountedUsage, OutcomeDay } from "../access/usage.ts";
import { DIRECTORY_NAME } from "../durable/tenant/directory-object.ts";
import { objectNamed } from "../durable/placement.ts";
import type { Env } from "../env.ts";

/** What an isolate has counted. */
export type CountedInIsolate = {
  /** By tenant. */
  readonly tenants: ReadonlyMap<string, readonly CountedUsage[]>;
  /** The deployment's counters, by their names with labels. */
  readonly metrics: Readonly<Record<string, number>>;
};

/** Passes on what was counted: one call for each tenant, and one for the deployment. */
export async function passOnUsage(env: Env, { tenants, metrics }: CountedInIsolate): Promise<void> {
  const calls = Array.from(tenants, async ([tenant, counted]) => {
    await objectNamed(env.TENANTS, tenant, env).countUsage(counted);
  });
  const directory = objectNamed(env.DIRECTORY, DIRECTORY_NAME, env);
  if (Object.keys(metrics).length > 0) calls.push(directory.addMetrics(metrics));
  await Promise.all(calls);
}

/** Returns how the requests of the days from `from` on ended. */
export async function readOutcomes(env: Env, from: number): Promise<readonly OutcomeDay[]> {
  return await objectNamed(env.DIRECTORY, DIRECTORY_NAME, env).outcomes(from);
}

/** Returns the deployment's counters. */
export async function readCounters(env: Env): Promise<Readonly<Record<string, number>>> {
  return await objectNamed(env.DIRECTORY, DIRECTORY_NAME, env).metrics();
}
