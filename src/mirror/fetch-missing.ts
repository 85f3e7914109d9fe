/**
 * Fetches and ingests the objects that an upstream has and its mirror lacks, or a slice of them.
 *
 * @packageDocumentation
 */
import { LimitExceeded } from "../bytes/failure.ts";
import { toHex } from "../bytes/hex.ts";
import type { RequestMemory } from "../bytes/memory-budget.ts";
import type { ByteSource } from "../bytes/byte-stream.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { FORGIVABLE, type FsckLeniency } from "../object/fsck-rule.ts";
import type { MirrorSettings, Slice } from "../refs/mirror-store.ts";
import { decodeRefRows } from "../refs/ref-rows.ts";
import { takeIn } from "../repository/take-in.ts";
import type { IngestedPack } from "../store/ingest/ingest-pack.ts";
import { ObjectIdList } from "../wire/object-id-list.ts";
import { DumbClient } from "./dumb/dumb-client.ts";
import { fetchDumb } from "./dumb/fetch-dumb.ts";
import type { BandListener } from "./line-source.ts";
import { withoutSecrets } from "./redaction.ts";
import type { NamedValue } from "./ref-comparison.ts";
import { addSlice, splitNames } from "./slice-anchors.ts";
import { type OpenedPack, openPack, openSlice } from "./slices.ts";
import type { Differing, SyncBegun } from "./sync-input.ts";

/** The most tips that are named to the upstream. */
const MOST_HAVES = 10_000;
/** The most characters that are kept of the upstream's progress. */
const MOST_PROGRESS = 1000;

/** A pack that was fetched. `slice` is present if the pack is only a slice of the missing objects. */
export type FetchedPack = { readonly pack: IngestedPack; readonly slice?: Slice };

/**
 * Fetches the missing objects, or a slice of them if they are too many for one sync. Returns `undefined` if all objects
 * are here.
 */
export async function fetchMissing(
  differing: Differing,
  kernel: () => Promise<Kernel>,
): Promise<FetchedPack | undefined> {
  const { sync, client, database, differences } = differing;
  const wants = await missingTips(differing);
  if (wants.length === 0) return undefined;
  // lent before anything is requested: the upstream does not wait for a kernel
  const lent = await kernel();
  const { sliceObjects } = sync.input;
  const listener = listenerOf(sync);
  const tips = differences.flatMap(({ theirs }) => (theirs === undefined ? [] : [theirs.slice()]));
  if (client instanceof DumbClient) {
    const { repository } = sync.input;
    const tools = { files: client.files, format: client.format, database, repository };
    const taker = async (pack: OpenedPack): Promise<IngestedPack> => {
      // What came before, and was not complete, left its names in it.
      lent.reset();
      return await store(differing, { ...pack, tips }, lent);
    };
    return { pack: await fetchDumb(tools, wants, listener, taker) };
  }
  const { slice: last } = sync.begun;
  const request = { wants, haves: knownTips(differing), thin: last === undefined };
  const whole = await openPack(await client.fetchPack(request, listener));
  if (whole.count <= sliceObjects || !client.canDeepen) {
    return { pack: await store(differing, { ...whole, tips }, lent) };
  }
  await whole.incoming.cancel();
  const wanted = oldestFirst(differing, wants);
  const next = { client, listener, wanted, last, mostObjects: sliceObjects, objects: whole.count };
  const { pack: opened, cut } = await openSlice(next);
  const pack = await store(differing, { ...opened, tips: [...splitNames(cut, client.format)] }, lent);
  return { pack, slice: addSlice(last, cut, pack, client.format) };
}

/** Returns the upstream's values that are in no pack here. */
async function missingTips({ client, database, differences }: Differing): Promise<ObjectIdList> {
  const distinct = new Map<string, Uint8Array>();
  for (const { theirs } of differences) if (theirs !== undefined) distinct.set(toHex(theirs), theirs);
  const all = new ObjectIdList(client.format);
  for (const oid of distinct.values()) all.push(oid);
  const wants = new ObjectIdList(client.format);
  if (all.length === 0) return wants;
  const types = await database.typesOf(all.bytes());
  for (const [at, oid] of [...all].entries()) if (types[at] === 0) wants.push(oid);
  return wants;
}

/** Returns the haves to name to the upstream: the former values of its refs, then all our tips. */
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
  // The last anchors reach most.
  if (anchors !== undefined) for (const oid of [...splitNames(anchors, client.format)].toReversed()) add(oid);
  for (const { ours } of differences) add(ours);
  for (const { oid } of decodeRefRows(sync.begun.snapshot.refs, client.format.rawSize)) add(oid);
  return haves;
}

const NUMBERS = new Intl.Collator("en", { numeric: true });

/** Orders the wants by age, as far as names tell: tags by their numbers, then branches. */
function oldestFirst({ differences }: Differing, wants: ObjectIdList): NamedValue[] {
  const wanted = new Set(Array.from(wants, (oid) => toHex(oid)));
  const named = differences.flatMap(({ name, theirs }): NamedValue[] => {
    const isFirst = theirs !== undefined && wanted.delete(toHex(theirs));
    return isFirst ? [{ name, oid: theirs }] : [];
  });
  const rank = ({ name }: NamedValue): number => (name.startsWith("refs/tags/") ? 0 : 1);
  return named.sort((a, b) => rank(a) - rank(b) || NUMBERS.compare(a.name, b.name));
}

/** Counts what comes, and stops a pack that is too large. */
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
        throw new LimitExceeded("mirror-pack-bytes", mostBytes, `its pack has more than ${mostBytes} bytes`);
      }
    },
  };
}

/** A pack, and the tips for which it was requested. Its mark says that they reach all of it. */
type WantedPack = OpenedPack & { readonly tips: readonly Uint8Array[] };

function leniencyOf({ fsck }: MirrorSettings): FsckLeniency {
  const ignored = new Set(FORGIVABLE.filter((id) => fsck.ignore.includes(id)));
  return { ignored, warned: new Set(), skipped: new Set(fsck.skip) };
}

/** Returns the upstream's bytes as a source that gives way to other requests while the upstream stalls. */
function waitedFor(source: ByteSource, memory: RequestMemory): ByteSource {
  return {
    read: async (buffer) => {
      const bytes = await memory.whileClient(source.read(buffer));
      memory.moved(bytes.length);
      return bytes;
    },
  };
}

/** Ingests a pack. */
async function store({ sync, database }: Differing, wanted: WantedPack, kernel: Kernel): Promise<IngestedPack> {
  const { incoming, head, tips } = wanted;
  const { input, begun, traffic, packName } = sync;
  const { record, packs } = begun.snapshot;
  try {
    const pack = await takeIn(
      { repository: input.repository, record, packs, usedBytes: record.sizeBytes, database, kernel },
      {
        source: waitedFor(incoming.source, input.repository.memory),
        head,
        allowance: await input.allowance(),
        packName,
        packSource: "mirror",
        tips,
        leniency: leniencyOf(begun.settings),
        progress: { received: async () => undefined, resolved: async () => undefined },
      },
    );
    traffic.objects = pack.record.ownObjects;
    return pack;
  } finally {
    await incoming.cancel();
  }
}
