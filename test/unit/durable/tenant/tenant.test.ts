/**
 * A tenant's database: tokens, repositories, signing keys, removal.
 *
 * @module-tag thorough
 */
import { describe, expect, it } from "vitest";
import { DEFAULT_TENANT } from "../../../../src/access/directory.ts";
import { MOST_TOKENS, USE_INTERVAL } from "../../../../src/access/token-store.ts";
import { CHECK_DELAY, TenantDatabase } from "../../../../src/durable/tenant/tenant-database.ts";
import type { SqlDatabase } from "../../../../src/durable/sql/sql-database.ts";
import { RESTORED_CHECK_DELAY, settleRestoredTenant } from "../../../../src/durable/tenant/tables/restored.ts";
import { TenantUpkeep } from "../../../../src/durable/tenant/tenant-upkeep.ts";
import type { ListedRepository } from "../../../../src/access/public-list.ts";
import {
  changePublicRepo,
  deletePublicRepos,
  listPublicRepos,
  PUBLIC_REPOS_DDL,
} from "../../../../src/durable/tenant/tables/public-repos.ts";
import {
  deleteListedTenant,
  insertListedTenant,
  listTenants,
  TENANTS_DDL,
} from "../../../../src/durable/tenant/tables/tenants.ts";
import { hashOf, tenantSuite, tokenOf, wanted } from "../../../suites/tenant.ts";
import { MemorySurroundings, type MemoryTenant, memoryTenant } from "../../../support/memory-tenant.ts";
import { nodeSql } from "../../../support/node-sql.ts";

tenantSuite("in memory", async () => memoryTenant());

/** A database that counts what is asked of it. */
function countingSql(): { db: SqlDatabase; writes: () => number; statements: () => number } {
  const inner = nodeSql();
  let [writes, statements] = [0, 0];
  const db: SqlDatabase = {
    run: (sql, ...parameters) => {
      statements++;
      writes++;
      inner.run(sql, ...parameters);
    },
    rows: (sql, ...parameters) => {
      statements++;
      return inner.rows(sql, ...parameters);
    },
    transaction: (work) => inner.transaction(work),
    transactionInTurns: async (work) => await inner.transactionInTurns(work),
  };
  return { db, writes: () => writes, statements: () => statements };
}

async function withRepos(count: number, now?: () => number): Promise<MemoryTenant> {
  const tenant = memoryTenant(now);
  await tenant.create(DEFAULT_TENANT);
  for (let index = 0; index < count; index++) {
    const repo = `r${String(index).padStart(5, "0")}`;
    const visibility = index % 50 === 49 ? "public" : "private";
    const answer = await tenant.register(wanted(repo, { visibility }));
    if (answer.kind === "registered") tenant.surroundings.make(repo, answer.id);
  }
  return tenant;
}

describe("a token", () => {
  it("costs one write in ten minutes, however often it is used", () => {
    const { db, writes } = countingSql();
    const database = new TenantDatabase(db, "acme", () => "1".repeat(32));
    database.create(DEFAULT_TENANT, 0);
    database.issue(tokenOf("a"), 0);
    const before = writes();
    for (let at = 0; at < USE_INTERVAL; at += 1000) database.check(hashOf("a"), "one", at);
    expect(writes() - before).toBe(1);
    expect(database.tokens("", 1)?.items[0]?.usedAt).toBe(0);
    database.check(hashOf("a"), "one", USE_INTERVAL);
    expect(writes() - before).toBe(2);
  });

  it("expires to the millisecond", () => {
    const database = new TenantDatabase(nodeSql(), "acme", () => "1".repeat(32));
    database.create(DEFAULT_TENANT, 0);
    database.issue(tokenOf("a", { expiresAt: 5000 }), 0);
    expect(database.check(hashOf("a"), undefined, 4999)).toBeDefined();
    expect(database.check(hashOf("a"), undefined, 5000)).toBeUndefined();
  });

  it("is bounded in number, and expired ones make room", () => {
    let id = 0;
    const database = new TenantDatabase(nodeSql(), "acme", () => String(id++).padStart(32, "0"));
    database.create(DEFAULT_TENANT, 0);
    for (let index = 0; index < MOST_TOKENS; index++) database.issue(tokenOf(`t${index}`, { expiresAt: 100 }), 0);
    expect(database.issue(tokenOf("one more"), 50)).toEqual({ kind: "full" });
    expect(database.issue(tokenOf("one more"), 100)).toMatchObject({ kind: "issued" });
    expect(database.tokens("", 10)?.items).toHaveLength(1);
  });
});

describe("many", () => {
  it("repositories of a tenant cost a look-up no more than few", () => {
    const cost = (repos: number): number => {
      const { db, statements } = countingSql();
      let id = 0;
      const database = new TenantDatabase(db, "acme", () => String(id++).padStart(32, "0"));
      database.create(DEFAULT_TENANT, 0);
      database.issue(tokenOf("a"), 0);
      for (let index = 0; index < repos; index++) database.register(wanted(`r${index}`), 0);
      const plan = [
        ...db.rows("EXPLAIN QUERY PLAN SELECT id FROM tenant_repos WHERE name = ?", "r1"),
        ...db.rows("EXPLAIN QUERY PLAN SELECT id FROM tokens WHERE hash = ?", hashOf("a")),
        ...db.rows(
          "EXPLAIN QUERY PLAN SELECT name FROM tenant_repos WHERE name > ? AND removing = 0 ORDER BY name",
          "",
        ),
      ].map((row) => String(row[3]));
      for (const step of plan) expect(step).toMatch(/^SEARCH/);
      const before = statements();
      expect(database.check(hashOf("a"), `r${repos - 1}`, 0)?.listed).toBe("sha1");
      expect(database.repos("r", 100)?.items.length).toBe(Math.min(repos, 100));
      return statements() - before;
    };
    expect(cost(10_000)).toBe(cost(1));
  });

  it("repositories are listed in pages, each once", async () => {
    const tenant = await withRepos(10_000);
    const seen: string[] = [];
    let page = await tenant.repos("", 100);
    for (;;) {
      seen.push(...(page?.items ?? []));
      if (page?.more !== true) break;
      page = await tenant.repos(seen.at(-1) ?? "", 100);
    }
    expect(seen).toHaveLength(10_000);
    expect(new Set(seen).size).toBe(10_000);
  });

  it("tenants are listed in pages, each once", () => {
    const db = nodeSql();
    db.run(TENANTS_DDL);
    for (let index = 0; index < 1001; index++) insertListedTenant(db, { name: `t${index}`, createdAt: index });
    insertListedTenant(db, { name: "t0", createdAt: 5 });
    deleteListedTenant(db, "t1000");
    const seen: string[] = [];
    for (let after = ""; ; after = seen.at(-1) ?? "") {
      const page = listTenants(db, after, 100);
      if (page.length === 0) break;
      seen.push(...page.map(({ name }) => name));
    }
    expect(seen).toEqual(Array.from({ length: 1000 }, (_, index) => `t${index}`).toSorted((a, b) => (a < b ? -1 : 1)));
  });

  it("repositories go in steps when their tenant is deleted, public ones first", async () => {
    const tenant = await withRepos(10_000);
    await tenant.issue(tokenOf("a"));
    const { surroundings, upkeep, database } = tenant;
    expect(await tenant.remove()).toBe(true);
    // What is public, and not held by a token, went before the answer.
    expect(surroundings.removed.length).toBeLessThanOrEqual(500);
    expect([...surroundings.repositories.keys()].filter((repo) => Number(repo.slice(1)) % 50 === 49)).toEqual([]);
    expect(await tenant.check(hashOf("a"))).toBeUndefined();
    expect(await tenant.describe()).toBeUndefined();
    expect(await tenant.create(DEFAULT_TENANT)).toEqual({ kind: "leaving" });
    expect(await tenant.register(wanted("r00000", { byOperator: true }))).toEqual({ kind: "refused", why: "leaving" });
    let steps = 0;
    while (database.nextDue() !== undefined && steps < 1000) {
      await upkeep.work(0);
      steps++;
    }
    expect(surroundings.repositories.size).toBe(0);
    expect(steps).toBeGreaterThan(10);
    expect(surroundings.listed).toBe(false);
    expect(await tenant.create(DEFAULT_TENANT)).toMatchObject({ kind: "created", record: { repoCount: 0 } });
  });
});

describe("when the object ends in the middle", () => {
  /** Calls that fail, one after the other, then the work that is due, until none is. */
  async function recovered(tenant: MemoryTenant, begin: () => Promise<unknown>, calls: number): Promise<void> {
    tenant.surroundings.callsLeft = calls;
    await begin().catch(() => undefined);
    expect(tenant.surroundings.reminders).toBeGreaterThan(0);
    tenant.surroundings.callsLeft = Number.POSITIVE_INFINITY;
    for (let steps = 0; steps < 100 && tenant.database.nextDue() !== undefined; steps++) {
      await tenant.upkeep.work(Number.MAX_SAFE_INTEGER);
    }
    expect(tenant.database.nextDue()).toBeUndefined();
  }

  it.each([0, 1, 2, 3, 5, 7])("after %i calls, a tenant that was being deleted is", async (calls) => {
    const tenant = await withRepos(5);
    await recovered(tenant, () => tenant.remove(), calls);
    expect([tenant.surroundings.repositories.size, tenant.surroundings.listed]).toEqual([0, false]);
    expect(await tenant.create(DEFAULT_TENANT)).toMatchObject({ kind: "created" });
  });

  it("a repository that was being deleted is, and is not listed", async () => {
    const tenant = await withRepos(2);
    await recovered(tenant, () => tenant.removeRepo("r00000"), 0);
    expect([...tenant.surroundings.repositories.keys()]).toEqual(["r00001"]);
    expect((await tenant.repos("", 10))?.items).toEqual(["r00001"]);
    expect((await tenant.describe())?.repoCount).toBe(1);
  });

  it("a tenant that was being made is in the directory", async () => {
    const tenant = memoryTenant();
    await recovered(tenant, () => tenant.create(DEFAULT_TENANT), 0);
    expect(tenant.surroundings.listed).toBe(true);
  });
});

describe("the list of public repositories", () => {
  const listed = async ({ upkeep, database, surroundings }: MemoryTenant): Promise<string[]> => {
    for (let steps = 0; steps < 10 && database.nextDue() === 0; steps++) await upkeep.work(0);
    return [...surroundings.listedRepos].toSorted();
  };

  it("is told of what becomes public, private, goes or gets another name, and of nothing else", async () => {
    const tenant = await withRepos(3);
    expect(await listed(tenant)).toEqual([]);
    for (const repo of ["r00000", "r00001", "r00002", "none"]) await tenant.noteVisibility(repo, "public");
    expect(await listed(tenant)).toEqual(["r00000", "r00001", "r00002"]);
    await tenant.noteVisibility("r00000", "private");
    await tenant.removeRepo("r00001");
    const made = await tenant.register(wanted("fresh", { visibility: "public", renamed: true }));
    if (made.kind !== "registered") throw new Error("refused");
    const { surroundings } = tenant;
    await tenant.repoArrived("fresh", { id: surroundings.repositories.get("r00002") ?? "", from: "r00002" });
    expect(await listed(tenant)).toEqual(["fresh"]);
    surroundings.callsLeft = 0;
    await tenant.noteUsage({ repo: "fresh", id: made.id, version: 1, bytes: 5, objects: 5 });
    expect(await listed(tenant)).toEqual(["fresh"]);
  });

  it("is told again where that failed, and of a change that came meanwhile", async () => {
    const tenant = await withRepos(1);
    const { surroundings, database } = tenant;
    await tenant.noteVisibility("r00000", "public");
    surroundings.callsLeft = 0;
    await expect(listed(tenant)).rejects.toThrow("ended");
    const due = database.listing.due(10);
    await tenant.noteVisibility("r00000", "private");
    database.listing.told(due);
    surroundings.callsLeft = Number.POSITIVE_INFINITY;
    expect(database.listing.due(10)).toMatchObject([{ repo: "r00000", isPublic: false }]);
    expect([await listed(tenant), database.listing.isDue]).toEqual([[], false]);
  });

  it("is told all again by a tenant that comes from a backup, and nothing by one that leaves", async () => {
    const [db, surroundings] = [nodeSql(), new MemorySurroundings()];
    const database = new TenantDatabase(db, "acme", () => "1".repeat(32));
    const upkeep = new TenantUpkeep(database, surroundings);
    database.create(DEFAULT_TENANT, 0);
    for (const repo of ["a", "b"]) database.register(wanted(repo, { visibility: "public" }), 0);
    await upkeep.work(0);
    surroundings.listedRepos.clear();
    settleRestoredTenant(db, 0);
    await upkeep.work(0);
    expect([...surroundings.listedRepos]).toEqual(["a", "b"]);
    await upkeep.remove();
    for (let steps = 0; steps < 10 && database.nextDue() !== undefined; steps++) await upkeep.work(0);
    expect([surroundings.listedRepos.size, database.listing.isDue]).toEqual([0, false]);
  });

  it("is read in pages, of all tenants and of one, each repository once", () => {
    const db = nodeSql();
    db.run(PUBLIC_REPOS_DDL);
    for (const tenant of ["b", "a", "ab"])
      for (let index = 0; index < 7; index++) changePublicRepo(db, tenant, { repo: `r${index}`, isPublic: true });
    changePublicRepo(db, "a", { repo: "r3", isPublic: false });
    changePublicRepo(db, "a", { repo: "r1", isPublic: true });
    const read = (tenant?: string): string[] => {
      const seen: ListedRepository[] = [];
      for (;;) {
        const after = seen.at(-1);
        const query = { limit: 5, ...(after && { after }), ...(tenant === undefined ? {} : { tenant }) };
        const found = listPublicRepos(db, query);
        if (found.length === 0) return seen.map((each) => `${each.tenant}/${each.repo}`);
        seen.push(...found);
      }
    };
    const [of, less] = [
      ["r0", "r1", "r2", "r3", "r4", "r5", "r6"],
      ["r0", "r1", "r2", "r4", "r5", "r6"],
    ];
    const named = (tenant: string, repos: readonly string[]): string[] => repos.map((repo) => `${tenant}/${repo}`);
    expect(read()).toEqual([...named("a", less), ...named("ab", of), ...named("b", of)]);
    expect([read("a"), read("ab"), read("none")]).toEqual([named("a", less), named("ab", of), []]);
    deletePublicRepos(db, "ab");
    expect(read()).toEqual([...named("a", less), ...named("b", of)]);
  });
});

describe("a repository that was entered", () => {
  it("is taken off the list if it was never made, and can then no longer be made", async () => {
    let now = 0;
    const tenant = memoryTenant(() => now);
    await tenant.create(DEFAULT_TENANT);
    const made = await tenant.register(wanted("made"));
    const never = await tenant.register(wanted("never"));
    if (made.kind !== "registered" || never.kind !== "registered") throw new Error("refused");
    tenant.surroundings.make("made", made.id);
    expect(tenant.database.nextDue()).toBe(CHECK_DELAY);
    now = CHECK_DELAY;
    await tenant.upkeep.work(now);
    expect((await tenant.repos("", 10))?.items).toEqual(["made"]);
    expect((await tenant.describe())?.repoCount).toBe(1);
    expect(tenant.database.nextDue()).toBeUndefined();
    // The request that was to make it comes late.
    expect(tenant.surroundings.make("never", never.id)).toBe(false);
    const again = await tenant.register(wanted("never"));
    if (again.kind !== "registered") throw new Error("refused");
    expect(tenant.surroundings.make("never", again.id)).toBe(true);
  });

  it("is not made when its tenant was deleted before", async () => {
    const tenant = memoryTenant();
    await tenant.create(DEFAULT_TENANT);
    const entered = await tenant.register(wanted("late"));
    await tenant.remove();
    if (entered.kind !== "registered") throw new Error("refused");
    expect(tenant.surroundings.make("late", entered.id)).toBe(false);
  });

  it("keeps the id that it really has", async () => {
    const tenant = memoryTenant();
    await tenant.create(DEFAULT_TENANT);
    tenant.surroundings.make("older", "f".repeat(32));
    await tenant.register(wanted("older"));
    await tenant.upkeep.work(Number.MAX_SAFE_INTEGER);
    expect(await tenant.register(wanted("older"))).toMatchObject({ kind: "registered", id: "f".repeat(32) });
  });

  it("is on the list for an hour after that has come back: so long it may be put back itself", async () => {
    const db = nodeSql();
    const database = new TenantDatabase(db, "acme", () => "1".repeat(32));
    const surroundings = new MemorySurroundings();
    const upkeep = new TenantUpkeep(database, surroundings);
    database.create(DEFAULT_TENANT, 0);
    for (const repo of ["deleted", "gone", "there"]) database.register(wanted(repo), 0);
    surroundings.make("there", "1".repeat(32));
    const now = 10 * CHECK_DELAY;
    settleRestoredTenant(db, now);
    await upkeep.work(now);
    expect(database.repos("", 10)?.items).toEqual(["deleted", "gone", "there"]);
    expect(surroundings).toMatchObject({ listed: true, doomed: new Set() });
    surroundings.make("deleted", "1".repeat(32));
    surroundings.objects.set("there", [
      { oid: "aa", size: 1, home: "acme" },
      { oid: "bb", size: 1, home: "beta" },
    ]);
    await upkeep.work(now + RESTORED_CHECK_DELAY - 1);
    expect(database.repos("", 10)?.items).toHaveLength(3);
    await upkeep.work(now + RESTORED_CHECK_DELAY);
    expect(database.repos("", 10)?.items).toEqual(["deleted", "there"]);
    // What it keeps for that repository may have been lost.
    expect(Array.from(db.rows("SELECT oid, repo_id FROM lfs_links"))).toEqual([["aa", "1".repeat(32)]]);
    expect(database.nextDue()).toBeUndefined();
  });

  it("goes with its tenant although nobody entered it", async () => {
    const tenant = memoryTenant();
    tenant.surroundings.make("unlisted", "e".repeat(32));
    expect(await tenant.removeRepo("unlisted")).toBe(true);
    expect(tenant.surroundings.repositories.size).toBe(0);
  });
});
