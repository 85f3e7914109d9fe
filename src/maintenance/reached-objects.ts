/**
 * Tells which objects of a pack a commit reaches. A commit that another one reaches, and of which that is known already,
 * is not gone through again.
 *
 * @packageDocumentation
 * @see pack-bitmap-write.c `fill_bitmap_commit()`
 */
import { u8At } from "../bytes/assert.ts";
import { addBit, addBits, type Bits, hasBit, newBits } from "../bytes/bits.ts";
import { LimitExceeded } from "../bytes/failure.ts";
import type { Pacer } from "../bytes/pacer.ts";
import { CommitQueue } from "../graph/commit-queue.ts";
import { TYPE_NUMBER } from "../object/object-type.ts";
import type { PackContent } from "./pack-content.ts";

/** The objects that may be looked at for all commits of a pack together. */
const MOST_LOOKED_AT = 1_000_000_000;

/** A commit reaches an object that is not in the pack. Then no file of bitmaps can be made for the pack. */
export class NotClosed extends Error {
  override readonly name = "NotClosed";
}

/** Goes through a pack's commits and trees. */
export class ReachedObjects {
  readonly #content: PackContent;
  readonly #pacer: Pacer;
  readonly #knownOf: (commit: number) => Bits | undefined;
  #lookedAt = 0;
  #bits: Bits = newBits(0);
  #stack: number[] = [];
  /** Trees of which the list was gone through, and whose bases were not reached yet. */
  #doubtful: number[] = [];

  /** `knownOf` returns what a commit reaches, given by its rank, if that is known; it is not changed. */
  constructor(content: PackContent, pacer: Pacer, knownOf: (commit: number) => Bits | undefined) {
    this.#content = content;
    this.#pacer = pacer;
    this.#knownOf = knownOf;
  }

  /**
   * Returns the ranks of all objects that a commit reaches.
   *
   * @throws NotClosed
   * @throws LimitExceeded if too many objects were looked at.
   */
  async from(commit: number): Promise<Bits> {
    this.#bits = newBits(this.#content.count);
    const roots = this.#addCommits(commit);
    for (const root of roots) {
      this.#push(root);
      await this.#openTrees();
    }
    while (this.#doubtful.length > 0) {
      const trees = this.#doubtful.filter((tree) => !hasBit(this.#bits, this.#content.trees.baseOf(tree)));
      this.#doubtful = [];
      for (const tree of trees) {
        if (hasBit(this.#bits, this.#content.trees.baseOf(tree))) continue;
        for (const object of this.#content.trees.objectsOf(tree)) this.#add(object);
        await this.#openTrees();
      }
    }
    return this.#bits;
  }

  /** Adds the commits, youngest first. Returns their trees, as far as they are not known to be reached. */
  #addCommits(commit: number): number[] {
    const { commits } = this.#content;
    const queue = new CommitQueue();
    const trees: number[] = [];
    queue.push(commit, commits.timeOf(commit));
    for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
      if (hasBit(this.#bits, next)) continue;
      const known = this.#knownOf(next);
      if (known !== undefined) {
        addBits(this.#bits, known);
        continue;
      }
      addBit(this.#bits, next);
      this.#look(1);
      trees.push(commits.treeOf(next));
      for (const parent of commits.parentsOf(next)) {
        this.#assertInside(parent);
        if (!hasBit(this.#bits, parent)) queue.push(parent, commits.timeOf(parent));
      }
    }
    return trees;
  }

  #assertInside(object: number): void {
    if (object >= this.#content.count) throw new NotClosed();
  }

  #look(objects: number): void {
    this.#lookedAt += objects;
    this.#pacer.add(2 * objects);
    if (this.#lookedAt > MOST_LOOKED_AT)
      throw new LimitExceeded("bitmap-steps", MOST_LOOKED_AT, "the history of the pack takes too long for bitmaps");
  }

  #push(tree: number): void {
    this.#assertInside(tree);
    if (addBit(this.#bits, tree)) this.#stack.push(tree);
  }

  #add(object: number): void {
    this.#look(1);
    this.#assertInside(object);
    if (u8At(this.#content.types, object) === TYPE_NUMBER.tree) this.#push(object);
    else addBit(this.#bits, object);
  }

  /** Goes through the lists of the trees on the stack, and of those that they lead to. */
  async #openTrees(): Promise<void> {
    const { trees } = this.#content;
    for (let tree = this.#stack.pop(); tree !== undefined; tree = this.#stack.pop()) {
      const base = trees.baseOf(tree);
      // What a tree has in common with a tree that is reached is reached, too.
      if (base >= 0 && !hasBit(this.#bits, base)) this.#doubtful.push(tree);
      trees.forEachAdded(tree, (object) => this.#add(object));
      if (this.#pacer.isDue) await this.#pacer.pace();
    }
  }
}
