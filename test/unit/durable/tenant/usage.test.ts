/** What a repository tells its tenant of its size. */
import { expect, it } from "vitest";
import { TenantDatabase } from "../../../../src/durable/tenant/tenant-database.ts";
import { TenantUpkeep } from "../../../../src/durable/tenant/tenant-upkeep.ts";
import { type UsageTable, UsageReporter } from "../../../../src/durable/repository/usage-report.ts";
import { memoryRefStore } from "../../../support/memory-ref-store.ts";
import { MemorySurroundings } from "../../../support/memory-tenant.ts";
import { nodeSql } from "../../../support/node-sql.ts";
import { statementsOf } from "../../../suites/schema.ts";
import { create, oid, packRecord, push } from "../../../suites/ref-store.ts";

type Report = Parameters<UsageTable["usageReported"]>[0];

it("usage is not reported while it is zero, and then once", async () => {
  const store = memoryRefStore(() => 1000);
  const { database } = store;
  const told: Report[] = [];
  const reporter = new UsageReporter(database.usage, async (report) => void told.push(report));
  expect(reporter.nextDue).toBe(Number.POSITIVE_INFINITY);
  await store.create({ objectFormat: "sha1", visibility: "private", head: "refs/heads/main", description: "" });
  expect(database.usage.isUsageUnreported).toBe(false);
  const pack = packRecord("one");
  await push(store, [create("refs/heads/main", oid(1))], { pack });
  expect(reporter.nextDue).toBe(0);
  await reporter.work(1000);
  const { id } = (await store.describe()) ?? {};
  expect(told).toEqual([{ id, version: 1, bytes: pack.packBytes + pack.indexBytes, objects: pack.objects }]);
  await reporter.work(2000);
  expect(told).toHaveLength(1);
  // The tenant asks after it: it says so once more, in the same words.
  database.confirm(id ?? "", 2000);
  await reporter.work(3000);
  expect(told[1]).toEqual(told[0]);
});

it("a failed report is sent again, later, and not sooner for a change in between", async () => {
  const store = memoryRefStore(() => 1000);
  const told: Report[] = [];
  let fails = true;
  const reporter = new UsageReporter(store.database.usage, async (report) => {
    told.push(report);
    if (fails) throw new Error("the tenant's object has ended");
    // A push lands while the tenant answers.
    if (told.length === 2) await push(store, [create("refs/heads/b", oid(2))], { pack: packRecord("two") });
  });
  await push(store, [create("refs/heads/main", oid(1))], { pack: packRecord("one") });
  await reporter.work(1000);
  expect(reporter.nextDue).toBeGreaterThan(1000);
  await reporter.work(1001);
  expect(told).toHaveLength(1);
  fails = false;
  await reporter.work(reporter.nextDue);
  expect(told).toHaveLength(2);
  expect(reporter.nextDue).toBe(0);
  await reporter.work(200_000);
  expect(told[2]?.version).toBe(2);
  expect(reporter.nextDue).toBe(Number.POSITIVE_INFINITY);
});

it("usage of a deleted repository is not taken for that of the next of its name", async () => {
  const store = memoryRefStore(() => 1000);
  await push(store, [create("refs/heads/main", oid(1))], { pack: packRecord("one") });
  const reporter = new UsageReporter(store.database.usage, async () => {
    await store.remove();
    await push(store, [create("refs/heads/main", oid(1))], { pack: packRecord("two") });
  });
  await reporter.work(1000);
  expect(store.database.usage.isUsageUnreported).toBe(true);
});

it("usage of repositories from earlier builds is asked for once, and reported", async () => {
  const sql = nodeSql();
  for (const statement of statementsOf("tenant", 1)) sql.run(statement);
  sql.run(
    "INSERT INTO tenant (one, name, created_at, push_to_create, repo_count, in_directory) VALUES (1, 'a', 0, 1, 2, 1)",
  );
  for (const name of ["one", "two"])
    sql.run(
      "INSERT INTO tenant_repos (name, id, object_format, is_public) VALUES (?, ?, 'sha1', 0)",
      name,
      `id-${name}`,
    );
  const tenant = new TenantDatabase(sql, "a", () => "");
  expect(tenant.describe()?.usage).toEqual({ bytes: 0, objects: 0 });
  expect(tenant.nextDue()).toBe(0);
  const surroundings = new MemorySurroundings();
  for (const name of ["one", "two"]) surroundings.make(name, `id-${name}`);
  const asked: string[] = [];
  surroundings.confirmRepository = async (name) => {
    asked.push(name);
    return `id-${name}`;
  };
  await new TenantUpkeep(tenant, surroundings).work(1000);
  expect(asked).toEqual(["one", "two"]);
  expect(tenant.nextDue()).toBeUndefined();
  // What was pushed before the repository's own database had a place for it is told when it is asked.
  const old = memoryRefStore(() => 1000);
  await push(old, [create("refs/heads/main", oid(1))], { pack: packRecord("one") });
  old.database.usage.usageReported({ id: (await old.describe())?.id ?? "", version: 1 });
  expect(old.database.usage.isUsageUnreported).toBe(false);
  old.database.confirm("whichever", 1000);
  const report = old.database.usage.unreportedUsage();
  expect(report?.bytes).toBeGreaterThan(0);
});
