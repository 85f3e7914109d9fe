/**
 * The webhooks of a tenant on a SQL database. A change makes every repository due to be asked, and told the new list.
 *
 * @packageDocumentation
 */
import { MOST_TENANT_HOOKS, type TenantHook, type TenantHookChange } from "../../access/tenant-hook.ts";
import type { SqlDatabase } from "../sql/sql-database.ts";
import { deleteTenantHooks, listTenantHooks, writeTenantHook } from "./tables/tenant-hooks.ts";
import { askAllMade, listUnconfirmed } from "./tables/tenant-repos.ts";

/** The webhooks of one tenant. */
export class TenantHookDatabase {
  readonly #db: SqlDatabase;
  readonly #exists: () => boolean;
  readonly #newId: () => string;

  /** `exists` says whether there is a tenant, and `newId` returns 128 random bits in hex. */
  constructor(db: SqlDatabase, exists: () => boolean, newId: () => string) {
    this.#db = db;
    this.#exists = exists;
    this.#newId = newId;
  }

  list(): TenantHook[] | undefined {
    return this.#exists() ? listTenantHooks(this.#db) : undefined;
  }

  /** Adds a webhook, which is told what happens from now on. */
  add(settings: Omit<TenantHook, "id" | "createdAt" | "updatedAt">, now: number): TenantHook | "too-many" | undefined {
    return this.#db.transaction(() => {
      if (!this.#exists()) return undefined;
      if (listTenantHooks(this.#db).length >= MOST_TENANT_HOOKS) return "too-many";
      return this.#write({ ...settings, id: this.#newId(), createdAt: now, updatedAt: now });
    });
  }

  change(id: string, { secret: wanted, ...change }: TenantHookChange, now: number): TenantHook | undefined {
    return this.#db.transaction(() => {
      const found = this.list()?.find((hook) => hook.id === id);
      if (found === undefined) return undefined;
      const { secret: old, ...rest } = found;
      const secret = wanted ?? old;
      const hasSecret = secret !== undefined && secret !== "";
      return this.#write({ ...rest, ...change, ...(hasSecret ? { secret } : {}), updatedAt: now });
    });
  }

  /** Removes a webhook. Returns whether it existed. */
  remove(id: string): boolean {
    return this.#db.transaction(() => {
      if (this.list()?.some((hook) => hook.id === id) !== true) return false;
      deleteTenantHooks(this.#db, id);
      askAllMade(this.#db);
      return true;
    });
  }

  /** Returns names of repositories that are not asked about soon: they may be made, or not yet. */
  unconfirmed(limit: number): string[] {
    return this.#exists() ? listUnconfirmed(this.#db, limit).map(({ name }) => name) : [];
  }

  #write(hook: TenantHook): TenantHook {
    writeTenantHook(this.#db, hook);
    askAllMade(this.#db);
    return hook;
  }
}
