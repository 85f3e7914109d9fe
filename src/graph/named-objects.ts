/**
 * Looks at objects that were given by name: the values of refs, or what a client names. There may be hundreds of
 * thousands of them, so what each costs is kept small.
 *
 * @packageDocumentation
 */
import { itemAt } from "../bytes/assert.ts";
import { IS_BLOB, IS_COMMIT, IS_TAG, IS_TREE, SELECTED } from "../kernel/object-flags.ts";
import { TYPE_NUMBER } from "../object/object-type.ts";
import type { GraphSession } from "./graph-session.ts";

/** The nodes of the commits and trees that walks go on from. */
export type NamedObjects = { readonly commits: readonly number[]; readonly trees: readonly number[] };

/** Up to this many objects, the types are told by the entries, which are read next: the files of types cost reads. */
const FEW_OBJECTS = 256;

/** The steps charged to the pacer for adding a name to the table of names. */
export const NODE_STEPS = 100;
/** The steps of going through all names once, for each of them. */
const LOOK_STEPS = 10;

/** Returns the node of each raw name; the names lie one after the other. Other requests run in between. */
export async function nodesOf(session: GraphSession, names: Uint8Array): Promise<number[]> {
  const { rawSize } = session.format;
  const nodes: number[] = [];
  await session.database.context.pacer.forEach(names.length / rawSize, NODE_STEPS, (i) => {
    nodes.push(session.node(names.subarray(i * rawSize, (i + 1) * rawSize)));
  });
  return nodes;
}

/**
 * Makes known what many objects are, in one look-up of all names, and reads the commits among them in the order in
 * which they lie. Of a few, the beginnings are read ahead, and the rest is left to the caller, who learns it one by
 * one. Objects that are not here are passed over.
 */
export async function learnNamed(session: GraphSession, nodes: readonly number[]): Promise<void> {
  const unknown = nodes.filter((node) => !session.commits.has(node) && !session.has(node, IS_TAG | IS_TREE | IS_BLOB));
  if (unknown.length <= FEW_OBJECTS) {
    await session.prefetch(unknown);
    session.database.graph?.foresee(unknown.length);
    return;
  }
  const { database } = session;
  const { pacer } = database.context;
  const looked = async (): Promise<void> => {
    pacer.add(nodes.length * LOOK_STEPS);
    if (pacer.isDue) await pacer.pace();
  };
  await looked();
  const locations = await database.locate(session.namesOf(unknown));
  await looked();
  session.noteTypes(unknown, await database.typesAt(locations));
  await looked();
  const inOrder = (await database.inPackOrder(locations)).map((at) => itemAt(unknown, at));
  await session.loadCommits(inOrder.filter((node) => session.has(node, IS_COMMIT)));
}

/**
 * Selects (marks) the tags on the way to these nodes' objects, and the blobs among the objects. Returns the commits and
 * trees among them, which are left to the walks. `flags` are set on the tags and the objects as well.
 */
export async function selectNamed(session: GraphSession, nodes: readonly number[], flags = 0): Promise<NamedObjects> {
  const commits: number[] = [];
  const trees: number[] = [];
  const { pacer } = session.database.context;
  for (const node of nodes) {
    // What is known already is not read, which would count.
    pacer.add(NODE_STEPS);
    if (pacer.isDue) await pacer.pace();
    const object = await session.peel(node, SELECTED | flags);
    const type = await session.typeOf(object);
    session.mark(object, flags);
    if (type === TYPE_NUMBER.commit) commits.push(object);
    else if (type === TYPE_NUMBER.tree) trees.push(object);
    else session.mark(object, SELECTED);
  }
  return { commits, trees };
}
