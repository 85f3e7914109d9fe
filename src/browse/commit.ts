/**
 * Commits by their names.
 *
 * @packageDocumentation
 */
import { type Commit, parseCommit } from "../object/commit.ts";
import type { BrowseSession } from "./browse-session.ts";

/** Reads a commit, to be shown. `name` is raw. @throws MissingObject, CorruptStore, ObjectRejected */
export async function readCommit(session: BrowseSession, name: Uint8Array): Promise<Commit> {
  const { bytes } = await session.graph.reader.readCopy(name);
  return parseCommit(bytes, session.format);
}

/** Returns the raw name of the tree of a commit, which has a raw name, too. */
export async function treeOf({ graph }: BrowseSession, commit: Uint8Array): Promise<Uint8Array> {
  const node = graph.node(commit);
  await graph.loadCommit(node);
  return graph.nameOf(graph.commits.treeOf(node));
}
