/**
 * One sync of a mirror.
 *
 * ```text
 * begin (lease, refs, catalog) → ls-refs → compare → fetch, our tips as haves → ingest
 *                              → one step: refs, HEAD, catalog, status
 * ```
 *
 * Nothing of the sync is visible before that step. A sync that ends earlier leaves everything as readers saw it.
 *
 * @packageDocumentation
 */
import { LimitExceeded, ObjectRejected, ProtocolError } from "../bytes/failure.ts";
import { toHex } from "../bytes/hex.ts";
import type { EndSyncAnswer, MirrorLfs, SyncEnd } from "../refs/mirror-store.ts";
import { newValueOf } from "../refs/ref-plan.ts";
import type { RepositoryRecord } from "../refs/ref-store.ts";
import { fetchChanges, type FetchedChanges } from "./fetch-changes.ts";
import type { PackRecord } from "../catalog/pack-record.ts";
import { type TipPack, makeTipPack } from "../packing/tip-pack.ts";
import { lastLineOf } from "./progress-line.ts";
import { withoutSecrets } from "./redaction.ts";
import type { SyncBegun, SyncInput } from "./sync-input.ts";
import { UpstreamFailure } from "./upstream.ts";

/**
 * The end of a sync. `why` is for the mirror's owner; `fault` is an error of the host's. `unpublished` names the
 * repository if readers are not pointed to a snapshot of its present state.
 */
export type SyncResult =
  | { readonly kind: "skipped" }
  /** The next slice has to follow. */
  | { readonly kind: "partial" }
  | { readonly kind: "failed"; readonly why: string; readonly fault?: unknown; readonly unpublished?: RepositoryRecord }
  /**
   * `snapshot` has all refs and the catalog before the sync. `isPublished` says whether readers are pointed to a
   * snapshot of the present state.
   */
  | {
      readonly kind: "synced";
      readonly changed: boolean;
      readonly isPublished: boolean;
      readonly snapshot: SyncBegun["begun"]["snapshot"];
      readonly record: RepositoryRecord;
      /** How far the objects of Git LFS have come, if more may have to come with the sync. */
      readonly lfs?: MirrorLfs;
    };

const PACK_NAME_BYTES = 20;
const OUR_FAULT = "The sync failed on our side.";

/** Explains why a sync failed, in a sentence for the mirror's owner; `undefined` for a fault of the host's. */
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

/** Brings a mirror up to date with its upstream. Failures are recorded in the mirror, not thrown. */
export async function syncMirror(input: SyncInput): Promise<SyncResult> {
  const { repository, mirror } = input;
  const packName = toHex(repository.random(PACK_NAME_BYTES));
  const begun = await mirror.beginSync(packName);
  if (begun.kind !== "begun") return { kind: "skipped" };
  const sync: SyncBegun = {
    input,
    begun,
    packName,
    resealed: {},
    secrets: [],
    traffic: { bytes: 0, objects: 0, progress: "" },
  };
  let fetched: FetchedChanges;
  try {
    await resealHook(sync);
    fetched = await fetchChanges(sync);
  } catch (error) {
    return await fail(sync, error);
  }
  try {
    return await land(sync, fetched);
  } finally {
    fetched.pack?.release();
  }
}

/** Seals the webhooks' secret with the newest key, as credentials are sealed when they are used. */
async function resealHook({ input, begun, resealed }: SyncBegun): Promise<void> {
  const { hook, snapshot } = begun;
  if (hook === undefined) return;
  try {
    const fresh = await input.resealHook(hook, snapshot.record.id);
    if (fresh !== undefined) resealed.hook = fresh;
  } catch {
    // A key that can't be read is a fault for those who need the secret, and a sync does not need this one.
  }
}

/** Makes the fetched objects and refs visible. */
async function land(sync: SyncBegun, fetched: FetchedChanges): Promise<SyncResult> {
  const { slice, pack } = fetched;
  const tipPack = await tipPackOf(sync, fetched);
  let answer: EndSyncAnswer;
  try {
    answer = await endSync(sync, endOf(fetched), { ...fetched, tipPack: tipPack?.record });
    if (answer.kind !== "done" || !answer.packKept) await tipPack?.staged.discard();
  } catch (error) {
    // A change that does not fit one call was never sent.
    if (error instanceof LimitExceeded) return await fail(sync, error);
    // Nobody knows whether the change happened. The lease decides, and the mirror is synced again when the lease ends.
    return { kind: "failed", why: OUR_FAULT, fault: error };
  }
  switch (answer.kind) {
    case "gone":
      // Another sync has taken this one for dead, or the mirror does not exist any more.
      await discard(sync);
      return { kind: "skipped" };
    case "refused":
      return await fail(sync, new UpstreamFailure(answer.why));
    case "done": {
      if (pack !== undefined && !answer.packKept) await discard(sync);
      if (slice !== undefined) return { kind: "partial" };
      return syncedResult(sync, fetched, answer);
    }
  }
}

function syncedResult(
  { begun: { snapshot, lfs } }: SyncBegun,
  { updates, head }: FetchedChanges,
  { isPublished, record }: Extract<EndSyncAnswer, { kind: "done" }>,
): SyncResult {
  const changed = updates.length > 0 || head !== undefined;
  const pulls = lfs !== undefined && (changed || !lfs.complete) ? { lfs } : {};
  return { kind: "synced", changed, isPublished, record, snapshot, ...pulls };
}

function endOf({ slice, reached, leftOut }: FetchedChanges): SyncEnd {
  if (slice !== undefined) return { kind: "partial", slice };
  return { kind: "synced", reached, ...(leftOut === undefined ? {} : { leftOut }) };
}

/** Makes a tip pack of HEAD's new value, if the last of the packs or slices that bring it is large. */
async function tipPackOf({ input, begun }: SyncBegun, fetched: FetchedChanges): Promise<TipPack | undefined> {
  const { slice, pack, updates, head } = fetched;
  const { record, packs } = begun.snapshot;
  const tip = newValueOf(updates, head ?? record.head);
  if (slice !== undefined || pack === undefined || tip === undefined) return undefined;
  const { tipPackFromBytes } = input.repository.limits;
  const { packBytes } = pack.record;
  const brought = begun.slice === undefined ? packBytes : packs.reduce((sum, each) => sum + each.packBytes, packBytes);
  if (brought < tipPackFromBytes) return undefined;
  // the tip pack needs the room of the fetched pack, which is not used any more
  pack.release();
  return await makeTipPack({ repository: input.repository, record, packs: [...packs, pack.record], tip });
}

/** Deletes what came and records in the mirror why the sync failed. */
async function fail(sync: SyncBegun, error: unknown): Promise<SyncResult> {
  const described = describeFailure(error);
  const end = {
    ...(described ?? { kind: "failed" as const }),
    why: withoutSecrets(described?.why ?? OUR_FAULT, sync.secrets),
  };
  const answer = await endSync(sync, end, undefined, await discard(sync));
  return {
    kind: "failed",
    why: end.why,
    ...(described === undefined ? { fault: error } : {}),
    ...(answer.kind === "done" && !answer.isPublished ? { unpublished: answer.record } : {}),
  };
}

/** Deletes the files of a pack that no catalog will name. Returns whether nothing is left, as far as is known. */
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
  fetched: (FetchedChanges & { readonly tipPack: PackRecord | undefined }) | undefined,
  isClean = true,
): Promise<EndSyncAnswer> {
  const { head, pack, tipPack, updates = [] } = fetched ?? {};
  return await input.mirror.endSync({
    id: begun.snapshot.record.id,
    packName,
    end,
    isClean,
    updates,
    ...(pack === undefined ? {} : { pack: pack.record }),
    ...(tipPack === undefined ? {} : { tipPack }),
    ...(head === undefined ? {} : { head }),
    ...resealed,
    ...traffic,
    progress: lastLineOf(traffic.progress),
  });
}
