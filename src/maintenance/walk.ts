/**
 * Finds out what the refs of a repository reach, and tells its catalog. A pack all of which is reached gets its mark
 * again, so that clones need not walk. A pack of which something is not reached is divided: what is reached goes into one new
 * pack, and the rest into a cruft pack, which no reader is told of and which is deleted when its time is up.
 *
 * @packageDocumentation
 * @see git-repack(1), `--cruft`
 */
import { assert, present } from "../bytes/assert.ts";
import { LimitExceeded } from "../bytes/failure.ts";
import { concat } from "../bytes/chunk.ts";
import { fromHex } from "../bytes/hex.ts";
import type { PackRecord } from "../catalog/pack-record.ts";
import { ROLLING_UP } from "../catalog/roll-up.ts";
import { encodePackTimes } from "../format/pack-mtimes.ts";
import { GraphSession } from "../graph/graph-session.ts";
import { objectFormat } from "../object/object-id.ts";
import { combinePacks, type CombineInput } from "../packing/combine-packs.ts";
import { ReachableObjects } from "../packing/reachable-objects.ts";
import { wholeEntry } from "../packing/whole-entry.ts";
import { KEPT_VALUES_TIME } from "../refs/maintenance-store.ts";
import type { FoundReachable } from "../refs/pack-catalog.ts";
import { decodeRefRows } from "../refs/ref-rows.ts";
import type { OpenSnapshot } from "../refs/ref-store.ts";
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
  readonly id: string;
  readonly added: readonly PackRecord[];
  readonly replaced: readonly string[];
  readonly found: FoundReachable;
  /** The packs that were looked at. */
  readonly packs: readonly PackRecord[];
  /** See `MaintenanceRun`. */
  readonly undecided: boolean;
};

/** The number of a pack's objects, and how many of these are reached. */
type Reached = { readonly looked: number; byHead: boolean; byRefs: number; byAll: number };

/**
 * Whether a pack may hold unreachable objects: it lacks the mark, or has objects that the mark does not cover. Those are
 * all objects of a tip pack, and what completion appended.
 */
function isDoubtful({ record: { marked, source, objects, ownObjects } }: PackHandle): boolean {
  return !marked || source === "copy" || objects > ownObjects;
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
    const doubtful = this.#graph.database.packs.filter((handle) => purges || isDoubtful(handle));
    const reached = await this.#look(doubtful);
    const marks = doubtful.flatMap(({ record: { name, marked } }) => {
      const { byHead, byRefs, looked } = present(reached.get(name), "a pack that was looked at");
      if (marked || byRefs < looked) return [];
      return [byHead ? { pack: name, ref: record.head } : { pack: name }];
    });
    const divided = this.#toDivide(doubtful, reached);
    const written = divided.length === 0 ? { added: [], marks: [] } : await this.#divide(divided, reached);
    const left = doubtful.filter(({ record: pack }) => !divided.includes(pack));
    return {
      id: record.id,
      added: written.added,
      replaced: divided.map(({ name }) => name),
      found: { version, marks: [...marks, ...written.marks], unmarks: this.#unmarks(left, reached), purges },
      packs: doubtful.map((handle) => handle.record),
      undecided:
        left.filter((handle) => !handle.record.marked).length > marks.length ||
        (written.added.length > 0 && written.marks.length === 0),
    };
  }

  /** Returns the packs with the mark that hold what nothing reaches, and are not divided. */
  #unmarks(packs: readonly PackHandle[], reached: ReadonlyMap<string, Reached>): string[] {
    return packs
      .filter(({ record: { name, marked } }) => {
        const { byAll, looked } = present(reached.get(name), "a pack that was looked at");
        return marked && byAll < looked;
      })
      .map(({ record }) => record.name);
  }

  async #pace(): Promise<void> {
    await this.#input.repository.pacer.pace();
  }

  /** Walks from HEAD, then from all refs, then from what refs were lately, and counts what is reached of each pack. */
  async #look(packs: readonly PackHandle[]): Promise<Map<string, Reached>> {
    const { headOid, refs, recentValues } = this.#snapshot;
    const { rawSize } = this.#graph.format;
    const counts = new Map<string, Reached>();
    await this.#walkFrom(headOid === undefined ? new Uint8Array(0) : present(fromHex(headOid), "HEAD's value"));
    for (const pack of packs) {
      const { objects: looked, name } = pack.record;
      counts.set(name, { looked, byHead: (await this.#countReached(pack)) === looked, byRefs: 0, byAll: 0 });
    }
    await this.#walkFrom(concat(Array.from(decodeRefRows(refs, rawSize), ({ oid }) => oid)));
    for (const pack of packs) this.#note(counts, pack, { byRefs: await this.#countReached(pack) });
    if (!this.#input.purges && recentValues !== undefined) await this.#walkFrom(await this.#stored(recentValues));
    for (const pack of packs) this.#note(counts, pack, { byAll: await this.#countReached(pack) });
    return counts;
  }

  #note(counts: Map<string, Reached>, { record }: PackHandle, more: Partial<Reached>): void {
    counts.set(record.name, { ...present(counts.get(record.name), "a pack that was looked at"), ...more });
  }

  async #walkFrom(names: Uint8Array): Promise<void> {
    await this.#reachable.add(names, () => this.#pace());
  }

  /** Returns those of the raw names whose objects are here. */
  async #stored(names: Uint8Array): Promise<Uint8Array> {
    const { rawSize } = this.#graph.format;
    const { packs } = await this.#graph.database.locate(names);
    const found: Uint8Array[] = [];
    for (const [i, pack] of packs.entries()) if (pack >= 0) found.push(names.slice(i * rawSize, (i + 1) * rawSize));
    return concat(found);
  }

  async #countReached(pack: PackHandle): Promise<number> {
    const index = await pack.loadIndex();
    let count = 0;
    for (let position = 0; position < index.count; position++) if (this.#reachable.has(index.nameAt(position))) count++;
    return count;
  }

  /**
   * Returns the packs of which something is unreachable, as many as one step may copy. What a mirror's refs were stays
   * readable for thirty days, so its packs stay as they are.
   */
  #toDivide(packs: readonly PackHandle[], reached: ReadonlyMap<string, Reached>): PackRecord[] {
    const { mirror } = this.#snapshot.record;
    if (mirror !== undefined) return [];
    const chosen: PackRecord[] = [];
    let objects = 0;
    let bytes = 0;
    for (const { record } of packs) {
      const { byAll, looked } = present(reached.get(record.name), "a pack that was looked at");
      if (byAll === looked) continue;
      const fits =
        objects + record.objects <= ROLLING_UP.mostObjects && bytes + record.packBytes <= ROLLING_UP.mostBytes;
      if (!fits && this.#input.purges)
        throw new LimitExceeded("divided-pack", ROLLING_UP.mostObjects, "a pack is too large to be divided");
      if (!fits) continue;
      objects += record.objects;
      bytes += record.packBytes;
      chosen.push(record);
    }
    return chosen;
  }

  /** Writes what is reached of packs, and the rest. A purge writes no rest. A tip pack is just dropped. */
  async #divide(
    packs: readonly PackRecord[],
    reached: ReadonlyMap<string, Reached>,
  ): Promise<{ added: PackRecord[]; marks: FoundReachable["marks"] }> {
    const [packName, cruftName] = this.#input.packNames;
    const own = packs.filter(({ source }) => source !== "copy");
    const counts = own.map(({ name }) => present(reached.get(name), "a pack that was looked at"));
    const added: PackRecord[] = [];
    const marks: { pack: string }[] = [];
    if (counts.some(({ byAll }) => byAll > 0)) {
      const choice = { keeps: (name: Uint8Array) => this.#reachable.has(name), takesAppended: true };
      added.push(await combinePacks(this.#copying(own, packName, choice)));
      if (counts.every(({ byRefs, byAll }) => byRefs === byAll)) marks.push({ pack: packName });
    }
    if (!this.#input.purges) {
      const choice = { keeps: (name: Uint8Array) => !this.#reachable.has(name), takesAppended: false };
      const cruft = await combinePacks(this.#copying(own, cruftName, choice));
      await this.#writeTimes(cruft);
      added.push({ ...cruft, source: "cruft" });
    }
    return { added, marks };
  }

  #copying(
    packs: readonly PackRecord[],
    packName: string,
    choice: Pick<NonNullable<CombineInput["choice"]>, "keeps" | "takesAppended">,
  ): CombineInput {
    const { repository } = this.#input;
    const { record } = this.#snapshot;
    const { inflating } = this.#graph;
    const reader = new ObjectReader(openObjects(repository, record, packs), inflating);
    const tools = { reader, inflating, deflate: repository.deflate };
    return {
      repository,
      record,
      packs,
      packName,
      choice: { ...choice, whole: (pack, offset) => wholeEntry(tools, pack, offset) },
    };
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
  });
  if (snapshot.kind === "missing") return undefined;
  assert(
    snapshot.packs.every(({ source }) => source !== "cruft"),
    "readers are not told of cruft packs",
  );
  const database = openObjects(repository, snapshot.record, snapshot.packs);
  const kernel = await repository.kernels.lend(objectFormat(snapshot.record.objectFormat).rawSize);
  const graph = new GraphSession(database, kernel);
  try {
    return await new Walk(input, snapshot, graph).run();
  } finally {
    graph.close();
    repository.kernels.giveBack(graph.inflating.kernel);
  }
}
