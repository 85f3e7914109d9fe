/**
 * Lists the differences between two trees that lie in a kernel's memory.
 *
 * @packageDocumentation
 */
import type { KernelExports } from "./kernel-exports.ts";

/** Stands in the highest bit of what only the base has. */
const REMOVED = 2 ** 31;
const NO_MEMORY = -2;

/** Where a tree lies in the kernel's memory. A length of 0 is the empty tree. */
export type TreePlace = { readonly at: number; readonly length: number };

/** The comparison of trees by one kernel. */
export class TreeDifference {
  readonly #exports: Pick<KernelExports, "differTrees" | "differMore" | "difference">;
  readonly #outOfMemory: () => never;

  /** @internal */
  constructor(exports: KernelExports, outOfMemory: () => never) {
    this.#exports = exports;
    this.#outOfMemory = outOfMemory;
  }

  /**
   * Calls `visit` with the name index of the object of each entry that only one of the trees has, except gitlinks.
   * `isRemoved` says that it is the base's. Entries count, so an object may come several times. Names that are new are
   * added to the table. Returns whether both trees are well formed.
   *
   * @throws LimitExceeded if the name table may not grow further.
   */
  list(tree: TreePlace, base: TreePlace, visit: (index: number, isRemoved: boolean) => void): boolean {
    let listed = this.#exports.differTrees(tree.at, tree.length, base.at, base.length);
    for (; listed > 0; listed = this.#exports.differMore()) {
      for (let i = 0; i < listed; i++) {
        const item = this.#exports.difference(i) >>> 0;
        if (item >= REMOVED) visit(item - REMOVED, true);
        else visit(item, false);
      }
    }
    if (listed === NO_MEMORY) this.#outOfMemory();
    return listed === 0;
  }
}
