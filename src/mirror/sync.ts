/**
 * One sync of a mirror.
 *
 * ```text
 * begin (lease, refs, catalog) → ls-refs → compare → fetch, our tips as haves → ingest → one step: refs, HEAD, catalog, status
 * ```
 *
 * Until that step nothing of it is visible, and whatever ends it before leaves what readers see as it was.
 *
 * @packageDocumentation
 */
import { LimitExceeded, ObjectRejected, ProtocolError } from "../bytes/failure.ts";
import { toHex } from "../bytes/hex.ts";
import type { EndSyncAnswer, SyncEnd } from "../refs/mirror-store.ts";
import type { RepositoryRecord } from "../refs/ref-store.ts";
import { fetchChanges, type FetchedChanges } from "./fetch-changes.ts";
import type { SyncBegun, SyncInput } from "./sync-input.ts";
import { UpstreamFailure } from "./upstream.ts";

/** How a sync ended. `why` is for the mirror's owner; `fault` is what went wrong on our side. */
export type SyncResult =
  | { readonly kind: "skipped" }
  /** The next slice is to follow. */
  | { readonly kind: "partial" }
  | { readonly kind: "failed"; readonly why: string; readonly fault?: unknown }
  /** `snapshot` is of all refs and the catalog before it; `isPublished` says whether readers are pointed to one of what is now. */
  | {
      readonly kind: "synced";
      readonly changed: boolean;
      readonly isPublished: boolean;
      readonly snapshot: SyncBegun["begun"]["snapshot"];
      readonly record: RepositoryRecord;
    };

const PACK_NAME_BYTES = 20;

/** Says why a sync failed, in a sentence for the mirror's owner. */
function describeFailure(error: unknown): Extract<SyncEnd, { kind: "failed" }> | undefined {
  const failed = (why: string): Extract<SyncEnd, { kind: "failed" }> => ({ kind: "failed", why });
  if (error instanceof UpstreamFailure) {
    const { retryAfter } = error;
    return { ...failed(error.message), ...(retryAfter === undefined ? {} : { retryAfter }) };
  }
  if (error instanceof ProtocolError) return failed(`The upstream breaks git's protocol: ${error.message}`);
  if (error instanceof ObjectRejected) return failed(`What the upstream sent is refused: ${error.message}`);
  if (error instanceof LimitExceeded) return failed(`The upstream is too much for a mirror: ${error.message}`);
  return undefined;
}

/** Brings a mirror up to date with its upstream. Failures are told to the mirror, not thrown. */
export async function syncMirror(input: SyncInput): Promise<SyncResult> {
  const { repository, mirror } = input;
  const packName = toHex(repository.random(PACK_NAME_BYTES));
  const begun = await mirror.beginSync(packName);
  if (begun.kind !== "begun") return { kind: "skipped" };
  const sync: SyncBegun = { input, begun, packName, traffic: { bytes: 0, objects: 0, progress: "" } };
  let fetched: FetchedChanges | undefined;
  try {
    fetched = await fetchChanges(sync);
    const end: SyncEnd = fetched.slice === undefined ? { kind: "synced" } : { kind: "partial", slice: fetched.slice };
    const answer = await endSync(sync, end, fetched);
    if (answer.kind === "done" && (fetched.pack === undefined || answer.packKept)) {
      if (fetched.slice !== undefined) return { kind: "partial" };
      const { isPublished, record } = answer;
      const changed = fetched.updates.length > 0 || fetched.head !== undefined;
      return { kind: "synced", changed, isPublished, record, snapshot: begun.snapshot };
    }
    // Another sync has taken this one for dead, or there is no such mirror any more.
    if (answer.kind === "gone") {
      await discard(sync);
      return { kind: "skipped" };
    }
    throw new UpstreamFailure(answer.kind === "refused" ? answer.why : "The refs have moved meanwhile.");
  } catch (error) {
    const described = describeFailure(error);
    const end = described ?? { kind: "failed" as const, why: "The sync failed on our side." };
    const isClean = await discard(sync);
    await endSync(sync, end, undefined, isClean);
    return { kind: "failed", why: end.why, ...(described === undefined ? { fault: error } : {}) };
  } finally {
    fetched?.pack?.release();
  }
}

/** Deletes what was written of a pack that no catalog will name. Gives whether nothing is left, as far as is known. */
async function discard({ input, begun, packName, traffic }: SyncBegun): Promise<boolean> {
  if (traffic.bytes === 0) return true;
  try {
    await input.repository.storage(begun.snapshot.record.id).deletePack(packName);
    return true;
  } catch {
    // The lease stays: the repository's alarm deletes the keys when it ends.
    return false;
  }
}

async function endSync(
  { input, begun, packName, traffic, resealed }: SyncBegun,
  end: SyncEnd,
  fetched: FetchedChanges | undefined,
  isClean = true,
): Promise<EndSyncAnswer> {
  const { head, pack, updates = [] } = fetched ?? {};
  return await input.mirror.endSync({
    id: begun.snapshot.record.id,
    packName,
    end,
    isClean,
    updates,
    ...(pack === undefined ? {} : { pack: pack.record }),
    ...(head === undefined ? {} : { head }),
    ...(resealed === undefined ? {} : { login: resealed }),
    ...traffic,
  });
}
