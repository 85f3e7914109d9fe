/**
 * Makes the tables of a layer of the commit-graph from commits that a session has loaded.
 *
 * @packageDocumentation
 * @see gitformat-commit-graph(5); `compute_generation_numbers` in git's commit-graph.c
 */
import { assert, f64At, u32At } from "../bytes/assert.ts";
import { MOST_GRAPH_TIME } from "../format/commit-graph.ts";
import type { CommitGraphTables } from "../format/commit-graph-encoder.ts";
import { sortNames } from "../format/sort-names.ts";
import type { GraphSession } from "./graph-session.ts";

/** The tables of a layer, and the node of each of its rows. */
export type GraphTables = Omit<CommitGraphTables, "bases" | "filters"> & { readonly nodes: Uint32Array };

/** What lies below a layer: the parents of its commits that are not among these. */
export type CommitsBelow = {
  /** The number of commits in the layers below. */
  readonly count: number;
  /** Returns the position of the commit of a node; -1 if no layer below has it. */
  positionOf(node: number): number;
  /** Returns the topological level of a parent, by its position. */
  levelAt(position: number): number;
  /** Returns the corrected time of a parent, by its position. */
  generationAt(position: number): number;
};

/** The steps charged to the pacer for a row of each table. */
const ROW_STEPS = 50;

/** Raw names, one after the other, in the order of `nodes`. */
async function namesOf(
  session: GraphSession,
  nodes: Uint32Array,
  of: (node: number) => number,
): Promise<Uint8Array<ArrayBuffer>> {
  const { rawSize } = session.format;
  const names = new Uint8Array(nodes.length * rawSize);
  await session.database.context.pacer.forEach(nodes.length, ROW_STEPS, (row) => {
    names.set(session.nameOf(of(u32At(nodes, row))), row * rawSize);
  });
  return names;
}

async function sorted(session: GraphSession, nodes: Uint32Array): Promise<Uint32Array<ArrayBuffer>> {
  const { rawSize } = session.format;
  const names = await namesOf(session, nodes, (node) => node);
  const { pacer } = session.database.context;
  const order = await pacer.finish(sortNames({ names, stride: rawSize, rawSize }, nodes.length));
  return order.map((entry) => u32At(nodes, entry));
}

type Links = Pick<CommitGraphTables, "parentStart" | "parents">;

/** Finds the position of each parent: in the layer itself, or below. */
async function linksOf(session: GraphSession, nodes: Uint32Array, below: CommitsBelow): Promise<Links> {
  const { commits, kernel } = session;
  const { pacer } = session.database.context;
  const rowOf = new Uint32Array(kernel.oidCount);
  for (const [row, node] of nodes.entries()) rowOf[node] = row + 1;
  const parentStart = new Uint32Array(nodes.length + 1);
  let used = 0;
  await pacer.forEach(nodes.length, ROW_STEPS, (row) => {
    used += commits.parentsOf(u32At(nodes, row)).length;
    parentStart[row + 1] = used;
  });
  const parents = new Uint32Array(used);
  const first = below.count;
  let at = 0;
  await pacer.forEach(nodes.length, ROW_STEPS, (each) => {
    for (const parent of commits.parentsOf(u32At(nodes, each))) {
      const row = u32At(rowOf, parent);
      const position = row > 0 ? first + row - 1 : below.positionOf(parent);
      assert(position >= 0, "a layer has all that its commits reach, or the layers below have it");
      parents[at++] = position;
    }
  });
  return { parentStart, parents };
}

/** Computes levels and corrected times, parents first. */
class Generations {
  readonly levels: Uint32Array;
  readonly generations: Float64Array;
  readonly #links: Links;
  readonly #times: Float64Array;
  readonly #below: CommitsBelow;
  readonly #first: number;

  constructor(links: Links, times: Float64Array, below: CommitsBelow) {
    this.#links = links;
    this.#times = times;
    this.#below = below;
    this.#first = below.count;
    this.levels = new Uint32Array(times.length);
    this.generations = new Float64Array(times.length);
  }

  /** Computes all rows, and yields after each. */
  *compute(): Generator<void> {
    for (let row = 0; row < this.#times.length; row++) yield* this.#compute(row);
  }

  /** Computes a row after all rows that it needs, without recursion. */
  *#compute(start: number): Generator<void> {
    const { parentStart, parents } = this.#links;
    const path = [start];
    for (let row = path.at(-1); row !== undefined; row = path.at(-1)) {
      let missing = -1;
      for (let i = u32At(parentStart, row); i < u32At(parentStart, row + 1) && missing < 0; i++) {
        const parent = u32At(parents, i) - this.#first;
        if (parent >= 0 && u32At(this.levels, parent) === 0) missing = parent;
      }
      if (missing >= 0) {
        path.push(missing);
        continue;
      }
      path.pop();
      if (u32At(this.levels, row) === 0) this.#finish(row);
      yield;
    }
  }

  #finish(row: number): void {
    const { parentStart, parents } = this.#links;
    let [level, generation] = [0, 0];
    for (let i = u32At(parentStart, row); i < u32At(parentStart, row + 1); i++) {
      const parent = u32At(parents, i);
      level = Math.max(level, this.#levelOf(parent));
      generation = Math.max(generation, this.#generationOf(parent));
    }
    this.levels[row] = level + 1;
    this.generations[row] = Math.max(f64At(this.#times, row), generation + 1);
  }

  #levelOf(position: number): number {
    const row = position - this.#first;
    return row >= 0 ? u32At(this.levels, row) : this.#below.levelAt(position);
  }

  #generationOf(position: number): number {
    const row = position - this.#first;
    return row >= 0 ? f64At(this.generations, row) : this.#below.generationAt(position);
  }
}

/**
 * Makes the tables of these loaded commits. Their parents are among them, or in the layers below. Returns `undefined` if the time of a commit does not fit the format.
 */
export async function graphTables(
  session: GraphSession,
  commits: Uint32Array,
  below: CommitsBelow,
): Promise<GraphTables | undefined> {
  const nodes = await sorted(session, commits);
  const times = new Float64Array(nodes.length);
  for (const [row, node] of nodes.entries()) {
    const time = session.commits.timeOf(node);
    if (time > MOST_GRAPH_TIME) return undefined;
    times[row] = time;
  }
  const links = await linksOf(session, nodes, below);
  const computed = new Generations(links, times, below);
  const { levels, generations } = computed;
  await session.database.context.pacer.through(computed.compute(), ROW_STEPS);
  return {
    format: session.format,
    count: nodes.length,
    nodes,
    names: await namesOf(session, nodes, (node) => node),
    trees: await namesOf(session, nodes, (node) => session.commits.treeOf(node)),
    ...links,
    times,
    levels,
    generations,
  };
}
