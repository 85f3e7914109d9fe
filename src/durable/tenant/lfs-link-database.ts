/**
 * The links of a tenant's Git LFS objects on its SQL database. No other request comes in between within a method.
 *
 * Between the end of an object's last link and the report that its bytes are deleted, nobody can link it. So no upload
 * loses its bytes to a deletion that was decided before.
 *
 * @packageDocumentation
 */
import type { LinkAnswer, UnlinkAnswer } from "../../access/lfs-links.ts";
import type { SqlDatabase } from "../sql/sql-database.ts";
import {
  DELETION_TIME,
  deleteLfsLink,
  endLfsDeleting,
  insertLfsLink,
  isLfsLinked,
  lfsDeletingSince,
  noteLfsDeleting,
} from "./tables/lfs-links.ts";

/** The tenant's name, and whether it, and whether its tables, exist. */
export type LfsTenant = { readonly name: string; readonly isPresent: () => boolean; readonly hasTables: () => boolean };

/** The links of one tenant. */
export class LfsLinkDatabase {
  readonly #db: SqlDatabase;
  readonly #tenant: LfsTenant;

  constructor(db: SqlDatabase, tenant: LfsTenant) {
    this.#db = db;
    this.#tenant = tenant;
  }

  /** See `LfsLinks.linkLfs`. */
  link(oid: string, repoId: string): LinkAnswer {
    if (!this.#tenant.isPresent()) return "missing";
    return this.#db.transaction(() => {
      if (lfsDeletingSince(this.#db, oid) !== undefined) return "busy";
      insertLfsLink(this.#db, oid, repoId);
      return "linked";
    });
  }

  /** See `LfsLinks.linkAllLfs`. Objects outlive the tenant that they were uploaded in. */
  linkAll(oids: readonly string[], repoId: string): string[] {
    if (!this.#tenant.hasTables()) return [];
    return this.#db.transaction(() =>
      oids.filter((oid) => {
        if (!isLfsLinked(this.#db, oid) || lfsDeletingSince(this.#db, oid) !== undefined) return false;
        insertLfsLink(this.#db, oid, repoId);
        return true;
      }),
    );
  }

  /** Links those objects of a repository that this tenant keeps, but for those that are being deleted. */
  linkRestored(objects: readonly { readonly oid: string; readonly home: string }[], repoId: string): void {
    if (!this.#tenant.hasTables()) return;
    this.#db.transaction(() => {
      for (const { oid, home } of objects) {
        if (home === this.#tenant.name && lfsDeletingSince(this.#db, oid) === undefined)
          insertLfsLink(this.#db, oid, repoId);
      }
    });
  }

  /** See `LfsLinks.unlinkLfs`. */
  unlink(oids: readonly string[], repoId: string, now: number): UnlinkAnswer {
    if (!this.#tenant.hasTables()) return { gone: [], held: [] };
    return this.#db.transaction(() => {
      const gone: string[] = [];
      const held: string[] = [];
      for (const oid of oids) {
        deleteLfsLink(this.#db, oid, repoId);
        if (isLfsLinked(this.#db, oid)) continue;
        const since = lfsDeletingSince(this.#db, oid);
        if (since !== undefined && now < since + DELETION_TIME) {
          held.push(oid);
          continue;
        }
        noteLfsDeleting(this.#db, oid, now);
        gone.push(oid);
      }
      return { gone, held };
    });
  }

  /** See `LfsLinks.lfsDeleted`. */
  deleted(oids: readonly string[]): void {
    if (this.#tenant.hasTables()) this.#db.transaction(() => endLfsDeleting(this.#db, oids));
  }
}
