/**
 * Makes the pack of a fetch: decides what to send, then sends it as it lies in the bucket.
 *
 * The fast way: nothing is common, the wants cover every tip, and every pack carries the mark (everything in it is reachable from
 * a ref). Then the packs themselves are the answer, and no object is looked at. Otherwise commits are walked, then the trees
 * that differ, and the entries selected are copied.
 *
 * @packageDocumentation
 * @see git-pack-objects(1)
 */
import { isPlaced, selectWholePacks } from "../graph/whole-packs.ts";
import { walkCommits } from "../graph/commit-walk.ts";
import { PENDING, SELECTED, UNINTERESTING } from "../graph/graph-session.ts";
import { selectTreesOf, selectWhole } from "../graph/object-walk.ts";
import { type PackSelection, placeSelected } from "../graph/pack-selection.ts";
import { PACK_HEADER_BYTES } from "../format/pack-header.ts";
import { KIND_NUMBER } from "../object/object-kind.ts";
import { decodeRefRows } from "../refs/ref-rows.ts";
import type { PackHandle } from "../store/pack-handle.ts";
import type { FetchSession } from "./fetch-session.ts";
import { type CopyOptions, PackCopy } from "./pack-copy.ts";
import { PackOutput } from "./pack-output.ts";
import { streamRun } from "./stored-run.ts";

/** How the pack may be made. */
export type PackOptions = {
  /** Deltas may be against what the client has. */
  readonly thinPack: boolean;
  readonly ofsDelta: boolean;
  /** Tags of what is sent go along; the snapshot then has the refs below `refs/tags/`. */
  readonly includeTag: boolean;
};

/** Where the pack goes. */
export interface PackSink {
  /** Takes bytes of the pack, which may be reused once the promise settles. */
  data(bytes: Uint8Array): Promise<void>;
  /** Takes text for the user's terminal. */
  progress(text: string): Promise<void>;
}

const PROGRESS_STEP = 10_000;
const TAGS = "refs/tags/";

/** Selects and sends the pack. */
export async function packObjects(session: FetchSession, options: PackOptions, sink: PackSink): Promise<void> {
  const { answer, common, graph } = session;
  const packs = session.database.packs;
  if (
    common.nodes.size === 0 &&
    answer.uncoveredTips === 0 &&
    // entries of a pack that is sent as it lies keep their ofs-deltas
    options.ofsDelta &&
    packs.length > 0 &&
    packs.every(({ record }) => record.marked)
  ) {
    const [only] = packs;
    if (only !== undefined && packs.length === 1 && only.record.ownObjects === only.record.objects) {
      await sendWholeFile(only, sink);
      return;
    }
    const { whole, parts } = await selectWholePacks(graph);
    await send(session, { whole, parts, mayBuildOn: (name) => isPlaced(graph, name) }, options, sink);
    return;
  }
  await selectObjects(session, options, sink);
  const parts = await placeSelected(graph);
  const mayBuildOn = (name: Uint8Array): boolean => {
    const node = graph.findNode(name);
    if (node < 0) return false;
    if (options.thinPack && graph.has(node, UNINTERESTING)) return true;
    return graph.has(node, SELECTED) && !graph.has(node, PENDING);
  };
  await send(session, { whole: [], parts, mayBuildOn }, options, sink);
}

/** The pack as it is: not even hashed. */
async function sendWholeFile(pack: PackHandle, sink: PackSink): Promise<void> {
  const { packBytes, objects } = pack.record;
  await sink.progress(`Enumerating objects: ${objects}, done.\n`);
  await streamRun(pack, { offset: 0, length: packBytes }, async (bytes) => await sink.data(bytes));
  await sink.progress(`Total ${objects} (delta 0), reused ${objects} (delta 0), pack-reused ${objects}\n`);
}

type Plan = {
  readonly whole: readonly PackHandle[];
  readonly parts: readonly PackSelection[];
  /** See {@link CopyOptions}. */
  readonly mayBuildOn: CopyOptions["mayBuildOn"];
};

async function send(session: FetchSession, plan: Plan, options: PackOptions, sink: PackSink): Promise<void> {
  const { repository, graph } = session;
  let total = 0;
  for (const { record } of plan.whole) total += record.ownObjects;
  for (const { offsets } of plan.parts) total += offsets.length;
  await sink.progress(`Enumerating objects: ${total}, done.\nCounting objects: 100% (${total}/${total}), done.\n`);
  const output = new PackOutput(async (bytes) => await sink.data(bytes), repository.hash(graph.format.name));
  await output.begin(total);
  for (const pack of plan.whole) {
    const run = { offset: PACK_HEADER_BYTES, length: pack.record.ownBytes - PACK_HEADER_BYTES };
    await streamRun(pack, run, async (bytes) => await output.append(bytes));
  }
  const copy = { ofsDelta: options.ofsDelta, mayBuildOn: plan.mayBuildOn, deflate: repository.deflate };
  for (const part of plan.parts) await new PackCopy(graph, part, copy, output).run();
  await output.end();
  await sink.progress(`Total ${total} (delta 0), reused ${total} (delta 0), pack-reused 0\n`);
}

/** Marks what is to be sent. */
async function selectObjects(session: FetchSession, options: PackOptions, sink: PackSink): Promise<void> {
  const { graph, common } = session;
  let counted = 0;
  let told = 0;
  const count = async (objects: number): Promise<void> => {
    counted += objects;
    if (counted - told < PROGRESS_STEP) return;
    told = counted;
    await sink.progress(`Enumerating objects: ${counted}\r`);
  };
  const commits: number[] = [];
  const trees: number[] = [];
  const onTag = (tag: number): void => graph.mark(tag, SELECTED);
  for (const want of session.wants) {
    const object = await graph.peel(want, onTag);
    const kind = await graph.kindOf(object);
    if (kind === KIND_NUMBER.commit) commits.push(object);
    else if (kind === KIND_NUMBER.tree) trees.push(object);
    else graph.mark(object, SELECTED);
  }
  const walked = await walkCommits(graph, commits, common.nodes);
  for (const node of walked.interesting) graph.mark(node, SELECTED);
  await count(walked.interesting.length);
  await selectTreesOf(graph, walked, count);
  await selectWhole(graph, trees, count);
  if (options.includeTag) await selectTags(session);
}

/** Marks the tags whose object is sent, with the tags between. @see gitprotocol-capabilities(5), include-tag */
async function selectTags(session: FetchSession): Promise<void> {
  const { graph, answer } = session;
  for (const row of decodeRefRows(answer.refs, graph.format.rawSize)) {
    if (row.peeled === undefined || !row.name.startsWith(TAGS)) continue;
    const peeled = graph.findNode(row.peeled);
    if (peeled < 0 || !graph.has(peeled, SELECTED)) continue;
    await graph.peel(graph.node(row.oid), (tag) => graph.mark(tag, SELECTED));
  }
}
