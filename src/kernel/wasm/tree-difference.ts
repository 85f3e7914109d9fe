/**
 * The differences between two trees: what the one refers to and the other doesn't, and the other way round. Entries count, and not
 * objects: an object that has two names is listed for each.
 */
import { oidAdd } from "./oid-table";
import { compareNames, findNul, isType, LINK_MODE, nameAt, rawSize, readMode, sameBytes, TREE_MODE } from "./tree-entry";

const CORRUPT: i32 = -1;
const NO_MEMORY: i32 = -2;

/** Set in what is listed of the base alone. Indexes of names are smaller. */
const REMOVED: u32 = 1 << 31;
/** Results: indexes of names. */
const LIST_CAPACITY: u32 = 1 << 14;
const list: usize = memory.data(4 << 14, 16);

let treeAt: usize = 0;
let treeEnd: usize = 0;
let baseAt: usize = 0;
let baseEnd: usize = 0;

/** The item at `index` of what the last call has listed. */
export function difference(index: u32): u32 {
  return load<u32>(list + (<usize>index << 2));
}

/**
 * Lists the indexes of the objects in entries of a tree that are not the same in the base, and with the highest bit those of the
 * base's that are not the same in the tree; gitlinks aside. Gives how many, or a negative code. {@link differMore} goes on where the
 * list was full, and gives 0 at the end. That the trees are sorted is not relied on: of unsorted ones, more is listed for both.
 */
export function differTrees(tree: usize, length: usize, base: usize, baseLength: usize): i32 {
  treeAt = tree;
  treeEnd = tree + length;
  baseAt = base;
  baseEnd = base + baseLength;
  return differMore();
}

export function differMore(): i32 {
  let found: u32 = 0;
  while ((treeAt < treeEnd || baseAt < baseEnd) && found < LIST_CAPACITY) {
    let mode: u32 = 0;
    let name: usize = 0;
    let nul: usize = 0;
    let next: usize = 0;
    if (treeAt < treeEnd) {
      mode = readMode(treeAt, treeEnd);
      name = nameAt;
      nul = mode == 0 ? <usize>0 : findNul(name, treeEnd);
      next = nul + 1 + rawSize;
      if (nul == 0 || next > treeEnd) return CORRUPT;
      const size = next - treeAt;
      if (size <= baseEnd - baseAt && sameBytes(baseAt, treeAt, size)) {
        baseAt += size;
        treeAt = next;
        continue;
      }
    }
    let isRemoved = false;
    if (baseAt < baseEnd) {
      const baseMode = readMode(baseAt, baseEnd);
      const baseName = nameAt;
      const baseNul = baseMode == 0 ? <usize>0 : findNul(baseName, baseEnd);
      const baseNext = baseNul + 1 + rawSize;
      if (baseNul == 0 || baseNext > baseEnd) return CORRUPT;
      isRemoved =
        next == 0 ||
        compareNames(baseName, baseNul, isType(baseMode, TREE_MODE), name, nul, isType(mode, TREE_MODE)) <= 0;
      if (isRemoved) {
        mode = baseMode;
        nul = baseNul;
        baseAt = baseNext;
      }
    }
    if (!isRemoved) treeAt = next;
    if (isType(mode, LINK_MODE)) continue;
    const index = oidAdd(nul + 1);
    if (index < 0) return NO_MEMORY;
    store<u32>(list + (<usize>found << 2), isRemoved ? <u32>index | REMOVED : <u32>index);
    found++;
  }
  return found;
}
