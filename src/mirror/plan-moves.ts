/**
 * Turns the differences of an upstream's refs and its mirror's into commands, once all objects are here.
 *
 * @packageDocumentation
 */
import { itemAt } from "../bytes/assert.ts";
import { ObjectRejected } from "../bytes/failure.ts";
import { toHex } from "../bytes/hex.ts";
import { movesForwardInPack } from "../graph/forward-move.ts";
import { findTipTypes, peelTips, type TipValue } from "../graph/tip-values.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { TYPE_NUMBER } from "../object/object-type.ts";
import type { RefUpdate } from "../refs/ref-update.ts";
import { openObjects } from "../repository/open-objects.ts";
import type { IngestedPack } from "../store/ingest/ingest-pack.ts";
import type { ObjectDatabase } from "../store/object-database.ts";
import { applyPolicy } from "./rewritten.ts";
import { anchorsLeft, reachedPacks } from "./slice-anchors.ts";
import type { Differing } from "./sync-input.ts";

const BRANCHES = "refs/heads/";
/**
 * The most commits that are read to see whether a ref moves forward. In a pack in memory each is little work; in a
 * stored pack each is a storage operation, so the second bound is lower.
 */
const MOST_COMMITS = 10_000;
const MOST_STORED_COMMITS = 50;

/** The steps of a ref whose move is planned: the names of its objects are written in hexadecimal. */
const UPDATE_STEPS = 100;

/** The planned moves of refs. */
export type PlannedMoves = {
  /** Names of earlier slices' packs whose objects are all reached once the refs have moved. */
  readonly reached: readonly string[];
  /** The commands. Deletions come first, to make room for names below theirs. */
  readonly updates: readonly RefUpdate[];
};

/**
 * Plans the moves of refs; `pack` is the pack fetched for them.
 *
 * @throws ObjectRejected if a ref can't have its value.
 */
export async function planMoves(
  differing: Differing,
  pack: IngestedPack | undefined,
  kernel: () => Promise<Kernel>,
): Promise<PlannedMoves> {
  const { sync, client, database, differences } = differing;
  const { repository } = sync.input;
  const { settings, slice: last, snapshot } = sync.begun;
  // Done while the pack's references are available.
  const left = anchorsLeft(last?.anchors ?? new Uint8Array(0), pack, client.format);
  const values = differences.flatMap(({ theirs }): TipValue[] =>
    theirs === undefined ? [] : [{ oid: theirs, type: 0 }],
  );
  const sources = { format: client.format, pack, database, kernel };
  await findTipTypes(values, sources);
  const planned = await planUpdates(differing, values, pack);
  // Objects of the pack come first: reading stored objects takes over the kernel's memory.
  await peelTips(values, sources);
  const packs = pack === undefined ? snapshot.packs : [...snapshot.packs, pack.record];
  const openAll = (): ObjectDatabase => openObjects(repository, snapshot.record, packs, snapshot.graphs);
  const { policy } = settings;
  const now = repository.now();
  const updates = await applyPolicy({
    policy,
    updates: withPeeled(planned, values),
    differences,
    openAll,
    kernel,
    now,
  });
  return { reached: reachedPacks(last, left, updates, client.format), updates };
}

/**
 * Whether the pack carries the mark and one of its objects refers to the value. This also covers a value that was
 * merged elsewhere, or that lies more commits back than are read.
 */
function isReachedBy(pack: IngestedPack | undefined, value: Uint8Array | undefined): boolean {
  return value !== undefined && pack?.record.marked === true && pack.refersTo(value);
}

/**
 * Checks that a ref of this name can have that value, whose type number is given (0 if it is not here).
 *
 * @throws ObjectRejected
 */
function assertMayName(name: string, value: Uint8Array, type: number): void {
  if (type === 0) throw new ObjectRejected(`did not receive expected object ${toHex(value)}`);
  if (type === TYPE_NUMBER.commit || !name.startsWith(BRANCHES)) return;
  throw new ObjectRejected(`cannot update ref '${name}': trying to write non-commit object ${toHex(value)} to branch`);
}

/** Turns the differences into commands. `values` are those of the refs that the upstream has, in their order. */
async function planUpdates(
  { sync, client, differences }: Differing,
  values: readonly TipValue[],
  pack: IngestedPack | undefined,
): Promise<RefUpdate[]> {
  const none = "0".repeat(client.format.hexSize);
  // A sync without a pack counts as zero bytes.
  const inMemory = (pack?.record.packBytes ?? 0) <= sync.input.repository.limits.memoryPackBytes;
  const mostCommits = inMemory ? MOST_COMMITS : MOST_STORED_COMMITS;
  const gone: RefUpdate[] = [];
  const moved: RefUpdate[] = [];
  const { pacer } = sync.input.repository;
  for (const { name, ours, theirs } of differences) {
    pacer.add(UPDATE_STEPS);
    if (pacer.isDue) await pacer.pace();
    const oldOid = ours === undefined ? none : toHex(ours);
    const reached = isReachedBy(pack, ours);
    if (theirs === undefined) {
      gone.push({ name, oldOid, newOid: none, forward: false, reached });
      continue;
    }
    const type = itemAt(values, moved.length).type;
    assertMayName(name, theirs, type);
    let forward = ours === undefined;
    if (ours !== undefined && pack !== undefined && type === TYPE_NUMBER.commit) {
      forward = await movesForwardInPack({ from: ours, to: theirs }, pack, client.format, mostCommits);
    }
    moved.push({ name, oldOid, newOid: toHex(theirs), forward, reached });
  }
  return [...gone, ...moved];
}

/** Adds the objects that tags finally name. The last of `updates` are those of `values`, in their order. */
function withPeeled(updates: readonly RefUpdate[], values: readonly TipValue[]): RefUpdate[] {
  const first = updates.length - values.length;
  return updates.map((update, index) => {
    const peeled = values[index - first]?.peeled;
    return peeled === undefined ? update : { ...update, peeled: toHex(peeled) };
  });
}
