/**
 * Fetches and ingests the objects that an upstream has and its mirror lacks, or a slice of them.
 *
 * @packageDocumentation
 */
import { itemAt } from "../bytes/assert.ts";
import { concat } from "../bytes/chunk.ts";
import { LimitExceeded } from "../bytes/failure.ts";
import { toHex } from "../bytes/hex.ts";
import { sortInTurns } from "../bytes/sort-in-turns.ts";
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

/** The steps of the name of an object that is written in hexadecimal and looked up. */
const NAME_STEPS = 100;

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
  const { sync, client, database } = differing;
  const tips = await distinctTips(differing);
  const wants = await missingTips(differing, tips);
  if (wants.length === 0) return undefined;
  // lent before anything is requested: the upstream does not wait for a kernel
  const lent = await kernel();
  const { sliceObjects } = sync.input;
  const listener = listenerOf(sync);
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
  const request = { wants, haves: await knownTips(differing), thin: last === undefined };
  const whole = await openPack(await client.fetchPack(request, listener));
  if (whole.count <= sliceObjects || !client.canDeepen) {
    return { pack: await store(differing, { ...whole, tips }, lent) };
  }
  await whole.incoming.cancel();
  const wanted = await oldestFirst(differing, wants);
  const next = { client, listener, wanted, last, mostObjects: sliceObjects, objects: whole.count };
  const { pack: opened, cut } = await openSlice(next);
  const pack = await store(differing, { ...opened, tips: [...splitNames(cut, client.format)] }, lent);
  return { pack, slice: addSlice(last, cut, pack, client.format) };
}

/** Returns the upstream's values, each once. They are views into its list of refs. */
async function distinctTips({ sync, differences }: Differing): Promise<Uint8Array[]> {
  const distinct = new Map<string, Uint8Array>();
  await sync.input.repository.pacer.forEach(differences.length, NAME_STEPS, (at) => {
    const { theirs } = itemAt(differences, at);
    if (theirs !== undefined) distinct.set(toHex(theirs), theirs);
  });
  return [...distinct.values()];
}

/** Returns those of the upstream's values that are in no pack here. */
async function missingTips({ client, database }: Differing, tips: readonly Uint8Array[]): Promise<ObjectIdList> {
  const wants = new ObjectIdList(client.format);
  if (tips.length === 0) return wants;
  const types = await database.typesOf(concat(tips));
  for (const [at, oid] of tips.entries()) if (types[at] === 0) wants.push(oid);
  return wants;
}

/** Returns the haves to name to the upstream: the former values of its refs, then all our tips. */
async function knownTips({ sync, client, differences }: Differing): Promise<ObjectIdList> {
  const haves = new ObjectIdList(client.format);
  const seen = new Set<string>();
  const { pacer } = sync.input.repository;
  const add = async (oid: Uint8Array | undefined): Promise<void> => {
    if (oid === undefined || haves.length >= MOST_HAVES) return;
    pacer.add(NAME_STEPS);
    if (pacer.isDue) await pacer.pace();
    const hex = toHex(oid);
    if (seen.has(hex)) return;
    seen.add(hex);
    haves.push(oid);
  };
  const { anchors } = sync.begun.slice ?? {};
  // The last anchors reach most.
  if (anchors !== undefined) for (const oid of [...splitNames(anchors, client.format)].toReversed()) await add(oid);
  for (const { ours } of differences) await add(ours);
  for (const { oid } of decodeRefRows(sync.begun.snapshot.refs, client.format.rawSize)) {
    if (haves.length >= MOST_HAVES) break;
    await add(oid);
  }
  return haves;
}

/** The steps of comparing a character of a name by {@link NUMBERS}. */
const COLLATING_STEPS = 5;
const NUMBERS = new Intl.Collator("en", { numeric: true });

/** Orders the wants by age, as far as names tell: tags by their numbers, then branches. */
async function oldestFirst({ sync, differences }: Differing, wants: ObjectIdList): Promise<NamedValue[]> {
  const { pacer } = sync.input.repository;
  const wanted = new Set<string>();
  await pacer.forEach(wants.length, NAME_STEPS, (at) => void wanted.add(wants.hexAt(at)));
  const named: NamedValue[] = [];
  await pacer.forEach(differences.length, NAME_STEPS, (at) => {
    const { name, theirs } = itemAt(differences, at);
    if (theirs !== undefined && wanted.delete(toHex(theirs))) named.push({ name, oid: theirs });
  });
  const rank = ({ name }: NamedValue): number => (name.startsWith("refs/tags/") ? 0 : 1);
  const compare = (a: NamedValue, b: NamedValue): number => rank(a) - rank(b) || NUMBERS.compare(a.name, b.name);
  const order = await sortInTurns(
    {
      count: named.length,
      compare: (a, b) => compare(itemAt(named, a), itemAt(named, b)),
      stepsOf: (index) => COLLATING_STEPS * itemAt(named, index).name.length,
    },
    pacer,
  );
  return Array.from(order, (index) => itemAt(named, index));
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
      {
        repository: input.repository,
        record,
        packs,
        usedBytes: record.sizeBytes + begun.besideBytes,
        database,
        kernel,
      },
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
