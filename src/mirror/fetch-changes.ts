/**
 * Finds out what an upstream has and its mirror lacks, and fetches it.
 *
 * ```text
 * connect-upstream → list-differences → fetch-missing → plan-moves
 * ```
 *
 * @packageDocumentation
 */
import type { Kernel } from "../kernel/kernel.ts";
import type { LeftOut, Slice } from "../refs/mirror-store.ts";
import { openObjects } from "../repository/open-objects.ts";
import type { IngestedPack } from "../store/ingest/ingest-pack.ts";
import { connectUpstream } from "./connect-upstream.ts";
import { fetchMissing } from "./fetch-missing.ts";
import { listDifferences } from "./list-differences.ts";
import { type PlannedMoves, planMoves } from "./plan-moves.ts";
import type { Differing, SyncBegun } from "./sync-input.ts";

/** The changes that a sync is to make. */
export type FetchedChanges = PlannedMoves & {
  /** The fetched pack, stored and in no catalog; `undefined` if all objects were there. */
  readonly pack: IngestedPack | undefined;
  /** The state of the slices, if the pack is only a slice of the missing objects. Nothing else changes then. */
  readonly slice?: Slice;
  /** The branch that HEAD must point to from now on; `undefined` if HEAD stays. */
  readonly head: string | undefined;
  /** The refs of the upstream that can't be here; absent if there are none. */
  readonly leftOut?: LeftOut | undefined;
};

/**
 * Asks the upstream for its refs and fetches the missing objects.
 *
 * @throws UpstreamFailure, ProtocolError, ObjectRejected, LimitExceeded
 */
export async function fetchChanges(sync: SyncBegun): Promise<FetchedChanges> {
  const client = await connectUpstream(sync);
  const { differences, head, leftOut } = await listDifferences(sync, client);
  if (differences.length === 0) return { pack: undefined, reached: [], updates: [], head, leftOut };
  const { record, packs, graphs } = sync.begun.snapshot;
  const database = openObjects(sync.input.repository, record, packs, graphs);
  return { ...(await fetchDifferences({ sync, client, database, differences }, head)), leftOut };
}

/** Fetches and plans, with one kernel for both, which is lent when it is first needed. */
async function fetchDifferences(differing: Differing, head: string | undefined): Promise<FetchedChanges> {
  const { kernels } = differing.sync.input.repository;
  let lent: Kernel | undefined;
  const kernel = async (): Promise<Kernel> => (lent ??= await kernels.lend(differing.client.format.rawSize));
  let pack: IngestedPack | undefined;
  try {
    const fetched = await fetchMissing(differing, kernel);
    pack = fetched?.pack;
    if (fetched?.slice !== undefined) return { ...fetched, reached: [], updates: [], head: undefined };
    return { pack, head, ...(await planMoves(differing, pack, kernel)) };
  } catch (error) {
    pack?.release();
    throw error;
  } finally {
    if (lent !== undefined) kernels.giveBack(lent);
  }
}
