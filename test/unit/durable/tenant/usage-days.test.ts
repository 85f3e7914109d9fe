/** What a tenant remembers of what its repositories were used for. */
import { expect, it } from "vitest";
import type { CountedUsage } from "../../../../src/access/usage.ts";
import { REPOSITORY_DAYS, TENANT_DAYS } from "../../../../src/durable/tenant/tables/usage-days.ts";
import { type MemoryTenant, memoryTenant } from "../../../support/memory-tenant.ts";

const DAY_TIME = 24 * 60 * 60 * 1000;
const TODAY = 20_000;
const COUNTS = { requests: 1, clones: 1, fetches: 0, pushes: 0, bytesIn: 10, bytesOut: 200, ms: 5 };

const clone = (repo: string, day = TODAY): CountedUsage => ({ ...COUNTS, repo, day });

async function tenantWith(...repos: string[]): Promise<MemoryTenant> {
  const tenant = memoryTenant();
  for (const repo of repos) {
    await tenant.register({ repo, objectFormat: "sha1", visibility: "private", byPush: true, byOperator: true });
  }
  return tenant;
}

const all = { from: 0, to: TODAY };

it("is added up for each repository and for all", async () => {
  const { database } = await tenantWith("one", "two");
  database.countUsage([clone("one"), clone("two"), clone("one", TODAY - 1)], TODAY * DAY_TIME);
  database.countUsage([clone("one"), clone("unlisted")], TODAY * DAY_TIME);
  expect(database.usage({ repo: "one", ...all })?.days).toEqual([
    { ...COUNTS, day: TODAY - 1 },
    { day: TODAY, requests: 2, clones: 2, fetches: 0, pushes: 0, bytesIn: 20, bytesOut: 400, ms: 10 },
  ]);
  expect(database.usage({ repo: "one", from: TODAY, to: TODAY })?.days).toHaveLength(1);
  expect(database.usage(all)?.days.map(({ day, requests }) => [day, requests])).toEqual([
    [TODAY - 1, 1],
    [TODAY, 4],
  ]);
  expect(database.usage({ repo: "unlisted", ...all })).toBeUndefined();
});

it("is not passed on with a name", async () => {
  const tenant = await tenantWith("one");
  const { database } = tenant;
  database.countUsage([clone("one")], TODAY * DAY_TIME);
  await tenant.removeRepo("one");
  database.register(
    { repo: "one", objectFormat: "sha1", visibility: "private", byPush: true, byOperator: true },
    TODAY * DAY_TIME,
  );
  expect(database.usage({ repo: "one", ...all })?.days).toEqual([]);
  expect(database.usage(all)?.days).toHaveLength(1);
});

it("is dropped when it is old", async () => {
  const { database } = await tenantWith("one");
  const days = [TODAY - TENANT_DAYS, TODAY - TENANT_DAYS + 1, TODAY - REPOSITORY_DAYS, TODAY - REPOSITORY_DAYS + 1];
  for (const day of days) database.countUsage([clone("one", day)], day * DAY_TIME);
  database.countUsage([clone("one")], TODAY * DAY_TIME);
  const kept = (repo?: string): number[] =>
    database.usage({ ...(repo === undefined ? {} : { repo }), ...all })?.days.map(({ day }) => day) ?? [];
  expect(kept("one")).toEqual([TODAY - REPOSITORY_DAYS + 1, TODAY]);
  expect(kept()).toEqual([...days.slice(1), TODAY]);
});

it("leaves no row for a tenant that does not exist, nor for one that was deleted", async () => {
  const tenant = memoryTenant();
  const { database } = tenant;
  database.countUsage([clone("one")], TODAY * DAY_TIME);
  expect(database.usage(all)).toBeUndefined();
  await tenant.create({ pushToCreate: true, quotas: {} });
  database.countUsage([{ ...COUNTS, day: TODAY }], TODAY * DAY_TIME);
  expect(database.usage(all)?.days).toHaveLength(1);
  await tenant.remove();
  await tenant.create({ pushToCreate: true, quotas: {} });
  expect(database.usage(all)?.days).toEqual([]);
});
