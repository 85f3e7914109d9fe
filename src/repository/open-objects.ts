/**
 * Opens the objects of a snapshot. This is the one place that knows where a catalog's packs lie.
 *
 * @packageDocumentation
 */
import type { PackRecord } from "../catalog/pack-record.ts";
import { objectFormat } from "../object/object-id.ts";
import type { RepositoryRecord } from "../refs/ref-store.ts";
import { ObjectDatabase } from "../store/object-database.ts";
import type { PackPlace } from "../store/pack-handle.ts";
import type { Repository } from "./repository.ts";

/**
 * Opens the objects of `packs`, which lie below the prefix of the repository of `record`, or below that of a lender.
 * Nothing is read yet.
 */
export function openObjects(
  { storage, cache, pacer }: Pick<Repository, "storage" | "cache" | "pacer">,
  { id, objectFormat: name }: Pick<RepositoryRecord, "id" | "objectFormat">,
  packs: readonly PackRecord[],
): ObjectDatabase {
  const places = new Map<string, PackPlace>();
  const placeAt = (home: string): PackPlace => {
    const place = places.get(home) ?? { storage: storage(home), scope: home };
    places.set(home, place);
    return place;
  };
  const placeOf = ({ loan }: PackRecord): PackPlace => placeAt(loan?.home ?? id);
  return new ObjectDatabase(packs, { cache, pacer, format: objectFormat(name), placeOf });
}
