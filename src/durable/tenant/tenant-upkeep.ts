/**
 * The work of a tenant in other objects, which it continues until it is done. It keeps the tenant's entries in the
 * directory, removes repositories, and asks whether an entered repository was made. Every step may be repeated.
 *
 * @packageDocumentation
 */
import type { ListingChange } from "../../access/public-list.ts";
import type { TenantHook } from "../../access/tenant-hook.ts";
import type { SharedLfsObject } from "../../refs/lfs-store.ts";
import type { TenantDatabase } from "./tenant-database.ts";
import type { TenantRepo } from "./tables/tenant-repos.ts";

/** The other objects that a tenant calls. */
export interface TenantSurroundings {
  /**
   * Removes the repository of this name, whichever id it has, and makes sure that none is made with this id. Returns
   * whether there was one.
   */
  removeRepository(repo: string, id: string | undefined): Promise<boolean>;
  /** Removes the repository if nothing was ever put into it. Returns whether there is none with this id now. */
  retractRepository(repo: string, id: string): Promise<boolean>;
  /** Returns the id of the repository of this name, and gives it the tenant's webhooks. If there is none, makes sure that none is made with this id. */
  confirmRepository(repo: string, id: string, hooks: readonly TenantHook[]): Promise<string | undefined>;
  /** Returns Git LFS objects of the repository of this name, by their names, after `after`. */
  lfsObjects(repo: string, after: string, limit: number): Promise<readonly SharedLfsObject[]>;
  /** Gives the repository of this name, if there is one, the tenant's webhooks. */
  giveHooks(repo: string, hooks: readonly TenantHook[]): Promise<void>;
  /** Enters the tenant, whose name is shown as `spelled`. */
  enterDirectory(createdAt: number, spelled: string): Promise<void>;
  leaveDirectory(): Promise<void>;
  /** Tells the directory which repositories everybody may read, and which not. */
  changePublic(changes: readonly ListingChange[]): Promise<void>;
  /** Makes sure that {@link TenantUpkeep.work} is called after a while, even if the current work never ends. */
  remember(): void;
}

/** Git LFS objects that are asked for in one call. */
const LINKED_AT_ONCE = 5000;
/** Repositories that the directory is told of in one call. */
const LISTED_AT_ONCE = 1000;
/** Repositories that one batch takes. */
const BATCH = 100;
/** Repositories of a batch that are worked on at once. */
const AT_ONCE = 10;
/** Repositories that the deletion of a tenant removes before it answers. */
const REMOVED_AT_ONCE = 500;

/** The work of one tenant. */
export class TenantUpkeep {
  readonly #database: TenantDatabase;
  readonly #surroundings: TenantSurroundings;

  constructor(database: TenantDatabase, surroundings: TenantSurroundings) {
    this.#database = database;
    this.#surroundings = surroundings;
  }

  /** Removes a repository, whether it is listed or not. Returns whether there was one. */
  async removeRepo(repo: string): Promise<boolean> {
    const listed = this.#database.beginRemoval(repo);
    this.#surroundings.remember();
    const removed = await this.#surroundings.removeRepository(repo, listed?.id);
    if (listed !== undefined) this.#database.endRemoval(listed);
    return removed;
  }

  /** Removes a repository that was made for nothing. If it is in use by now, it stays. */
  async retractRepo(repo: string, id: string): Promise<void> {
    if (await this.#surroundings.retractRepository(repo, id)) this.#database.endRemoval({ name: repo, id }, true);
  }

  /** Enters the tenant in the directory, or removes it from there. */
  async settleDirectory(): Promise<void> {
    const row = this.#database.row();
    if (row === undefined || row.inDirectory !== row.leaving) return;
    this.#surroundings.remember();
    if (row.leaving) await this.#surroundings.leaveDirectory();
    else await this.#surroundings.enterDirectory(row.record.createdAt, row.record.name);
    // The tenant may have begun to leave while it was entered; then the next step takes it out again.
    this.#database.noteDirectory(!row.leaving);
  }

  /** Deletes the tenant, and as many of its repositories as an answer may wait for. */
  async remove(): Promise<boolean> {
    if (!this.#database.leave()) return false;
    this.#surroundings.remember();
    await this.settleDirectory();
    for (let removed = 0; removed < REMOVED_AT_ONCE; removed += BATCH) {
      if (!(await this.#removeBatch())) break;
    }
    this.#database.forgetIfEmpty();
    return true;
  }

  /**
   * Gives new webhooks to repositories that were entered lately. The alarm gives them to those that are known to be made;
   * these are not, and being asked would keep one from being made whose first push is under way.
   */
  async giveHooks(): Promise<void> {
    const hooks = this.#database.hooks.list() ?? []; // A tenant that is gone has none.
    const names = this.#database.hooks.unconfirmed(BATCH);
    // One that fails is asked about within minutes, and gets them then.
    await Promise.allSettled(names.map(async (name) => await this.#surroundings.giveHooks(name, hooks)));
  }

  /** Does the work that is due, or a part of it if there is much. */
  async work(now: number): Promise<void> {
    await this.settleDirectory();
    await this.#settleListing();
    await this.#removeBatch();
    const { unchecked } = this.#database.dueRepos(now, BATCH);
    // Without a tenant nothing is unchecked.
    const hooks = this.#database.hooks.list() ?? [];
    await this.#each(unchecked, async ({ name, id, showsObjects }) => {
      const found = await this.#surroundings.confirmRepository(name, id, hooks);
      if (found === undefined) this.#database.endRemoval({ name, id });
      else {
        if (showsObjects) await this.#linkObjects(name, found);
        this.#database.noteMade(name, found);
      }
    });
    this.#database.forgetIfEmpty();
  }

  /** Tells the directory of some repositories that have become public, or are so no longer. */
  async #settleListing(): Promise<void> {
    // The directory forgets all repositories of a tenant that leaves it.
    if (this.#database.row()?.leaving !== false) return;
    const changes = this.#database.listing.due(LISTED_AT_ONCE);
    if (changes.length === 0) return;
    await this.#surroundings.changePublic(changes.map(({ repo, isPublic }) => ({ repo, isPublic })));
    this.#database.listing.told(changes);
  }

  /** Links the Git LFS objects that a repository has of this tenant: the links may come from a backup, or from the past. */
  async #linkObjects(repo: string, id: string): Promise<void> {
    for (let after = ""; ;) {
      const objects = await this.#surroundings.lfsObjects(repo, after, LINKED_AT_ONCE);
      this.#database.lfs.linkRestored(objects, id);
      const last = objects.at(-1);
      if (last === undefined || objects.length < LINKED_AT_ONCE) return;
      after = last.oid;
    }
  }

  /** Returns whether there may be more. */
  async #removeBatch(): Promise<boolean> {
    const { removing } = this.#database.dueRepos(0, BATCH);
    await this.#each(removing, async (repo) => {
      await this.#surroundings.removeRepository(repo.name, repo.id);
      this.#database.endRemoval(repo);
    });
    return removing.length === BATCH;
  }

  /**
   * Works on repositories, a few at once. One that fails does not hold up the others, but the whole fails in the end.
   */
  async #each(repos: readonly TenantRepo[], work: (repo: TenantRepo) => Promise<void>): Promise<void> {
    for (let at = 0; at < repos.length; at += AT_ONCE) {
      const settled = await Promise.allSettled(repos.slice(at, at + AT_ONCE).map(work));
      const failed = settled.find((outcome) => outcome.status === "rejected");
      if (failed !== undefined) throw failed.reason;
    }
  }
}
