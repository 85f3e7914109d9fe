/**
 * Makes the pack of a fetch: decides what to send, then sends it as it lies in the bucket.
 *
 * The fast way applies if nothing is common, the wants cover every tip, and every pack carries the mark (everything in
 * it is reachable from a ref). Then the packs themselves are the answer, and no object is examined. Otherwise commits
 * are walked, then the trees that differ, and the selected entries are copied.
 *
 * @packageDocumentation
 * @see git-pack-objects(1)
 */
import { EXEMPT, IS_TAG, PENDING, REF_TREE, SELECTED, UNINTERESTING } from "../kernel/object-flags.ts";
import { isPlaced, selectBeside, selectWholePacks } from "./whole-packs.ts";
import {
  isAmong,
  learnByGraph,
  reachedByBitmaps,
  selectAllByBitmaps,
  selectByBitmaps,
  type SelectedRanks,
} from "../graph/bitmap-walk.ts";
import { walkCommits } from "../graph/commit-walk.ts";
import { selectNamed } from "../graph/named-objects.ts";
import type { GraphSession } from "../graph/graph-session.ts";
import { selectByTypes } from "./type-selection.ts";
import { NO_FILTER, type ObjectFilter, dropFiltered, isByType, passingTypes } from "../graph/object-filter.ts";
import { selectGivenTrees, selectTreesOf, type TreeWalk } from "../graph/object-walk.ts";
import { type PackSelection, isCopy, freeSelection, hasWithoutNode, placeSelected } from "./pack-selection.ts";
import { PACK_HEADER_BYTES } from "../format/pack-header.ts";
import { TYPE_NUMBER } from "../object/object-type.ts";
import { decodeRefRows } from "../refs/ref-rows.ts";
import type { PackHandle } from "../store/pack-handle.ts";
import { type FetchSession, isOfEverything } from "./pack-session.ts";
import { PackCopy } from "./pack-copy.ts";
import { CopyParking, type CopyPlan } from "./copy-parking.ts";
import { PackOutput } from "./pack-output.ts";
import { streamRun } from "./stored-run.ts";
import { withThinDeltas } from "./thin-deltas.ts";

/** The options of making a pack. */
export type PackOptions = {
  /** Whether deltas may build on objects that the client has. */
  readonly thinPack: boolean;
  readonly ofsDelta: boolean;
  /** Whether tags of sent objects go along. The snapshot then has the refs below `refs/tags/`. */
  readonly includeTag: boolean;
  /** The filter of objects that the client leaves out. */
  readonly filter: ObjectFilter;
  /** Whether the pack is made beside other work, with little memory. */
  readonly isFrugal?: boolean;
  /** A pack that the client fetches from an address: what it has is left out. The fetch has to be one of {@link isEverything}. */
  readonly beside?: PackHandle;
};

/** The receiver of a pack. */
export interface PackSink {
  /** Takes bytes of the pack, which may be reused once the promise settles. */
  data(bytes: Uint8Array): Promise<void>;
  /** Takes text for the user's terminal. */
  progress(text: string): Promise<void>;
}

/** The number of objects after which progress is reported again. */
const PROGRESS_STEP = 10_000;
const TAGS = "refs/tags/";

/** If history is cut for the client, up to this many of its commits are compared with what it gets. */
const MOST_EDGES = 32;
/** The size in bytes of the buffers between the bucket and the client. */
const BUFFER_BYTES = 768 * 1024;
/** The bytes of a selected entry: its offset, its end, its node and its offset in the output. */
const SELECTED_BYTES = 28;
/** Above this many wants, their types are learnt from the files beside the packs. */
const MANY_WANTS = 16;

/** Selects and sends the pack. */
export async function packObjects(session: FetchSession, options: PackOptions, sink: PackSink): Promise<void> {
  const { memory } = session.repository;
  const { beside } = options;
  memory.hold(BUFFER_BYTES);
  try {
    if (beside === undefined) await selectAndSend(session, options, sink);
    else await sendBeside(session, beside, options, sink);
  } finally {
    memory.hold(-BUFFER_BYTES);
  }
}

/** Sends everything that a pack does not have, to a client that gets that pack elsewhere. */
async function sendBeside(
  session: FetchSession,
  pack: PackHandle,
  options: PackOptions,
  sink: PackSink,
): Promise<void> {
  const { graph } = session;
  const parts = await selectBeside(graph, pack);
  await send(session, { whole: [], parts, mayBuildOn: (name) => isPlaced(graph, name) }, options, sink);
}

async function selectAndSend(session: FetchSession, options: PackOptions, sink: PackSink): Promise<void> {
  const { graph } = session;
  const packs = session.database.packs.filter((pack) => !isCopy(pack));
  const { filter } = options;
  // Entries of a pack that is sent as it lies keep their ofs-deltas.
  if (isEverything(session) && filter === NO_FILTER && options.ofsDelta) {
    const [only] = packs;
    if (only !== undefined && packs.length === 1 && only.record.ownObjects === only.record.objects) {
      await sendWholeFile(session, only, sink);
      return;
    }
    const { whole, parts } = await selectWholePacks(graph);
    await send(session, { whole, parts, mayBuildOn: (name) => isPlaced(graph, name) }, options, sink);
    return;
  }
  if (session.toSend.length > MANY_WANTS) {
    // Many wants and nothing at the client: a partial clone checks out, and mostly wants objects of the tip.
    if (session.common.nodes.size === 0) session.database.useCopies();
    await graph.learnTypes(session.toSend);
  }
  let parts: readonly PackSelection[];
  if (isEverything(session) && isByType(filter)) {
    parts = await selectByTypes(graph, filter, await namedObjects(session));
  } else {
    // They are needed in the end. Before that, each of the first names would take reads of its own.
    if (isAllHistory(session)) await session.database.loadIndexes();
    parts = await placeSelected(graph, await selectObjects(session, options, sink));
  }
  const clientHas = options.thinPack ? thinBases(graph, filter) : () => false;
  const direct = parts.filter(({ ranks }) => ranks !== undefined);
  const mayBuildOn = (name: Uint8Array): boolean => {
    const node = graph.findNode(name);
    if (node >= 0 && clientHas(node)) return true;
    if (node >= 0 && graph.has(node, SELECTED) && !graph.has(node, PENDING)) return true;
    return direct.some((part) => hasWithoutNode(part, name));
  };
  if (options.thinPack && filter === NO_FILTER) parts = await withThinDeltas(session, parts, mayBuildOn);
  await send(session, { whole: [], parts, mayBuildOn }, options, sink);
}

/**
 * Whether all stored objects are to be sent, apart from a filter: every pack's mark says that its objects are
 * reachable.
 */
export function isEverything({ answer, common, isShallow }: FetchSession): boolean {
  return common.nodes.size === 0 && !isShallow && isOfEverything(answer);
}

/** Whether all history is to be sent, to a client that has none of it. */
function isAllHistory({ answer, common, isShallow }: FetchSession): boolean {
  return common.nodes.size === 0 && answer.uncoveredTips === 0 && !isShallow;
}

/** Whether some refs' values are wanted with all of their history. A client that asks for what it lacks names other objects. */
function isOfTips({ answer: { wantIsTip }, toSend, common, isShallow }: FetchSession): boolean {
  const isFew = toSend.length <= MANY_WANTS;
  return isFew && common.nodes.size === 0 && !isShallow && wantIsTip.every((isTip) => isTip !== 0);
}

/**
 * Returns a test of nodes: whether a client that takes thin packs has them. A partial clone lacks what its filter left
 * out.
 */
function thinBases(graph: GraphSession, filter: ObjectFilter): (node: number) => boolean {
  if (filter === NO_FILTER) return (node) => graph.has(node, UNINTERESTING);
  const keepsTrees = passingTypes(filter).has(TYPE_NUMBER.tree) && filter.treeDepth === Number.POSITIVE_INFINITY;
  return (node) => keepsTrees && graph.has(node, UNINTERESTING) && graph.has(node, REF_TREE);
}

/** Returns the trees and blobs that were asked for by name or by way of a tag: a filter does not apply to them. */
async function namedObjects({ graph, toSend }: FetchSession): Promise<number[]> {
  const named: number[] = [];
  await graph.learnTypes(toSend);
  const tags = toSend.filter((want) => graph.has(want, IS_TAG));
  await graph.prefetch(tags);
  for (const want of toSend) {
    const object = await graph.peel(want);
    const type = await graph.typeOf(object);
    if (type === TYPE_NUMBER.tree || type === TYPE_NUMBER.blob) named.push(object);
  }
  return named;
}

/** Sends the pack as it is, without even hashing it. */
async function sendWholeFile(session: FetchSession, pack: PackHandle, sink: PackSink): Promise<void> {
  const { packBytes, objects } = pack.record;
  session.rest();
  await sink.progress(`Enumerating objects: ${objects}, done.\n`);
  await streamRun(pack, { offset: 0, length: packBytes }, async (bytes) => await sink.data(bytes));
  await sink.progress(`Total ${objects} (delta 0), reused ${objects} (delta 0), pack-reused ${objects}\n`);
}

async function send(session: FetchSession, plan: CopyPlan, options: PackOptions, sink: PackSink): Promise<void> {
  const { repository, graph } = session;
  const { memory } = repository;
  if (plan.parts.length === 0) session.rest();
  const { ofsDelta, isFrugal = false } = options;
  const parking = new CopyParking(session, plan, !isFrugal);
  let total = 0;
  for (const { record } of plan.whole) total += record.ownObjects;
  for (const { offsets } of plan.parts) total += offsets.length;
  await sink.progress(`Enumerating objects: ${total}, done.\nCounting objects: 100% (${total}/${total}), done.\n`);
  await parking.ended();
  const write = async (bytes: Uint8Array): Promise<void> => {
    await sink.data(bytes);
    await parking.ended();
  };
  const output = new PackOutput(write, repository.hash(graph.format.name));
  const heldBytes = total * SELECTED_BYTES;
  memory.hold(heldBytes);
  try {
    await output.begin(total);
    for (const pack of plan.whole) {
      const run = { offset: PACK_HEADER_BYTES, length: pack.record.ownBytes - PACK_HEADER_BYTES };
      await streamRun(pack, run, async (bytes) => await output.append(bytes));
    }
    const mayBuildOn = (name: Uint8Array): boolean => parking.mayBuildOn(name);
    const copy = { ofsDelta, isFrugal, mayBuildOn, deflate: repository.deflate };
    for (const part of plan.parts) {
      const copying = new PackCopy(session, part, copy, output);
      parking.begin(part, copying);
      await copying.run();
      freeSelection(part);
    }
    await output.end();
  } finally {
    memory.hold(-heldBytes);
    parking.end();
  }
  await sink.progress(`Total ${total} (delta 0), reused ${total} (delta 0), pack-reused 0\n`);
}

/** Marks the objects to be sent. Returns further ones, which have no nodes. */
async function selectObjects(
  session: FetchSession,
  options: PackOptions,
  sink: PackSink,
): Promise<SelectedRanks | undefined> {
  const { graph } = session;
  let counted = 0;
  let told = 0;
  const count = async (objects: number): Promise<void> => {
    counted += objects;
    if (counted - told < PROGRESS_STEP) return;
    told = counted;
    await sink.progress(`Enumerating objects: ${counted}\r`);
  };
  const walk = { filter: options.filter, count };
  if (isOfTips(session)) await learnByGraph(graph, session.toSend);
  const { commits, trees } = await selectNamed(graph, session.toSend, EXEMPT);
  const direct = await selectHistory(session, commits, walk);
  await selectGivenTrees(graph, trees, walk);
  if (options.filter !== NO_FILTER) await dropFiltered(graph, options.filter);
  // Tags pass the filter, as in C git's --include-tag.
  if (options.includeTag) await selectTags(session, direct);
  return direct;
}

/** Marks what commits reach and the client lacks. Returns the part of it that has no nodes. */
async function selectHistory(
  session: FetchSession,
  commits: readonly number[],
  walk: TreeWalk,
): Promise<SelectedRanks | undefined> {
  const { graph, common, isShallow } = session;
  for (const node of common.unread) graph.mark(node, UNINTERESTING);
  // Bitmaps know of no cuts.
  if (!isShallow && common.nodes.size === 0) {
    const direct = await selectAllByBitmaps(graph, commits, walk);
    if (direct !== undefined) return direct;
  }
  const reachedByCommon = isShallow ? undefined : async () => await reachedByBitmaps(graph, common.nodes);
  const walked = await walkCommits(graph, commits, common.nodes, reachedByCommon && { reachedByCommon });
  if (!isShallow && (await selectByBitmaps(graph, { wanted: commits, walked }, walk))) return undefined;
  for (const node of walked.interesting) graph.mark(node, SELECTED);
  await walk.count(walked.interesting.length);
  // If history is cut, the client's commits need not be parents of what it gets. `pack-objects --shallow` does the
  // same.
  const had = isShallow ? [...common.nodes].slice(-MOST_EDGES) : [];
  const edges = [...new Set([...walked.edges, ...had])];
  await selectTreesOf(graph, { ...walked, edges }, walk);
  return undefined;
}

/** Marks the tags whose object is sent, with the tags between. @see gitprotocol-capabilities(5), include-tag */
async function selectTags(session: FetchSession, direct: SelectedRanks | undefined): Promise<void> {
  const { graph, answer } = session;
  const tags: number[] = [];
  const tagged: number[] = [];
  for (const row of decodeRefRows(answer.refs, graph.format.rawSize)) {
    if (row.peeled === undefined || !row.name.startsWith(TAGS)) continue;
    const peeled = graph.findNode(row.peeled);
    const isSent =
      (peeled >= 0 && graph.has(peeled, SELECTED)) || (direct !== undefined && isAmong(direct, row.peeled));
    if (!isSent) continue;
    const tag = graph.node(row.oid);
    // A tag of this tag, whose row comes later, may tell that it names this one, and not what that finally names.
    graph.mark(tag, SELECTED);
    tags.push(tag);
    tagged.push(graph.node(row.peeled));
  }
  if (tags.length > 1) {
    // Else the type of what each tag names would be looked up by itself.
    await graph.learnTypes([...tags, ...tagged]);
    await graph.prefetch(tags);
  }
  for (const tag of tags) await graph.peel(tag, SELECTED);
}
