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

/**
 * The commits that are read from their packs before the graph is brought into memory: of a small graph,
 * and of another.
 */
const FEW_COMMITS = 2;
const SOME_COMMITS = 8;
const SMALL_GRAPH_BYTES = 1024 * 1024;
/** A reader does not bring a graph into memory that takes more there, and reads commits from their packs: beside a kernel there is no room for more. */
const MOST_BODY_BYTES = 34 * 1024 * 1024;
/** The filters of a graph that take more memory are not used. */
const MOST_FILTER_BYTES = 16 * 1024 * 1024;

const byteSum = (layers: readonly CommitGraphLayer[], of: "bodyBytes" | "filterBytes"): number =>
  layers.reduce((sum, layer) => sum + layer[of], 0);

/** The account of the request that reads a graph. */
export type GraphMemory = {
  /** Whether so much more may be held. */
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

  /** `mostBytes`: a graph that takes more memory is not used. */
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

  /** Whether the graph is in memory, so that it can be read. */
  get isAtHand(): boolean {
    return this.#state === "at hand";
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
    this.#memory?.hold(-this.#heldBytes);
    this.#heldBytes = 0;
    for (const layer of this.layers) layer.unload();
    this.#loading = undefined;
    this.#hasFilters = false;
    if (this.#state === "at hand") this.#state = "apart";
  }

  /** Counts bytes that are going to be read. Returns false if there is no room for them. */
  #takeRoom(bytes: number): boolean {
    const memory = this.#memory;
    if (memory === undefined) return true;
    if (!memory.hasRoom(bytes)) return false;
    memory.hold(bytes);
    this.#heldBytes += bytes;
    return true;
  }

  /**
   * Brings the graph into memory. A graph that is too large, for which there is no room, or that can't be read, is not used: commits are
   * read from their packs.
   */
  async load(): Promise<void> {
    if (this.isTooLarge) this.#state = "unusable";
    if (this.#state !== "apart") return;
    if (this.#loading === undefined && !this.#takeRoom(byteSum(this.layers, "bodyBytes"))) {
      this.#state = "unusable";
      return;
    }
    this.#loading ??= this.#load();
    await this.#loading;
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

  /** Returns the position of a raw name; -1 if the graph does not have it. The graph must be in memory. */
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
    return this.#layerOf(position).nameAt(position);
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
    if (this.#hasFilters || !this.isAtHand || bytes > MOST_FILTER_BYTES || !this.#takeRoom(bytes))
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
