/**
 * Selects objects that were given by name: the values of refs, or a client's wants.
 *
 * @packageDocumentation
 */
import { SELECTED } from "../kernel/object-flags.ts";
import { TYPE_NUMBER } from "../object/object-type.ts";
import type { GraphSession } from "./graph-session.ts";

/** The nodes of the commits and trees that walks go on from. */
export type NamedObjects = { readonly commits: readonly number[]; readonly trees: readonly number[] };

/**
 * Selects (marks) the tags on the way to these nodes' objects, and the blobs among the objects. Returns the commits and
 * trees among them, which are left to the walks. `flags` are set on the tags and the objects as well.
 */
export async function selectNamed(session: GraphSession, nodes: readonly number[], flags = 0): Promise<NamedObjects> {
  const commits: number[] = [];
  const trees: number[] = [];
  for (const node of nodes) {
    const object = await session.peel(node, SELECTED | flags);
    const type = await session.typeOf(object);
    session.mark(object, flags);
    if (type === TYPE_NUMBER.commit) commits.push(object);
    else if (type === TYPE_NUMBER.tree) trees.push(object);
    else session.mark(object, SELECTED);
  }
  return { commits, trees };
}
