/**
 * Finds out what the refs of a repository reach, and tells its catalog. A pack all of which is reached gets its mark
 * again, so that clones need not walk. A pack of which something is not reached is divided: what is reached goes into one new
 * pack, and the rest into a cruft pack, which no reader is told of and which is deleted when its time is up.
 *
 * @packageDocumentation
 * @see git-repack(1), `--cruft`
 */
import { assert, itemAt, present } from "../bytes/assert.ts";
import { LimitExceeded } from "../bytes/failure.ts";
import { concat } from "../bytes/chunk.ts";
import { fromHex } from "../bytes/hex.ts";
import type { PackRecord } from "../catalog/pack-record.ts";
import { ROLLING_UP } from "../catalog/roll-up.ts";
import { encodePackTimes } from "../format/pack-mtimes.ts";
import type { GraphSession } from "../graph/graph-session.ts";
import { combinePacks, type CombineInput } from "../packing/combine-packs.ts";
import { ReachableObjects } from "../packing/reachable-objects.ts";
import { wholeEntry } from "../packing/whole-entry.ts";
import { KEPT_VALUES_TIME } from "../refs/maintenance-store.ts";
import type { ReplacePacksRequest } from "../refs/pack-catalog.ts";
import { decodeRefRows } from "../refs/ref-rows.ts";
import type { OpenSnapshot } from "../refs/ref-store.ts";
import { inOwnSession } from "../repository/own-session.ts";
import { openObjects } from "../repository/open-objects.ts";
import type { Repository } from "../repository/repository.ts";
import { ObjectReader } from "../store/object-reader.ts";
import type { PackHandle } from "../store/pack-handle.ts";

/** The input of a walk. */
export type WalkInput = {
  readonly repository: Repository;
  /** Whether what no ref reaches is to be removed at once. */
  readonly purges: boolean;
  /** The stems of the keys that may be written: of the pack of what is reached, and of the cruft pack. */
  readonly packNames: readonly [reached: string, cruft: string];
};

/** What a walk has found, and written: a request to the catalog. */
export type WalkResult = {
  readonly request: ReplacePacksRequest;
  /** See `MaintenanceRun`. */
  readonly undecided: boolean;
};

/** A pack that was looked at: whether HEAD reaches all of it, and how many objects all refs, and all values, reach. */
type Looked = {
  readonly record: PackRecord;
  readonly byHead: boolean;
  readonly byRefs: number;
  readonly byAll: number;
};

/** Whether a pack holds unreachable objects. */
function hasUnreachable({ record, byAll }: Looked): boolean {
  return byAll < record.objects;
}

/**
 * Whether a pack may hold unreachable objects: it lacks the mark, or has objects that the mark does not cover. Those are
 * all objects of a tip pack, and what completion appended. A pack that is wanted back is looked at in any case.
 */
function isDoubtful({ record }: PackHandle): boolean {
  const { marked, source, objects, ownObjects } = record;
  return !marked || source === "copy" || objects > ownObjects || isDemanded(record);
}

function isDemanded({ loan }: PackRecord): boolean {
  return loan?.state === "demanded";
}

/** One walk. */
class Walk {
  readonly #input: WalkInput;
  readonly #snapshot: OpenSnapshot;
  readonly #graph: GraphSession;
  readonly #reachable: ReachableObjects;

  constructor(input: WalkInput, snapshot: OpenSnapshot, graph: GraphSession) {
    this.#input = input;
    this.#snapshot = snapshot;
    this.#graph = graph;
    this.#reachable = new ReachableObjects(graph);
  }

  async run(): Promise<WalkResult> {
    const { record, version } = this.#snapshot;
    const { purges } = this.#input;
    const looked = await this.#look(this.#graph.database.packs.filter((handle) => purges || isDoubtful(handle)));
    const divided = this.#toDivide(looked);
    const left = looked.filter((pack) => !divided.includes(pack));
    const unmarked = left.filter((pack) => !pack.record.marked);
    const whole = unmarked.filter(({ byRefs, record: { objects } }) => byRefs === objects);
    const marks = whole.map(({ byHead, record: { name } }) =>
      byHead ? { pack: name, ref: record.head } : { pack: name },
    );
    const kept = left
      .filter((pack) => isDemanded(pack.record) && !hasUnreachable(pack))
      .map((pack) => pack.record.name);
    const unmarks = left.filter((pack) => pack.record.marked && hasUnreachable(pack)).map((pack) => pack.record.name);
    const reached = await this.#writeReached(divided);
    const cruft = purges ? undefined : await this.#writeCruft(divided);
    const isReachedMarked = reached !== undefined && divided.every(({ byRefs, byAll }) => byRefs === byAll);
    return {
      request: {
        id: record.id,
        added: [reached, cruft].filter((pack) => pack !== undefined),
        replaced: divided.map((pack) => pack.record.name),
        found: {
          version,
          marks: isReachedMarked ? [...marks, { pack: reached.name }] : marks,
          unmarks,
          kept,
          keptGraphs: await this.#reachedGraphs(),
          purges,
        },
      },
      undecided: whole.length < unmarked.length || (reached !== undefined && !isReachedMarked),
    };
  }

  /** Returns how many layers of the commit-graph, from the lowest on, have only commits that are reached. */
  async #reachedGraphs(): Promise<number> {
    const { graph } = this.#graph.database;
    await graph?.load();
    if (graph?.isAtHand !== true) return 0;
    for (const [number, { base, record }] of graph.layers.entries()) {
      // Of layers that can't be read nothing is known.
      while ((await graph.prepare(base)) && !graph.isReadable(base));
      if (!graph.isAtHand) return number;
      for (let row = 0; row < record.commits; row++) if (!this.#reachable.has(graph.nameAt(base + row))) return number;
    }
    return graph.layers.length;
  }

  /**
   * Whether what refs were lately counts as reached. It does not for a purge, whether it is one of this repository or of
   * one that wants packs back.
   */
  get #keepsRecent(): boolean {
    return !this.#input.purges && !this.#snapshot.packs.some((pack) => isDemanded(pack));
  }

  /** Walks from HEAD, then from all refs, then from what refs were lately, and counts what is reached of each pack. */
  async #look(packs: readonly PackHandle[]): Promise<Looked[]> {
    const { headOid, refs, recentValues } = this.#snapshot;
    const { rawSize } = this.#graph.format;
    if (headOid !== undefined) await this.#reachable.add(present(fromHex(headOid), "HEAD's value"));
    const byHead = await this.#countReached(packs);
    await this.#reachable.add(concat(Array.from(decodeRefRows(refs, rawSize), ({ oid }) => oid)));
    const byRefs = await this.#countReached(packs);
    if (this.#keepsRecent && recentValues !== undefined) await this.#reachable.add(await this.#stored(recentValues));
    const byAll = await this.#countReached(packs);
    return packs.map(({ record }, i) => ({
      record,
      byHead: byHead[i] === record.objects,
      byRefs: itemAt(byRefs, i),
      byAll: itemAt(byAll, i),
    }));
  }

  /** Returns those of the raw names whose objects are here. */
  async #stored(names: Uint8Array): Promise<Uint8Array> {
    const { rawSize } = this.#graph.format;
    const { packs } = await this.#graph.database.locate(names);
    const found: Uint8Array[] = [];
    for (const [i, pack] of packs.entries()) if (pack >= 0) found.push(names.slice(i * rawSize, (i + 1) * rawSize));
    return concat(found);
  }

  /** Returns how many objects of each pack are reached so far. */
  async #countReached(packs: readonly PackHandle[]): Promise<number[]> {
    const counts: number[] = [];
    for (const pack of packs) {
      const index = await pack.loadIndex();
      let count = 0;
      for (let position = 0; position < index.count; position++)
        if (this.#reachable.has(index.nameAt(position))) count++;
      counts.push(count);
    }
    return counts;
  }

  /**
   * Returns the packs of which something is unreachable, as many as one step may copy. What a mirror's refs were stays
   * readable for thirty days, so its packs stay as they are.
   */
  #toDivide(looked: readonly Looked[]): Looked[] {
    if (this.#snapshot.record.mirror !== undefined) return [];
    const chosen: Looked[] = [];
    let objects = 0;
    let bytes = 0;
    for (const pack of looked.filter((each) => hasUnreachable(each))) {
      const { record } = pack;
      const fits =
        objects + record.objects <= ROLLING_UP.mostObjects && bytes + record.packBytes <= ROLLING_UP.mostBytes;
      if (!fits && this.#input.purges)
        throw new LimitExceeded("divided-pack", ROLLING_UP.mostObjects, "a pack is too large to be divided");
      if (!fits) continue;
      objects += record.objects;
      bytes += record.packBytes;
      chosen.push(pack);
    }
    return chosen;
  }

  /** Writes one pack of what is reached of packs; `undefined` if nothing is. */
  async #writeReached(divided: readonly Looked[]): Promise<PackRecord | undefined> {
    const choice = { keeps: (name: Uint8Array) => this.#reachable.has(name), takesAppended: true };
    return await this.#copy(divided, this.#input.packNames[0], choice);
  }

  /**
   * Writes a cruft pack of what is not reached of packs; `undefined` if everything is. Nothing of borrowed packs goes
   * there: it may be what no ref of this repository ever reached, and a purge at its owner must find all of it.
   */
  async #writeCruft(divided: readonly Looked[]): Promise<PackRecord | undefined> {
    const own = divided.filter(({ record: { loan } }) => loan === undefined);
    const choice = { keeps: (name: Uint8Array) => !this.#reachable.has(name), takesAppended: false };
    const cruft = await this.#copy(own, this.#input.packNames[1], choice);
    if (cruft === undefined) return undefined;
    await this.#writeTimes(cruft);
    return { ...cruft, source: "cruft" };
  }

  /** A tip pack is not copied: its objects are in other packs, too. */
  async #copy(
    divided: readonly Looked[],
    packName: string,
    choice: Pick<NonNullable<CombineInput["choice"]>, "keeps" | "takesAppended">,
  ): Promise<PackRecord | undefined> {
    const { repository } = this.#input;
    const { record } = this.#snapshot;
    const { inflating } = this.#graph;
    const packs = divided.map((pack) => pack.record).filter(({ source }) => source !== "copy");
    const reader = new ObjectReader(openObjects(repository, record, packs), inflating);
    const tools = { reader, inflating, deflate: repository.deflate };
    const whole = (pack: number, offset: number): AsyncGenerator<Uint8Array> => wholeEntry(tools, pack, offset);
    try {
      return await combinePacks({ repository, record, packs, packName, choice: { ...choice, whole } });
    } finally {
      reader.keptBase.forget();
    }
  }

  async #writeTimes({ name, objects, checksum, createdAt }: PackRecord): Promise<void> {
    const { repository } = this.#input;
    const { record } = this.#snapshot;
    const { format } = this.#graph;
    const times = {
      format,
      count: objects,
      time: Math.floor(createdAt / 1000),
      packChecksum: present(fromHex(checksum), "the checksum of a pack"),
    };
    const bytes = encodePackTimes(times, repository.hash(format.name));
    await repository.storage(record.id).write({ pack: name, extension: "mtimes" }, bytes);
  }
}

/**
 * Walks from the refs of a repository, and writes what packs have to be divided into. Nothing is visible until the
 * catalog takes it.
 *
 * @throws LimitExceeded if a purge would have to divide a pack that is too large.
 * @throws CorruptStore, MissingObject
 */
export async function walkRefs(input: WalkInput): Promise<WalkResult | undefined> {
  const { repository } = input;
  const snapshot = await repository.refs.open({
    packs: true,
    refPrefixes: [],
    recentSince: repository.now() - KEPT_VALUES_TIME,
    keptValues: true,
  });
  if (snapshot.kind === "missing") return undefined;
  assert(
    snapshot.packs.every(({ source }) => source !== "cruft"),
    "readers are not told of cruft packs",
  );
  const database = openObjects(repository, snapshot.record, snapshot.packs, snapshot.graphs);
  return await inOwnSession(repository, database, (graph) => new Walk(input, snapshot, graph).run());
}
