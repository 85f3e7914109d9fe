/**
 * Mirroring for one request or job: the settings that the API reads and writes, and the sync with all that it needs of
 * the platform.
 *
 * @packageDocumentation
 */
import { BEAT_TIME, SYNC_TIME } from "../refs/mirror-schedule.ts";
import { gzipSync } from "node:zlib";
import { assert } from "../bytes/assert.ts";
import type { LfsUpstream } from "../lfs/lfs-upstream.ts";
import type { PullTools } from "../lfs/pull.ts";
import type { LfsStore } from "../refs/lfs-store.ts";
import { type OutgoingUrl, parseOutgoingUrl } from "../access/outgoing-url.ts";
import type { Env } from "../env.ts";
import type { SecretContext, SyncInput } from "../mirror/sync-input.ts";
import type { SyncResult } from "../mirror/sync.ts";
import { UpstreamFailure } from "../mirror/upstream.ts";
import type { RepositoryRecord } from "../refs/ref-store.ts";
import type { BeginSyncAnswer, MirrorLfs, MirrorStore, SealedSecret } from "../refs/mirror-store.ts";
import type { MirrorSnapshots } from "./mirror-snapshots.ts";
import { SecretBox } from "./sealed-secrets.ts";
import { webFetcher } from "./web-fetcher.ts";

/** Seconds between two syncs at least; the operator may set another minimum. */
const LEAST_INTERVAL = 60;
/** The most bytes of one pack. */
const MOST_PACK_BYTES = 20 * 1024 * 1024 * 1024;

/** Objects of one slice. Each takes about 60 microseconds of processor time and 100 bytes of the isolate's memory. */
const SLICE_OBJECTS = 250_000;

/** How long one job fetches objects of Git LFS after its sync. Milliseconds. */
const LFS_TIME = 60_000;
/** How long after its beginning a job gives up objects that have not come. Milliseconds. */
const JOB_TIME = 14.5 * 60_000;
assert(SYNC_TIME + LFS_TIME <= JOB_TIME, "objects have their time after the longest sync");
assert(JOB_TIME < 15 * 60_000, "a job ends before the platform ends it");

/** Returns a variable as a positive number; `undefined` if it is none. */
function positive(text: string | undefined): number | undefined {
  const number = Number(text ?? Number.NaN);
  return Number.isFinite(number) && number > 0 ? number : undefined;
}

/** The Worker's bindings that are used. */
export type MirrorEnv = Pick<
  Env,
  "ALLOW_PRIVATE_UPSTREAMS" | "MIRROR_KEYS" | "MIRROR_LEAST_INTERVAL" | "MIRROR_SLICE_OBJECTS"
>;

/** The parts of a mirror that a sync brings up to date. */
type Syncing = Pick<SyncInput, "repository" | "mirror" | "allowance"> & {
  /** Opens what Git LFS objects of the mirror with this id are fetched with. */
  readonly lfs: (
    id: string,
    deadline: AbortSignal,
  ) => Promise<
    Omit<PullTools, "upstream" | "store"> & {
      readonly upstream: LfsUpstream | undefined;
      readonly store: LfsStore;
      readonly home: string;
    }
  >;
  readonly snapshots: MirrorSnapshots;
  /** Puts into the bucket what was pushed before the repository was a mirror. */
  readonly flushTail: () => Promise<boolean>;
};

/** Names the use and the repository that a secret is bound to. */
function bindingOf(context: SecretContext): string {
  return context.use === "upstream" ? `upstream ${context.id} ${context.origin}` : `${context.use} ${context.id}`;
}

/** The mirrors, for one request. */
export class Mirrors {
  readonly #env: MirrorEnv;
  #opened: SecretBox | undefined;
  readonly #agent: string;

  /** `agent` is this host's name for itself. */
  constructor(env: MirrorEnv, agent: string) {
    this.#env = env;
    this.#agent = agent;
  }

  /** It is made at its first use: keys that can't be read are a fault of what needs them, and of nothing else. */
  get #box(): SecretBox {
    return (this.#opened ??= new SecretBox(this.#env.MIRROR_KEYS));
  }

  /** The least seconds between two syncs. */
  get leastInterval(): number {
    return positive(this.#env.MIRROR_LEAST_INTERVAL) ?? LEAST_INTERVAL;
  }

  checkUrl(text: string, base?: URL): OutgoingUrl {
    return parseOutgoingUrl(text, this.#env.ALLOW_PRIVATE_UPSTREAMS === "1", base);
  }

  /** Whether the deployment has a key to seal with. */
  get canSeal(): boolean {
    return this.#box.canSeal;
  }

  seal(secret: string, context: SecretContext): Promise<SealedSecret> {
    return this.#box.seal(secret, bindingOf(context));
  }

  /** Opens a secret; `undefined` if that can't be done. */
  open(secret: SealedSecret, context: SecretContext): Promise<string | undefined> {
    return this.#box.open(secret, bindingOf(context));
  }

  /** Seals a secret with the newest key, if another has sealed it; `undefined` if none has, or if it can't be opened. */
  async resealed(secret: SealedSecret, context: SecretContext): Promise<SealedSecret | undefined> {
    if (!this.#box.isStale(secret)) return undefined;
    const opened = await this.open(secret, context);
    return opened === undefined ? undefined : await this.seal(opened, context);
  }

  /** Takes as long as {@link open}, for callers that have no secret to open. */
  openNothing(): Promise<undefined> {
    return this.#box.openNothing();
  }

  /** Brings a mirror up to date, and its readers' snapshot with it. */
  async sync(syncing: Syncing): Promise<SyncResult> {
    const began = Date.now();
    const result = await whileAlive(
      publishedFirst(syncing),
      async (mirror) => await this.#sync({ ...syncing, mirror }),
    );
    if (result.kind === "synced") {
      await publish(result, syncing);
      if (result.lfs !== undefined) await pullLfs(result.record.id, result.lfs, { ...syncing, began });
    }
    // The old state is served on at its usual cost, however long the upstream fails.
    else if (result.kind === "failed" && result.unpublished?.mirror?.syncedAt !== undefined) {
      await publishNow(result.unpublished, result.unpublished.mirror.syncedAt, syncing);
    }
    return result;
  }

  async #sync({ repository, mirror, allowance }: Syncing): Promise<SyncResult> {
    // No request syncs: the module is loaded for jobs alone.
    const { syncMirror } = await import("../mirror/sync.ts");
    return await syncMirror({
      repository,
      mirror,
      allowance,
      agent: this.#agent,
      mostBytes: MOST_PACK_BYTES,
      sliceObjects: positive(this.#env.MIRROR_SLICE_OBJECTS) ?? SLICE_OBJECTS,
      connection: {
        fetcher: webFetcher(AbortSignal.timeout(SYNC_TIME)),
        checkUrl: (text, base) => this.checkUrl(text, base),
        // Some hosts answer git's smart protocol only to a user agent that begins like git's.
        userAgent: `git/${this.#agent}`,
        gzip: (bytes) => new Uint8Array(gzipSync(bytes)),
        now: () => repository.now(),
      },
      openLogin: async (login, context) => {
        const authorization = await this.open(login, context);
        if (authorization === undefined) {
          throw new UpstreamFailure("The upstream's credentials can't be read any more: they have to be set again.");
        }
        const resealed = await this.resealed(login, context);
        return resealed === undefined ? { authorization } : { authorization, resealed };
      },
      // A secret whose key is gone goes unreported here: its webhooks are refused, and it is then set anew.
      resealHook: (hook, id) => this.resealed(hook, { use: "hook", id }),
    });
  }
}

/**
 * Fetches the objects that pointers of Git LFS name. What the time of one job does not suffice for follows with another
 * sync, which is asked for at once.
 */
async function pullLfs(
  id: string,
  progress: MirrorLfs,
  { repository, mirror, lfs, began }: Syncing & { readonly began: number },
): Promise<void> {
  const { pullAll } = await import("../lfs/pull.ts");
  const { nextPointers } = await import("../mirror/lfs-pointers.ts");
  // Its sync may have taken all of the job's time: deltas are resolved to their end, however long that takes.
  const jobEnd = began + JOB_TIME;
  const deadline = AbortSignal.timeout(Math.max(0, jobEnd - Date.now()));
  const { upstream, store, ...places } = await lfs(id, deadline);
  if (upstream === undefined) return;
  const end = repository.now() + LFS_TIME;
  const ended = await pullAll({
    ...places,
    tools: { ...places, upstream, store },
    id,
    progress,
    next: async (from) => await nextPointers(repository, from),
    note: async (come) => await store.notePulled(come),
    isTimeUp: () => repository.now() > end || Date.now() >= jobEnd,
    random: (below) => Math.floor(Math.random() * below),
  });
  if (ended === "more") await mirror.requestSync();
}

/** Has the tail published where a sync can't begin before that. */
function publishedFirst({ mirror, flushTail }: Syncing): MirrorStore {
  const beginSync = async (packName: string): Promise<BeginSyncAnswer> => {
    const begun = await mirror.beginSync(packName);
    if (begun.kind !== "unpublished") return begun;
    await flushTail();
    return await mirror.beginSync(packName);
  };
  return { ...mirror, beginSync };
}

/**
 * Reports to the mirror that a sync is alive, from its beginning to its end. A sync that has died with its isolate or
 * machine is silent, and another soon takes its place.
 */
async function whileAlive<T>(mirror: MirrorStore, work: (mirror: MirrorStore) => Promise<T>): Promise<T> {
  let beat: ReturnType<typeof setInterval> | undefined;
  const beginSync = async (packName: string): Promise<BeginSyncAnswer> => {
    const begun = await mirror.beginSync(packName);
    // A report that fails is ignored; the next may get through.
    const renew = (): void => void mirror.renewSync(packName).catch(() => undefined);
    if (begun.kind === "begun") beat = setInterval(renew, BEAT_TIME);
    return begun;
  };
  try {
    return await work({ ...mirror, beginSync });
  } finally {
    clearInterval(beat);
  }
}

/** Points readers to the result of a sync, or tells them that it found nothing new. */
async function publish(
  { changed, isPublished, snapshot, record }: Extract<SyncResult, { kind: "synced" }>,
  syncing: Syncing,
): Promise<void> {
  const syncedAt = record.mirror?.syncedAt ?? syncing.repository.now();
  if (isPublished && !changed) await syncing.snapshots.write(snapshot, syncedAt);
  else await publishNow(record, syncedAt, syncing);
}

/** Points readers to the present state of a mirror. */
async function publishNow(
  record: RepositoryRecord,
  syncedAt: number,
  { repository, mirror, snapshots }: Syncing,
): Promise<void> {
  const now = await repository.refs.open({ packs: true, refPrefixes: [] });
  if (now.kind === "missing" || now.record.id !== record.id) return;
  const { version } = now;
  const pieces = await snapshots.write(now, syncedAt);
  const { retired } = await mirror.publishSnapshot({ id: record.id, version, pieces });
  if (retired !== undefined && retired !== version) await snapshots.delete(record.id, retired);
}
