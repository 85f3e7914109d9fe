/**
 * Sends a mirror's syncs to their queue, as many of one tenant at once as its object admits.
 *
 * @packageDocumentation
 */
import type { MirrorReport } from "../../access/mirror-list.ts";
import type { SyncEnd } from "../../refs/mirror-store.ts";
import type { RepositoryDatabase } from "./repository-database.ts";
import type { RepositoryObjectEnv, TenantTold } from "./repository-env.ts";

/** Seconds between two syncs that readers cause, if neither the tenant nor the deployment sets a minimum. */
const LEAST_INTERVAL = 60;

/** The name of the repository, and its tenant's object. */
export type SyncPlace = { readonly name: string; readonly tenant: TenantTold };

function secondsOf(text: string | undefined): number {
  const seconds = text === undefined ? Number.NaN : Number(text);
  return Number.isFinite(seconds) && seconds > 0 ? seconds : LEAST_INTERVAL;
}

/** Sends the syncs of one mirror. */
export class SyncSender {
  readonly #env: Pick<RepositoryObjectEnv, "MIRROR_JOBS" | "MIRROR_LEAST_INTERVAL">;
  readonly #database: Pick<RepositoryDatabase, "describe" | "mirror" | "hooks">;
  readonly #place: () => SyncPlace;

  constructor(
    env: Pick<RepositoryObjectEnv, "MIRROR_JOBS" | "MIRROR_LEAST_INTERVAL">,
    database: Pick<RepositoryDatabase, "describe" | "mirror" | "hooks">,
    place: () => SyncPlace,
  ) {
    this.#env = env;
    this.#database = database;
    this.#place = place;
  }

  /** Sends a job, or puts it off if the tenant has as many syncs under way as it may. */
  async send(): Promise<void> {
    const { id } = this.#database.describe() ?? {};
    if (id === undefined) return;
    const { name, tenant } = this.#place();
    if (!(await this.#isAdmitted(tenant))) {
      this.#database.mirror.postpone(Date.now(), Math.random());
      return;
    }
    // It is noted first: the sync may begin, and even end, before the sending is known to have worked.
    this.#database.mirror.jobSent(Date.now());
    await this.#env.MIRROR_JOBS.send({ type: "mirror-sync", repository: name, id });
  }

  /** Has the tenant keep the place of a sync that is alive. */
  async goesOn(): Promise<void> {
    await this.#tell((tenant) => tenant.syncGoesOn(this.#repo));
  }

  /** Gives the place of a sync that has ended back to the tenant, and tells it and the webhooks how the sync went. */
  async ended(end: SyncEnd): Promise<void> {
    if (end.kind === "failed") this.#database.hooks()?.syncFailed(end.why, Date.now());
    await this.#tell((tenant) => tenant.syncEnded(this.#repo, this.#report));
  }

  /** Tells the tenant how the mirror goes, or that the repository is none. */
  async report(): Promise<void> {
    await this.#tell((tenant) => tenant.noteMirror(this.#repo, this.#report));
  }

  get #report(): MirrorReport | undefined {
    const mirror = this.#database.mirror.read();
    if (mirror === undefined) return undefined;
    const { upstream, interval } = mirror.settings;
    const { lastAttempt, lastSync, lastError, failures, nextSync } = mirror.status;
    return {
      name: this.#database.describe()?.spelled ?? this.#place().name,
      upstream,
      interval,
      failures,
      ...(lastAttempt === undefined ? {} : { lastAttempt }),
      ...(lastSync === undefined ? {} : { lastSync }),
      ...(lastError === undefined ? {} : { lastError }),
      ...(nextSync === undefined ? {} : { nextSync }),
    };
  }

  /** Whether a reader may cause a sync: no sooner after the last one than a timer might. */
  async mayReaderAsk(): Promise<boolean> {
    const { lastAttempt } = this.#database.mirror.read()?.status ?? {};
    if (lastAttempt === undefined) return true;
    const own = await this.#place().tenant.leastMirrorInterval();
    const least = own === 0 ? secondsOf(this.#env.MIRROR_LEAST_INTERVAL) : own;
    return Date.now() >= lastAttempt + least * 1000;
  }

  get #repo(): string {
    const { name } = this.#place();
    return name.slice(name.indexOf("/") + 1);
  }

  async #isAdmitted(tenant: TenantTold): Promise<boolean> {
    try {
      return await tenant.admitSync(this.#repo);
    } catch {
      // The bound protects other tenants: a failing object of this one must not stop its mirrors.
      return true;
    }
  }

  async #tell(told: (tenant: TenantTold) => Promise<void>): Promise<void> {
    try {
      await told(this.#place().tenant);
    } catch {
      // The place becomes free within a minute anyway.
    }
  }
}
