/**
 * Finds out what an upstream has that its mirror has not, and fetches it.
 *
 * @packageDocumentation
 */
import { LimitExceeded, ObjectRejected } from "../bytes/failure.ts";
import { toHex } from "../bytes/hex.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { movesForward } from "../graph/forward-move.ts";
import { findTipKinds, peelTips, type TipValue } from "../graph/tip-values.ts";
import { FORGIVABLE } from "../object/fsck-rule.ts";
import { KIND_NUMBER } from "../object/object-kind.ts";
import { objectFormat } from "../object/object-id.ts";
import { checkRefFormat, isPushableRefName } from "../object/ref-name.ts";
import type { Slice } from "../refs/mirror-store.ts";
import { decodeRefRows, type RefRow } from "../refs/ref-rows.ts";
import type { RefUpdate } from "../refs/ref-update.ts";
import { boundedSource, checkPackHeader, checkStoredPack, limitsWith } from "../repository/allowance.ts";
import { type IngestedPack, ingestPack } from "../store/ingest/ingest-pack.ts";
import { ObjectDatabase } from "../store/object-database.ts";
import { ObjectIdList } from "../wire/object-id-list.ts";
import { FetchClient } from "./fetch-client.ts";
import type { BandListener } from "./line-source.ts";
import { secretsIn, withoutSecrets } from "./redaction.ts";
import { compareRefs, type NamedValue, type RefDifference, RefList } from "./ref-comparison.ts";
import { applyPolicy } from "./rewritten.ts";
import { KEPT, mapRef, parseRefspec, type Refspec, refPrefixes } from "./refspec.ts";
import { addSlice, anchorsLeft, reachedPacks, splitNames } from "./slice-anchors.ts";
import { type OpenedPack, openPack, openSlice } from "./slices.ts";
import type { SyncBegun } from "./sync-input.ts";
import { UpstreamFailure } from "./upstream.ts";
import { UpstreamConnection } from "./upstream-connection.ts";

/** What is to change. */
export type FetchedChanges = {
  /** Stored, and in no catalog. `undefined` where all objects were there. */
  readonly pack: IngestedPack | undefined;
  /** Given where the pack is but a slice of what is missing; then nothing else changes. */
  readonly slice?: Slice;
  /** Packs of slices before whose objects all are reached when the refs are moved. */
  readonly reached: readonly string[];
  /** Those that delete come first, to make room for names below theirs. */
  readonly updates: readonly RefUpdate[];
  /** The branch HEAD has to point to; `undefined` where it does. */
  readonly head: string | undefined;
};

const BRANCHES = "refs/heads/";
/** Tips told to the upstream. */
const MOST_HAVES = 10_000;
/** Characters kept of what the upstream says while it works. */
const MOST_PROGRESS = 1000;
/** Commits read to see whether a ref moves forward: little work each where the pack is in memory, else a storage operation. */
const MOST_COMMITS = 10_000;
const MOST_STORED_COMMITS = 50;

/** Asks the upstream for its refs and fetches what is missing. @throws UpstreamFailure, ProtocolError, ObjectRejected, LimitExceeded */
export async function fetchChanges(sync: SyncBegun): Promise<FetchedChanges> {
  const { input, begun } = sync;
  const { record, refs } = begun.snapshot;
  const client = await connect(sync);
  if (client.format.name !== record.objectFormat) {
    throw new UpstreamFailure(
      `The upstream names objects by ${client.format.name}, this repository by ${record.objectFormat}.`,
    );
  }
  const refspecs = begun.settings.refspecs.flatMap((text) => parseRefspec(text) ?? []);
  const theirs = new RefList(client.format, input.repository.limits.refs);
  const upstreamHead = await client.listRefs(refPrefixes(refspecs), ({ name, oid }) => {
    const mapped = mapRef(refspecs, name);
    if (mapped !== undefined && isPushableRefName(mapped)) theirs.add(mapped, oid);
  });
  const head = newHead(upstreamHead, refspecs, theirs, record.head);
  const differences = [...compareRefs(followed(decodeRefRows(refs, client.format.rawSize)), theirs)];
  if (differences.length === 0) return { pack: undefined, reached: [], updates: [], head };
  if (theirs.length === 0) throw new UpstreamFailure("The upstream has none of the mirror's refs any more.");
  const database = openDatabase(sync);
  const fetched = await fetchDifferences({ sync, client, database, differences });
  return { ...fetched, head: fetched.slice === undefined ? head : undefined };
}

/** Opens the catalog that the sync began with, and what it brought. */
function openDatabase({ input, begun }: SyncBegun, pack?: IngestedPack): ObjectDatabase {
  const { record, packs } = begun.snapshot;
  return new ObjectDatabase(pack === undefined ? packs : [...packs, pack.record], {
    storage: input.repository.storage(record.id),
    cache: input.repository.cache,
    scope: record.id,
    format: objectFormat(record.objectFormat),
  });
}

async function connect(sync: SyncBegun): Promise<FetchClient> {
  const { input, begun } = sync;
  const { settings, login, snapshot } = begun;
  const origin = URL.parse(settings.upstream)?.origin ?? "";
  const opened =
    login === undefined ? undefined : await input.openLogin(login, { use: "upstream", id: snapshot.record.id, origin });
  if (opened?.resealed !== undefined) sync.resealed.login = opened.resealed;
  if (opened !== undefined) sync.secrets = secretsIn(opened.authorization);
  const connection = new UpstreamConnection({
    ...input.connection,
    upstream: settings.upstream,
    authorization: opened?.authorization,
  });
  return await FetchClient.connect(connection, input.agent, input.repository.limits.refs);
}

/** Leaves out what no upstream has: what was kept of it. */
function* followed(rows: Iterable<RefRow>): Generator<RefRow> {
  for (const row of rows) if (!row.name.startsWith(KEPT)) yield row;
}

/**
 * Gives the branch that HEAD has to point to from now on: the upstream's, also where it is yet to be born. Where that is no branch of
 * the mirror's, because HEAD is detached or its branch is not taken, HEAD stays on one that is there, or goes to one.
 */
function newHead(
  upstreamHead: string | undefined,
  refspecs: readonly Refspec[],
  theirs: RefList,
  current: string,
): string | undefined {
  const mapped = upstreamHead === undefined ? undefined : mapRef(refspecs, upstreamHead);
  const head = mapped?.startsWith(BRANCHES) === true && checkRefFormat(mapped) ? mapped : stayingHead(theirs, current);
  return head === current ? undefined : head;
}

/** Gives the branch to stay on, or the one to go to: `main` or `master` where there is one, as git guesses, else the first. */
function stayingHead(theirs: RefList, current: string): string | undefined {
  if (theirs.has(current)) return current;
  const usual = ["refs/heads/main", "refs/heads/master"].find((name) => theirs.has(name));
  return usual ?? theirs.firstBelow(BRANCHES);
}

type Differing = {
  readonly sync: SyncBegun;
  readonly client: FetchClient;
  readonly database: ObjectDatabase;
  readonly differences: readonly RefDifference[];
};

async function fetchDifferences(differing: Differing): Promise<Omit<FetchedChanges, "head">> {
  const { sync, client, database, differences } = differing;
  const { repository } = sync.input;
  const wants = await missingTips(differing);
  let lent: Kernel | undefined;
  const kernel = (): Kernel => (lent ??= repository.kernels.lend(client.format.rawSize));
  let pack: IngestedPack | undefined;
  try {
    const fetched = wants.length === 0 ? undefined : await fetchPack(differing, wants, kernel());
    pack = fetched?.pack;
    if (fetched?.slice !== undefined) return { pack, slice: fetched.slice, reached: [], updates: [] };
    const { slice: last } = sync.begun;
    // While the pack's references are at hand.
    const left = anchorsLeft(last?.anchors ?? new Uint8Array(0), pack, client.format);
    const values = differences.flatMap(({ theirs }): TipValue[] =>
      theirs === undefined ? [] : [{ oid: theirs, kind: 0 }],
    );
    const sources = { format: client.format, pack, database, kernel };
    await findTipKinds(values, sources);
    const planned = await planUpdates(differing, values, pack);
    // Objects of the pack first: reading stored ones takes over the kernel's memory.
    await peelTips(values, sources);
    const openAll = (): ObjectDatabase => openDatabase(sync, pack);
    const { policy } = sync.begun.settings;
    const now = repository.now();
    const asked = { policy, updates: withPeeled(planned, values), differences, openAll, kernel, now };
    const updates = await applyPolicy(asked);
    return { pack, reached: reachedPacks(last, left, updates, client.format), updates };
  } catch (error) {
    pack?.release();
    throw error;
  } finally {
    if (lent !== undefined) repository.kernels.giveBack(lent);
  }
}

/** Gives the upstream's values that are in no pack here. */
async function missingTips({ client, database, differences }: Differing): Promise<ObjectIdList> {
  const distinct = new Map<string, Uint8Array>();
  for (const { theirs } of differences) if (theirs !== undefined) distinct.set(toHex(theirs), theirs);
  const all = new ObjectIdList(client.format);
  for (const oid of distinct.values()) all.push(oid);
  const wants = new ObjectIdList(client.format);
  if (all.length === 0) return wants;
  const kinds = await database.kindsOf(all.bytes());
  for (const [at, oid] of [...all].entries()) if (kinds[at] === 0) wants.push(oid);
  return wants;
}

/** Gives what to tell the upstream that we have: what its refs were before, then all our tips. */
function knownTips({ sync, client, differences }: Differing): ObjectIdList {
  const haves = new ObjectIdList(client.format);
  const seen = new Set<string>();
  const add = (oid: Uint8Array | undefined): void => {
    const hex = oid === undefined ? "" : toHex(oid);
    if (oid === undefined || haves.length >= MOST_HAVES || seen.has(hex)) return;
    seen.add(hex);
    haves.push(oid);
  };
  const { anchors } = sync.begun.slice ?? {};
  // What came last reaches most.
  if (anchors !== undefined) for (const oid of [...splitNames(anchors, client.format)].toReversed()) add(oid);
  for (const { ours } of differences) add(ours);
  for (const { oid } of decodeRefRows(sync.begun.snapshot.refs, client.format.rawSize)) add(oid);
  return haves;
}

type Fetched = { readonly pack: IngestedPack; readonly slice?: Slice };

/** Fetches what is wanted, or a slice of it where it is too much for one go. */
async function fetchPack(differing: Differing, wants: ObjectIdList, kernel: Kernel): Promise<Fetched> {
  const { sync, client, differences } = differing;
  const { sliceObjects } = sync.input;
  const listener = listenerOf(sync);
  const { slice: last } = sync.begun;
  const request = { wants, haves: knownTips(differing), thin: last === undefined };
  const whole = await openPack(await client.fetchPack(request, listener));
  if (whole.count <= sliceObjects || !client.canDeepen) {
    const tips = differences.flatMap(({ theirs }) => (theirs === undefined ? [] : [theirs.slice()]));
    return { pack: await ingest(differing, { ...whole, tips }, kernel) };
  }
  await whole.incoming.cancel();
  const wanted = oldestFirst(differing, wants);
  const next = { client, listener, wanted, last, mostObjects: sliceObjects, objects: whole.count };
  const { pack: opened, cut } = await openSlice(next);
  const pack = await ingest(differing, { ...opened, tips: [...splitNames(cut, client.format)] }, kernel);
  return { pack, slice: addSlice(last, cut, pack, client.format) };
}

const NUMBERS = new Intl.Collator("en", { numeric: true });

/** Orders what is wanted by age, as far as names tell: tags by their numbers, then branches. */
function oldestFirst({ differences }: Differing, wants: ObjectIdList): NamedValue[] {
  const wanted = new Set(Array.from(wants, (oid) => toHex(oid)));
  const named = differences.flatMap(({ name, theirs }): NamedValue[] => {
    const isFirst = theirs !== undefined && wanted.delete(toHex(theirs));
    return isFirst ? [{ name, oid: theirs }] : [];
  });
  const rank = ({ name }: NamedValue): number => (name.startsWith("refs/tags/") ? 0 : 1);
  return named.sort((a, b) => rank(a) - rank(b) || NUMBERS.compare(a.name, b.name));
}

/** Counts what comes, and stops what is too much. */
function listenerOf(sync: SyncBegun): BandListener {
  const { input, traffic } = sync;
  const { mostBytes } = input;
  return {
    onProgress: (text) => {
      traffic.progress = withoutSecrets(traffic.progress + text, sync.secrets).slice(-MOST_PROGRESS);
    },
    onBytes: (count) => {
      traffic.bytes += count;
      if (traffic.bytes > mostBytes) {
        throw new LimitExceeded("mirror-pack", mostBytes, `its pack has more than ${mostBytes} bytes`);
      }
    },
  };
}

/** A pack, and what it was asked for by: its mark is that all of it is reached from there. */
type WantedPack = OpenedPack & { readonly tips: readonly Uint8Array[] };

/** Takes a pack in. */
async function ingest(
  { sync, client, database }: Differing,
  wanted: WantedPack,
  kernel: Kernel,
): Promise<IngestedPack> {
  const { incoming, head, tips } = wanted;
  const { input, begun, traffic, packName } = sync;
  const { repository } = input;
  const { record, packs } = begun.snapshot;
  const own = { sizeBytes: record.sizeBytes, packs };
  try {
    const allowance = await input.allowance();
    checkPackHeader(allowance, own, head);
    const pack = await ingestPack({
      source: boundedSource(incoming.source, allowance, own, head),
      head,
      storage: repository.storage(record.id),
      database,
      kernel,
      format: client.format,
      packName,
      packSource: "mirror",
      tips,
      hash: repository.hash,
      deflate: repository.deflate,
      limits: limitsWith(allowance, repository.limits),
      now: repository.now(),
      leniency: {
        ignored: new Set(FORGIVABLE.filter((id) => begun.settings.fsck.ignore.includes(id))),
        skipped: new Set(begun.settings.fsck.skip),
      },
      progress: { received: async () => undefined, resolved: async () => undefined },
    });
    traffic.objects = pack.record.ownObjects;
    try {
      checkStoredPack(allowance, own, pack.record);
    } catch (error) {
      pack.release();
      throw error;
    }
    return pack;
  } finally {
    await incoming.cancel();
  }
}

/** Whether a value is reached from what came: what was merged elsewhere, or moved on by more than is looked at, is so all the same. */
function isReachedBy(pack: IngestedPack | undefined, value: Uint8Array | undefined): boolean {
  return value !== undefined && pack?.record.marked === true && pack.refersTo(value);
}

/** @throws ObjectRejected where a ref of this name can't have that value, whose type number is given: 0 where it is not here. */
function assertMayName(name: string, value: Uint8Array, kind: number): void {
  if (kind === 0) throw new ObjectRejected(`did not receive expected object ${toHex(value)}`);
  if (kind === KIND_NUMBER.commit || !name.startsWith(BRANCHES)) return;
  throw new ObjectRejected(`cannot update ref '${name}': trying to write non-commit object ${toHex(value)} to branch`);
}

/** Makes commands of the differences. `values` are those of the refs that the upstream has, in their order. */
async function planUpdates(
  { sync, client, differences }: Differing,
  values: readonly TipValue[],
  pack: IngestedPack | undefined,
): Promise<RefUpdate[]> {
  const none = "0".repeat(client.format.hexSize);
  const inMemory = (pack?.record.packBytes ?? 0) <= sync.input.repository.limits.memoryPackBytes;
  const mostCommits = inMemory ? MOST_COMMITS : MOST_STORED_COMMITS;
  const gone: RefUpdate[] = [];
  const moved: RefUpdate[] = [];
  for (const { name, ours, theirs } of differences) {
    const oldOid = ours === undefined ? none : toHex(ours);
    const reached = isReachedBy(pack, ours);
    if (theirs === undefined) {
      gone.push({ name, oldOid, newOid: none, forward: false, reached });
      continue;
    }
    const kind = values[moved.length]?.kind ?? 0;
    assertMayName(name, theirs, kind);
    let forward = ours === undefined;
    if (ours !== undefined && pack !== undefined && kind === KIND_NUMBER.commit) {
      forward = await movesForward({ from: ours, to: theirs }, pack, client.format, mostCommits);
    }
    moved.push({ name, oldOid, newOid: toHex(theirs), forward, reached });
  }
  return [...gone, ...moved];
}

/** Adds what tags finally name. The last of `updates` are those of `values`, in their order. */
function withPeeled(updates: readonly RefUpdate[], values: readonly TipValue[]): RefUpdate[] {
  const first = updates.length - values.length;
  return updates.map((update, index) => {
    const peeled = values[index - first]?.peeled;
    return peeled === undefined ? update : { ...update, peeled: toHex(peeled) };
  });
}
