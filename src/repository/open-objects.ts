/**
 * Opens the objects of a snapshot. This is the one place that knows where a catalog's packs lie.
 *
 * @packageDocumentation
 */
import type { CommitGraphRecord } from "../catalog/commit-graph-record.ts";
import type { PackRecord } from "../catalog/pack-record.ts";
import { isInTail } from "../catalog/tail.ts";
import { objectFormat } from "../object/object-id.ts";
import type { RepositoryRecord } from "../refs/ref-store.ts";
import { CommitGraph } from "../store/commit-graph.ts";
import { ObjectDatabase } from "../store/object-database.ts";
import type { PackPlace } from "../store/pack-place.ts";
import { tailStorage } from "../store/tail-storage.ts";
import type { Repository } from "./repository.ts";

/** What objects are read with. */
export type ReadRepository = Pick<Repository, "storage" | "cache" | "pacer" | "memory" | "hash" | "noteDamage">;

/**
 * Opens the objects of `packs`, which lie below the prefix of the repository of `record`, or below that of a lender, or in
 * its tail, and its commit-graph. Nothing is read yet.
 */
export function openObjects(
  { storage, cache, pacer, memory, hash, noteDamage }: ReadRepository,
  { id, objectFormat: name }: Pick<RepositoryRecord, "id" | "objectFormat">,
  packs: readonly PackRecord[],
  graphs: readonly CommitGraphRecord[] = [],
): ObjectDatabase {
  const places = new Map<string, PackPlace>();
  const placeAt = (home: string): PackPlace => {
    const place = places.get(home) ?? {
      storage: storage(home),
      scope: home,
      noteDamage: (pack, extension) => noteDamage({ home, pack, extension }),
    };
    places.set(home, place);
    return place;
  };
  const placeOf = (pack: PackRecord): PackPlace =>
    isInTail(pack) ? { storage: tailStorage(pack), scope: id } : placeAt(pack.loan?.home ?? id);
  const format = objectFormat(name);
  const graph = new CommitGraph(graphs, { ...placeAt(id), cache, format, hash, memory });
  return new ObjectDatabase(packs, { cache, pacer, memory, format, hash, placeOf }, graph);
}
