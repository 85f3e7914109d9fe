/**
 * Finds the pointers of Git LFS in a mirror's packs, page by page. A pack never changes, so each is looked at once.
 *
 * A pack may have pointers that no ref reaches any more: their objects come, too, which costs less than to walk all of
 * the history for each page.
 *
 * @packageDocumentation
 */
import type { LfsPointer } from "../object/lfs-pointer.ts";
import { pointersInPack } from "../packing/pack-pointers.ts";
import type { MirrorLfs } from "../refs/mirror-store.ts";
import { inOwnSession } from "../repository/own-session.ts";
import { openObjects } from "../repository/open-objects.ts";
import type { Repository } from "../repository/repository.ts";

/** Pointers of one page. */
const PAGE = 1000;

/** Returns the next pointers, and how far the mirror has come with them; `undefined` if there is no repository. */
export async function nextPointers(
  repository: Repository,
  progress: MirrorLfs,
): Promise<{ readonly objects: readonly LfsPointer[]; readonly progress: MirrorLfs } | undefined> {
  const snapshot = await repository.refs.open({ packs: true, refPrefixes: [] });
  if (snapshot.kind === "missing") return undefined;
  const database = openObjects(repository, snapshot.record, snapshot.packs, snapshot.graphs);
  // Packs that were combined meanwhile are forgotten.
  const looked = progress.looked.filter((name) => snapshot.packs.some((pack) => pack.name === name));
  return await inOwnSession(repository, database, async (graph) => {
    const found = new Map<string, LfsPointer>();
    for (const [number, handle] of database.packs.entries()) {
      const { name, source } = handle.record;
      // A tip pack has only what other packs have, too.
      if (looked.includes(name) || source === "copy") continue;
      const from = progress.from?.pack === name ? progress.from.rank : 0;
      for await (const { pointer, next } of pointersInPack(graph, [number, handle], from, () => true)) {
        found.set(pointer.oid, pointer);
        if (found.size < PAGE) continue;
        const { from: _, ...rest } = progress;
        return { objects: [...found.values()], progress: { ...rest, looked, from: { pack: name, rank: next } } };
      }
      looked.push(name);
    }
    const { from: _, ...rest } = progress;
    return { objects: [...found.values()], progress: { ...rest, looked, complete: true } };
  });
}
