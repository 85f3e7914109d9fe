/**
 * A tenant in memory: the Durable Object's own tables and upkeep, on Node's SQLite, among repositories that are rows of a map.
 *
 * @packageDocumentation
 */
import { randomBytes } from "node:crypto";
import type { ListingChange } from "../../src/access/public-list.ts";
import type { SharedLfsObject } from "../../src/refs/lfs-store.ts";
import { TenantDatabase } from "../../src/durable/tenant/tenant-database.ts";
import { type TenantSurroundings, TenantUpkeep } from "../../src/durable/tenant/tenant-upkeep.ts";
import type { TenantUnderTest } from "../suites/tenant.ts";
import { nodeSql } from "./node-sql.ts";

/** What is around the tenant, and what becomes of it. */
export class MemorySurroundings implements TenantSurroundings {
  /** The id of each repository there is. */
  readonly repositories = new Map<string, string>();
  /** Ids that are never made. */
  readonly doomed = new Set<string>();
  readonly removed: string[] = [];
  /** The Git LFS objects of repositories that have some. */
  readonly objects = new Map<string, SharedLfsObject[]>();
  listed = false;
  reminders = 0;
  /** Calls that are still answered; then all fail, as they do when the object ends. */
  callsLeft = Number.POSITIVE_INFINITY;

  #call(): void {
    if (this.callsLeft-- <= 0) throw new Error("the object has ended");
  }

  /** Makes a repository as a late request would. Gives whether it may. */
  make(repo: string, id: string): boolean {
    if (this.doomed.has(id) || this.repositories.has(repo)) return false;
    this.repositories.set(repo, id);
    return true;
  }

  async removeRepository(repo: string, id: string | undefined): Promise<boolean> {
    this.#call();
    if (id !== undefined) this.doomed.add(id);
    const found = this.repositories.get(repo);
    if (found === undefined) return false;
    this.doomed.add(found);
    this.removed.push(repo);
    return this.repositories.delete(repo);
  }

  /** Repositories that somebody has put something into. */
  readonly used = new Set<string>();

  async giveHooks(): Promise<void> {
    this.#call();
  }

  async retractRepository(repo: string, id: string): Promise<boolean> {
    this.#call();
    if (this.repositories.get(repo) !== id) return true;
    if (this.used.has(repo)) return false;
    this.doomed.add(id);
    return this.repositories.delete(repo);
  }

  async confirmRepository(repo: string, id: string): Promise<string | undefined> {
    this.#call();
    const found = this.repositories.get(repo);
    if (found === undefined) this.doomed.add(id);
    return found;
  }

  async lfsObjects(repo: string, after: string): Promise<SharedLfsObject[]> {
    this.#call();
    return (this.objects.get(repo) ?? []).filter(({ oid }) => oid > after);
  }

  async enterDirectory(): Promise<void> {
    this.#call();
    this.listed = true;
  }

  async leaveDirectory(): Promise<void> {
    this.#call();
    this.listed = false;
    this.listedRepos.clear();
  }

  /** The repositories that the directory lists. */
  readonly listedRepos = new Set<string>();

  async changePublic(changes: readonly ListingChange[]): Promise<void> {
    this.#call();
    for (const { repo, isPublic } of changes) {
      if (isPublic) this.listedRepos.add(repo);
      else this.listedRepos.delete(repo);
    }
  }

  remember(): void {
    this.reminders++;
  }
}

/** A tenant with what the alarm would see, and what is around it. */
export type MemoryTenant = TenantUnderTest & {
  readonly database: TenantDatabase;
  readonly upkeep: TenantUpkeep;
  readonly surroundings: MemorySurroundings;
};

/** Makes a name that has no tenant yet. */
export function memoryTenant(now: () => number = Date.now): MemoryTenant {
  const database = new TenantDatabase(nodeSql(), "acme", () => randomBytes(16).toString("hex"));
  const surroundings = new MemorySurroundings();
  const upkeep = new TenantUpkeep(database, surroundings);
  return {
    database,
    upkeep,
    surroundings,
    check: async (hash, repo) => database.check(hash, repo, now()),
    facts: async (repo) => database.facts(repo),
    issue: async (request) => database.issue(request, now()),
    tokens: async (after, limit) => database.tokens(after, limit),
    revoke: async (id, withChildren) => database.revoke(id, withChildren),
    describe: async () => database.describe(),
    create: async (settings) => {
      const answer = database.create(settings, now());
      if (answer.kind === "created") await upkeep.settleDirectory();
      return answer;
    },
    change: async (change) => database.change(change),
    remove: () => upkeep.remove(),
    register: async (request) => database.register(request, now()),
    removeRepo: (repo) => upkeep.removeRepo(repo),
    retractRepo: (repo, id) => upkeep.retractRepo(repo, id),
    doubtRepo: async (repo) => database.doubtRepo(repo, now()),
    repoArrived: async (repo, arrived) => database.repoArrived(repo, arrived),
    repoDeparted: async (repo, id) => database.endRemoval({ name: repo, id }),
    noteOffload: async (repo, offloadFrom) => database.noteOffload(repo, offloadFrom),
    noteVisibility: async (repo, visibility) => database.listing.noteVisibility(repo, visibility),
    allowance: async (repo) => database.allowance(repo),
    noteUsage: async (report) => database.noteUsage(report),
    audit: async (entry) => database.audit(entry, now()),
    auditLog: async (query) => database.auditLog(query),
    hooks: async () => database.hooks.list(),
    addHook: async (hook) => database.hooks.add(hook, now()),
    changeHook: async (id, change) => database.hooks.change(id, change, now()),
    removeHook: async (id) => database.hooks.remove(id),
    mirrors: async (query) => database.mirrors(query),
    belongings: async () => database.belongings.list(),
    takeOver: async (belongings) => database.belongings.takeOver(belongings),
    repos: async (after, limit) => database.repos(after, limit),
  };
}
