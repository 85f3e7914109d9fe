/**
 * Looks for deltas where packs that are combined have none. Objects are put next to their like, as `git pack-objects` does
 * it: by type, by name, by path, and then in the order in which they will be written, where git takes their sizes. Each whole one
 * is tried against those before it. So a base of the same path is written before its deltas, which build on it by distance; one
 * of another path may come later, and is named. Nothing has to be read out of order to be written.
 *
 * | figure | value | what it trades |
 * | --- | --- | --- |
 * | `window` | 10 | the objects that one is tried against: git's own figure |
 * | `mostDepth` | 50 | the deltas on one another: git's own figure |
 * | `leastBytes` | 64 | an object that is smaller is left whole |
 * | `mostBytes` | 512 KiB | so is one that is larger, and it is no base |
 * | `segmentBytes` | 6 MiB | the objects that are held at once: more reads for less memory |
 * | `mostObjects` | 100,000 | packs with more objects are combined without a search: its tables, and those of combining, have to fit |
 * | `mostWork` | 768 MiB | the bytes that are gone through in a step: some ten seconds of processor time |
 * | `mostRead` | 192 MiB | the bytes of packs that are read in a step for this, in pieces of 1 MiB or so |
 * | `mostMade` | 12 MiB | the deltas that a step makes: they are held until they are written |
 * | `mostTrees` | 96 MiB | the bytes of trees that are gone through for names: beyond, the other objects have none |
 *
 * What is beyond a bound stays as it is, and the next step that writes these objects anew goes on with it.
 *
 * @packageDocumentation
 * @see git-pack-objects(1), `--window`, `--depth`
 */
import { itemAt, u32At } from "../bytes/assert.ts";
import { CorruptStore, ObjectRejected } from "../bytes/failure.ts";
import type { Pacer } from "../bytes/pacer.ts";
import { DeltaBase } from "../format/delta-encoder.ts";
import { sizesOfClass } from "../format/pack-types.ts";
import type { Kernel } from "../kernel/kernel.ts";
import type { ObjectFormat } from "../object/object-id.ts";
import { TYPE_NUMBER } from "../object/object-type.ts";
import type { ObjectDatabase } from "../store/object-database.ts";
import { Inflating } from "../store/inflating.ts";
import { ObjectReader } from "../store/object-reader.ts";
import { ObjectRing } from "../store/object-ring.ts";
import { READING } from "../store/reading-policy.ts";
import type { CombinedEntries } from "./combined-entries.ts";
import type { DeltaChains } from "./delta-chains.ts";
import { PathHashes } from "./path-hashes.ts";

const MIB = 1024 * 1024;

/** The figures of the table above. */
export const SEEKING = {
  window: 10,
  mostDepth: 50,
  leastBytes: 64,
  mostBytes: 512 * 1024,
  segmentBytes: 6 * MIB,
  mostObjects: 100_000,
  mostWork: 768 * MIB,
  mostRead: 192 * MIB,
  mostMade: 12 * MIB,
  mostTrees: 96 * MIB,
} as const;

/** Spreads numbers that follow one another: half of 2^32 divided by the golden ratio, made odd. */
const SPREADING = 0x9e37_79b1;
/** Bytes of memory per object: its chain, its place, and its rows in lists. */
const OBJECT_BYTES = 40;

/**
 * Returns the bytes of memory that a search in these entries takes at most, beside a kernel: the window has its objects,
 * and tables of a block's place for each 16 bytes; a segment its objects; and a delta is smaller than the entry that it
 * replaces.
 */
export function searchMemory(entries: CombinedEntries): number {
  let [largest, content, stored] = [0, 0, 0];
  for (const entry of entries.chosenEntries()) {
    const { type, sizeClass } = entries.kindOf(entry);
    if (type !== TYPE_NUMBER.tree && type !== TYPE_NUMBER.blob) continue;
    const size = Math.min(sizesOfClass(sizeClass).most, SEEKING.mostBytes);
    largest = Math.max(largest, size);
    content += size;
    stored += entries.lengthOf(entry);
  }
  const window = 2 * Math.min(SEEKING.window * largest, content);
  const segment = Math.min(SEEKING.segmentBytes + largest, content);
  return entries.count * OBJECT_BYTES + window + segment + Math.min(SEEKING.mostMade + largest, stored);
}

/** A delta that was made: the slot of its base, its size, and what it deflates to. */
export type MadeDelta = { readonly base: number; readonly size: number; readonly deflated: Uint8Array };

/** The input of a search. */
export type DeltaSearchInput = {
  readonly database: ObjectDatabase;
  readonly kernel: Kernel;
  readonly entries: CombinedEntries;
  /** The stored deltas. Those that are made are added. */
  readonly chains: DeltaChains;
  readonly format: ObjectFormat;
  readonly pacer: Pacer;
  readonly deflate: (bytes: Uint8Array) => Uint8Array;
  /** Whether others wait for the memory that the search takes: it ends with what it has found. */
  readonly isPressed: () => boolean;
};

/** An object of the window. */
type Neighbour = { readonly slot: number; readonly base: DeltaBase };

/** One search. */
class DeltaSearch {
  readonly #input: DeltaSearchInput;
  readonly #reader: ObjectReader;
  readonly #inflating: Inflating;
  readonly #paths: PathHashes;
  readonly #made = new Map<number, MadeDelta>();
  #madeBytes = 0;
  #work = 0;

  constructor(input: DeltaSearchInput) {
    const { kernel, database, entries, format } = input;
    this.#input = input;
    this.#inflating = new Inflating(kernel, new ObjectRing(kernel.ringAt, kernel.ringBytes), database.context.pacer);
    this.#reader = new ObjectReader(database, this.#inflating);
    this.#paths = new PathHashes(entries.count, format.rawSize, (name) => entries.slotOfName(name));
  }

  async run(): Promise<ReadonlyMap<number, MadeDelta>> {
    const lists = [this.#listOf(TYPE_NUMBER.tree), this.#listOf(TYPE_NUMBER.blob)];
    if (lists.some((list) => this.#hasWork(list))) {
      await this.#readTrees();
      for (const list of lists) if (this.#hasWork(list)) await this.#searchIn(this.#sorted(list));
    }
    return this.#made;
  }

  close(): void {
    this.#reader.close();
    this.#paths.free();
  }

  /** Returns the entries of a type that may be bases or deltas, in the order in which they will be written. */
  #listOf(type: number): Uint32Array<ArrayBuffer> {
    const { entries } = this.#input;
    const list: number[] = [];
    for (const entry of entries.chosenEntries()) {
      const kind = entries.kindOf(entry);
      const { least, most } = sizesOfClass(kind.sizeClass);
      if (kind.type !== type || entries.isAppended(entries.slotOf(entry))) continue;
      if (most >= SEEKING.leastBytes && least < SEEKING.mostBytes) list.push(entry);
    }
    return Uint32Array.from(list);
  }

  #isTarget(entry: number): boolean {
    return !this.#input.chains.isDelta(this.#input.entries.slotOf(entry));
  }

  /** Whether there are objects that could be made deltas. */
  #hasWork(list: Uint32Array): boolean {
    return list.length > 1 && list.some((entry, i) => i > 0 && this.#isTarget(entry));
  }

  get #isOver(): boolean {
    if (this.#work > SEEKING.mostWork || this.#madeBytes > SEEKING.mostMade) return true;
    if (this.#input.isPressed()) return true;
    return this.#input.database.packs.reduce((sum, pack) => sum + pack.blockBytesRead, 0) > SEEKING.mostRead;
  }

  /** Learns the names of objects from all trees. */
  async #readTrees(): Promise<void> {
    const { entries } = this.#input;
    let bytes = 0;
    for (const entry of entries.chosenEntries()) {
      if (entries.kindOf(entry).type !== TYPE_NUMBER.tree) continue;
      const tree = await this.#read(entry);
      if (tree === undefined) continue;
      bytes += tree.length;
      if (bytes > SEEKING.mostTrees || this.#isOver) return;
      this.#addTree(entries.slotOf(entry), tree);
    }
  }

  #addTree(slot: number, bytes: Uint8Array): void {
    try {
      this.#paths.addTree(slot, bytes);
    } catch (error) {
      // A tree that is broken, and was let pass by name, gives the names before the break.
      if (!(error instanceof ObjectRejected)) throw error;
    }
  }

  /** Sorts entries by name, then by path; those with the same path stay in the order in which they will be written. */
  #sorted(list: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
    const { entries } = this.#input;
    const names = Uint32Array.from(list, (entry) => this.#paths.nameOf(entries.slotOf(entry)));
    const paths = Uint32Array.from(list, (entry) => this.#paths.pathOf(entries.slotOf(entry)));
    const order = Uint32Array.from(list, (_, i) => i);
    order.sort((a, b) => u32At(names, a) - u32At(names, b) || u32At(paths, a) - u32At(paths, b) || a - b);
    return this.#fromAnywhere(order.map((i) => u32At(list, i)));
  }

  /**
   * Has a list that is too long for one step begin elsewhere each time that the packs have grown, so that what can't be made
   * deltas does not keep the rest from being looked at for ever.
   */
  #fromAnywhere(list: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
    const { entries } = this.#input;
    let work = 0;
    for (const entry of list)
      if (this.#isTarget(entry)) work += SEEKING.window * sizesOfClass(entries.kindOf(entry).sizeClass).most;
    if (work <= SEEKING.mostWork) return list;
    const from = (Math.imul(entries.kept, SPREADING) >>> 0) % list.length;
    const turned = new Uint32Array(list.length);
    turned.set(list.subarray(from));
    turned.set(list.subarray(0, from), list.length - from);
    return turned;
  }

  /** Goes through a sorted list in segments, each of which is read in the order of the packs. */
  async #searchIn(list: Uint32Array): Promise<void> {
    const window: Neighbour[] = [];
    for (let from = 0; from < list.length && !this.#isOver;) {
      const to = this.#segmentEnd(list, from);
      const objects = await this.#readSegment(list, from, to);
      for (let i = from; i < to; i++) {
        const bytes = objects.get(u32At(list, i));
        if (bytes === undefined) continue;
        await this.#tryEntry(u32At(list, i), bytes, window);
        if (this.#isOver) return;
      }
      from = to;
    }
  }

  /** Whether an entry of a list, or one of those that are tried against it, could be made a delta. */
  #isNeeded(list: Uint32Array, at: number): boolean {
    return list.subarray(at, at + SEEKING.window + 1).some((entry) => this.#isTarget(entry));
  }

  #segmentEnd(list: Uint32Array, from: number): number {
    let bytes = 0;
    let to = from;
    for (; to < list.length && bytes < SEEKING.segmentBytes; to++) {
      if (this.#isNeeded(list, to)) bytes += sizesOfClass(this.#input.entries.kindOf(u32At(list, to)).sizeClass).most;
    }
    return to;
  }

  async #readSegment(list: Uint32Array, from: number, to: number): Promise<Map<number, Uint8Array>> {
    const wanted: number[] = [];
    for (let at = from; at < to; at++) if (this.#isNeeded(list, at)) wanted.push(u32At(list, at));
    wanted.sort((a, b) => a - b);
    const objects = new Map<number, Uint8Array>();
    for (const entry of wanted) {
      if (this.#isOver) break;
      const bytes = await this.#read(entry);
      if (bytes !== undefined && bytes.length >= SEEKING.leastBytes && bytes.length <= SEEKING.mostBytes)
        objects.set(entry, bytes);
    }
    return objects;
  }

  /**
   * Reads an object and checks its name, because deltas of damaged bytes would be taken for good ones; `undefined` if it is
   * too large to be held.
   */
  async #read(entry: number): Promise<Uint8Array | undefined> {
    const { entries, database, kernel, format } = this.#input;
    const { pack, offset } = entries.placeOf(entry);
    const handle = itemAt(database.packs, pack);
    if (handle.bytesAtHand(offset) === undefined && !this.#reader.isHeld(pack, offset))
      await handle.loadAround(offset, READING.mostBlocks);
    const object = await this.#reader.readAtIfHeld(pack, offset);
    if (object === undefined) return undefined;
    const { held, type } = object;
    kernel.hashObject(type, this.#inflating.pointer(held), held.size, kernel.scratchAt);
    const name = kernel.memory.subarray(kernel.scratchAt, kernel.scratchAt + format.rawSize);
    if (entries.slotOfName(name) !== entries.slotOf(entry))
      throw new CorruptStore("an object has not the name that its index says", { pack: handle.record.name, offset });
    return this.#inflating.bytes(held).slice();
  }

  /** Tries an object against the window, and puts it there. */
  async #tryEntry(entry: number, bytes: Uint8Array, window: Neighbour[]): Promise<void> {
    const { entries, chains, pacer } = this.#input;
    const slot = entries.slotOf(entry);
    if (this.#isTarget(entry)) {
      const made = this.#bestDelta(slot, bytes, window);
      if (made !== undefined && made.deflated.length + MOST_HEADER_BYTES < entries.lengthOf(entry)) {
        this.#made.set(slot, made);
        this.#madeBytes += made.deflated.length;
        chains.add(slot, made.base);
      }
      if (pacer.isDue) await pacer.pace();
    }
    window.unshift({ slot, base: new DeltaBase(bytes) });
    this.#spend(bytes.length);
    if (window.length > SEEKING.window) window.pop();
  }

  #spend(bytes: number): void {
    this.#work += bytes;
    this.#input.pacer.add(bytes);
  }

  #bestDelta(slot: number, bytes: Uint8Array, window: readonly Neighbour[]): MadeDelta | undefined {
    const { chains, deflate, format } = this.#input;
    let best: { readonly base: number; readonly delta: Uint8Array; readonly depth: number } | undefined;
    for (const { slot: base, base: from } of window) {
      if (chains.lengthWith(slot, base) > SEEKING.mostDepth) continue;
      const depth = chains.depthOf(base);
      // A delta on a shorter chain is worth some bytes: git weighs them so.
      const most = best?.delta.length ?? bytes.length / 2 - format.rawSize;
      const share = (SEEKING.mostDepth - depth) / (SEEKING.mostDepth - (best?.depth ?? 1) + 1);
      const bound = Math.floor(most * share) - 1;
      if (bytes.length - from.bytes.length > bound || from.bytes.length > 32 * bytes.length) continue;
      this.#spend(bytes.length);
      const delta = from.deltaTo(bytes, bound);
      if (delta !== undefined) best = { base, delta, depth: depth + 1 };
    }
    return best === undefined ? undefined : { base: best.base, size: best.delta.length, deflated: deflate(best.delta) };
  }
}

/** Bytes of a delta's header and of the distance to its base, at most in a pack of a usual size. */
const MOST_HEADER_BYTES = 8;

/** Looks for deltas. Returns those that were made, by the slots of their objects. @throws CorruptStore */
export async function seekDeltas(input: DeltaSearchInput): Promise<ReadonlyMap<number, MadeDelta>> {
  const search = new DeltaSearch(input);
  try {
    return await search.run();
  } finally {
    search.close();
  }
}
