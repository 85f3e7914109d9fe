/**
 * Which unresolved entries can be resolved now, and in what order: each delta after its base, families together, so that a
 * base is inflated once for all that build on it.
 *
 * Nodes are entry numbers; from `entries.count` on they stand for bases outside the pack, in the order these were found.
 *
 * @packageDocumentation
 */
import { OFS_DELTA } from "../object/object-kind.ts";
import type { EntryTable } from "./entry-table.ts";

const NONE = -1;

/** What the forest must know of names; kept small so that it can be tested without a kernel. */
export type BaseLookup = {
  /** The node of the object with this oid-table index, resolved or not; -1 where no entry and no outside base has it. */
  nodeOfName(name: number): number;
};

/** Gives the node a delta builds on, or -1 where that is not known yet. */
export function baseNode(entries: EntryTable, number: number, lookup: BaseLookup): number {
  const base = entries.baseOf(number);
  return entries.packKindOf(number) === OFS_DELTA ? base : lookup.nodeOfName(base);
}

/** Numbers of the entries that are not resolved, in pack order. */
export function unresolvedEntries(entries: EntryTable): Uint32Array<ArrayBuffer> {
  let count = 0;
  for (let number = 0; number < entries.count; number++) if (entries.kindOf(number) === 0) count++;
  const unresolved = new Uint32Array(count);
  let used = 0;
  for (let number = 0; number < entries.count; number++) if (entries.kindOf(number) === 0) unresolved[used++] = number;
  return unresolved;
}

/**
 * Lists the unresolved entries whose chain of bases ends in something resolved: depth first from each such base, bases in pack
 * order. Entries in a cycle, and those with an unknown base somewhere below, are left out. Linear, and without recursion: a
 * chain may be as long as the pack.
 */
export function resolvableOrder(
  entries: EntryTable,
  unresolved: Uint32Array,
  lookup: BaseLookup,
): Uint32Array<ArrayBuffer> {
  const firstChild = new Int32Array(entries.count).fill(NONE);
  const nextSibling = new Int32Array(entries.count).fill(NONE);
  const roots: number[] = [];
  // backwards, so that each list comes out in pack order
  for (let i = unresolved.length - 1; i >= 0; i--) {
    const number = unresolved[i] ?? 0;
    const base = baseNode(entries, number, lookup);
    if (base === NONE) continue;
    if (base >= entries.count || entries.kindOf(base) !== 0) {
      roots.push(number);
    } else {
      nextSibling[number] = firstChild[base] ?? NONE;
      firstChild[base] = number;
    }
  }
  roots.sort((a, b) => baseNode(entries, a, lookup) - baseNode(entries, b, lookup) || a - b);
  const order = new Uint32Array(unresolved.length);
  let used = 0;
  const stack: number[] = [];
  for (const root of roots) {
    stack.push(root);
    for (let number = stack.pop(); number !== undefined; number = stack.pop()) {
      order[used++] = number;
      // the sibling below the children: depth first
      const sibling = number === root ? NONE : (nextSibling[number] ?? NONE);
      if (sibling !== NONE) stack.push(sibling);
      const child = firstChild[number] ?? NONE;
      if (child !== NONE) stack.push(child);
    }
  }
  return order.slice(0, used);
}
