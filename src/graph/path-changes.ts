/**
 * Tells which of some paths differ between trees. Only directories that differ and have one of the paths below them are
 * read.
 *
 * @packageDocumentation
 */
import { equal } from "../bytes/chunk.ts";
import type { Budget } from "../bytes/budget.ts";
import { textOf } from "../object/byte-text.ts";
import type { ObjectFormat } from "../object/object-id.ts";
import { isTree, TreeReader } from "../object/tree.ts";
import type { ObjectReader } from "../store/object-reader.ts";

/** Paths, cut at their slashes. Names have one character per byte. */
export type PathSet = {
  /** The path that ends here. */
  path?: string;
  readonly below: Map<string, PathSet>;
};

/** Returns a set of paths. */
export function pathSet(paths: readonly string[]): PathSet {
  const encoder = new TextEncoder();
  const root: PathSet = { below: new Map() };
  for (const path of paths) {
    let at = root;
    for (const name of textOf(encoder.encode(path)).split("/")) {
      const next: PathSet = at.below.get(name) ?? { below: new Map() };
      at.below.set(name, next);
      at = next;
    }
    at.path = path;
  }
  return root;
}

/** The objects that trees are read from. The budget is spent by one for each tree. */
export type PathSources = {
  readonly reader: ObjectReader;
  readonly format: ObjectFormat;
  readonly budget: Budget;
};

type Entry = { readonly mode: number; readonly oid: Uint8Array };

/** Returns the entries of a tree that have one of these names. */
async function entriesOf(
  { reader, format, budget }: PathSources,
  tree: Uint8Array | undefined,
  names: ReadonlyMap<string, PathSet>,
): Promise<Map<string, Entry>> {
  const found = new Map<string, Entry>();
  if (tree === undefined) return found;
  budget.spend(1);
  const { bytes } = await reader.readCopy(tree);
  const { rawSize } = format;
  const entries = new TreeReader(bytes, 0, bytes.length, rawSize);
  while (entries.next()) {
    const name = textOf(bytes.subarray(entries.nameAt, entries.nameEnd));
    if (!names.has(name)) continue;
    found.set(name, { mode: entries.mode, oid: bytes.slice(entries.oidAt, entries.oidAt + rawSize) });
  }
  return found;
}

/**
 * Returns the paths of which the trees have different files. A tree that is `undefined` is empty. A path that is a
 * directory in both is passed over.
 *
 * @throws LimitExceeded if the budget is used up.
 */
export async function changedPaths(
  sources: PathSources,
  from: Uint8Array | undefined,
  to: Uint8Array | undefined,
  paths: PathSet,
): Promise<string[]> {
  if (from !== undefined && to !== undefined && equal(from, to)) return [];
  const before = await entriesOf(sources, from, paths.below);
  const after = await entriesOf(sources, to, paths.below);
  const changed: string[] = [];
  for (const [name, path] of paths.below) {
    const [old, fresh] = [before.get(name), after.get(name)];
    if (old === undefined && fresh === undefined) continue;
    if (old !== undefined && fresh !== undefined && old.mode === fresh.mode && equal(old.oid, fresh.oid)) continue;
    const [oldTree, freshTree] = [old, fresh].map((entry) =>
      entry !== undefined && isTree(entry.mode) ? entry.oid : undefined,
    );
    const isFile = oldTree === undefined || freshTree === undefined;
    if (path.path !== undefined && isFile) changed.push(path.path);
    if (path.below.size > 0) changed.push(...(await changedPaths(sources, oldTree, freshTree, path)));
  }
  return changed;
}
