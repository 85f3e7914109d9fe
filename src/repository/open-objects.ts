/**
 * Opens the objects of a snapshot. This is the one place that knows where a catalog's packs lie.
 *
 * @packageDocumentation
 */
import type { PackRecord } from "../catalog/pack-record.ts";
import { objectFormat } from "../object/object-id.ts";
import type { RepositoryRecord } from "../refs/ref-store.ts";
import { ObjectDatabase } from "../store/object-database.ts";
import type { Repository } from "./repository.ts";

/** Opens the objects of `packs`, which lie with the repository of `record`. Nothing is read yet. */
export function openObjects(
  { storage, cache, pacer }: Pick<Repository, "storage" | "cache" | "pacer">,
  { id, objectFormat: name }: Pick<RepositoryRecord, "id" | "objectFormat">,
  packs: readonly PackRecord[],
): ObjectDatabase {
  const own = { storage: storage(id), scope: id };
  return new ObjectDatabase(packs, { cache, pacer, format: objectFormat(name), placeOf: () => own });
}
