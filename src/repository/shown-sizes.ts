/**
 * Tells the sizes of objects to a caller who may see what refs reach.
 *
 * @packageDocumentation
 */
import { ReachedCommits } from "../graph/reachability.ts";
import type { OpenSnapshot } from "../refs/ref-store.ts";
import type { Locations } from "../store/object-database.ts";
import { objectSizes } from "../store/object-sizes.ts";
import { openObjects } from "./open-objects.ts";
import { inOwnSession } from "./own-session.ts";
import type { Repository } from "./repository.ts";
import { reachedByRefs } from "./view.ts";

/**
 * Returns the size in bytes of each of the wants of a snapshot (`names`, raw and concatenated); -1 for an object that is
 * missing, or that no ref reaches.
 *
 * @throws CorruptStore, HostBusy
 */
export async function shownSizes(
  repository: Repository,
  snapshot: OpenSnapshot,
  names: Uint8Array,
): Promise<Float64Array> {
  const database = openObjects(repository, snapshot.record, snapshot.packs);
  const { rawSize } = database.context.format;
  return await inOwnSession(repository, database, async (session) => {
    const locations = await database.locate(names);
    const doubtful = doubtfulOf(snapshot, locations);
    const asked = doubtful.map((index) => names.subarray(index * rawSize, (index + 1) * rawSize));
    const searched = { answer: snapshot, database, graph: session, reached: new ReachedCommits(session) };
    const shown = await reachedByRefs(repository, searched, asked);
    for (const [i, index] of doubtful.entries()) if (shown[i] === false) locations.packs[index] = -1;
    return await objectSizes(database, session.inflating, locations);
  });
}

/** Returns the indexes of objects that are stored but may be unreachable, because no ref names them. */
function doubtfulOf({ wantIsTip }: OpenSnapshot, locations: Locations): number[] {
  const doubtful: number[] = [];
  for (const [index, pack] of locations.packs.entries()) if (pack >= 0 && wantIsTip[index] === 0) doubtful.push(index);
  return doubtful;
}
