/**
 * The commits and trees of one pack, read once in the order in which they lie there: what is needed to tell which
 * objects each commit reaches. The kernel's table of names has the pack's names in the order of the pack, so that an
 * object's node is the rank of its entry.
 *
 * @packageDocumentation
 */
import { assert, f64At, u32At, u8At } from "../bytes/assert.ts";
import { CorruptStore } from "../bytes/failure.ts";
import { freeMemory } from "../bytes/free-memory.ts";
import { findSorted } from "../bytes/sorted.ts";
import type { PackRecord } from "../catalog/pack-record.ts";
import { EntryHeader } from "../format/pack-entry.ts";
import { PackIndex } from "../format/pack-index.ts";
import { packTypesBytes, typeAtPosition } from "../format/pack-types.ts";
import { reverseIndexBytes } from "../format/reverse-index.ts";
import { CommitTable } from "../graph/commit-table.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { CommitLinks } from "../object/commit.ts";
import { type ObjectFormat, objectFormat } from "../object/object-id.ts";
import { OFS_DELTA, REF_DELTA, TYPE_NUMBER } from "../object/object-type.ts";
import { readTagLinks } from "../object/tag.ts";
import type { RepositoryRecord } from "../refs/ref-store.ts";
import { openObjects, type ReadRepository } from "../repository/open-objects.ts";
import type { ReadObject } from "../store/held-objects.ts";
import { type Held, Inflating } from "../store/inflating.ts";
import type { PackHandle } from "../store/pack-handle.ts";
import { orFault, ranksOrSorted } from "../store/pack-order.ts";
import { ObjectReader } from "../store/object-reader.ts";
import { READING } from "../store/reading-policy.ts";
import { ObjectRing } from "../store/object-ring.ts";
import { alikeKey, AlikeTrees, TreeLists } from "./tree-lists.ts";

/** Where a pack lies, and what it is read with. */
export type PackInput = {
  readonly repository: ReadRepository;
  readonly record: Pick<RepositoryRecord, "id" | "objectFormat">;
  readonly pack: PackRecord;
  readonly kernel: Kernel;
};

/** The least bytes of an entry of a tree, beside its object's name: mode, space, a name, NUL. */
const LEAST_ENTRY_BYTES = 9;
/** With so few differences, no other base is tried. */
const FEW_DIFFERENCES = 12;
/** Bytes of memory for each object of a pack, beside its name in the kernel. Half of it is for the lists of trees. */
const OBJECT_BYTES = 48;
/** The steps charged to the pacer for an entry that is passed over. */
const ENTRY_STEPS = 5;
/** The steps of entering a name into the table. */
const NAME_STEPS = 30;
const EMPTY_TREE = { at: 0, length: 0 };

/** The content of a pack. */
export class PackContent {
  readonly format: ObjectFormat;
  /** The number of entries. */
  readonly count: number;
  readonly commits: CommitTable;
  readonly trees: TreeLists;
  /** The type numbers of the entries, by rank. */
  readonly types: Uint8Array<ArrayBuffer>;
  /** The position in the index of each entry, by rank. */
  readonly positions: Uint32Array<ArrayBuffer>;
  readonly #offsets: Float64Array<ArrayBuffer>;
  /** By rank: the tree of which a tree is probably another version, plus one. */
  readonly #expected: Uint32Array<ArrayBuffer>;
  readonly #input: PackInput;
  readonly #handle: PackHandle;
  readonly #inflating: Inflating;
  readonly #reader: ObjectReader;
  readonly #links: CommitLinks;
  readonly #header = new EntryHeader();
  readonly #alike = new AlikeTrees();
  #lacksReverseIndex = false;

  private constructor(input: PackInput) {
    const { repository, record, pack, kernel } = input;
    this.#input = input;
    this.format = objectFormat(record.objectFormat);
    this.count = pack.objects;
    this.types = new Uint8Array(this.count);
    this.positions = new Uint32Array(this.count);
    this.#offsets = new Float64Array(this.count + 1);
    this.#expected = new Uint32Array(this.count);
    this.commits = new CommitTable(kernel);
    this.trees = new TreeLists(this.count);
    this.#inflating = new Inflating(kernel, new ObjectRing(kernel.ringAt, kernel.ringBytes), repository.pacer);
    const database = openObjects(repository, record, [pack]);
    const [handle] = database.packs;
    assert(handle !== undefined, "a database has the packs that it was opened with");
    this.#handle = handle;
    this.#reader = new ObjectReader(database, this.#inflating);
    this.#links = new CommitLinks(this.format);
  }

  /**
   * Reads a pack's commits and trees.
   *
   * @throws LimitExceeded if they differ too much to be kept, or one is too large.
   * @throws CorruptStore
   */
  static async read(input: PackInput): Promise<PackContent> {
    const { memory } = input.repository;
    const held = input.pack.objects * OBJECT_BYTES;
    memory.hold(held);
    const content = new PackContent(input);
    try {
      await content.#loadNames();
      await content.#readEntries();
      return content;
    } catch (error) {
      content.free();
      throw error;
    }
  }

  /** Enters all names into the kernel's table. The index is not kept: at 28 bytes for each object it is the largest file. */
  async #loadNames(): Promise<void> {
    const { repository, record, pack, kernel } = this.#input;
    const storage = repository.storage(record.id);
    const read = async (extension: "idx" | "rev" | "kinds", length: number): Promise<Uint8Array<ArrayBuffer>> =>
      await storage.read({ pack: pack.name, extension }, 0, length);
    const [indexBytes, reverseBytes, kinds] = await Promise.all([
      read("idx", pack.indexBytes),
      orFault(read("rev", reverseIndexBytes(this.count, this.format))),
      pack.kinds ?? read("kinds", packTypesBytes(this.count)),
    ]);
    const index = new PackIndex(indexBytes, this.format);
    const noteDamage = (): void => void (this.#lacksReverseIndex = true);
    const { hash, pacer, memory } = repository;
    const tools = { format: this.format, hash, pacer, memory, noteDamage };
    const { ranks: order, free } = await ranksOrSorted(reverseBytes, { pack, index }, tools);
    await repository.pacer.forEach(this.count, NAME_STEPS, (rank) => {
      const position = order.positionOf(rank);
      this.positions[rank] = position;
      this.#offsets[rank] = index.offsetAt(position);
      this.types[rank] = typeAtPosition(kinds, position);
      kernel.memory.set(index.nameAt(position), kernel.scratchAt);
      if (kernel.oidAdd(kernel.scratchAt) !== rank)
        throw new CorruptStore("an index has a name twice", { pack: pack.name });
    });
    this.#offsets[this.count] = pack.packBytes - this.format.rawSize;
    free();
    freeMemory(indexBytes);
    if (reverseBytes instanceof Uint8Array) freeMemory(reverseBytes);
  }

  /** Whether the pack's reverse index is damaged or missing. {@link positions} has what it would say. */
  get lacksReverseIndex(): boolean {
    return this.#lacksReverseIndex;
  }

  async #readEntries(): Promise<void> {
    await this.#forEachOf(TYPE_NUMBER.commit, async (rank) => this.#addCommit(rank, await this.#readNext(rank)));
    await this.#forEachOf(TYPE_NUMBER.commit, (rank) => this.#expectTreesAlike(rank));
    await this.#forEachOf(TYPE_NUMBER.tree, async (rank) => await this.#addTree(rank));
  }

  async #forEachOf(type: number, visit: (rank: number) => Promise<void> | void): Promise<void> {
    const { pacer } = this.#input.repository;
    for (let rank = 0; rank < this.count; rank++) {
      if (u8At(this.types, rank) === type) await visit(rank);
      pacer.add(ENTRY_STEPS);
      if (pacer.isDue) await pacer.pace();
    }
  }

  /** Notes that the trees of a commit and of its first parent are alike. Children usually lie before their parents. */
  #expectTreesAlike(commit: number): void {
    const [parent] = this.commits.parentsOf(commit);
    if (parent === undefined || parent >= this.count) return;
    const [tree, before] = [this.commits.treeOf(commit), this.commits.treeOf(parent)];
    if (tree < before && before < this.count) this.#expected[before] = tree + 1;
    else if (tree < this.count) this.#expected[tree] = before + 1;
  }

  async #read(rank: number): Promise<ReadObject> {
    return await this.#reader.readAt(0, f64At(this.#offsets, rank));
  }

  /** Reads on in the pack, in larger pieces than those who look for single objects. */
  async #readNext(rank: number): Promise<ReadObject> {
    const offset = f64At(this.#offsets, rank);
    if (this.#handle.bytesAtHand(offset) === undefined) await this.#handle.loadAround(offset, READING.mostBlocks);
    return await this.#read(rank);
  }

  #addCommit(rank: number, { held }: ReadObject): void {
    const at = this.#inflating.pointer(held);
    this.#links.read(this.#input.kernel.memory, at, at + held.size);
    this.commits.add(rank, this.#links);
  }

  /** Lists a tree by its differences from the best of some trees, or whole. */
  async #addTree(rank: number): Promise<void> {
    const expected = u32At(this.#expected, rank) - 1;
    const { held } = await this.#readNext(rank);
    let best: { readonly base: number; readonly listed: number } | undefined;
    for (const base of this.#basesFor(rank, held, expected)) {
      const listed = await this.#listFrom(rank, held, base);
      if (listed <= FEW_DIFFERENCES) return;
      if (best === undefined || listed < best.listed) best = { base, listed };
      this.trees.takeBack(rank);
    }
    const most = held.size / (LEAST_ENTRY_BYTES + this.format.rawSize);
    await this.#listFrom(rank, held, best !== undefined && best.listed <= most ? best.base : undefined);
  }

  /** Yields trees that are at hand and probably differ little: a child's, the delta's base, and one that looks alike. */
  *#basesFor(rank: number, held: Held, expected: number): Generator<number> {
    const alike = this.#alikeTo(rank, held.size, this.#inflating.pointer(held));
    for (const base of new Set([expected, this.#deltaBaseOf(rank), alike]))
      if (base !== undefined && base !== rank && this.#isAtHand(base)) yield base;
  }

  async #listFrom(rank: number, held: Held, base: number | undefined): Promise<number> {
    const other = base !== undefined && this.#isAtHand(base) ? (await this.#read(base)).held : undefined;
    const tree = { at: this.#inflating.pointer(held), length: held.size };
    if (other === undefined) return this.#list(rank, undefined, tree, EMPTY_TREE);
    return this.#list(rank, base, tree, { at: this.#inflating.pointer(other), length: other.size });
  }

  #mayBeBase(base: number): boolean {
    return base >= 0 && base < this.count && this.trees.mayBeBase(base);
  }

  /** Whether a tree has a list and is still in the ring. */
  #isAtHand(base: number): boolean {
    return this.#mayBeBase(base) && this.#reader.isHeld(0, f64At(this.#offsets, base));
  }

  #list(rank: number, base: number | undefined, tree: typeof EMPTY_TREE, from: typeof EMPTY_TREE): number {
    return this.trees.add(rank, base, (visit) => {
      let removed = this.count;
      const isSound = this.#input.kernel.difference.list(tree, from, (object, isRemoved) => {
        visit(object, isRemoved);
        // What was removed just before usually had the same name.
        if (!isRemoved && removed < this.count) this.#expectAlike(object, removed);
        removed = isRemoved ? object : this.count;
      });
      if (!isSound)
        throw new CorruptStore("a tree is malformed", {
          pack: this.#input.pack.name,
          offset: f64At(this.#offsets, rank),
        });
    });
  }

  #expectAlike(tree: number, other: number): void {
    if (tree >= this.count || u8At(this.types, tree) !== TYPE_NUMBER.tree) return;
    if (u8At(this.types, other) === TYPE_NUMBER.tree && u32At(this.#expected, tree) === 0)
      this.#expected[tree] = other + 1;
  }

  /** Returns the rank of the base of a tree that is a delta, if its header is in memory. */
  #deltaBaseOf(rank: number): number | undefined {
    const offset = f64At(this.#offsets, rank);
    const bytes = this.#handle.bytesAtHand(offset);
    const { rawSize } = this.format;
    const header = this.#header;
    if (bytes === undefined || header.decode(bytes, 0, bytes.length, rawSize) !== "ok") return undefined;
    if (header.type === OFS_DELTA) {
      const base = findSorted(this.count, offset - header.distance, (each) => f64At(this.#offsets, each));
      return base < 0 ? undefined : base;
    }
    if (header.type !== REF_DELTA || header.baseAt + rawSize > bytes.length) return undefined;
    const { kernel } = this.#input;
    kernel.memory.set(bytes.subarray(header.baseAt, header.baseAt + rawSize), kernel.scratchAt);
    const base = kernel.oidFind(kernel.scratchAt);
    return base < 0 || base >= this.count ? undefined : base;
  }

  #alikeTo(rank: number, size: number, at: number): number | undefined {
    const { kernel } = this.#input;
    return this.#alike.replace(alikeKey(kernel.memory.subarray(at, at + size), this.format.rawSize), rank);
  }

  /** Returns the rank of the object with this raw name; -1 if the pack does not have it. */
  rankOf(name: Uint8Array): number {
    const { kernel } = this.#input;
    kernel.memory.set(name.subarray(0, this.format.rawSize), kernel.scratchAt);
    const rank = kernel.oidFind(kernel.scratchAt);
    return rank < this.count ? rank : -1;
  }

  /**
   * Returns the rank of the object that the tag of this rank names; -1 if the pack does not have it.
   *
   * @throws ObjectRejected if git would not take it for a tag.
   */
  async taggedBy(rank: number): Promise<number> {
    const { held } = await this.#read(rank);
    const at = this.#inflating.pointer(held);
    return this.rankOf(readTagLinks(this.#input.kernel.memory, at, at + held.size, this.format).object);
  }

  /** Frees the memory. The kernel stays with its lender. It must be the last call. */
  free(): void {
    this.#reader.close();
    this.commits.free();
    this.trees.free();
    for (const list of [this.types, this.positions, this.#offsets, this.#expected]) freeMemory(list);
    this.#input.repository.memory.hold(-this.count * OBJECT_BYTES);
  }
}
