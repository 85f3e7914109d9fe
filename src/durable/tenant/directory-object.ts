/**
 * The Durable Object that lists the tenants, and the public repositories of all of them, and keeps the deployment's counters and the jobs that were given up. There is one. The operator's listing, making or deleting a
 * tenant, and a repository that becomes public or is so no longer, call it; and so does the list of public repositories, which an isolate remembers for some seconds.
 *
 * It is an object and not KV, whose lists are up to a minute behind: a tenant that was made is listed at once, and a
 * deleted one is not.
 *
 * @packageDocumentation
 */
import type { ListedTenant } from "../../access/directory.ts";
import type { ListedRepository, ListingChange, PublicQuery } from "../../access/public-list.ts";
import { type Page, pageOf } from "../../access/token-store.ts";
import { dayOf, type OutcomeDay } from "../../access/usage.ts";
import type { DeadLetterPage, DeadLetters } from "../../events/dead-letter.ts";
import type { Job } from "../../events/job.ts";
import { CopiedObject } from "../sql/copied-object.ts";
import { durableSql } from "../sql/durable-sql.ts";
import { Tables } from "../sql/migrations.ts";
import { DIRECTORY_SCHEMA } from "./schema.ts";
import type { SqlDatabase } from "../sql/sql-database.ts";
import {
  addDeadLetters,
  countDeadLetters,
  deleteDeadLetter,
  listDeadLetters,
  readDeadLetter,
} from "./tables/dead-letters.ts";
import { addOutcomes, listOutcomes } from "./tables/outcome-days.ts";
import { changePublicRepo, deletePublicRepos, listPublicRepos } from "./tables/public-repos.ts";
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

  /** Takes a tenant off the list, and its repositories. */
  leave(name: string): void {
    this.#db.transaction(() => {
      deleteListedTenant(this.#db, name);
      deletePublicRepos(this.#db, name);
    });
  }

  /** Notes which repositories of a tenant everybody may read, and which not. */
  changePublic(tenant: string, changes: readonly ListingChange[]): void {
    this.#db.transaction(() => {
      for (const change of changes) changePublicRepo(this.#db, tenant, change);
    });
  }

  /** See `PublicList.publicRepos`. */
  publicRepos(query: PublicQuery): Page<ListedRepository> {
    return pageOf(listPublicRepos(this.#db, { ...query, limit: query.limit + 1 }), query.limit);
  }

  /** Adds to the deployment's counters. */
  addMetrics(added: Counters): void {
    this.#db.transaction(() => {
      addMetrics(this.#db, added);
      addOutcomes(this.#db, added, dayOf(Date.now()));
    });
  }

  /** Returns how the requests of the days from `from` on ended. */
  outcomes(from: number): OutcomeDay[] {
    return listOutcomes(this.#db, from);
  }

  /** Keeps jobs that failed in all their tries. */
  noteDead(jobs: readonly Job[]): void {
    this.#db.transaction(() => addDeadLetters(this.#db, jobs, Date.now()));
  }

  /** See `DeadLetters.list`. */
  deadLetters({ after, limit }: Parameters<DeadLetters["list"]>[0]): DeadLetterPage {
    return { ...pageOf(listDeadLetters(this.#db, after, limit + 1), limit), counts: countDeadLetters(this.#db) };
  }

  /** Returns the job of a letter; `undefined` if there is no such letter. */
  deadLetter(id: number): Job | undefined {
    return readDeadLetter(this.#db, id)?.job;
  }

  /** See `DeadLetters.remove`. */
  removeDeadLetter(id: number): boolean {
    return deleteDeadLetter(this.#db, id);
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
    return pageOf(listTenants(this.#db, after, limit + 1), limit);
  }
}
