/**
 * The commits a walk has met: what each refers to and when it was made, in typed arrays. About 30 bytes a commit.
 *
 * A commit's *node* is the index of its name in the kernel's oid table; its row in the table here is the entry's value minus one.
 *
 * @packageDocumentation
 */
import { f64At, u32At } from "../bytes/assert.ts";
import { freeMemory } from "../bytes/free-memory.ts";
import type { Kernel } from "../kernel/kernel.ts";
import type { CommitLinks } from "../object/commit.ts";

const NO_PARENTS = new Uint32Array(0);

/** Links of commits, by node. */
export class CommitTable {
  readonly #kernel: Kernel;
  #time = new Float64Array(1024);
  /** Where in `#links` a commit's tree and parents begin; they end where the next one's begin. */
  #start = new Uint32Array(1025);
  #links = new Uint32Array(4096);
  #count = 0;
  #used = 0;
  readonly #cuts = new Set<number>();

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  /** Says whether the commit's links are known. */
  has(node: number): boolean {
    return this.#kernel.valueOf(node) !== 0;
  }

  /** Records a commit. Its tree and parents get nodes, too. */
  add(node: number, links: CommitLinks): void {
    const kernel = this.#kernel;
    if (this.#count + 1 >= this.#start.length) this.#growRows();
    const wanted = this.#used + 1 + links.parentCount;
    if (wanted > this.#links.length) this.#growLinks(wanted);
    const row = this.#count++;
    this.#time[row] = links.time;
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

  /** Frees the memory; the table is not used afterwards. */
  free(): void {
    for (const column of [this.#time, this.#start, this.#links]) freeMemory(column);
  }

  #row(node: number): number {
    return this.#kernel.valueOf(node) - 1;
  }

  /** Seconds since the epoch. */
  timeOf(node: number): number {
    return f64At(this.#time, this.#row(node));
  }

  /** Node of the commit's tree. */
  treeOf(node: number): number {
    return u32At(this.#links, u32At(this.#start, this.#row(node)));
  }

  /** Takes a commit for the first of its history from now on: it has no parents. */
  cut(node: number): void {
    this.#cuts.add(node);
  }

  /** Nodes of the parents; a view. */
  parentsOf(node: number): Uint32Array {
    if (this.#cuts.size > 0 && this.#cuts.has(node)) return NO_PARENTS;
    const row = this.#row(node);
    return this.#links.subarray(u32At(this.#start, row) + 1, u32At(this.#start, row + 1));
  }
}
