/**
 * Builds, for one request, everything on Cloudflare that a repository is opened from.
 *
 * @packageDocumentation
 */
import type { TenantDirectory } from "../access/directory.ts";
import type { DeadLetters } from "../events/dead-letter.ts";
import { durableDeadLetters } from "./dead-letters.ts";
import type { PublicList } from "../access/public-list.ts";
import type { BucketCopies } from "../access/bucket-copies.ts";
import type { LfsLinks } from "../access/lfs-links.ts";
import { repositoryKey, type RepositoryName } from "../access/names.ts";
import type { ObjectCopies, ObjectKind } from "../access/object-copies.ts";
import { DIRECTORY_NAME } from "../durable/tenant/directory-object.ts";
import { objectNamed } from "../durable/placement.ts";
import type { Env } from "../env.ts";
import type { LfsFiles, LfsPresigner } from "../lfs/lfs-files.ts";
import type { BareFiles } from "../maintenance/bare-files.ts";
import { flushTail } from "../maintenance/publish.ts";
import type { SyncResult } from "../mirror/sync.ts";
import type { LockStore } from "../refs/lfs-locks.ts";
import type { LfsUpstream } from "../lfs/lfs-upstream.ts";
import type { LfsStore } from "../refs/lfs-store.ts";
import type { MirrorStore } from "../refs/mirror-store.ts";
import type { ForkStore, PackLender } from "../refs/fork-store.ts";
import type { KeptBlobStore } from "../refs/kept-blobs.ts";
import type { MaintenanceControl } from "../refs/maintenance-store.ts";
import type { RefStore, RepositoryRecord } from "../refs/ref-store.ts";
import type { RepositorySettings } from "../refs/repository-settings.ts";
import type { UploadParts, UploadStore } from "../refs/upload-store.ts";
import { DEFAULT_LIMITS } from "../repository/limits.ts";
import type { Repository } from "../repository/repository.ts";
import type { CloneTwin } from "../catalog/clone-twin.ts";
import { type DamagedFile, DamagedFiles } from "../catalog/damaged-file.ts";
import { packKey } from "../catalog/pack-keys.ts";
import type { PackFile } from "../catalog/pack-storage.ts";
import { CorruptStore } from "../bytes/failure.ts";
import type { RequestMemory } from "../bytes/memory-budget.ts";
import type { HookStore } from "../events/hook.ts";
import type { SubscriptionRequest } from "../events/subscription.ts";
import { durableCopies } from "./durable-copies.ts";
import { durableHooks } from "./durable-hooks.ts";
import { durableLfs, readableLfs } from "./durable-lfs.ts";
import { durableMirror } from "./durable-mirror.ts";
import { durableLender } from "./durable-lender.ts";
import { type DurableRefs, durableRefs, type RepositoryStub } from "./durable-refs.ts";
import { durableDirectory, durableTenant, type Tenant } from "./durable-tenants.ts";
import type { IsolateTools } from "./isolate-tools.ts";
import { type Reader, readableRefs, readableSettings } from "./readable-refs.ts";
import { historicRefs, type OrdinaryNames, readerRefs } from "./mirror-reader.ts";
import { MirrorSnapshots } from "./mirror-snapshots.ts";
import { Mirrors } from "./mirrors.ts";
import { r2BareFiles } from "./r2-bare-files.ts";
import { r2Copies } from "./r2-copies.ts";
import { r2LfsFiles } from "./r2-lfs-files.ts";
import { r2Presigner } from "./r2-presigner.ts";
import { r2PackStorage } from "./r2-pack-storage.ts";
import { filteredRefs } from "./filtered-refs.ts";
import { SHOWS_ALL } from "../refs/ref-filter.ts";
import { freshen } from "./freshen.ts";
import { r2UploadParts } from "./r2-upload-parts.ts";
import { webLfsUpstream } from "./web-lfs-upstream.ts";
import { RequestCounters } from "./request-counters.ts";

/** The options that readers of one isolate, and of one request, share. */
export type ReaderOptions = Reader & {
  readonly ordinary: OrdinaryNames;
  /** Names the reader by its credentials. */
  readonly caller: string;
  /** Whether the reader may read the repository that was found. */
  mayRead(record: RepositoryRecord): Promise<boolean>;
  /** Is given work that goes on behind the answer. */
  later(work: Promise<unknown>): void;
};

/** Everything that a deployment holds, for the operator's backup. */
export type BackupStorage = {
  object(kind: ObjectKind, name: string): ObjectCopies;
  readonly bucket: BucketCopies;
  readonly memory: RequestMemory;
};

/** The platform for one request or job. Every operation is counted. */
export class RequestStorage {
  readonly counters = new RequestCounters();
  readonly #env: Env;
  readonly #tools: IsolateTools;
  readonly #agent: string;
  #memory: RequestMemory | undefined;
  /** What was found damaged, by the key of the repository. */
  readonly #damaged = new Map<string, DamagedFiles>();

  /** `agent` is this host's name for itself. */
  constructor(env: Env, tools: IsolateTools, agent: string) {
    this.#env = env;
    this.#agent = agent;
    this.#tools = tools;
  }

  /** Returns the bytes of the isolate's kernels: see `KernelPool.takeHighest`. */
  takeKernelBytes(): number {
    return this.#tools.kernels.takeHighest();
  }

  #object(key: string): RepositoryStub {
    return objectNamed(this.#env.REPOSITORIES, key, this.#env);
  }

  /** Opens the truth of a repository by its key, `{tenant}/{repo}`. */
  refs(key: string): DurableRefs {
    const { counters } = this;
    const { recentRefs: recent, packs: known } = this.#tools;
    return durableRefs(this.#object(key), { name: key, counters, recent, known });
  }

  /** Opens the settings of a repository for a reader. */
  settings(
    key: string,
    reader: Pick<Reader, "right" | "follow">,
  ): RepositorySettings & UploadStore & KeptBlobStore & MaintenanceControl & ForkStore {
    return readableSettings<RepositorySettings & UploadStore & KeptBlobStore & MaintenanceControl & ForkStore>(
      this.refs(key),
      reader,
    );
  }

  /** Opens a tenant by its name. It need not exist. */
  tenant(name: string): Tenant {
    return durableTenant(objectNamed(this.#env.TENANTS, name, this.#env), this.counters);
  }

  /** Opens the Git LFS objects, and the locks, of a repository by its key; for a reader, as far as it may read. */
  lfs(key: string, reader?: Pick<Reader, "right" | "follow">): LfsStore & LockStore {
    const durable = durableLfs(this.#object(key), this.counters);
    return reader === undefined ? durable : readableLfs(durable, reader);
  }

  /** Makes addresses of Git LFS objects, if the deployment has keys for that. */
  get lfsPresigner(): LfsPresigner | undefined {
    return r2Presigner(this.#env, () => Date.now());
  }

  /**
   * Opens the Git LFS server of a mirror's upstream; `undefined` if there is none, or its credentials can't be read.
   * Files that have not come by the deadline are given up.
   */
  async lfsUpstream(name: RepositoryName, id: string, deadline?: AbortSignal): Promise<LfsUpstream | undefined> {
    const mirror = await this.mirror(repositoryKey(name)).readMirror();
    if (mirror === undefined) return undefined;
    const { upstream } = mirror.settings;
    const { mirrors } = this;
    const url = mirrors.checkUrl(upstream);
    if (url.kind === "refused") return undefined;
    const context = { use: "upstream", id, origin: url.url.origin } as const;
    const authorization = mirror.login === undefined ? undefined : await mirrors.open(mirror.login, context);
    if (mirror.hasLogin && authorization === undefined) return undefined;
    return webLfsUpstream({
      upstream,
      authorization,
      ...(deadline === undefined ? {} : { deadline }),
      userAgent: `git-lfs/${this.#agent}`,
      checkUrl: (text, base) => mirrors.checkUrl(text, base),
      mostBytes: async () => {
        const { bytes, elsewhere } = (await this.tenant(name.tenant).allowance(name.repo)) ?? {};
        return bytes === undefined ? undefined : Math.max(0, bytes - (elsewhere?.bytes ?? 0)); // Nothing is elsewhere.
      },
    });
  }

  /** Opens the links of a tenant's Git LFS objects. */
  lfsLinks(home: string): LfsLinks {
    return this.tenant(home);
  }

  /** Opens the bytes of a tenant's Git LFS objects. */
  lfsFiles(home: string): LfsFiles {
    return r2LfsFiles(this.#env.BUCKET, this.counters, home);
  }

  /** Opens the list of tenants, and that of public repositories. */
  directory(): TenantDirectory & PublicList {
    return durableDirectory(objectNamed(this.#env.DIRECTORY, DIRECTORY_NAME, this.#env), this.counters);
  }

  /** Opens the jobs that failed in all their tries. */
  get deadLetters(): DeadLetters {
    const directory = objectNamed(this.#env.DIRECTORY, DIRECTORY_NAME, this.#env);
    return durableDeadLetters(directory, this.#env, this.counters);
  }

  /** Opens the webhooks of a repository by its key. */
  hooks(key: string): HookStore {
    return durableHooks(this.#object(key), this.counters);
  }

  /** Opens the mirroring of a repository by its key, `{tenant}/{repo}`. */
  mirror(key: string): MirrorStore {
    return durableMirror(this.#object(key), this.counters);
  }

  /** The settings and secrets that all mirrors share. */
  get mirrors(): Mirrors {
    return new Mirrors(this.#env, this.#agent);
  }

  /** Begins a subscription to a repository's events. The answer holds the WebSocket. */
  subscribe(key: string, request: SubscriptionRequest): Promise<Response> {
    const object = this.#object(key);
    const url = new URL("https://repository.invalid/events");
    url.searchParams.set("subscription", JSON.stringify(request));
    return this.counters.run("do", () => object.fetch(url.href, { headers: { Upgrade: "websocket" } }));
  }

  /** The snapshots of mirrors. */
  get snapshots(): MirrorSnapshots {
    return new MirrorSnapshots(this.#env, this.counters);
  }

  /** Brings a mirror up to date. */
  syncMirror(key: string): Promise<SyncResult> {
    const [tenant = "", repo = ""] = key.split("/");
    return this.mirrors.sync({
      repository: this.repository(key),
      mirror: this.mirror(key),
      snapshots: this.snapshots,
      lfs: async (id, deadline) => ({
        upstream: await this.lfsUpstream({ tenant, repo }, id, deadline),
        store: this.lfs(key),
        home: tenant,
        links: (home) => this.lfsLinks(home),
        files: (home) => this.lfsFiles(home),
      }),
      flushTail: () => this.flushTail(key),
      allowance: async () => (await this.tenant(tenant).allowance(repo)) ?? {},
    });
  }

  /** Publishes the tail of a repository by its key: see `maintenance/publish.ts`. */
  flushTail(key: string): Promise<boolean> {
    return flushTail({ repository: this.repository(key), catalog: this.refs(key) });
  }

  /** Opens a repository for a reader or a pusher. Mirrors are read without their Durable Object. */
  reader(name: RepositoryName, options: ReaderOptions): Repository {
    const key = repositoryKey(name);
    const { ordinary, caller } = options;
    const repository = this.repository(key, caller);
    const now = (): number => repository.now();
    const tools = {
      key,
      snapshots: this.snapshots,
      ordinary,
      caller,
      right: () => options.right(),
      mayRead: (record: RepositoryRecord) => options.mayRead(record),
      now,
      pacer: repository.pacer,
      later: (work: Promise<unknown>) => options.later(work),
      freshen: async () => await freshen(this.mirror(key), { now, wait: (time) => scheduler.wait(time) }),
    };
    const refs = readerRefs(readableRefs(repository.refs, options), tools);
    return { ...repository, refs: filteredRefs(refs, SHOWS_ALL, repository.pacer) };
  }

  /** Opens a repository as it was, for reading. */
  historic(name: RepositoryName, at: number, reader: Reader): Repository {
    const repository = this.repository(name);
    const { pacer } = repository;
    const refs = readableRefs(repository.refs, reader);
    return { ...repository, refs: filteredRefs({ ...refs, ...historicRefs(refs, at, pacer) }, SHOWS_ALL, pacer) };
  }

  /** Opens a repository for a snapshot that a fork is made of. A mirror's comes from its Durable Object, too. */
  lending(name: RepositoryName, reader: Reader): Pick<RefStore, "open"> {
    return filteredRefs(readableRefs(this.refs(repositoryKey(name)), reader), SHOWS_ALL, this.#tools.pacer());
  }

  /** Opens the loans of the packs below a repository's prefix. */
  lender(id: string): PackLender {
    return durableLender(objectNamed(this.#env.LENDERS, id, this.#env), this.counters);
  }

  /** Opens a repository, which need not exist, for `caller`. Callers of the same name share the isolate's memory. */
  repository(name: RepositoryName | string, caller = ""): Repository {
    const key = typeof name === "string" ? name : repositoryKey(name);
    const { budget, kernels, recentRefs: _, ...tools } = this.#tools;
    const memory = (this.#memory ??= budget.open(`${key} ${caller}`, caller));
    return {
      ...tools,
      memory,
      kernels: kernels.for(memory),
      refs: this.refs(key),
      storage: (id) => r2PackStorage(this.#env.BUCKET, this.counters, id),
      limits: DEFAULT_LIMITS,
      pacer: this.#tools.pacer(),
      noteDamage: (file) => this.#noteDamage(key, file),
      now: () => Date.now(),
      random: (length) => crypto.getRandomValues(new Uint8Array(length)),
    };
  }

  #noteDamage(key: string, file: DamagedFile): void {
    const files = this.#damaged.get(key) ?? new DamagedFiles();
    files.note(file);
    this.#damaged.set(key, files);
  }

  /** Tells repositories of the files that the request has found damaged, and returns these. It never throws: who meets a file next notes it again. */
  async reportDamage(): Promise<DamagedFile[]> {
    const all: DamagedFile[] = [];
    for (const [key, damaged] of this.#damaged) {
      const files = damaged.take();
      all.push(...files);
      await this.refs(key)
        .reportDamage(files)
        .catch(() => undefined);
    }
    this.#damaged.clear();
    return all;
  }

  /** Everything that the deployment holds. */
  get backup(): BackupStorage {
    return {
      object: (kind, name) => durableCopies(this.#env, this.counters, kind, name),
      bucket: r2Copies(this.#env.BUCKET, this.counters),
      memory: this.repository("backup", "operator").memory,
    };
  }

  /** Records that the client of the request has reset its connection. */
  cutOff(): void {
    this.#memory?.cutOff();
  }

  /** Opens the parts of uploads below a repository's prefix. */
  uploadParts(id: string): UploadParts {
    return r2UploadParts(this.#env.BUCKET, this.counters, id);
  }

  /** Opens all files below a repository's prefix. */
  bareFiles(id: string): BareFiles {
    return r2BareFiles(this.#env.BUCKET, this.counters, id);
  }

  /** Returns the twin of a repository's packs, from `offset` on; `undefined` if it is not there as it was made. */
  async twinBody(id: string, { name, bytes }: CloneTwin, offset: number): Promise<ReadableStream | undefined> {
    const key = packKey(id, { pack: name, extension: "twin" });
    const options = offset === 0 ? {} : { range: { offset } };
    const object = await this.counters.run("r2r", () => this.#env.BUCKET.get(key, options));
    if (object === null) return undefined;
    if (object.size !== bytes) {
      await object.body.cancel();
      return undefined;
    }
    this.counters.addBytesRead(bytes - offset);
    return object.body;
  }

  /**
   * Returns a part of a pack's file, as a body that is sent untouched.
   *
   * @throws CorruptStore if it is not there.
   */
  async packBody(id: string, file: PackFile, range: { offset: number; length: number }): Promise<ReadableStream> {
    const key = packKey(id, file);
    const object = await this.counters.run("r2r", () => this.#env.BUCKET.get(key, { range }));
    if (object === null) throw new CorruptStore(`${key} is missing`, { pack: file.pack });
    this.counters.addBytesRead(range.length);
    return object.body;
  }
}
