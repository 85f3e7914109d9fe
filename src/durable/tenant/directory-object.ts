/**
 * The Durable Object that lists the tenants. There is one, and only the operator's listing, and making or deleting a
 * tenant, call it.
 *
 * It is an object and not KV, whose lists are up to a minute behind: a tenant that was made is listed at once, and a
 * deleted one is not.
 *
 * @packageDocumentation
 */
import type { ListedTenant } from "../../access/directory.ts";
import type { Page } from "../../access/token-store.ts";
import { CopiedObject } from "../sql/copied-object.ts";
import { durableSql } from "../sql/durable-sql.ts";
import { Tables } from "../sql/migrations.ts";
import { DIRECTORY_SCHEMA } from "./schema.ts";
import type { SqlDatabase } from "../sql/sql-database.ts";
import { addMetrics, type Counters, readMetrics } from "./tables/metrics.ts";
import { deleteListedTenant, insertListedTenant, listSpellings, listTenants } from "./tables/tenants.ts";

/** The name of the only directory object. */
export const DIRECTORY_NAME = "tenants";

/** The list of tenants. */
export class DirectoryObject extends CopiedObject<Cloudflare.Env> {
  readonly #db: SqlDatabase;

  constructor(state: DurableObjectState, env: Cloudflare.Env) {
    super(state, env, { kind: "directory", schema: DIRECTORY_SCHEMA, settle: () => undefined });
    this.#db = durableSql(state.storage);
    const tables = new Tables(this.#db, DIRECTORY_SCHEMA);
    tables.transaction(() => tables.make());
  }

  /** Lists a tenant. */
  enter(tenant: ListedTenant): void {
    insertListedTenant(this.#db, tenant);
  }

  /** Takes a tenant off the list. */
  leave(name: string): void {
    deleteListedTenant(this.#db, name);
  }

  /** Adds to the deployment's counters. */
  addMetrics(added: Counters): void {
    addMetrics(this.#db, added);
  }

  /** Returns the deployment's counters. */
  metrics(): Counters {
    return readMetrics(this.#db);
  }

  /** See `TenantDirectory.earlierSpellings`. */
  earlierSpellings(name: string): string[] {
    return listSpellings(this.#db, name);
  }

  /** See `TenantDirectory.tenants`. */
  tenants(after: string, limit: number): Page<ListedTenant> {
    const items = listTenants(this.#db, after, limit + 1);
    return { items: items.slice(0, limit), more: items.length > limit };
  }
}
