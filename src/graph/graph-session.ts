/**
 * The state of walks over a repository's objects. A kernel's oid table gives a node and flags to every object that a
 * walk meets. Beside it are a reader, and the commits met so far. One session serves one request.
 *
 * @packageDocumentation
 */
import { IS_BLOB, IS_COMMIT, IS_TAG, IS_TREE, REF_BLOB, REF_TREE } from "../kernel/object-flags.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { itemAt, present, u32At, u8At } from "../bytes/assert.ts";
import { CommitLinks } from "../object/commit.ts";
import type { ObjectFormat } from "../object/object-id.ts";
import { TYPE_NUMBER } from "../object/object-type.ts";
import { readTagLinks } from "../object/tag.ts";
import type { CommitGraph } from "../store/commit-graph.ts";
import { Inflating } from "../store/inflating.ts";
import type { ObjectDatabase } from "../store/object-database.ts";
import type { ReadObject } from "../store/held-objects.ts";
import { ObjectReader } from "../store/object-reader.ts";
import { ObjectRing } from "../store/object-ring.ts";
import { CommitTable } from "./commit-table.ts";

const FLAG_OF_TYPE: readonly number[] = [0, IS_COMMIT, IS_TREE, IS_BLOB, IS_TAG];

/** The steps charged to the pacer for going on to a commit's parents. */
const WALK_STEPS = 100;
/** Commits that are made known without a pause, and the steps of each where there are more. */
const MOST_AT_ONCE = 1000;
const AT_HAND_STEPS = 50;
/** The commits whose generations are looked up once a graph in parts is at hand. */
const MOST_PLACED = 256;

/** The state of walks in one request. */
export class GraphSession {
  readonly database: ObjectDatabase;
  readonly format: ObjectFormat;
  readonly inflating: Inflating;
  readonly reader: ObjectReader;
  readonly commits: CommitTable;
  /** For trees to be sent: a tree that the client has at the same path. */
  readonly treeBases = new Map<number, number>();
  #kernel: Kernel | undefined;
  readonly #links: CommitLinks;
  /** Positions in the commit-graph, of the parents of the commit that was read last. */
  readonly #parents: number[] = [];
  /** The node that each tag which was followed finally names. */
  readonly #peeled = new Map<number, number>();
  #hasLeft = false;
  /** Whether the generation of every loaded commit is known, where the commit-graph is read in parts. */
  #isPlaced = false;

  constructor(database: ObjectDatabase, kernel: Kernel) {
    this.#kernel = kernel;
    this.database = database;
    database.graph?.enter();
    this.format = database.context.format;
    this.inflating = new Inflating(kernel, new ObjectRing(kernel.ringAt, kernel.ringBytes), database.context.pacer);
    this.reader = new ObjectReader(database, this.inflating);
    this.commits = new CommitTable(kernel);
    this.#links = new CommitLinks(this.format);
  }

  /** The kernel whose table has the nodes. */
  get kernel(): Kernel {
    return present(this.#kernel, "the kernel");
  }

  /**
   * Ends all walks, and lets go of the kernel, which it returns. Objects can be read again once {@link inflating} has
   * another one. As long as something refers to a kernel, its memory can't be freed.
   */
  letGo(): Kernel {
    this.#kernel = undefined;
    this.commits.free();
    return this.inflating.letGo();
  }

  /** Ends the use of the commit-graph, whose memory is given back. No walk may follow. */
  leaveGraph(): void {
    if (this.#hasLeft) return;
    this.#hasLeft = true;
    this.database.graph?.leave();
  }

  /** Frees what the walks have recorded. The session must not be used afterwards. The kernel stays with its lender. */
  close(): void {
    this.leaveGraph();
    this.reader.close();
    this.commits.free();
  }

  /** Returns the node of a raw name, and adds it if it is new. */
  node(name: Uint8Array): number {
    this.kernel.memory.set(name.subarray(0, this.format.rawSize), this.kernel.scratchAt);
    return this.kernel.oidAdd(this.kernel.scratchAt);
  }

  /** Returns the node of a raw name, or -1 if no walk has met it. */
  findNode(name: Uint8Array): number {
    this.kernel.memory.set(name.subarray(0, this.format.rawSize), this.kernel.scratchAt);
    return this.kernel.oidFind(this.kernel.scratchAt);
  }

  /** Returns a copy of a node's raw name. */
  nameOf(node: number): Uint8Array<ArrayBuffer> {
    const at = this.kernel.oidAt(node);
    return this.kernel.memory.slice(at, at + this.format.rawSize);
  }

  /** Returns copies of the raw names of nodes, one after the other. */
  namesOf(nodes: readonly number[]): Uint8Array<ArrayBuffer> {
    const names = new Uint8Array(nodes.length * this.format.rawSize);
    for (const [i, node] of nodes.entries()) names.set(this.nameOf(node), i * this.format.rawSize);
    return names;
  }

  /** Whether a node has any of these flags. */
  has(node: number, flag: number): boolean {
    return (this.kernel.flagsOf(node) & flag) !== 0;
  }

  /** Sets flags of a node. */
  mark(node: number, flag: number): void {
    this.kernel.orFlags(node, flag);
  }

  /** Clears flags of a node. */
  unmark(node: number, flag: number): void {
    this.kernel.setFlags(node, this.kernel.flagsOf(node) & ~flag);
  }

  /** Reads ahead the beginnings of these nodes' objects, all at once. */
  async prefetch(nodes: readonly number[]): Promise<void> {
    const unknown = nodes.filter((node) => !this.#isInGraph(node));
    if (unknown.length >= 2) await this.reader.prefetch(this.namesOf(unknown));
  }

  /** Reads an object into the ring, and remembers its type. */
  async read(node: number): Promise<ReadObject> {
    const object = await this.reader.read(this.nameOf(node));
    this.mark(node, itemAt(FLAG_OF_TYPE, object.type));
    return object;
  }

  /** Learns the types of many objects from the files beside the packs. Objects that are nowhere are skipped. */
  async learnTypes(nodes: readonly number[]): Promise<void> {
    this.noteTypes(nodes, await this.database.typesOf(this.namesOf(nodes)));
  }

  /** Notes the type numbers of objects; 0 tells nothing. */
  noteTypes(nodes: readonly number[], types: Uint8Array): void {
    for (const [i, node] of nodes.entries()) this.mark(node, itemAt(FLAG_OF_TYPE, u8At(types, i)));
  }

  #isInGraph(node: number): boolean {
    const { graph } = this.database;
    return graph?.isAtHand === true && (this.commits.positionOf(node) >= 0 || graph.find(this.nameOf(node)) >= 0);
  }

  /** Makes a commit's links known from the commit-graph, if that has them. */
  #loadFromGraph(node: number): boolean {
    const { graph } = this.database;
    if (graph?.isAtHand !== true) return false;
    const known = this.commits.positionOf(node);
    const position = known >= 0 ? known : graph.find(this.nameOf(node));
    if (position < 0 || !graph.isReadable(position)) return false;
    const generation = graph.read(position, this.#links, this.#parents);
    this.commits.add(node, this.#links, generation);
    const parents = this.commits.parentsOf(node);
    for (let i = 0; i < parents.length; i++) this.commits.setPosition(u32At(parents, i), itemAt(this.#parents, i));
    this.mark(node, IS_COMMIT);
    return true;
  }

  /** Makes those of some objects known that the commit-graph has, as far as it is in memory. */
  takeFromGraph(nodes: readonly number[]): void {
    for (const node of nodes) if (!this.commits.has(node)) this.#loadFromGraph(node);
  }

  /** Makes a commit's links known from a commit-graph that is read in parts, if that has them. */
  async #loadFromParts(graph: CommitGraph, node: number): Promise<boolean> {
    if (!this.#isPlaced) await this.#placeLoaded(graph);
    const known = this.commits.positionOf(node);
    const position = known >= 0 ? known : await graph.locate(this.nameOf(node));
    if (position < 0) return false;
    this.commits.setPosition(node, position);
    while (await graph.prepare(position)) if (this.#loadFromGraph(node)) return true;
    return false;
  }

  /** Learns the generations of commits that were loaded before the graph was at hand. Where they are very many, the graph is not used. */
  async #placeLoaded(graph: CommitGraph): Promise<void> {
    const loaded: number[] = [];
    for (let node = 0; node < this.kernel.oidCount; node++)
      if (this.commits.has(node) && this.commits.generationOf(node) === 0) loaded.push(node);
    if (loaded.length > MOST_PLACED) graph.giveUp();
    for (const node of loaded) {
      const position = graph.isInParts ? await graph.locate(this.nameOf(node)) : -1;
      if (position >= 0) while ((await graph.prepare(position)) && !graph.isReadable(position));
      if (!graph.isInParts) return;
      this.commits.setGeneration(node, position < 0 ? Number.POSITIVE_INFINITY : graph.generationAt(position));
    }
    this.#isPlaced = true;
  }

  /**
   * Makes a commit's links known. Returns false if the object is not a commit. It is no proof that the object is here: the commit-graph may
   * have told of it.
   */
  async loadCommit(node: number): Promise<boolean> {
    const { pacer } = this.database.context;
    // The commit-graph may have all of a long history, of which nothing is read.
    pacer.add(WALK_STEPS);
    if (pacer.isDue) await pacer.pace();
    return await this.#loadOne(node);
  }

  async #loadOne(node: number): Promise<boolean> {
    if (this.#isAtHand(node)) return true;
    const { graph } = this.database;
    if (graph?.isWanted === true) {
      await graph.load();
      if (this.#isAtHand(node)) return true;
    }
    if (graph?.isInParts === true && (await this.#loadFromParts(graph, node))) return true;
    return this.#takeCommit(node, await this.read(node));
  }

  /**
   * Makes the links of commits known. Returns `undefined` if all that was needed is in memory and no pause is due, so
   * that nothing has to be awaited: that would cost a walk more than reading a commit does.
   */
  loadCommits(nodes: Iterable<number>): Promise<void> | undefined {
    const { pacer } = this.database.context;
    // What a walk costs beside reading: a commit that is known, or that the commit-graph has, is not read.
    pacer.add(WALK_STEPS);
    let count = 0;
    for (const node of nodes) if (++count > MOST_AT_ONCE || !this.#isAtHand(node)) return this.#loadAll(nodes);
    return pacer.isDue ? pacer.pace() : undefined;
  }

  async #loadAll(nodes: Iterable<number>): Promise<void> {
    const { pacer } = this.database.context;
    for (const node of nodes) {
      if (!this.#isAtHand(node)) await this.#loadOne(node);
      pacer.add(AT_HAND_STEPS);
      if (pacer.isDue) await pacer.pace();
    }
  }

  /** Whether a commit's links are known, or could be made known from what is in memory. */
  #isAtHand(node: number): boolean {
    if (this.commits.has(node) || this.#loadFromGraph(node)) return true;
    // The graph has to be read, which costs less than what is to come.
    if (this.database.graph?.expect() === true) return false;
    // It is asked before packs are, so that all generations are known.
    if (this.database.graph?.isInParts === true) return false;
    const object = this.reader.readAtHand(this.nameOf(node));
    if (object === undefined) return false;
    this.mark(node, itemAt(FLAG_OF_TYPE, object.type));
    return this.#takeCommit(node, object);
  }

  #takeCommit(node: number, object: ReadObject): boolean {
    if (object.type !== TYPE_NUMBER.commit) return false;
    const at = this.inflating.pointer(object.held);
    this.#links.read(this.kernel.memory, at, at + object.held.size);
    const isOutside = this.database.graph?.isInParts === true && this.#isPlaced;
    this.commits.add(node, this.#links, isOutside ? Number.POSITIVE_INFINITY : 0);
    this.#isPlaced = isOutside;
    return true;
  }

  /** Whether the commit-graph is at hand, so that {@link generationOf} tells something. That may end where it is read in parts. */
  get hasGenerations(): boolean {
    const { graph } = this.database;
    return graph?.isAtHand === true && (this.#isPlaced || !graph.isInParts);
  }

  /**
   * Returns the corrected time of a loaded commit, which is greater than that of all that it reaches. It is `Infinity` if
   * the commit-graph does not have the commit, so that nothing in the graph reaches it. It is `NaN`, which is neither
   * less nor more than any, as long as the graph is not in memory.
   */
  generationOf(node: number): number {
    const { graph } = this.database;
    if (graph === undefined || !this.hasGenerations) return Number.NaN;
    const known = this.commits.generationOf(node);
    if (known !== 0) return known;
    const position = graph.find(this.nameOf(node));
    const generation = position < 0 ? Number.POSITIVE_INFINITY : graph.generationAt(position);
    this.commits.setGeneration(node, generation);
    return generation;
  }

  /** Returns the type number of an object, and reads the object if no walk has learnt it. */
  async typeOf(node: number): Promise<number> {
    const flags = this.kernel.flagsOf(node);
    const known = FLAG_OF_TYPE.findIndex((flag) => flag !== 0 && (flags & flag) !== 0);
    if (known > 0) return known;
    if (flags & REF_TREE) return TYPE_NUMBER.tree;
    if (flags & REF_BLOB) return TYPE_NUMBER.blob;
    if (this.commits.has(node)) return TYPE_NUMBER.commit;
    const type = await this.reader.typeOf(this.nameOf(node));
    this.mark(node, itemAt(FLAG_OF_TYPE, type));
    return type;
  }

  /**
   * Follows annotated tags to the object that they finally name, and sets `flags` on each tag on the way. A tag is read
   * once, however many tags lead to it: a tag that has the flags leads only to tags that have them, too.
   */
  async peel(node: number, flags = 0): Promise<number> {
    const way: number[] = [];
    let at = node;
    while ((await this.typeOf(at)) === TYPE_NUMBER.tag) {
      const known = this.#peeled.get(at);
      const isMarked = (this.kernel.flagsOf(at) & flags) === flags;
      if (known !== undefined && isMarked) {
        at = known;
        break;
      }
      way.push(at);
      if (flags !== 0) this.mark(at, flags);
      at = await this.#targetOf(at);
    }
    for (const tag of way) this.#peeled.set(tag, at);
    return at;
  }

  async #targetOf(tag: number): Promise<number> {
    const { held } = await this.read(tag);
    const from = this.inflating.pointer(held);
    return this.node(readTagLinks(this.kernel.memory, from, from + held.size, this.format).object);
  }
}
