/**
 * The state of one fetch: the snapshot it works on, the walks' state, and the objects known to be common.
 *
 * @packageDocumentation
 */
import { i32At, itemAt } from "../bytes/assert.ts";
import { ProtocolError } from "../bytes/failure.ts";
import { toHex } from "../bytes/hex.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { CommonCommits } from "../graph/common-commits.ts";
import { GraphSession } from "../graph/graph-session.ts";
import { learnNamed, NODE_STEPS, nodesOf } from "../graph/named-objects.ts";
import { ReachedCommits, type ReachLimit } from "../graph/reachability.ts";
import type { ShallowPlan } from "../graph/shallow.ts";
import { objectFormat } from "../object/object-id.ts";
import type { OpenSnapshot } from "../refs/ref-store.ts";
import { openObjects } from "../repository/open-objects.ts";
import type { Repository } from "../repository/repository.ts";
import { allReachable, FOR_HAVES, reachedByRecentValues, reachedByRefs, visibleCommits } from "../repository/view.ts";
import type { ObjectDatabase } from "../store/object-database.ts";

/** The most of a client's haves in one request that are read. Each costs as much as a commit of a walk. */
const MOST_READ_HAVES = 10_000;
/** Up to this many wants are read ahead during the look-up of the client's haves. */
const FEW_WANTS = 16;

/** Up to this many haves are a client's first round, in which the youngest come first. */
const FIRST_ROUND = 16;
/** The haves of it that are looked up one by one, and the commits to send, where they may say enough. */
const [FIRST_HAVES, FEW_COMMITS] = [3, 16];

/** A fetch in progress. {@link FetchSession.close} ends it. */
export class FetchSession {
  readonly repository: Repository;
  readonly answer: OpenSnapshot;
  readonly database: ObjectDatabase;
  readonly graph: GraphSession;
  /** The nodes of the wants, without duplicates. */
  readonly wants: readonly number[];
  readonly common: CommonCommits;
  /** The nodes that the pack is for: the wants and, where history is no longer cut, the parents behind the cut. */
  toSend: readonly number[];
  /** Whether history is cut for the client. */
  isShallow = false;
  #isResting = false;
  #hasNodes = true;
  #readHaves = 0;
  readonly #isTable: boolean;
  /** What takes what copying needs of the kernel before the kernel is given back. */
  #beforeReading: (() => Promise<void>) | undefined;
  readonly #wantNames: Uint8Array;
  /** What refs are known to reach. */
  readonly reached: ReachedCommits;

  /**
   * The repository's pool lent `kernel`; {@link FetchSession.close} gives it back. With `isTable` it is one in which no
   * object is read: see {@link openFetchSession}.
   */
  constructor(
    repository: Repository,
    answer: OpenSnapshot,
    wants: Uint8Array,
    { kernel, isTable = false }: { readonly kernel: Kernel; readonly isTable?: boolean },
  ) {
    this.#isTable = isTable;
    const format = objectFormat(answer.record.objectFormat);
    this.repository = repository;
    this.answer = answer;
    this.#wantNames = wants;
    this.database = openObjects(repository, answer.record, answer.packs, answer.graphs);
    this.graph = new GraphSession(this.database, kernel);
    this.common = new CommonCommits(this.graph);
    this.reached = new ReachedCommits(this.graph);
    const nodes = new Set<number>();
    for (let at = 0; at < wants.length; at += format.rawSize)
      nodes.add(this.graph.node(wants.subarray(at, at + format.rawSize)));
    this.wants = [...nodes];
    this.toSend = this.wants;
  }

  /** Cuts history as planned, for the walks from here on. */
  async cut(plan: ShallowPlan): Promise<void> {
    this.isShallow = true;
    this.database.useCopies();
    this.toSend = [...this.wants, ...plan.wants];
    // A client that had a commit without its parents has the commit itself.
    for (const node of plan.unshallow) await this.common.add(node);
    for (const node of plan.cuts) this.graph.commits.cut(node);
    this.common.forget();
  }

  /**
   * Returns for each raw name, one after the other, whether the repository has the object, as far as the client may know: 1 or 0. The
   * answer for an object that no ref reaches is that for one which was never there. The wants have to be checked before.
   */
  async has(names: Uint8Array): Promise<Uint8Array> {
    // The wants are read next, and usually lie in a small pack: reading them need not wait for the haves.
    const few = this.wants.length <= FEW_WANTS;
    const reading = few ? this.graph.reader.prefetch(this.#wantNames) : undefined;
    const [nodes] = await Promise.all([this.locate(names), reading]);
    const here = nodes.filter((node) => node >= 0);
    // To find out which of them a ref reaches, each is read: the others count as missing.
    const asked = allReachable(this.answer) ? here : here.slice(0, MOST_READ_HAVES);
    const visible = new Set(await this.visible(asked, FOR_HAVES));
    return Uint8Array.from(nodes, (node) => (visible.has(node) ? 1 : 0));
  }

  /**
   * Looks a client's first haves up one by one, where looking them all up would cost much, and adds the first that is common. Returns its raw name if the
   * others don't matter: a client that is a few commits behind has the parent of what it wants, and then that parent's ancestors. Those are
   * older, and the commits to send are younger. `undefined`: all haves have to be looked up.
   */
  async settleByFirst(names: Uint8Array): Promise<Uint8Array | undefined> {
    const { rawSize } = this.graph.format;
    const count = names.length / rawSize;
    if (count <= 1 || count > FIRST_ROUND || this.wants.length > FEW_WANTS || !this.database.isCostly) return undefined;
    this.database.useSmallCopies();
    for (let i = 0; i < Math.min(count, FIRST_HAVES); i++) {
      const name = names.slice(i * rawSize, (i + 1) * rawSize);
      const [isHere] = await this.has(name);
      if (isHere !== 1) continue;
      await this.addCommon(name);
      return (await this.common.cutOff(this.wants, FEW_COMMITS)) ? name : undefined;
    }
    return undefined;
  }

  /** Gives those of the nodes, all of objects that are here, that the client may be known to have. */
  async visible(nodes: readonly number[], limit: ReachLimit): Promise<number[]> {
    const { repository, answer, graph, reached } = this;
    return await visibleCommits({ repository, answer, graph, reached, seeds: this.wants }, nodes, limit);
  }

  /** Returns the node of each raw name; -1 for those that are not here. */
  async locate(names: Uint8Array): Promise<number[]> {
    const { rawSize } = this.graph.format;
    const { packs } = await this.database.locate(names);
    const nodes = Array.from(packs, () => -1);
    await this.repository.pacer.forEach(packs.length, NODE_STEPS, (i) => {
      if (i32At(packs, i) >= 0) nodes[i] = this.graph.node(names.subarray(i * rawSize, (i + 1) * rawSize));
    });
    return nodes;
  }

  /** Adds objects that the client has, too, by the raw names of objects that are here. */
  async addCommon(names: Uint8Array): Promise<void> {
    const { pacer } = this.repository;
    const nodes = await nodesOf(this.graph, names);
    const read = nodes.slice(0, Math.max(0, MOST_READ_HAVES - this.#readHaves));
    this.#readHaves += read.length;
    // The wants are read next.
    await learnNamed(this.graph, [...read, ...this.wants]);
    for (const node of read) await this.common.add(node);
    const unread = nodes.slice(read.length);
    await pacer.forEach(unread.length, NODE_STEPS, (i) => this.common.addUnread(itemAt(unread, i)));
    this.common.forget();
  }

  /** Whether a pack can be made from what is common now. */
  async okToGiveUp(): Promise<boolean> {
    return await this.common.suffice(this.wants);
  }

  /** Checks that every want is reachable from a ref. @throws ProtocolError in git's words if one is not. */
  async checkWants(): Promise<void> {
    const { rawSize } = this.graph.format;
    const doubtful: Uint8Array[] = [];
    for (const [i, tip] of this.answer.wantIsTip.entries()) {
      if (tip === 0) doubtful.push(this.#wantNames.subarray(i * rawSize, (i + 1) * rawSize));
    }
    if (doubtful.length === 0) return;
    const bad = await this.#unreachable(doubtful);
    if (bad !== undefined) throw new ProtocolError(`upload-pack: not our ref ${toHex(bad)}`);
  }

  async #unreachable(names: readonly Uint8Array[]): Promise<Uint8Array | undefined> {
    const { rawSize } = this.graph.format;
    const joined = new Uint8Array(names.length * rawSize);
    for (const [i, name] of names.entries()) joined.set(name, i * rawSize);
    const { packs } = await this.database.locate(joined);
    const missing = names.find((_, i) => i32At(packs, i) < 0);
    if (missing !== undefined) return missing;
    const reached = await reachedByRefs(this.repository, this, names);
    const unreached = names.filter((_, i) => reached[i] === false);
    const reachedLately = await reachedByRecentValues(this.repository, this, unreached);
    return unreached.find((_, i) => reachedLately[i] === false);
  }

  /**
   * Whether the kernel was given back. Nodes mean nothing any more, but objects can be read after
   * {@link FetchSession.awake}.
   */
  get isResting(): boolean {
    return this.#isResting;
  }

  /** Whether nodes and flags mean something: a kernel that is taken again knows none of them. */
  get hasNodes(): boolean {
    return this.#hasNodes;
  }

  /** Returns the kernel to its pool, and frees what walks have recorded. Only copying may follow. */
  rest(): void {
    if (this.#isResting) return;
    this.#isResting = true;
    this.#hasNodes = false;
    this.graph.close();
    this.repository.kernels.giveBack(this.graph.letGo());
  }

  /** Sets what takes what copying needs of the kernel, and returns the kernel: a session that only copies needs it. */
  parkBeforeReading(park: () => Promise<void>): void {
    this.#beforeReading = this.#isTable ? park : undefined;
  }

  /**
   * Takes a kernel again to read objects with. It is given back when the client is next waited for.
   *
   * @throws HostBusy
   */
  async awake(): Promise<void> {
    const park = this.#beforeReading;
    this.#beforeReading = undefined;
    if (!this.#isResting) await park?.();
    if (!this.#isResting) return;
    const { kernels, memory } = this.repository;
    this.graph.inflating.replace(await kernels.lendAgain(this.graph.format.rawSize));
    this.#isResting = false;
    memory.parkWith(() => this.rest());
  }

  /** Ends the fetch, and returns the kernel to its pool. */
  close(): void {
    this.repository.memory.parkWith(undefined);
    this.rest();
  }
}

/**
 * Whether a fetch may be of all that is stored, as far as the snapshot says: it wants every tip, and every pack carries
 * the mark. Then nothing has to be read to know what to send.
 */
export function isOfEverything({ packs, uncoveredTips }: Pick<OpenSnapshot, "packs" | "uncoveredTips">): boolean {
  return uncoveredTips === 0 && packs.length > 0 && packs.every(({ marked }) => marked);
}

/**
 * Opens a fetch of `wants`: raw names, one after the other, in the order of the snapshot's `wantIsTip`. `isPlain` says
 * that the client has nothing, and wants no depth, no filter, and deltas as they lie: a clone. Such a fetch of
 * everything gets a kernel that has little more than its table, so that it need not wait for a large one.
 */
export async function openFetchSession(
  repository: Repository,
  answer: OpenSnapshot,
  { wants, isPlain }: { readonly wants: Uint8Array; readonly isPlain: boolean },
): Promise<FetchSession> {
  const { rawSize } = objectFormat(answer.record.objectFormat);
  const isTable = isPlain && isOfEverything(answer) && answer.wantIsTip.every((isTip) => isTip !== 0);
  const kernel = await (isTable ? repository.kernels.lendTable(rawSize) : repository.kernels.lend(rawSize));
  return new FetchSession(repository, answer, wants, { kernel, isTable });
}
