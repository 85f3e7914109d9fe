/**
 * The commits that a walk has met: what each refers to and when it was made, in typed arrays. A commit takes about 40
 * bytes.
 *
 * A commit's *node* is the index of its name in the kernel's oid table. Its row in this table is the value of that
 * oid-table entry, minus one.
 *
 * @packageDocumentation
 */
import { f64At, present, u32At } from "../bytes/assert.ts";
import { freeMemory } from "../bytes/free-memory.ts";
import type { Kernel } from "../kernel/kernel.ts";
import type { CommitLinks } from "../object/commit.ts";

const NO_PARENTS = new Uint32Array(0);

/** The links of commits, by node. */
export class CommitTable {
  #kernel: Kernel | undefined;
  #time = new Float64Array(1024);
  /** The corrected times of the commits; 0 if that of a commit was not asked for. */
  #generation = new Float64Array(1024);
  /** By node: the commit's position in the commit-graph, plus one. */
  #positions = new Uint32Array(0);
  /** The indexes in `#links` at which each commit's tree and parents begin. They end where the next commit's begin. */
  #start = new Uint32Array(1025);
  #links = new Uint32Array(4096);
  #count = 0;
  #used = 0;
  readonly #cuts = new Set<number>();

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  /** Whether the commit's links are known. */
  has(node: number): boolean {
    return this.#table.valueOf(node) !== 0;
  }

  /** Records a commit. Its tree and parents get nodes, too. `generation` is as in {@link generationOf}. */
  add(node: number, links: CommitLinks, generation = 0): void {
    const kernel = this.#table;
    if (this.#count + 1 >= this.#start.length) this.#growRows();
    const wanted = this.#used + 1 + links.parentCount;
    if (wanted > this.#links.length) this.#growLinks(wanted);
    const row = this.#count++;
    this.#time[row] = links.time;
    this.#generation[row] = generation;
    this.#start[row] = this.#used;
    for (let link = 0; link <= links.parentCount; link++) {
      kernel.memory.set(links.nameOf(link), kernel.scratchAt);
      this.#links[this.#used++] = kernel.oidAdd(kernel.scratchAt);
    }
    this.#start[row + 1] = this.#used;
    kernel.setValue(node, row + 1);
  }

  #growRows(): void {
    const time = new Float64Array(this.#time.length * 2);
    time.set(this.#time);
    freeMemory(this.#time);
    this.#time = time;
    const generation = new Float64Array(time.length);
    generation.set(this.#generation);
    freeMemory(this.#generation);
    this.#generation = generation;
    const start = new Uint32Array(time.length + 1);
    start.set(this.#start);
    freeMemory(this.#start);
    this.#start = start;
  }

  #growLinks(wanted: number): void {
    const links = new Uint32Array(Math.max(wanted, this.#links.length * 2));
    links.set(this.#links);
    freeMemory(this.#links);
    this.#links = links;
  }

  get #table(): Kernel {
    return present(this.#kernel, "the kernel");
  }

  /** Frees the memory, and lets go of the kernel. The table must not be used afterwards. */
  free(): void {
    this.#kernel = undefined;
    for (const column of [this.#time, this.#generation, this.#positions, this.#start, this.#links]) freeMemory(column);
  }

  #row(node: number): number {
    return this.#table.valueOf(node) - 1;
  }

  /** Returns the commit time in seconds since the epoch. */
  timeOf(node: number): number {
    return f64At(this.#time, this.#row(node));
  }

  /** Returns the corrected time of a commit; 0 if it was not set. See `GraphSession.generationOf`. */
  generationOf(node: number): number {
    return f64At(this.#generation, this.#row(node));
  }

  /** Sets the corrected time of a commit. */
  setGeneration(node: number, generation: number): void {
    this.#generation[this.#row(node)] = generation;
  }

  /** Returns the position of a commit in the commit-graph, which need not be loaded; -1 if it is not known. */
  positionOf(node: number): number {
    return node < this.#positions.length ? u32At(this.#positions, node) - 1 : -1;
  }

  /** Notes the position of a commit in the commit-graph. */
  setPosition(node: number, position: number): void {
    if (node >= this.#positions.length) {
      const positions = new Uint32Array(Math.max(node + 1, this.#positions.length * 2, 4096));
      positions.set(this.#positions);
      freeMemory(this.#positions);
      this.#positions = positions;
    }
    this.#positions[node] = position + 1;
  }

  /** Returns the node of the commit's tree. */
  treeOf(node: number): number {
    return u32At(this.#links, u32At(this.#start, this.#row(node)));
  }

  /** Treats a commit as the first of its history from now on, without parents. */
  cut(node: number): void {
    this.#cuts.add(node);
  }

  /** Returns the nodes of the parents: a view, valid until the next commit is added. */
  parentsOf(node: number): Uint32Array {
    if (this.#cuts.size > 0 && this.#cuts.has(node)) return NO_PARENTS;
    const row = this.#row(node);
    return this.#links.subarray(u32At(this.#start, row) + 1, u32At(this.#start, row + 1));
  }
}
