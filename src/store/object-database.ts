/**
 * All objects of a repository: looks names up in the packs of one catalog snapshot together.
 *
 * @packageDocumentation
 */
import { i32At, itemAt, present, u32At } from "../bytes/assert.ts";
import { MissingObject } from "../bytes/failure.ts";
import { toHex } from "../bytes/hex.ts";
import type { PackRecord } from "../catalog/pack-record.ts";
import { sortNames } from "../format/sort-names.ts";
import type { CommitGraph } from "./commit-graph.ts";
import { PackHandle } from "./pack-handle.ts";
import type { PackContext } from "./pack-place.ts";
import { READING } from "./reading-policy.ts";

/** Bytes of an offset as a key that is sorted by: a pack is smaller than 2⁴⁸ bytes. */
const OFFSET_BYTES = 6;

/**
 * The places of objects: for each name looked up, the number of the pack (-1 if no pack has it) and the position in its
 * index.
 */
export type Locations = { readonly packs: Int32Array<ArrayBuffer>; readonly positions: Uint32Array<ArrayBuffer> };

/** The place of one object: the number of the pack, and the offset at which its entry begins. */
export type ObjectPlace = { readonly pack: number; readonly offset: number };

/** A repository's objects, over one snapshot of its catalog. */
export class ObjectDatabase {
  readonly packs: readonly PackHandle[];
  readonly context: PackContext;
  /** The commit-graph; `undefined` if there is none. */
  readonly graph: CommitGraph | undefined;
  /**
   * The numbers of the packs that are searched, small ones first: an object in several packs is read where less has to
   * be read.
   */
  #bySize: readonly number[];
  /** The numbers of the packs whose indexes are read whole before any pack is asked. */
  #first: readonly number[] = [];

  constructor(records: readonly PackRecord[], context: PackContext, graph?: CommitGraph) {
    this.context = context;
    this.graph = graph === undefined || graph.count === 0 ? undefined : graph;
    this.packs = records.map((record) => new PackHandle(record, context));
    // A tip pack has nothing that the other packs lack, so searching it too would cost a read for nothing.
    this.#bySize = this.#sorted((record) => record.source !== "copy");
  }

  /** Opens another catalog of the same repository, with the same context. The graph of this one is right in it. */
  withPacks(records: readonly PackRecord[]): ObjectDatabase {
    return new ObjectDatabase(records, this.context, this.graph);
  }

  /** Opens the same catalog with another commit-graph. */
  withGraph(graph: CommitGraph): ObjectDatabase {
    return new ObjectDatabase(
      this.packs.map(({ record }) => record),
      this.context,
      graph,
    );
  }

  /**
   * Has tip packs searched, too, and before the packs that have the same objects, also where the indexes of those are in memory. This suits
   * a caller that reads a tip's whole tree, or much of it: in a tip pack all of it lies together.
   */
  useCopies(): void {
    this.#bySize = this.#sorted(() => true);
    this.#first = this.#copiesUpTo(READING.largeIndexBytes);
  }

  /**
   * Has tip packs with small indexes searched before all others. One read of such an index then serves every look-up of
   * what the tip has, where a large pack takes a read or two for each. This suits a caller that reads a few objects of a tip.
   */
  useSmallCopies(): void {
    this.#first = this.#copiesUpTo(READING.wholeIndexBytes);
    const small = new Set(this.#first);
    this.#bySize = this.#sorted(({ source }, number) => source !== "copy" || small.has(number));
  }

  /** Whether to look many names up costs much: the index of some pack is large, and not in memory. */
  get isCostly(): boolean {
    return this.#bySize.some((number) => this.#isCostly(itemAt(this.packs, number)));
  }

  #isCostly(pack: PackHandle): boolean {
    return pack.record.indexBytes > READING.costlyIndexBytes && !pack.isIndexAtHand;
  }

  #copiesUpTo(most: number): number[] {
    return this.#sorted(({ source, indexBytes }) => source === "copy" && indexBytes <= most);
  }

  /** Reads the whole indexes of all packs that are searched, for a walk that looks very many names up. */
  async loadIndexes(): Promise<void> {
    const searched = this.#bySize.map((number) => itemAt(this.packs, number));
    for (let next = 0; next < searched.length; next += READING.readsAtOnce) {
      await Promise.all(searched.slice(next, next + READING.readsAtOnce).map(async (pack) => await pack.loadIndex()));
    }
  }

  #sorted(isAsked: (record: PackRecord, number: number) => boolean): number[] {
    const sizeOf = (number: number): number => itemAt(this.packs, number).record.packBytes;
    const asked = [...this.packs.entries()]
      .filter(([number, { record }]) => isAsked(record, number))
      .map(([number]) => number);
    return asked.sort((a, b) => sizeOf(a) - sizeOf(b) || a - b);
  }

  /**
   * Looks up raw names that lie one after the other. Packs whose index is in memory are searched first, then those with small indexes all at
   * once, and then the others: what is asked for is mostly new, and large packs are old. If several packs have an object, the first counts,
   * and their order is the same for all names.
   */
  async locate(names: Uint8Array): Promise<Locations> {
    const count = names.length / this.context.format.rawSize;
    await Promise.all(this.#first.map(async (number) => await this.packs[number]?.loadIndex()));
    const found: Locations = { packs: new Int32Array(count).fill(-1), positions: new Uint32Array(count) };
    const isAtHand = (number: number): boolean => this.packs[number]?.index !== undefined;
    const remote = this.#bySize.filter((number) => !isAtHand(number));
    for (const number of this.#bySize.filter(isAtHand)) {
      const wanted = stillMissing(found);
      if (wanted.length === 0) return found;
      note(found, number, wanted, await this.packs[number]?.find(names, wanted));
    }
    const isSmall = (number: number): boolean => !this.#isCostly(itemAt(this.packs, number));
    for (const group of [remote.filter(isSmall), remote.filter((number) => !isSmall(number))]) {
      const missing = stillMissing(found);
      if (missing.length === 0) return found;
      const answers = await Promise.all(group.map(async (number) => await this.packs[number]?.find(names, missing)));
      for (const [i, number] of group.entries()) note(found, number, missing, answers[i]);
    }
    return found;
  }

  /** Returns the type number of each raw name; 0 for names that are not here. */
  async typesOf(names: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
    return await this.typesAt(await this.locate(names));
  }

  /** Returns the type number of each object located; 0 for those that are not here. */
  async typesAt(locations: Locations): Promise<Uint8Array<ArrayBuffer>> {
    const types = new Uint8Array(locations.packs.length);
    await Promise.all(
      [...byPack(locations)].map(async ([pack, list]) => {
        const found = (await this.packs[pack]?.types(list.map((i) => u32At(locations.positions, i)))) ?? [];
        for (const [n, i] of list.entries()) types[i] = itemAt(found, n);
      }),
    );
    return types;
  }

  /**
   * Returns the indexes of the objects located, in the order in which they lie in the packs: read in that order, no
   * block is read twice. Objects that are not here are left out.
   */
  async inPackOrder(locations: Locations): Promise<number[]> {
    const sorted: number[] = [];
    for (const [pack, list] of byPack(locations)) {
      const offsets = (await this.packs[pack]?.offsets(list.map((i) => u32At(locations.positions, i)))) ?? [];
      for (const n of await this.#inOrder(offsets)) sorted.push(itemAt(list, n));
    }
    return sorted;
  }

  /** Returns the numbers of offsets in ascending order. A request may name 200,000 objects, so others run in between. */
  async #inOrder(offsets: readonly number[]): Promise<Uint32Array<ArrayBuffer>> {
    const keys = new Uint8Array(offsets.length * OFFSET_BYTES);
    const view = new DataView(keys.buffer);
    for (const [n, offset] of offsets.entries()) {
      view.setUint32(n * OFFSET_BYTES, Math.floor(offset / 0x1_0000));
      view.setUint16(n * OFFSET_BYTES + 4, offset % 0x1_0000);
    }
    const table = { names: keys, stride: OFFSET_BYTES, rawSize: OFFSET_BYTES };
    return await this.context.pacer.finish(sortNames(table, offsets.length));
  }

  /**
   * Returns the place of one object if the indexes in memory have it. A walk calls this thousands of times, so it is
   * synchronous.
   */
  offsetAtHand(name: Uint8Array): ObjectPlace | undefined {
    for (const pack of this.#bySize) {
      const index = this.packs[pack]?.index;
      if (index === undefined) return undefined;
      const position = index.find(name);
      if (position >= 0) return { pack, offset: index.offsetAt(position) };
    }
    return undefined;
  }

  /** Returns the place of one object. @throws MissingObject */
  async offsetOf(name: Uint8Array): Promise<ObjectPlace> {
    const locations = await this.locate(name);
    const pack = i32At(locations.packs, 0);
    const handle = this.packs[pack];
    if (handle === undefined) throw new MissingObject(toHex(name));
    const [offset] = await handle.offsets([u32At(locations.positions, 0)]);
    return { pack, offset: present(offset, "the offset") };
  }
}

/** Returns the indexes of the objects located in each pack. */
function byPack({ packs }: Locations): Map<number, number[]> {
  const lists = new Map<number, number[]>();
  for (const [i, pack] of packs.entries()) {
    if (pack < 0) continue;
    const list = lists.get(pack);
    if (list === undefined) lists.set(pack, [i]);
    else list.push(i);
  }
  return lists;
}

/** Records the positions of the names that this pack has and no pack before had. */
function note(found: Locations, pack: number, wanted: Uint32Array, positions: Int32Array | undefined): void {
  for (const [i, name] of wanted.entries()) {
    // A pack that was not searched has none of the names.
    const position = positions?.[i] ?? -1;
    if (position < 0 || i32At(found.packs, name) >= 0) continue;
    found.packs[name] = pack;
    found.positions[name] = position;
  }
}

function stillMissing(found: Locations): Uint32Array<ArrayBuffer> {
  const missing = new Uint32Array(found.packs.length);
  let used = 0;
  for (const [i, pack] of found.packs.entries()) if (pack < 0) missing[used++] = i;
  return missing.slice(0, used);
}
