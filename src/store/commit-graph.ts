/**
 * The commit-graph of a repository: what its layers tell of commits, so that walks need not read these.
 *
 * It says what a commit refers to and never that it is here, or that a ref reaches it. Whoever asks has come to the commit from an object
 * that is.
 *
 * @packageDocumentation
 * @see gitformat-commit-graph(5)
 */
import { itemAt } from "../bytes/assert.ts";
import { CorruptStore, isStorageFault } from "../bytes/failure.ts";
import type { CommitGraphRecord } from "../catalog/commit-graph-record.ts";
import type { CommitLinks } from "../object/commit.ts";
import { CommitGraphLayer, type LayerContext } from "./commit-graph-layer.ts";
import { CommitGraphParts } from "./commit-graph-parts.ts";

/**
 * The commits that are read from their packs before the graph is brought into memory: of a small graph,
 * and of another.
 */
const FEW_COMMITS = 2;
const SOME_COMMITS = 8;
const SMALL_GRAPH_BYTES = 1024 * 1024;
/** A reader does not hold more of a graph: beside a kernel there is no room for more. A graph that takes more memory is read in parts. */
const MOST_BODY_BYTES = 34 * 1024 * 1024;
/** The filters of a graph that take more memory are not used. */
const MOST_FILTER_BYTES = 16 * 1024 * 1024;

const byteSum = (layers: readonly CommitGraphLayer[], of: "bodyBytes" | "filterBytes"): number =>
  layers.reduce((sum, layer) => sum + layer[of], 0);

/** The account of the request that reads a graph. */
export type GraphMemory = {
  /** Whether this many bytes more may be held. */
  hasRoom(bytes: number): boolean;
  /** Counts bytes that are held or, if negative, are not held any more. */
  hold(bytes: number): void;
};

/** Where a graph is read. Without `memory` its bytes are the caller's to count. */
export type GraphContext = LayerContext & {
  readonly memory?: GraphMemory;
  /** A graph with the same lowest layers, which are shared with it. */
  readonly shared?: CommitGraph;
};

/** The commit-graph of one snapshot. */
export class CommitGraph {
  /** The layers, the lowest first. */
  readonly layers: readonly CommitGraphLayer[];
  /** The number of commits in all layers. */
  readonly count: number;
  readonly #few: number;
  readonly #most: number;
  #asked = 0;
  #state: "apart" | "at hand" | "unusable";
  #loading: Promise<void> | undefined;
  #hasFilters = false;
  readonly #memory: GraphMemory | undefined;
  #heldBytes = 0;
  #users = 0;
  #parts: CommitGraphParts | undefined;

  /** `mostBytes`: a graph that takes more memory is read in parts. */
  constructor(records: readonly CommitGraphRecord[], context: GraphContext, mostBytes = MOST_BODY_BYTES) {
    let count = 0;
    this.#most = mostBytes;
    this.#memory = context.memory;
    this.layers = records.map((record, i) => {
      const known = context.shared?.layers[i];
      const layer = known?.record === record ? known : new CommitGraphLayer(record, count, context);
      count += record.commits;
      return layer;
    });
    this.count = count;
    this.#state = count === 0 ? "unusable" : "apart";
    this.#few = byteSum(this.layers, "bodyBytes") <= SMALL_GRAPH_BYTES ? FEW_COMMITS : SOME_COMMITS;
  }

  /** Whether the graph is in memory, so that it can be read, or as much of it as parts are. */
  get isAtHand(): boolean {
    return this.#state === "at hand";
  }

  /** Whether the graph is at hand, and read in parts: {@link locate} and {@link prepare} come before what is wanted. */
  get isInParts(): boolean {
    return this.isAtHand && this.#parts !== undefined;
  }

  /** The bytes that the graph takes in memory without its filters, about. */
  get bodyBytes(): number {
    return byteSum(this.layers, "bodyBytes");
  }

  /** Whether the graph would take more memory than it may. */
  get isTooLarge(): boolean {
    return byteSum(this.layers, "bodyBytes") > this.#most;
  }

  /** Whether the graph should be brought into memory: it is not there, and many commits were wanted. */
  get isWanted(): boolean {
    return this.#state === "apart" && this.#asked > this.#few;
  }

  /** Notes that a commit is wanted. Returns whether the graph should be brought into memory now. */
  expect(): boolean {
    if (this.#state === "apart") this.#asked++;
    return this.isWanted;
  }

  /** Notes that this many commits were read ahead together, so that they cost no read and don't count as wanted. */
  foresee(commits: number): void {
    if (this.#state === "apart") this.#asked -= commits;
  }

  /** Counts a session that uses the graph, until it calls {@link leave}. */
  enter(): void {
    this.#users++;
  }

  /** Ends a session's use. When the last one ends, the memory is given back. */
  leave(): void {
    this.#users--;
    if (this.#users === 0) this.#unload();
  }

  #unload(): void {
    this.#giveBack(this.#heldBytes);
    for (const layer of this.layers) layer.unload();
    this.#parts?.close();
    this.#parts = undefined;
    this.#loading = undefined;
    this.#hasFilters = false;
    if (this.#state === "at hand") this.#state = "apart";
  }

  #giveBack(bytes: number): void {
    this.#memory?.hold(-bytes);
    this.#heldBytes -= bytes;
  }

  /** Counts bytes that are going to be read. Returns false if there is no room for them. */
  #takeRoom(bytes: number): boolean {
    if (this.#memory?.hasRoom(bytes) === false) return false;
    this.#memory?.hold(bytes);
    this.#heldBytes += bytes;
    return true;
  }

  /**
   * Brings the graph into memory; of one that is too large for that, the beginnings of its layers. A graph for which there is no room, or that can't
   * be read, is not used: commits are read from their packs.
   */
  async load(): Promise<void> {
    if (this.#state !== "apart") return;
    if (this.#loading === undefined && !this.isTooLarge && !this.#takeRoom(this.bodyBytes)) {
      this.#state = "unusable";
      return;
    }
    this.#loading ??= this.isTooLarge ? this.#open() : this.#load();
    await this.#loading;
  }

  /** Opens the graph in parts. */
  async #open(): Promise<void> {
    const memory = {
      take: (bytes: number) => this.#takeRoom(bytes),
      giveBack: (bytes: number) => this.#giveBack(bytes),
    };
    const parts = new CommitGraphParts(this.layers, memory, this.#most);
    await this.#orNone(async () => {
      await parts.open();
      this.#parts = parts;
      if (this.#state === "apart") this.#state = "at hand";
    });
  }

  /** Whether a commit can be read now. It always can where the graph is in memory as a whole. */
  isReadable(position: number): boolean {
    return this.isAtHand && this.#parts?.isReadable(position) !== false;
  }

  /**
   * Brings into memory what a commit is read from. Returns false if the graph is not used any more, since it would take too much or can't be read.
   * Another one's parts may have taken the place when this has ended: see {@link isReadable}.
   */
  async prepare(position: number): Promise<boolean> {
    const parts = this.#parts;
    await this.#orNone(async () => {
      if (parts !== undefined && !(await parts.prepare(position))) this.giveUp();
    });
    return this.isAtHand;
  }

  /** Returns the position of a raw name; -1 if the graph does not have it, or is not used any more. It must be at hand. */
  async locate(name: Uint8Array): Promise<number> {
    const parts = this.#parts;
    if (parts === undefined) return this.find(name);
    const found: { position: number | undefined } = { position: -1 };
    await this.#orNone(async () => {
      found.position = await parts.locate(name);
    });
    if (found.position !== undefined) return found.position;
    this.giveUp();
    return -1;
  }

  /** Has the graph not be used any more. */
  giveUp(): void {
    this.#state = "unusable";
  }

  async #load(): Promise<void> {
    await this.#orNone(async () => {
      await Promise.all(this.layers.map(async (layer) => await layer.load()));
      if (this.#state === "apart") this.#state = "at hand";
    });
  }

  /** As git does, goes on without a graph that can't be read. */
  async #orNone(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!isStorageFault(error)) throw error;
      this.#state = "unusable";
    }
  }

  /** Returns the position of a raw name; -1 if the graph does not have it, or not in the layers that are in memory. */
  find(name: Uint8Array): number {
    // Most commits are in the lowest layer.
    for (const layer of this.layers) {
      const position = layer.find(name);
      if (position >= 0) return position;
    }
    return -1;
  }

  #layerOf(position: number): CommitGraphLayer {
    let at = this.layers.length - 1;
    while (at > 0 && itemAt(this.layers, at).base > position) at--;
    return itemAt(this.layers, at);
  }

  /** Returns the raw name at a position, as a view. The graph must be in memory. */
  nameAt(position: number): Uint8Array {
    if (position >= this.count) throw new CorruptStore("commit-graph: position out of bounds");
    return this.#parts?.nameAt(position) ?? this.#layerOf(position).nameAt(position);
  }

  /**
   * Reads a commit into `links`, and the positions of its parents into `parents`, which it empties. Returns the corrected time. The graph
   * must be in memory.
   */
  read(position: number, links: CommitLinks, parents: number[]): number {
    parents.length = 0;
    const generation = this.#layerOf(position).read(position, links, parents);
    links.parentCount = parents.length;
    for (let i = 0; i < parents.length; i++) links.nameOf(i + 1).set(this.nameAt(itemAt(parents, i)));
    return generation;
  }

  /** Returns the topological level at a position. The graph must be in memory. */
  levelAt(position: number): number {
    return this.#layerOf(position).levelAt(position);
  }

  /** Returns the corrected time at a position. The graph must be in memory. */
  generationAt(position: number): number {
    return this.#layerOf(position).generationAt(position);
  }

  /** Brings the filters of changed paths into memory. Returns whether there are some. */
  async loadFilters(): Promise<boolean> {
    await this.load();
    const bytes = byteSum(this.layers, "filterBytes");
    // Of a graph in parts, filters would take more than its rows.
    if (this.#hasFilters || !this.isAtHand || this.isInParts || bytes > MOST_FILTER_BYTES || !this.#takeRoom(bytes))
      return this.#hasFilters;
    await this.#orNone(async () => {
      await Promise.all(this.layers.map(async (layer) => await layer.loadFilters()));
      this.#hasFilters = this.layers.some(({ record }) => record.filters > 0);
    });
    return this.isAtHand && this.#hasFilters;
  }

  /** Returns the filter of the commit at a position, without bytes if it has none. */
  filterAt(position: number): Uint8Array {
    return this.#layerOf(position).filterAt(position);
  }
}
