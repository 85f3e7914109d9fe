/**
 * Makes a layer of the commit-graph: of the commits that refs reach and that no layer has, and with filters of changed paths, as many as one
 * step computes. Upper layers that are not large beside the new one are merged into it, so that there are few.
 *
 * | figure | value | what it trades |
 * | --- | --- | --- |
 * | `mostCommits` | 200,000 | the commits of a layer |
 * | `mostWalked` | 300,000 | the commits that a step has come to: a line of more, none of which is in a layer, has no graph |
 * | `walkedBytes` | 112 | what a commit takes that a step has come to: a row, and a name of itself and of its tree |
 * | `collectedBytes` | 200 | what one takes besides that the layer is to have: tables, names and the file |
 * | `stepBytes` | 60,000,000 | the memory of a step, with the layers that are there: an isolate that does nothing has some 45 MB. What is left goes to the next steps |
 * | `mostFilters` | 5000 | the filters that a step computes, for each of which trees are compared, at about a fifth of a read of the bucket; the newest commits come first |
 * | `mostSteps` | 4,000,000,000 | the work after which no further filter is computed: about ten seconds |
 * | `mostBytes` | 48 MiB | the memory that the layers below may take, in which parents are looked up |
 * | `factor` | 2 | a layer is merged into the next one unless it is more than this many times as large |
 *
 * @packageDocumentation
 * @see git-commit-graph(1), `write --split --changed-paths`
 */
import { itemAt, u32At } from "../bytes/assert.ts";
import { fromHex, toHex } from "../bytes/hex.ts";
import type { CommitGraphRecord } from "../catalog/commit-graph-record.ts";
import { BLOOM_MOST_PATHS, encodeBloomFilter } from "../format/bloom-filter.ts";
import { encodeCommitGraph, type FilterTable } from "../format/commit-graph-encoder.ts";
import { ChangedPaths } from "../graph/changed-paths.ts";
import { graphTables, type GraphTables } from "../graph/commit-graph-tables.ts";
import type { GraphSession } from "../graph/graph-session.ts";
import { objectFormat } from "../object/object-id.ts";
import { TYPE_NUMBER } from "../object/object-type.ts";
import type { ReplaceGraphsRequest } from "../refs/maintenance-store.ts";
import { decodeRefRows } from "../refs/ref-rows.ts";
import type { OpenSnapshot } from "../refs/ref-store.ts";
import { inOwnSession } from "../repository/own-session.ts";
import { openObjects } from "../repository/open-objects.ts";
import type { Repository } from "../repository/repository.ts";
import { CommitGraph, type GraphContext } from "../store/commit-graph.ts";

const MIB = 1024 * 1024;

/** The numbers; see the table above. */
export const GRAPHING = {
  mostCommits: 200_000,
  mostWalked: 300_000,
  walkedBytes: 112,
  collectedBytes: 200,
  stepBytes: 60_000_000,
  mostFilters: 5000,
  mostSteps: 4_000_000_000,
  mostBytes: 48 * MIB,
  factor: 2,
} as const;

/** What a step is to do. */
export type GraphInput = {
  readonly repository: Repository;
  /** The stem of the key of the layer. */
  readonly name: string;
  /** Layers that no reader is told of any more. What they say of commits is still true. */
  readonly dropped: readonly CommitGraphRecord[];
  /** The commits of a layer, if not the usual number; then as much less is walked. */
  readonly mostCommits?: number;
};

/** Collects filters in one piece of memory. */
class FilterList {
  #bytes = new Uint8Array(64 * 1024);
  #used = 0;
  readonly #places: Float64Array;
  readonly #lengths: Uint16Array;

  constructor(count: number) {
    this.#places = new Float64Array(count);
    this.#lengths = new Uint16Array(count);
  }

  set(row: number, filter: Uint8Array): void {
    while (this.#used + filter.length > this.#bytes.length) {
      const grown = new Uint8Array(this.#bytes.length * 2);
      grown.set(this.#bytes);
      this.#bytes = grown;
    }
    this.#bytes.set(filter, this.#used);
    this.#places[row] = this.#used;
    this.#lengths[row] = filter.length;
    this.#used += filter.length;
  }

  /** Returns the filters in the order of rows. */
  table(): FilterTable {
    const bytes = new Uint8Array(this.#used);
    const ends = new Uint32Array(this.#lengths.length);
    let at = 0;
    for (const [row, length] of this.#lengths.entries()) {
      const from = this.#places[row] ?? 0; // A filter without bytes may have no place.
      bytes.set(this.#bytes.subarray(from, from + length), at);
      at += length;
      ends[row] = at;
    }
    return { ends, bytes };
  }

  /** The number of commits that have a filter. */
  get count(): number {
    return this.#lengths.reduce((sum, length) => sum + Number(length > 0), 0);
  }
}

/** One step. */
class GraphStep {
  readonly #input: GraphInput;
  readonly #snapshot: OpenSnapshot;
  readonly #session: GraphSession;
  /** The layers that readers know; and these with those that were dropped above them, as far as they can be read. */
  readonly #shown: CommitGraph;
  readonly #known: CommitGraph;
  readonly #collected: number[] = [];
  readonly #seen = new Set<number>();

  constructor(
    input: GraphInput,
    snapshot: OpenSnapshot,
    {
      session,
      shown,
      known,
    }: { readonly session: GraphSession; readonly shown: CommitGraph; readonly known: CommitGraph },
  ) {
    this.#input = input;
    this.#snapshot = snapshot;
    this.#session = session;
    this.#shown = shown;
    this.#known = known;
  }

  get #records(): readonly CommitGraphRecord[] {
    return this.#shown.layers.map(({ record }) => record);
  }

  async run(): Promise<ReplaceGraphsRequest> {
    const { record, version, packs, graphs = [] } = this.#snapshot;
    // What is too much stays as it is until there are many more objects: to fail would hold other steps up.
    const collected = this.#shown.isTooLarge ? "too much" : await this.#collect();
    // Where more is to come, layers are merged by the last step.
    const kept = collected === "some" ? this.#records.length : this.#layersToKeep();
    const added = collected === "too much" ? undefined : await this.#write(kept);
    const objects = packs.reduce((sum, pack) => sum + (pack.source === "copy" ? 0 : pack.objects), 0);
    return {
      id: record.id,
      version,
      seen: graphs.map(({ name }) => name),
      kept,
      ...(added === undefined ? {} : { added }),
      objects: collected === "some" ? 0 : objects,
    };
  }

  /** Collects the commits that refs reach and no layer has. Some refs may be left for another step. */
  async #collect(): Promise<"all" | "some" | "too much"> {
    const session = this.#session;
    const { rawSize } = session.format;
    const tips = new Set<number>();
    for (const { oid, peeled } of decodeRefRows(this.#snapshot.refs, rawSize)) tips.add(session.node(peeled ?? oid));
    await session.learnTypes([...tips]);
    for (const tip of tips) {
      const commit = await session.peel(tip);
      if ((await session.typeOf(commit)) !== TYPE_NUMBER.commit) continue;
      if (!(await this.#addReached(commit))) return this.#collected.length === 0 ? "too much" : "some";
    }
    return "all";
  }

  /**
   * Adds what a tip reaches, parents first, so that whatever is added has all that it reaches. Returns false if that is too much
   * for one step; the rest is for others.
   */
  async #addReached(tip: number): Promise<boolean> {
    const way = [tip];
    /** Of each commit on the way, how many of its parents are listed: hostile ones have very many. */
    const listed = [0];
    for (let node = way.at(-1); node !== undefined; node = way.at(-1)) {
      if (!this.#hasRoomFor(way.length)) return false;
      const open = this.#isListed(node) ? -1 : await this.#openParent(node, listed);
      if (open >= 0) {
        way.push(open);
        listed.push(0);
        continue;
      }
      if (!this.#isListed(node)) {
        this.#seen.add(node);
        this.#collected.push(node);
      }
      way.pop();
      listed.pop();
    }
    return true;
  }

  /** Returns the next parent that is not listed; -1 if all are. The last of `listed` is of this commit. */
  async #openParent(node: number, listed: number[]): Promise<number> {
    const session = this.#session;
    const { pacer } = session.database.context;
    await session.loadCommit(node);
    const parents = session.commits.parentsOf(node);
    const last = listed.length - 1;
    let at = itemAt(listed, last);
    while (at < parents.length && this.#isListed(u32At(parents, at))) at++;
    pacer.add(COMMIT_STEPS * (1 + at - itemAt(listed, last)));
    listed[last] = at;
    const open = at < parents.length ? u32At(parents, at) : -1;
    if (pacer.isDue) await pacer.pace();
    return open;
  }

  /** Whether a commit is in a layer, or is going to be. */
  #isListed(node: number): boolean {
    return this.#seen.has(node) || this.#shown.find(this.#session.nameOf(node)) >= 0;
  }

  /** Whether one more commit may be collected while `waiting` of them wait for those that they reach. */
  #hasRoomFor(waiting: number): boolean {
    const { mostCommits = GRAPHING.mostCommits } = this.#input;
    const collected = this.#collected.length + 1;
    const walked = collected + waiting;
    if (collected > mostCommits || walked > (mostCommits * GRAPHING.mostWalked) / GRAPHING.mostCommits) return false;
    const bytes = walked * GRAPHING.walkedBytes + collected * GRAPHING.collectedBytes;
    return bytes + this.#shown.byteLength <= GRAPHING.stepBytes;
  }

  /** Returns how many layers stay below the new one: all above are merged into it. */
  #layersToKeep(): number {
    const records = this.#records;
    const { mostCommits = GRAPHING.mostCommits } = this.#input;
    let kept = records.length;
    let commits = this.#collected.length;
    // With nothing new, filters are computed for the layers that lack some.
    const lacking = commits > 0 ? -1 : records.findLastIndex((record) => record.filters < record.commits);
    while (kept > 0) {
      const top = itemAt(records, kept - 1);
      const isSmall = commits > 0 && top.commits <= GRAPHING.factor * commits;
      if (!(isSmall || (kept - 1 >= lacking && lacking >= 0)) || commits + top.commits > mostCommits) break;
      commits += top.commits;
      kept--;
    }
    return kept;
  }

  /** Writes a layer on top of the first `kept`; nothing if there is nothing to be written. */
  async #write(kept: number): Promise<CommitGraphRecord | undefined> {
    const { repository, name } = this.#input;
    const session = this.#session;
    const { pacer } = session.database.context;
    const { record } = this.#snapshot;
    const place = { ...this.#place, shared: this.#shown };
    const below = new CommitGraph(this.#records.slice(0, kept), place, GRAPHING.mostBytes);
    await below.load();
    for (let position = below.count; position < this.#shown.count; position++) {
      const node = session.node(this.#shown.nameAt(position));
      await session.loadCommit(node);
      this.#collected.push(node);
      pacer.add(COMMIT_STEPS);
      if (pacer.isDue) await pacer.pace();
    }
    if (this.#collected.length === 0) return undefined;
    const tables = await graphTables(session, Uint32Array.from(this.#collected), below);
    if (tables === undefined) return undefined;
    const filters = await this.#filters(tables);
    const bases = below.layers.map((layer) => fromHex(layer.record.checksum) ?? new Uint8Array(0)); // It is hexadecimal.
    const bytes = encodeCommitGraph(
      { ...tables, filters: filters.table(), bases },
      repository.hash(session.format.name),
    );
    await repository.storage(record.id).write({ pack: name, extension: "graph" }, bytes);
    return {
      name,
      checksum: toHex(bytes, bytes.length - session.format.rawSize),
      commits: tables.count,
      filters: filters.count,
      bytes: bytes.length,
    };
  }

  get #place(): GraphContext {
    const { repository } = this.#input;
    const { record } = this.#snapshot;
    return {
      storage: repository.storage(record.id),
      scope: record.id,
      cache: repository.cache,
      format: this.#session.format,
    };
  }

  /** Takes the filters that there are, and computes others, those of the newest commits first. */
  async #filters({ nodes, count, names, times, format }: GraphTables): Promise<FilterList> {
    const { pacer } = this.#session.database.context;
    const list = new FilterList(count);
    const missing: number[] = [];
    await pacer.forEach(count, COMMIT_STEPS, (row) => {
      const position = this.#known.find(names.subarray(row * format.rawSize, (row + 1) * format.rawSize));
      const filter = position < 0 ? undefined : this.#known.filterAt(position);
      if (filter === undefined || filter.length === 0) missing.push(row);
      else list.set(row, filter);
    });
    const timeOf = (row: number): number => times[row] ?? 0; // Each row has a time.
    missing.sort((a, b) => timeOf(b) - timeOf(a));
    const changed = new ChangedPaths(this.#session, BLOOM_MOST_PATHS);
    const most = pacer.steps + GRAPHING.mostSteps;
    for (const row of missing.slice(0, GRAPHING.mostFilters)) {
      if (pacer.steps > most) break;
      list.set(row, encodeBloomFilter(await changed.of(u32At(nodes, row))));
    }
    return list;
  }
}

/** The steps charged for a commit that is collected. */
const COMMIT_STEPS = 100;

/**
 * Makes a layer of a repository's commit-graph. Nothing is visible until the store takes it. Returns `undefined` if the repository is
 * gone.
 *
 * @throws CorruptStore, MissingObject
 */
export async function makeGraph(input: GraphInput): Promise<ReplaceGraphsRequest | undefined> {
  const { repository, dropped } = input;
  const snapshot = await repository.refs.open({ packs: true, refPrefixes: [] });
  if (snapshot.kind === "missing") return undefined;
  const { record, graphs = [] } = snapshot;
  const format = objectFormat(record.objectFormat);
  const place = { storage: repository.storage(record.id), scope: record.id, cache: repository.cache, format };
  const shown = new CommitGraph(graphs, place, GRAPHING.mostBytes);
  const all = new CommitGraph([...graphs, ...dropped], { ...place, shared: shown }, GRAPHING.mostBytes);
  const readable = [all, shown].find((graph) => !graph.isTooLarge);
  const held = readable?.byteLength ?? 0; // A graph that is too large is not read.
  await repository.memory.claim({ bytes: held });
  try {
    return await makeLayer(input, snapshot, { shown, all, place });
  } finally {
    repository.memory.giveBack(held);
  }
}

async function makeLayer(
  { repository, ...rest }: GraphInput,
  snapshot: OpenSnapshot,
  { shown, all, place }: { readonly shown: CommitGraph; readonly all: CommitGraph; readonly place: GraphContext },
): Promise<ReplaceGraphsRequest> {
  const { record, packs } = snapshot;
  await shown.load();
  await all.loadFilters();
  // The files of dropped layers may be gone by now.
  if (!all.isAtHand) await shown.loadFilters();
  const known = all.isAtHand ? all : shown;
  // Layers that can't be read are replaced.
  const base = shown.isAtHand || shown.isTooLarge ? shown : new CommitGraph([], place);
  const database = openObjects(repository, record, packs).withGraph(known);
  return await inOwnSession(repository, database, (session) =>
    new GraphStep({ repository, ...rest }, snapshot, { session, shown: base, known }).run(),
  );
}
