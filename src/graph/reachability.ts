/**
 * Tells whether objects can be reached from refs.
 *
 * @packageDocumentation
 */
import { QUEUED, SELECTED } from "../kernel/object-flags.ts";
import { KIND_NUMBER } from "../object/object-kind.ts";
import { walkCommits } from "./commit-walk.ts";
import type { GraphSession } from "./graph-session.ts";
import { NO_FILTER } from "./object-filter.ts";
import { type TreeWalk, selectWhole } from "./object-walk.ts";

const EVERYTHING: TreeWalk = { filter: NO_FILTER, count: async () => undefined };

/**
 * Returns for each of `names` (raw) whether any of `tips` reaches it. A commit takes a walk of commits only; a tree or
 * blob takes a walk of everything.
 */
export async function whichReached(
  session: GraphSession,
  names: readonly Uint8Array[],
  tips: Iterable<Uint8Array>,
): Promise<boolean[]> {
  const commits: number[] = [];
  const others: number[] = [];
  for (const tip of tips) {
    const object = await session.peel(session.node(tip), SELECTED);
    if ((await session.kindOf(object)) === KIND_NUMBER.commit) commits.push(object);
    else others.push(object);
  }
  const { interesting } = await walkCommits(session, commits, []);
  const isReached = (name: Uint8Array): boolean => {
    const node = session.findNode(name);
    return node >= 0 && session.has(node, QUEUED | SELECTED);
  };
  if (
    !(await anyMayBeInTrees(
      session,
      names.filter((name) => !isReached(name)),
    ))
  )
    return names.map(isReached);
  await selectOthers(session, others);
  await selectWhole(
    session,
    interesting.map((node) => session.commits.treeOf(node)),
    EVERYTHING,
  );
  return names.map(isReached);
}

/** Whether some of `names` may be found in trees, where commits and tags are not found. */
async function anyMayBeInTrees(session: GraphSession, names: readonly Uint8Array[]): Promise<boolean> {
  for (const name of names) {
    const kind = await session.kindOf(session.node(name));
    if (kind === KIND_NUMBER.tree || kind === KIND_NUMBER.blob) return true;
  }
  return false;
}

async function selectOthers(session: GraphSession, nodes: readonly number[]): Promise<void> {
  for (const node of nodes) {
    if ((await session.kindOf(node)) === KIND_NUMBER.tree) await selectWhole(session, [node], EVERYTHING);
    else session.mark(node, SELECTED);
  }
}
