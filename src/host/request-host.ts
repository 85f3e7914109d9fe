/**
 * The platform for one request: implements the routes' {@link Host} on the request's storage and on what its isolate
 * remembers.
 *
 * @packageDocumentation
 */
import { networkOf } from "../access/client-network.ts";
import { decide, type ReadingRight, readingRight, type Subject } from "../access/decide.ts";
import {
  parseRepositoryName,
  repositoryKey,
  type RepositoryName,
  shownName,
  spellingOf,
  splitKey,
} from "../access/names.ts";
import { actorNameOf, actorOf, type Principal } from "../access/principal.ts";
import type { LfsLinks } from "../access/lfs-links.ts";
import type { Allowance } from "../access/quotas.ts";
import { toHex } from "../bytes/hex.ts";
import type { OrdinaryNames } from "../cloudflare/mirror-reader.ts";
import type { RequestStorage } from "../cloudflare/open-repository.ts";
import type { Reader } from "../cloudflare/readable-refs.ts";
import type { Credentials } from "../http/authenticate.ts";
import type { FormatCache, KnownRepository } from "../http/format-cache.ts";
import { GitRefusal } from "../http/git-failure.ts";
import type { FileRange, Host, Identity, PlainFile } from "../http/host.ts";
import { identifier, type RequestBounds } from "../http/identify.ts";
import { type LoggedNote, logged } from "../http/log.ts";
import { RepositoryMoved } from "../http/moved.ts";
import { sealReadTicket } from "../http/read-ticket.ts";
import { rightsOf } from "../http/reading-right.ts";
import type { RecentReaders } from "../http/recent-readers.ts";
import { explainRegisterRefusal } from "../http/register-refusal.ts";
import { Traffic } from "../http/traffic.ts";
import { type RegisteredName, registeredName } from "../http/registered-name.ts";
import type { UnboundedTenants } from "../http/unbounded-tenants.ts";
import type { LfsFiles, LfsPresigner } from "../lfs/lfs-files.ts";
import type { LfsUpstream } from "../lfs/lfs-upstream.ts";
import { isPublished } from "../maintenance/publish.ts";
import { formatServerInfo, SERVER_INFO_REQUEST } from "../maintenance/server-info.ts";
import type { StatusStore } from "../refs/commit-statuses.ts";
import type { LockStore } from "../refs/lfs-locks.ts";
import type { LfsStore } from "../refs/lfs-store.ts";
import type { Repository } from "../repository/repository.ts";
import { allReachable, wholePacks } from "../repository/view.ts";
import type { RequestCounts } from "../repository/request-counts.ts";
import type { ClientNote, Served, StoredAnswer } from "../service/exchange.ts";
import type { ArmouredSignature, SignatureCheck } from "../signing/verify.ts";
import { hostSignature } from "./host-signature.ts";
import type { Lifetime } from "./lifetime.ts";

/** The answer to a dumb client that would be led to packs which have to be withheld. */
const SMART_ONLY = "Dumb HTTP can't serve this repository as it is now: use smart HTTP.";

/** The memory that an isolate keeps from one request to the next. */
export type IsolateMemory = {
  readonly formats: FormatCache;
  readonly ordinary: OrdinaryNames;
  readonly recent: RecentReaders;
  readonly unbounded: UnboundedTenants;
};

/** The parts that a request's host is made from. */
export type RequestParts = {
  readonly storage: RequestStorage;
  readonly memory: IsolateMemory;
  readonly credentials: Credentials;
  readonly bounds: RequestBounds;
  readonly lifetime: Lifetime;
  /** The client's address; "" if the platform does not tell it. */
  readonly client: string;
  /** The address that the request is for. */
  readonly url: string;
  /** Where the host is reached by HTTP; absent if it does not know. */
  readonly origin: string | undefined;
  /** The secret that tickets are sealed with, if the deployment has one. */
  readonly ticketSecret: string | undefined;
  readonly agent: string;
  readonly sessionId: string;
  /** The deployment's secret for the nonces of signed pushes. An empty one counts as none: everybody would know it. */
  readonly pushCertSeed: string | undefined;
};

/** Names the requester by its credentials, before they are checked. */
function callerOf(credentials: Credentials, client: string): string {
  if (credentials.kind === "unchecked") return `token:${toHex(credentials.hash)}`;
  if (credentials.kind === "key") return `key:${credentials.fingerprint}`;
  if (credentials.kind === "lent") return `lent:${credentials.tenant}/${credentials.repo}`;
  if (credentials.kind === "binding") return `binding:${credentials.tenant}/${credentials.name}`;
  return credentials.kind === "operator" ? "operator" : `${credentials.kind}:${networkOf(client)}`;
}

/** The platform, for one request. */
export class RequestHost implements Host {
  readonly known: Principal | undefined;
  readonly identify: (name?: RepositoryName) => Promise<Identity>;
  readonly identifyAnew: () => void;
  readonly client: string;
  readonly agent: string;
  readonly sessionId: string;
  readonly pushCertSeed?: string;
  readonly formats: FormatCache;
  readonly unbounded: UnboundedTenants;
  /** Returns what the requester may read under a name, before anything is opened. */
  readonly rightTo: (name: RepositoryName) => Promise<ReadingRight>;
  readonly traffic = new Traffic();
  /** The client's own description, in the form of the log. */
  readonly noted: LoggedNote = {};
  readonly #storage: RequestStorage;
  readonly #ordinary: OrdinaryNames;
  readonly #lifetime: Lifetime;
  readonly #caller: string;
  readonly #url: string;
  readonly #parts: Pick<RequestParts, "credentials" | "origin" | "ticketSecret">;
  #isRefused = false;
  #isAdmitted = false;
  #principal: Principal;
  #served: Served | undefined;

  constructor({ storage, memory, credentials, bounds, lifetime, ...parts }: RequestParts) {
    this.#storage = storage;
    this.#ordinary = memory.ordinary;
    this.#lifetime = lifetime;
    this.#caller = callerOf(credentials, parts.client);
    this.#url = parts.url;
    this.#parts = { ...parts, credentials };
    this.known = "tenant" in credentials ? undefined : credentials;
    // A token that nobody has looked up is as good as none.
    this.#principal = this.known ?? { kind: "anonymous" };
    const asks = (): Host["identify"] => identifier(credentials, (tenant) => storage.tenant(tenant), bounds);
    let found = asks();
    this.identifyAnew = () => void (found = asks());
    this.identify = async (name) => {
      const identity = await found(name);
      this.#principal = identity.principal;
      return identity;
    };
    const { identify } = this;
    this.rightTo = rightsOf({ credentials, identify, recent: memory.recent, now: () => Date.now() });
    this.client = parts.client;
    this.agent = parts.agent;
    this.sessionId = parts.sessionId;
    if (parts.pushCertSeed !== undefined && parts.pushCertSeed !== "") this.pushCertSeed = parts.pushCertSeed;
    this.formats = memory.formats;
    this.unbounded = memory.unbounded;
  }

  /**
   * Starts {@link identify} without waiting, so that its call goes out together with the next. A caller that awaits it
   * gets what it throws.
   */
  identifyAhead(name: RepositoryName): void {
    this.identify(name).catch(() => undefined);
  }

  /** Returns the bounds of a push with the token. For the operator, asks the tenant if it may have bounds. */
  async allowance(name: RepositoryName): Promise<Partial<Allowance>> {
    const { principal, allowance } = await this.identify(name);
    const now = Date.now();
    // Only the operator and a tenant's tokens push here.
    if (principal.kind !== "operator" || this.unbounded.has(name.tenant, now)) return allowance ?? {};
    const asked = (await this.#storage.tenant(name.tenant).allowance(name.repo)) ?? {};
    this.unbounded.note(name.tenant, asked, now);
    return asked;
  }

  async verifySignature(
    name: RepositoryName,
    signature: ArmouredSignature,
    payload: Uint8Array,
  ): Promise<SignatureCheck> {
    const keys = (await this.#storage.tenant(name.tenant).signingKeys()) ?? [];
    const { verifySignature } = await import("../signing/verify.ts");
    return verifySignature(signature, payload, { keys, now: Date.now() });
  }

  hostSignature(tenant: string): (payload: Uint8Array) => Promise<string> {
    return hostSignature({ storage: this.#storage, tenant, later: (work) => this.until(work) });
  }

  note(said: ClientNote): void {
    Object.assign(this.noted, logged(said));
  }

  /**
   * Whether the request counts for the tenant in its path: it was let in, and storage has answered, now or lately. A
   * name that a stranger made up does not.
   */
  get countsForTenant(): boolean {
    const { do: calls, kv, r2r } = this.counts();
    return !this.#isRefused && (this.#isAdmitted || calls + kv + r2r > 0);
  }

  served(what: Served): void {
    this.#served = what;
  }

  /** What a service did, if one did something. */
  get servedAs(): Served | undefined {
    return this.#served;
  }

  /** The requester, as far as it is known. */
  get principal(): Principal {
    return this.#principal;
  }

  admitted(name: RepositoryName): void {
    this.#isAdmitted = true;
    this.#ordinary.share(repositoryKey(name), this.#caller, Date.now());
    // Remembers the token.
    this.rightTo(name).catch(() => undefined);
  }

  /** Returns the reader, as its storage has to know it. */
  #reader(name: RepositoryName): Reader {
    const key = repositoryKey(name);
    return {
      right: () => this.rightTo(name),
      // git's first request is anonymous: what it found is kept, so that the operator's retry can be answered from
      // memory.
      follow: (forward) => this.follow(name, forward),
      noteHidden: (hidden) => this.formats.note(key, { ...hidden, visibility: "private" }, Date.now()),
    };
  }

  /**
   * Sends the requester to the new name of a repository that was renamed, if the requester may know it.
   *
   * @throws RepositoryMoved
   */
  async follow(name: RepositoryName, forward: { readonly to: string; readonly isPublic: boolean }): Promise<void> {
    const target = parseRepositoryName(...splitKey(forward.to));
    if (target === undefined) return;
    const { principal } = await this.identify(name);
    const right = readingRight(principal, target);
    if (right === "none" || (right === "public" && !forward.isPublic)) return;
    if (right === "public") {
      const found = await this.#storage.refs(repositoryKey(target)).open({ publicOnly: true });
      if (found.kind === "missing" && found.moved?.isPublic !== true) return;
    }
    throw new RepositoryMoved(forward.to, this.#url);
  }

  repository(name: RepositoryName): Repository {
    this.identifyAhead(name);
    return this.#storage.reader(name, {
      ...this.#reader(name),
      ordinary: this.#ordinary,
      caller: this.#caller,
      mayRead: async (record) => decide((await this.identify(name)).principal, "read", name, record) === "allow",
      later: (work) => this.until(work),
    });
  }

  lfs(name: RepositoryName): LfsStore & LockStore {
    this.identifyAhead(name);
    return this.#storage.lfs(repositoryKey(name), this.#reader(name));
  }

  statuses(name: RepositoryName): StatusStore {
    return this.#storage.refs(repositoryKey(name));
  }

  get lfsPresigner(): LfsPresigner | undefined {
    return this.#storage.lfsPresigner;
  }

  lfsUpstream(name: RepositoryName, id: string): Promise<LfsUpstream | undefined> {
    return this.#storage.lfsUpstream(name, id);
  }

  lfsLinks(home: string): LfsLinks {
    return this.#storage.lfsLinks(home);
  }

  lfsFiles(home: string): LfsFiles {
    return this.#storage.lfsFiles(home);
  }

  historic(name: RepositoryName, at: number): Repository {
    this.identifyAhead(name);
    return this.#storage.historic(name, at, this.#reader(name));
  }

  /** Opens a repository for a snapshot that a fork is made of. */
  lending(name: RepositoryName): Pick<Repository["refs"], "open"> {
    this.identifyAhead(name);
    return this.#storage.lending(name, this.#reader(name));
  }

  async register(
    name: RepositoryName,
    { objectFormat, visibility }: Pick<KnownRepository, "objectFormat" | "visibility">,
  ): Promise<RegisteredName> {
    const { principal } = await this.identify(name);
    const byOperator = principal.kind === "operator";
    const { tenant } = spellingOf(name);
    const by = { actor: actorOf(principal), ...actorNameOf(principal) };
    const request = { repo: name.repo, tenant, objectFormat, visibility, byPush: true, byOperator, by };
    const answer = await this.#storage.tenant(name.tenant).register(request);
    if (answer.kind === "registered") return registeredName(name, answer);
    const { status, detail } = explainRegisterRefusal(answer.why);
    throw new GitRefusal(status, detail);
  }

  async retract(name: RepositoryName, id: string): Promise<void> {
    this.formats.forget(repositoryKey(name));
    await this.#storage.tenant(name.tenant).retractRepo(name.repo, id);
  }

  packBody(id: string, pack: string, extension: "pack" | "idx", range: FileRange): Promise<ReadableStream> {
    return this.#storage.packBody(id, { pack, extension }, range);
  }

  twinBody({ id, offset, ...twin }: Omit<StoredAnswer, "before">): Promise<ReadableStream | undefined> {
    return this.#storage.twinBody(id, twin, offset);
  }

  async plainFile(
    name: RepositoryName,
    file: PlainFile,
    admit: (subject: Subject | undefined) => Promise<void>,
  ): Promise<Iterable<Uint8Array>> {
    // The list comes from where the packs are read: one must not name what the other does not have.
    const { refs } = this.repository(name);
    let snapshot = await refs.open(SERVER_INFO_REQUEST);
    await admit(snapshot.kind === "found" ? snapshot.record : undefined);
    if (file === "objects/info/packs" && snapshot.kind === "found" && !isPublished(snapshot)) {
      // Each pack is asked for later, and those of the tail go away soon.
      await this.#storage.flushTail(repositoryKey(name));
      snapshot = await refs.open(SERVER_INFO_REQUEST);
      await admit(snapshot.kind === "found" ? snapshot.record : undefined);
    }
    if (snapshot.kind === "missing") throw new Error("a missing repository was admitted");
    // A client that could not get all the objects learns it before it begins.
    if (file === "info/refs" && !allReachable(snapshot)) throw new GitRefusal(403, SMART_ONLY);
    const shown = { ...snapshot, packs: wholePacks(snapshot) };
    return formatServerInfo(file, shown, {
      repository: snapshot.record.spelled ?? repositoryKey(name),
      packName: (pack) => pack.checksum,
    });
  }

  async addressOf(
    name: RepositoryName,
    path: string,
    { visibility, id }: Pick<Subject, "visibility" | "id">,
  ): Promise<string | undefined> {
    const { credentials, origin, ticketSecret: secret } = this.#parts;
    if (origin === undefined) return undefined;
    const address = `${origin}/${shownName(name)}.git/${path}`;
    if (visibility === "public" || secret === undefined) return address;
    const ticket = await sealReadTicket(credentials, name, { id, secret, now: Date.now() });
    return ticket === undefined ? address : `${address}?ticket=${ticket}`;
  }

  refused(): void {
    this.#isRefused = true;
  }

  /** Whether access was refused. */
  get isRefused(): boolean {
    return this.#isRefused;
  }

  counts(): RequestCounts {
    return this.#storage.counters.counts();
  }

  until(work: Promise<unknown>): void {
    this.#lifetime.add(work);
  }
}
