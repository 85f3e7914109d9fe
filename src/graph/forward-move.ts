/**
 * Tells whether a ref moves forward: from a commit to itself or to a descendant.
 *
 * @packageDocumentation
 */
import { equal } from "../bytes/chunk.ts";
import { toHex } from "../bytes/hex.ts";
import { CommitLinks } from "../object/commit.ts";
import type { ObjectFormat } from "../object/object-id.ts";
import { TYPE_NUMBER } from "../object/object-type.ts";
import type { IngestedPack } from "../store/ingest/ingest-pack.ts";
import { isAncestor } from "./ancestry.ts";
import type { GraphSession } from "./graph-session.ts";

/** A move of a ref from one object to another, by raw names. */
export type Move = { readonly from: Uint8Array; readonly to: Uint8Array };

/**
 * Whether a ref moves forward. The answer is exact, also for objects that are no commits: no ref moves forward from or
 * to one.
 */
export async function movesForward(session: GraphSession, { from, to }: Move): Promise<boolean> {
  const [old, fresh] = [session.node(from), session.node(to)];
  for (const node of [old, fresh]) if ((await session.typeOf(node)) !== TYPE_NUMBER.commit) return false;
  return await isAncestor(session, old, fresh);
}

/**
 * Whether `from` is found among the ancestors of `to` by reading at most `mostCommits` commits of the pack.
 *
 * It serves only to keep the catalog's mark that everything in a pack is reachable, so false is always a safe answer. A
 * clone then costs more until the next repack, and no object is lost or shown.
 */
export async function movesForwardInPack(
  { from, to }: Move,
  pack: Pick<IngestedPack, "typeOf" | "read">,
  format: ObjectFormat,
  mostCommits: number,
): Promise<boolean> {
  const links = new CommitLinks(format);
  const seen = new Set([toHex(to)]);
  // Nearest first: the old tip is usually the parent of one of the oldest new commits, and most histories are lines.
  const queue = [to];
  for (const name of queue) {
    if (equal(name, from)) return true;
    if (pack.typeOf(name) !== TYPE_NUMBER.commit) continue;
    const content = await pack.read(name);
    links.read(content, 0, content.length);
    for (let parent = 1; parent <= links.parentCount; parent++) {
      const raw = links.nameOf(parent);
      if (equal(raw, from)) return true;
      const hex = toHex(raw);
      if (seen.has(hex)) continue;
      if (seen.size >= mostCommits) return false;
      seen.add(hex);
      queue.push(raw.slice());
    }
  }
  return false;
}
