/**
 * What a tenant has to do in other objects, and goes on with until it is done: its entry in the directory, the removal of
 * repositories, and the question whether one that was entered was made. Every step may be taken again.
 *
 * @packageDocumentation
 */
import type { TenantDatabase } from "./tenant-database.ts";
import type { TenantRepo } from "./tables/tenant-repos.ts";

/** The other objects. */
export interface TenantSurroundings {
  /** Ends the repository of this name, whichever there is, and sees to it that none with this id is made. Gives whether there was one. */
  removeRepository(repo: string, id: string | undefined): Promise<boolean>;
  /** Gives the id of the repository of this name; where there is none, sees to it that none with this id is made. */
  confirmRepository(repo: string, id: string): Promise<string | undefined>;
  enterDirectory(createdAt: number): Promise<void>;
  leaveDirectory(): Promise<void>;
  /** Sees to it that {@link TenantUpkeep.work} is called in a while, also if what goes on now never ends. */
  remember(): void;
}

/** Repositories that are taken in hand together. */
const BATCH = 100;
/** Of them at once. */
const AT_ONCE = 10;
/** Repositories that a deletion removes before it answers. */
const REMOVED_AT_ONCE = 500;

/** The work of one tenant. */
export class TenantUpkeep {
  readonly #database: TenantDatabase;
  readonly #surroundings: TenantSurroundings;

  constructor(database: TenantDatabase, surroundings: TenantSurroundings) {
    this.#database = database;
    this.#surroundings = surroundings;
  }

  /** Removes a repository, listed or not. Gives whether there was one. */
  async removeRepo(repo: string): Promise<boolean> {
    const listed = this.#database.beginRemoval(repo);
    this.#surroundings.remember();
    const removed = await this.#surroundings.removeRepository(repo, listed?.id);
    if (listed !== undefined) this.#database.endRemoval(listed);
    return removed;
  }

  /** Enters the tenant in the directory, or takes it out. */
  async settleDirectory(): Promise<void> {
    const row = this.#database.row();
    if (row === undefined || row.inDirectory !== row.leaving) return;
    this.#surroundings.remember();
    if (row.leaving) await this.#surroundings.leaveDirectory();
    else await this.#surroundings.enterDirectory(row.record.createdAt);
    // It may have been told to leave while it was entered: then there is one more thing to do, and it is known.
    this.#database.noteDirectory(!row.leaving);
  }

  /** Deletes the tenant, and of its repositories as many as an answer may wait for. */
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

  /** Does what is due, in part where it is much. */
  async work(now: number): Promise<void> {
    await this.settleDirectory();
    await this.#removeBatch();
    const { unchecked } = this.#database.dueRepos(now, BATCH);
    await this.#each(unchecked, async ({ name, id }) => {
      const found = await this.#surroundings.confirmRepository(name, id);
      if (found === undefined) this.#database.endRemoval({ name, id });
      else this.#database.noteMade(name, found);
    });
    this.#database.forgetIfEmpty();
  }

  /** Gives whether there may be more. */
  async #removeBatch(): Promise<boolean> {
    const { removing } = this.#database.dueRepos(0, BATCH);
    await this.#each(removing, async (repo) => {
      await this.#surroundings.removeRepository(repo.name, repo.id);
      this.#database.endRemoval(repo);
    });
    return removing.length === BATCH;
  }

  /** Takes repositories in hand, a few at once. One that fails does not keep the others back; it fails the whole in the end. */
  async #each(repos: readonly TenantRepo[], work: (repo: TenantRepo) => Promise<void>): Promise<void> {
    for (let at = 0; at < repos.length; at += AT_ONCE) {
      const settled = await Promise.allSettled(repos.slice(at, at + AT_ONCE).map(work));
      const failed = settled.find((outcome) => outcome.status === "rejected");
      if (failed !== undefined) throw failed.reason;
    }
  }
}
