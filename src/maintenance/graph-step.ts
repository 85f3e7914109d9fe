/**
 * Makes a layer of the commit-graph: of the commits that refs reach and that no layer has, and with filters of changed paths, as many as one
 * step computes. Upper layers that are not large beside the new one are merged into it, so that there are few. A history of any length gets its
 * graph by several steps, of the oldest commits first: see `graph-collection.ts`. The numbers are in `graphing.ts`.
 *
 * @packageDocumentation
 * @see git-commit-graph(1), `write --split --changed-paths`
 */
import { itemAt } from "../bytes/assert.ts";
import { concat } from "../bytes/chunk.ts";
import { CorruptStore } from "../bytes/failure.ts";
import { fromHex, toHex } from "../bytes/hex.ts";
import { type CommitGraphRecord, filterBytesOf, layerToFilter, writingBytes } from "../catalog/commit-graph-record.ts";
import { encodeCommitGraph, MOST_LAYERS } from "../format/commit-graph-encoder.ts";
import { graphTables } from "../graph/commit-graph-tables.ts";
import type { GraphSession } from "../graph/graph-session.ts";
import { objectFormat } from "../object/object-id.ts";
import type { ReplaceGraphsRequest } from "../refs/maintenance-store.ts";
import { decodeRefRows } from "../refs/ref-rows.ts";
import type { OpenSnapshot } from "../refs/ref-store.ts";
import { inOwnSession } from "../repository/own-session.ts";
import { openObjects } from "../repository/open-objects.ts";
import type { Repository } from "../repository/repository.ts";
import { CommitGraph, type GraphContext } from "../store/commit-graph.ts";
import type { CommitGraphLayer } from "../store/commit-graph-layer.ts";
import { LayersBelow, whileLoaded } from "./graph-below.ts";
import { type Collected, GraphCollection, type StepState } from "./graph-collection.ts";
import { filtersOf } from "./graph-filters.ts";
import { type Graphing, GRAPHING } from "./graphing.ts";

/** What a step is to do. */
export type GraphInput = {
  readonly repository: Repository;
  /** The stem of the key of the layer. */
  readonly name: string;
  /** Layers that no reader is told of any more. What they say of commits is still true. */
  readonly dropped: readonly CommitGraphRecord[];
  /** The raw names of the commits that the last step has left to go on from, one after the other. */
  readonly way?: Uint8Array;
  /** Numbers other than the usual ones, for tests. */
  readonly bounds?: Partial<Graphing>;
};

/** What a step works on. */
type StepInput = Pick<GraphInput, "repository" | "name"> & {
  readonly snapshot: OpenSnapshot;
  readonly below: LayersBelow;
  /** The layers that no reader is told of. */
  readonly droppedLayers: readonly CommitGraphLayer[];
  readonly heldBytes: number;
  readonly figures: Graphing;
};

/** A pass has to be made again, with what it has found out. */
const AGAIN = "again";

/**
 * The passes of a step that may find a commit in no layer, though its name begins like one that some layer has. By chance that hardly comes about once, but
 * names that begin alike can be made, so that each pass gets one commit further.
 */
const MOST_MISLED = 8;
/** The steps charged to the pacer for a commit that is taken over. */
const COMMIT_STEPS = 100;
/** The steps charged for a row of a table that is written. */
const ROW_STEPS = 60;

/** The values of refs, raw: of annotated tags, what they finally name. */
function* valuesOf(refs: OpenSnapshot["refs"], rawSize: number): Generator<Uint8Array> {
  for (const { oid, peeled } of decodeRefRows(refs, rawSize)) yield peeled ?? oid;
}

/** One pass of a step, in a session of its own. */
class GraphPass {
  readonly #input: StepInput;
  readonly #session: GraphSession;
  readonly #state: StepState;
  readonly #collection: GraphCollection;

  constructor(input: StepInput, session: GraphSession, state: StepState) {
    this.#input = input;
    this.#session = session;
    this.#state = state;
    this.#collection = new GraphCollection({
      session,
      state,
      bounds: input.figures,
      heldBytes: input.heldBytes,
      isBelow: (name) => input.below.mayHave(name),
    });
  }

  get #records(): readonly CommitGraphRecord[] {
    return this.#input.below.layers.map(({ record }) => record);
  }

  async run(): Promise<ReplaceGraphsRequest | typeof AGAIN> {
    const { refs, record } = this.#input.snapshot;
    const before = [...this.#state.way];
    const collected = await this.#collection.run(valuesOf(refs, objectFormat(record.objectFormat).rawSize));
    if (collected === AGAIN) return AGAIN;
    const isPart = collected === "some";
    // Where more is to come, layers are merged by the last step.
    const kept = isPart ? this.#records.length : this.#layersToKeep();
    // What is too much stays as it is until there are many more objects: to fail would hold other steps up.
    const isFull = kept >= MOST_LAYERS || collected === "too much";
    const made = isFull ? "none" : await this.#writeCounted(kept);
    if (made === AGAIN && ++this.#state.misled < MOST_MISLED) {
      this.#state.way = before;
      return AGAIN;
    }
    return this.#request(
      isFull || made === "misfit" || made === AGAIN ? "too much" : collected,
      kept,
      typeof made === "string" ? undefined : made,
    );
  }

  #request(collected: Collected, kept: number, added: CommitGraphRecord | undefined): ReplaceGraphsRequest {
    const { record, version, packs, graphs = [] } = this.#input.snapshot;
    const objects = packs.reduce((sum, pack) => sum + (pack.source === "copy" ? 0 : pack.objects), 0);
    const isPart = collected === "some";
    return {
      id: record.id,
      version,
      seen: graphs.map(({ name }) => name),
      kept,
      ...(added === undefined ? {} : { added }),
      ...(isPart && this.#state.way.length > 0 ? { way: concat(this.#state.way) } : {}),
      objects: isPart ? 0 : objects,
    };
  }

  /** Returns how many layers stay below the new one: all above are merged into it. */
  #layersToKeep(): number {
    const records = this.#records;
    const { figures, heldBytes } = this.#input;
    const { mostCommits, stepBytes, factor } = figures;
    let kept = records.length;
    let commits = this.#collection.nodes.length;
    if (commits === 0) {
      // With nothing new, filters are computed for the layers that lack some.
      const lacking = layerToFilter(records, figures);
      return lacking < 0 ? kept : lacking;
    }
    for (; kept > 0; kept--) {
      const top = itemAt(records, kept - 1);
      commits += top.commits;
      const isSmall = top.commits <= factor * (commits - top.commits);
      if (!isSmall || commits > mostCommits || heldBytes + this.#bytesToWrite(commits, kept - 1) > stepBytes) break;
    }
    return kept;
  }

  /** Returns the bytes of memory that it takes to write `commits`, with those of all layers but the lowest `kept`. */
  #bytesToWrite(commits: number, kept: number): number {
    const { mostFilterBytes } = this.#input.figures;
    const filterBytes = this.#records.slice(kept).reduce((sum, record) => sum + filterBytesOf(record), 0);
    return writingBytes(commits, Math.min(filterBytes, mostFilterBytes), this.#session.format.rawSize);
  }

  /**
   * Writes a layer on top of the first `kept`, and counts the memory in which it does, as far as there is room. It claims none:
   * a step has its kernel already, and who waits for memory beside a kernel may wait for what its own kernel keeps. See {@link GraphPass.#write}.
   */
  async #writeCounted(kept: number): Promise<CommitGraphRecord | "none" | "misfit" | typeof AGAIN> {
    const { memory } = this.#input.repository;
    const commits = this.#records
      .slice(kept)
      .reduce((sum, record) => sum + record.commits, this.#collection.nodes.length);
    const held = memory.holdUpTo(this.#bytesToWrite(commits, kept));
    try {
      return await this.#write(kept);
    } finally {
      memory.hold(-held);
    }
  }

  /** Returns the commits of the new layer: those that were collected, and those of the layers that are merged into it. */
  async #commits(merged: readonly CommitGraphLayer[]): Promise<Uint32Array> {
    const session = this.#session;
    const { pacer } = session.database.context;
    const nodes = [...this.#collection.nodes];
    for (const layer of merged) {
      await whileLoaded(layer, async () => {
        for (let row = 0; row < layer.record.commits; row++) {
          const node = session.node(layer.nameAt(layer.base + row));
          await session.loadCommit(node);
          nodes.push(node);
          pacer.add(COMMIT_STEPS);
          if (pacer.isDue) await pacer.pace();
        }
      });
    }
    return Uint32Array.from(nodes);
  }

  /**
   * Notes commits that are in no layer, for the next pass to collect. That would do nothing for a parent of a commit that a layer has.
   *
   * @throws CorruptStore
   */
  #noteAlike(nodes: readonly number[]): void {
    const { alike } = this.#state;
    const before = alike.size;
    for (const node of nodes) alike.add(toHex(this.#session.nameOf(node)));
    if (alike.size === before) throw new CorruptStore("commit-graph: a layer lacks what its commits reach");
  }

  /**
   * Writes a layer on top of the first `kept`. `none`: there is nothing to be written. `misfit`: a commit does not fit the format. `again`: a commit that
   * seemed to be in a layer is in none.
   */
  async #write(kept: number): Promise<CommitGraphRecord | "none" | "misfit" | typeof AGAIN> {
    const { repository, name, snapshot, below, droppedLayers, figures } = this.#input;
    const session = this.#session;
    const merged = below.layers.slice(kept);
    const commits = await this.#commits(merged);
    const parents = await below.parentsOf(session, commits, { kept, seen: this.#collection.seen });
    if (parents.missing.length > 0) {
      this.#noteAlike(parents.missing);
      return AGAIN;
    }
    if (commits.length === 0) return "none";
    const tables = await graphTables(session, commits, parents.below);
    if (tables === undefined) return "misfit";
    const filters = await filtersOf(session, tables, {
      sources: [...merged.toReversed(), ...droppedLayers],
      bounds: figures,
      isPressed: () => repository.memory.othersWait,
    });
    const bases = this.#records.slice(0, kept).map(({ checksum }) => fromHex(checksum) ?? new Uint8Array(0)); // It is hexadecimal.
    const digest = repository.hash(session.format.name);
    const encoding = encodeCommitGraph({ ...tables, filters: filters.table(), bases }, digest);
    const bytes = await repository.pacer.finish(encoding, ROW_STEPS);
    await repository.storage(snapshot.record.id).write({ pack: name, extension: "graph" }, bytes);
    return {
      name,
      checksum: toHex(bytes, bytes.length - session.format.rawSize),
      commits: tables.count,
      filters: filters.count,
      bytes: bytes.length,
    };
  }
}

function namesIn(names: Uint8Array, rawSize: number): Uint8Array[] {
  const list: Uint8Array[] = [];
  for (let at = 0; at + rawSize <= names.length; at += rawSize) list.push(names.slice(at, at + rawSize));
  return list;
}

/**
 * Makes a layer of a repository's commit-graph. Nothing is visible until the store takes it. Returns `undefined` if the repository is
 * gone.
 *
 * @throws CorruptStore, MissingObject
 */
export async function makeGraph(input: GraphInput): Promise<ReplaceGraphsRequest | undefined> {
  const { repository, dropped, bounds } = input;
  const snapshot = await repository.refs.open({ packs: true, refPrefixes: [] });
  if (snapshot.kind === "missing") return undefined;
  const { record, graphs = [] } = snapshot;
  const format = objectFormat(record.objectFormat);
  const { cache, hash } = repository;
  const place = { storage: repository.storage(record.id), scope: record.id, cache, hash, format };
  const figures = { ...GRAPHING, ...bounds };
  // Commits are read from the layers where these can be held, and from packs otherwise.
  const shown = new CommitGraph(graphs, place, figures.wholeBytes);
  const all = new CommitGraph([...graphs, ...dropped], { ...place, shared: shown }, figures.wholeBytes);
  const known = [all, shown].filter((graph) => !graph.isTooLarge);
  const heldBytes = LayersBelow.bytesOf(all.layers) + (known[0]?.bodyBytes ?? 0); // What is too large is not held.
  await repository.memory.claim({ bytes: heldBytes });
  try {
    return await makeLayer({ ...input, snapshot, figures, heldBytes }, { all, known, place });
  } finally {
    repository.memory.giveBack(heldBytes);
  }
}

/** Returns the first graph that can be read: the file of a dropped layer may be gone. */
async function firstLoaded(graphs: readonly CommitGraph[]): Promise<CommitGraph | undefined> {
  for (const graph of graphs) {
    await graph.load();
    if (graph.isAtHand) return graph;
  }
  return undefined;
}

async function makeLayer(
  input: Omit<StepInput, "below" | "droppedLayers"> & Pick<GraphInput, "way">,
  {
    all,
    known,
    place,
  }: { readonly all: CommitGraph; readonly known: readonly CommitGraph[]; readonly place: GraphContext },
): Promise<ReplaceGraphsRequest> {
  const { way = new Uint8Array(0), ...rest } = input;
  const { repository, snapshot } = rest;
  const { record, packs, graphs = [] } = snapshot;
  const database = openObjects(repository, record, packs);
  const step: StepInput = {
    ...rest,
    below: await LayersBelow.open(all.layers.slice(0, graphs.length)),
    droppedLayers: all.layers.slice(graphs.length),
  };
  const state: StepState = { way: namesIn(way, place.format.rawSize), read: 0, alike: new Set(), misled: 0 };
  for (;;) {
    const graph = await firstLoaded(known);
    const made = await inOwnSession(
      repository,
      graph === undefined ? database : database.withGraph(graph),
      async (session) => await new GraphPass(step, session, state).run(),
    );
    if (made !== AGAIN) return made;
  }
}
