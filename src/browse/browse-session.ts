/**
 * A repository opened for browsing: one snapshot, a kernel, and bounds on what one request may read.
 *
 * @packageDocumentation
 */
import { i32At } from "../bytes/assert.ts";
import { concat } from "../bytes/chunk.ts";
import { LimitExceeded } from "../bytes/failure.ts";
import { fromHex } from "../bytes/hex.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { GraphSession } from "../graph/graph-session.ts";
import { ReachedCommits } from "../graph/reachability.ts";
import { type ObjectFormat, objectFormat } from "../object/object-id.ts";
import { decodeRefRows } from "../refs/ref-rows.ts";
import type { OpenSnapshot } from "../refs/ref-store.ts";
import { openObjects } from "../repository/open-objects.ts";
import { allReachable, reachedByRefs } from "../repository/view.ts";
import type { Repository } from "../repository/repository.ts";
import type { PackStorage } from "../catalog/pack-storage.ts";

/** The most reads of the bucket by any request. */
const MOST_READS = 8000;
/**
 * The most bytes held at once for open directories, with the rules of their `.gitattributes`. Directories are open on
 * the way down to a file and on both sides of a comparison.
 */
const MOST_DIRECTORY_BYTES = 24 * 1024 * 1024;
/** The overhead in bytes of anything that is held. */
const HOLDING_BYTES = 256;
/** The steps after which a page ends, whatever is on it: about half a second. */
const PAGE_STEPS = 60_000_000;
/** The most steps of a log or a comparison that has no page to end. */
const MOST_STEPS = 400_000_000;
/** The most steps of a patch, which a client takes as a stream. */
const MOST_STREAM_STEPS = 2_000_000_000;
/** The most bytes of indexes that are read ahead. */
const MOST_INDEX_BYTES = 14 * 1024 * 1024;
/** The reads of the bucket after which a page ends, whatever is on it. */
const PAGE_READS = 400;

/** The result of a question that has no answer; `detail` is a sentence for the caller. */
export type Unanswered = {
  /**
   * `missing`: there is no such thing. `ambiguous`: there are several. `wrong`: the question is invalid, or does not
   * apply to this object.
   */
  readonly kind: "missing" | "ambiguous" | "wrong";
  readonly detail: string;
};

/** A request's view of a repository. Call {@link BrowseSession.close} at its end. */
export class BrowseSession {
  readonly repository: Repository;
  readonly answer: OpenSnapshot;
  readonly format: ObjectFormat;
  readonly graph: GraphSession;
  /** What refs are known to reach. */
  readonly reached: ReachedCommits;
  #reads = 0;
  #isClosed = false;
  #isParked = false;
  #parks = false;
  #keptBytes = 0;
  #heldBytes = 0;
  #mostSteps = MOST_STEPS;

  private constructor(repository: Repository, answer: OpenSnapshot, kernel: Kernel) {
    this.repository = repository;
    this.answer = answer;
    this.format = objectFormat(answer.record.objectFormat);
    const storage = (id: string): PackStorage => counted(repository.storage(id), () => this.countRead());
    const database = openObjects({ ...repository, storage }, answer.record, answer.packs, answer.graphs);
    this.graph = new GraphSession(database, kernel);
    this.reached = new ReachedCommits(this.graph);
  }

  /** Opens a snapshot that includes the catalog. */
  static async open(repository: Repository, answer: OpenSnapshot): Promise<BrowseSession> {
    const { rawSize } = objectFormat(answer.record.objectFormat);
    return new BrowseSession(repository, answer, await repository.kernels.lend(rawSize));
  }

  /** Whether this request has read or computed so much that a page should end here. */
  get pageIsFull(): boolean {
    return this.hasSpent(PAGE_STEPS);
  }

  /** Whether this request has read as much as a page may, or computed this many steps. */
  hasSpent(steps: number): boolean {
    return this.#reads >= PAGE_READS || this.repository.pacer.steps >= steps;
  }

  /** The reads of the bucket by this request. */
  get reads(): number {
    return this.#reads;
  }

  /** The bytes of memory held for directories, as far as this session counts them. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Whether refs reach everything that is stored, so that no search for reachability is needed. */
  get allReachable(): boolean {
    return allReachable(this.answer);
  }

  /**
   * Reads the packs' indexes ahead, unless they are too large together. A caller uses it before it looks up many
   * objects one after the other; otherwise each lookup would cost reads of its own.
   */
  async expectMany(): Promise<void> {
    const packs = this.graph.database.packs.filter(({ index }) => index === undefined);
    const bytes = packs.reduce((sum, { record }) => sum + record.indexBytes, 0);
    if (bytes <= MOST_INDEX_BYTES) await Promise.all(packs.map(async (pack) => await pack.loadIndex()));
  }

  /** Returns the raw name of the ref with this full name; `undefined` if the snapshot has none. */
  refNamed(name: string): Uint8Array | undefined {
    for (const row of decodeRefRows(this.answer.refs, this.format.rawSize)) if (row.name === name) return row.oid;
    return undefined;
  }

  /** The raw name of the commit that HEAD points to; `undefined` while that branch is unborn. */
  get head(): Uint8Array | undefined {
    const { headOid } = this.answer;
    return headOid === undefined ? undefined : fromHex(headOid);
  }

  /**
   * Whether an object that a client named is here and reachable from a ref: an object's name is no capability. An
   * object that was found by following a ref or another object needs no such check.
   */
  async isShown(name: Uint8Array): Promise<boolean> {
    return (await this.shownOf([name])).length > 0;
  }

  /** Returns those of `names` (raw) for which {@link isShown} is true, after one search for all of them. */
  async shownOf(names: readonly Uint8Array[]): Promise<Uint8Array[]> {
    if (names.length === 0) return [];
    const { database } = this.graph;
    const { packs } = await database.locate(concat(names));
    const here = names.filter((_, i) => i32At(packs, i) >= 0);
    const { answer, graph, reached } = this;
    const shown = await reachedByRefs(this.repository, { answer, database, graph, reached }, here);
    return here.filter((_, i) => shown[i] === true);
  }

  /**
   * Accounts for a directory, or the rules of its files, that is held from now on.
   *
   * @throws LimitExceeded if the total is too much.
   */
  hold(bytes: number): void {
    this.#heldBytes += bytes + HOLDING_BYTES;
    this.repository.memory.hold(bytes + HOLDING_BYTES);
    if (this.#heldBytes > MOST_DIRECTORY_BYTES)
      throw new LimitExceeded("open-directory-bytes", MOST_DIRECTORY_BYTES, `directories within each other take more than ${MOST_DIRECTORY_BYTES} bytes`); // prettier-ignore
  }

  /** Accounts for bytes that are not held any more. */
  letGo(bytes: number): void {
    this.#heldBytes -= bytes + HOLDING_BYTES;
    this.repository.memory.hold(-bytes - HOLDING_BYTES);
  }

  /** Accounts for work, and gives way to other requests when it is time to. */
  async work(steps: number): Promise<void> {
    const { pacer } = this.repository;
    pacer.add(steps);
    if (pacer.isDue) await pacer.pace();
  }

  /** Allows the work of an answer that is streamed from its first part on. */
  allowStream(): void {
    this.#mostSteps = MOST_STREAM_STEPS;
  }

  /** Stops work that finds nothing with which to end a page. @throws LimitExceeded */
  assertSteps(): void {
    if (this.repository.pacer.steps > this.#mostSteps)
      throw new LimitExceeded("content-steps", this.#mostSteps, "this takes too much computing to be answered here");
  }

  /**
   * Returns the kernel from now on whenever the client is slow to read. The flags of walks are not needed any more
   * then, but objects are still read. Call {@link BrowseSession.awake} before each read of an object.
   */
  parkWhileWaiting(): void {
    this.#parks = true;
    this.repository.memory.parkWith(() => this.#park());
  }

  #park(): void {
    if (this.#isClosed || this.#isParked) return;
    this.#isParked = true;
    this.repository.kernels.giveBack(this.graph.letGo());
  }

  /** Lends a kernel again after the session waited for the client. @throws HostBusy */
  async awake(): Promise<void> {
    if (this.#isParked && !this.#isClosed) {
      this.graph.inflating.replace(await this.repository.kernels.lendAgain(this.format.rawSize));
      this.#isParked = false;
    }
    if (this.#parks && !this.#isClosed) this.parkWhileWaiting();
  }

  /** Accounts for bytes that are held until the session is closed. */
  keep(bytes: number): void {
    this.#keptBytes += bytes;
    this.repository.memory.hold(bytes);
  }

  /** Returns the kernel. A second call does nothing. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.graph.close();
    this.repository.memory.hold(-this.#heldBytes - this.#keptBytes);
    if (!this.#isParked) this.repository.kernels.giveBack(this.graph.letGo());
  }

  /** Counts a read of the bucket. @throws LimitExceeded if there were too many */
  countRead(): void {
    if (++this.#reads > MOST_READS)
      throw new LimitExceeded("content-reads", MOST_READS, `this takes more than ${MOST_READS} reads of the store`);
  }
}

function counted(storage: PackStorage, count: () => void): PackStorage {
  return {
    read: async (file, offset, length) => {
      count();
      return await storage.read(file, offset, length);
    },
    openStream: async (file, offset, length) => {
      count();
      return await storage.openStream(file, offset, length);
    },
    write: async (file, bytes) => await storage.write(file, bytes),
    createUpload: async (file) => await storage.createUpload(file),
    delete: async (files) => await storage.delete(files),
    deletePack: async (pack) => await storage.deletePack(pack),
  };
}
