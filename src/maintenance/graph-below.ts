/**
 * The layers of the commit-graph that are there, for a step that puts one on top: which commits they have, and what they say of the parents of new
 * ones. However many commits they have together, no more is in memory than four bytes of each name, and one layer at a time.
 *
 * @packageDocumentation
 */
import { i32At, present } from "../bytes/assert.ts";
import { CorruptStore } from "../bytes/failure.ts";
import type { CommitsBelow } from "../graph/commit-graph-tables.ts";
import type { GraphSession } from "../graph/graph-session.ts";
import type { CommitGraphLayer } from "../store/commit-graph-layer.ts";
import { PREFIX_BYTES } from "../store/name-prefixes.ts";

/** The steps charged to the pacer for looking a name up in a layer. */
const FIND_STEPS = 150;

/** Does some work while a layer is in memory. It is let go of if it was not there before. */
export async function whileLoaded(layer: CommitGraphLayer, work: () => Promise<void>): Promise<void> {
  const wasLoaded = layer.isLoaded;
  await layer.load();
  try {
    await work();
  } finally {
    if (!wasLoaded) layer.unload();
  }
}

/** What the layers below say of the parents that are there. */
class Parents implements CommitsBelow {
  readonly count: number;
  readonly #positions: Int32Array;
  readonly #facts = new Map<number, { readonly level: number; readonly generation: number }>();

  constructor(count: number, nodes: number) {
    this.count = count;
    this.#positions = new Int32Array(nodes).fill(-1);
  }

  set(node: number, position: number, layer: CommitGraphLayer): void {
    this.#positions[node] = position;
    this.#facts.set(position, { level: layer.levelAt(position), generation: layer.generationAt(position) });
  }

  positionOf(node: number): number {
    return i32At(this.#positions, node);
  }

  levelAt(position: number): number {
    return present(this.#facts.get(position), "the level of a parent").level;
  }

  generationAt(position: number): number {
    return present(this.#facts.get(position), "the corrected time of a parent").generation;
  }
}

/** Takes those nodes out of a set that a layer has. The layer must be in memory. */
async function takeFound(
  session: GraphSession,
  layer: CommitGraphLayer,
  wanted: Set<number>,
  found?: (node: number, position: number) => void,
): Promise<void> {
  const { pacer } = session.database.context;
  for (const node of wanted) {
    pacer.add(FIND_STEPS);
    if (pacer.isDue) await pacer.pace();
    const position = layer.find(session.nameOf(node));
    if (position < 0) continue;
    found?.(node, position);
    wanted.delete(node);
  }
}

/** The layers. */
export class LayersBelow {
  readonly layers: readonly CommitGraphLayer[];

  private constructor(layers: readonly CommitGraphLayer[]) {
    this.layers = layers;
  }

  /** Opens layers, the lowest first. If one can't be read, there are none: they are made anew. */
  static async open(layers: readonly CommitGraphLayer[]): Promise<LayersBelow> {
    try {
      for (const layer of layers) await whileLoaded(layer, async () => await layer.loadPrefixes());
      return new LayersBelow(layers);
    } catch (error) {
      if (!(error instanceof CorruptStore)) throw error;
      return new LayersBelow([]);
    }
  }

  /** The bytes that layers take in memory at most, as they are opened and asked. */
  static bytesOf(layers: readonly CommitGraphLayer[]): number {
    const names = layers.reduce((sum, { record }) => sum + record.commits * PREFIX_BYTES, 0);
    return names + Math.max(0, ...layers.map((layer) => layer.bodyBytes));
  }

  /** Whether some layer may have the commit of a raw name. */
  mayHave(name: Uint8Array): boolean {
    return this.layers.some((layer) => layer.mayHave(name));
  }

  /**
   * Asks the lowest `kept` layers for the parents of commits that are not among these, and whether they have what was `seen`. Returns the parents, and the nodes of
   * those that no layer has.
   */
  async parentsOf(
    session: GraphSession,
    commits: Uint32Array,
    { kept, seen }: { readonly kept: number; readonly seen: readonly number[] },
  ): Promise<{ readonly below: CommitsBelow; readonly missing: readonly number[] }> {
    const layers = this.layers.slice(0, kept);
    const nodes = session.kernel.oidCount;
    const below = new Parents(
      layers.reduce((sum, { record }) => sum + record.commits, 0),
      nodes,
    );
    const isNew = new Uint8Array(nodes);
    for (const node of commits) isNew[node] = 1;
    const asked = new Set<number>();
    for (const node of commits)
      for (const parent of session.commits.parentsOf(node)) if (isNew[parent] === 0) asked.add(parent);
    const doubtful = new Set(seen.filter((node) => isNew[node] === 0 && !asked.has(node)));
    for (const layer of layers.toReversed()) {
      if (asked.size === 0 && doubtful.size === 0) break;
      await whileLoaded(layer, async () => {
        await takeFound(session, layer, asked, (node, position) => below.set(node, position, layer));
        await takeFound(session, layer, doubtful);
      });
    }
    return { below, missing: [...asked, ...doubtful] };
  }
}
