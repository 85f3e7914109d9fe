/**
 * One layer of the commit-graph, open for reading: the part of it that walks need in memory, or a few small ranges of it.
 *
 * @packageDocumentation
 * @see gitformat-commit-graph(5)
 */
import { concat } from "../bytes/chunk.ts";
import { CorruptStore } from "../bytes/failure.ts";
import { freeMemory } from "../bytes/free-memory.ts";
import { toHex } from "../bytes/hex.ts";
import type { CommitGraphRecord } from "../catalog/commit-graph-record.ts";
import { type ChunkRange, COMMIT_ROW_BYTES, CommitGraphHead, GRAPH_HEAD_BYTES } from "../format/commit-graph.ts";
import { findName } from "../format/pack-index.ts";
import type { CommitLinks } from "../object/commit.ts";
import { LayerBody, LayerFilters } from "./commit-graph-body.ts";
import { NamePrefixes } from "./name-prefixes.ts";
import type { PackPlace, ReadingTools } from "./pack-place.ts";
import { assertSound } from "./whole-file.ts";

/** A layer up to this size is read whole: it is one read, and has its filters with it. */
const WHOLE_BYTES = 1024 * 1024;
/** The bytes read beyond the tables whose size is known, for the parents of octopus merges and times that are far off. */
const SLACK_BYTES = 16 * 1024;
/** The names that are read at once, where they are read one after the other: about a megabyte. */
const NAMES_AT_ONCE = 50_000;
/** The names that are read together where one is wanted, by its place. */
const NAMES_OF_RANGE = 2048;

/** Where layers are read. */
export type LayerContext = PackPlace & ReadingTools;

/** A layer. Positions count the commits of all layers; those of this one begin at `base`. */
export class CommitGraphLayer {
  readonly record: CommitGraphRecord;
  /** The number of commits in the layers below. */
  readonly base: number;
  readonly #context: LayerContext;
  #head: CommitGraphHead | undefined;
  #body: LayerBody | undefined;
  #prefixes: NamePrefixes | undefined;
  #filters: LayerFilters | undefined;
  #hasNoFilters = false;
  #reads = 0;

  constructor(record: CommitGraphRecord, base: number, context: LayerContext) {
    this.record = record;
    this.base = base;
    this.#context = context;
  }

  /** The bytes that {@link load} brings into memory, about. */
  get bodyBytes(): number {
    const { rawSize } = this.#context.format;
    const tables = GRAPH_HEAD_BYTES + this.record.commits * (2 * rawSize + COMMIT_ROW_BYTES + 4) + SLACK_BYTES;
    return this.record.bytes <= WHOLE_BYTES ? this.record.bytes : Math.min(this.record.bytes, tables);
  }

  get #keyPrefix(): string {
    return `${this.#context.scope}/${this.record.name}.graph:`;
  }

  /** Reads, and notes the layer where it turns out to be damaged. */
  async #noting<T>(reading: () => Promise<T>): Promise<T> {
    try {
      return await reading();
    } catch (error) {
      if (error instanceof CorruptStore) {
        this.#context.cache.forget(this.#keyPrefix);
        this.#context.noteDamage?.(this.record.name, "graph");
      }
      throw error;
    }
  }

  async #read(offset: number, length: number): Promise<Uint8Array> {
    const { cache, storage } = this.#context;
    const key = `${this.#keyPrefix}${offset}+${length}`;
    const known = cache.get(key);
    if (known !== undefined) return known;
    this.#reads++;
    const bytes = await storage.read({ pack: this.record.name, extension: "graph" }, offset, length);
    cache.set(key, bytes);
    return bytes;
  }

  #opened(bytes: Uint8Array): CommitGraphHead {
    const head = new CommitGraphHead(bytes, this.#context.format);
    if (head.count !== this.record.commits) throw new CorruptStore("commit-graph: not of the catalog's length");
    return head;
  }

  /** Lets go of what {@link load} and {@link loadFilters} brought into memory. It can be brought there again. */
  unload(): void {
    this.#body = undefined;
    this.#filters = undefined;
    this.#hasNoFilters = false;
  }

  /** Lets go of the beginnings of names, too. */
  forget(): void {
    this.unload();
    this.#prefixes = undefined;
  }

  /** Whether {@link load} has brought the layer into memory. */
  get isLoaded(): boolean {
    return this.#body !== undefined;
  }

  /** The ranges of the layer that were read from the bucket so far. */
  get reads(): number {
    return this.#reads;
  }

  /** Returns the header and the fan-out, which are read if they are not in memory. @throws CorruptStore */
  async loadHead(): Promise<CommitGraphHead> {
    const length = Math.min(GRAPH_HEAD_BYTES, this.record.bytes);
    this.#head ??= this.#body?.head ?? (await this.#noting(async () => this.#opened(await this.#read(0, length))));
    return this.#head;
  }

  /** Brings the beginnings of all names into memory, 4 bytes for each commit. The names are read about a megabyte at once. @throws CorruptStore */
  async loadPrefixes(): Promise<void> {
    if (this.#prefixes !== undefined) return;
    const head = await this.loadHead();
    const { rawSize } = head.format;
    if (this.#body !== undefined) {
      this.#prefixes = new NamePrefixes(head);
      this.#prefixes.add(0, this.#body.names);
      return;
    }
    const { offset } = head.chunkOf("OIDL");
    const prefixes = new NamePrefixes(head);
    for (let row = 0; row < head.count; row += NAMES_AT_ONCE) {
      const length = Math.min(NAMES_AT_ONCE, head.count - row) * rawSize;
      const from = offset + row * rawSize;
      const file = { pack: this.record.name, extension: "graph" } as const;
      const names = await this.#noting(async () => await this.#context.storage.read(file, from, length));
      prefixes.add(row, names);
      freeMemory(names);
    }
    this.#prefixes = prefixes;
  }

  /** Whether {@link loadPrefixes} has brought the beginnings of names into memory. */
  get hasPrefixes(): boolean {
    return this.#prefixes !== undefined;
  }

  async #readNames(head: CommitGraphHead, first: number, last: number): Promise<Uint8Array> {
    const { rawSize } = head.format;
    const from = head.chunkOf("OIDL").offset + first * rawSize;
    return await this.#noting(async () => await this.#read(from, (last - first) * rawSize));
  }

  /** Returns the position of a raw name; -1 if the layer has none. It reads the names with the same first byte. @throws CorruptStore */
  async locate(name: Uint8Array): Promise<number> {
    const head = await this.loadHead();
    const [first, last] = head.bucketOf(name);
    if (first === last) return -1;
    const rank = findName(await this.#readNames(head, first, last), name);
    return rank < 0 ? -1 : this.base + first + rank;
  }

  /** Returns a copy of the raw name at a position. It reads some names about it. @throws CorruptStore */
  async readName(position: number): Promise<Uint8Array> {
    const head = await this.loadHead();
    const { rawSize } = head.format;
    const row = position - this.base;
    const first = row - (row % NAMES_OF_RANGE);
    const names = await this.#readNames(head, first, Math.min(first + NAMES_OF_RANGE, head.count));
    return names.slice((row - first) * rawSize, (row - first + 1) * rawSize);
  }

  /** Whether the layer may have a raw name: if not, it has not. {@link loadPrefixes} makes that known. */
  mayHave(name: Uint8Array): boolean {
    return this.#prefixes?.mayHave(name) !== false;
  }

  /** Brings what walks need into memory, in one read or two. @throws CorruptStore */
  async load(): Promise<void> {
    if (this.#body === undefined) await this.#noting(async () => await this.#load());
  }

  async #load(): Promise<void> {
    let bytes = await this.#read(0, this.bodyBytes);
    const head = this.#opened(bytes);
    const { offset, length } = head.walkRange;
    const end = offset + length;
    if (end > bytes.length) bytes = concat([bytes, await this.#read(bytes.length, end - bytes.length)]);
    const isWhole = bytes.length === this.record.bytes;
    if (isWhole) this.#assertOwn(bytes);
    const body = new LayerBody(head, bytes);
    body.assertParents(this.base + head.count);
    this.#body = body;
    if (isWhole) this.#takeFilters(bytes, 0);
  }

  /** Checks a whole file: it is what was written, and is this layer. */
  #assertOwn(bytes: Uint8Array): void {
    assertSound(bytes, this.#context);
    if (toHex(bytes.subarray(bytes.length - this.#context.format.rawSize)) !== this.record.checksum)
      throw new CorruptStore("commit-graph: another layer");
  }

  /** Returns the position of a raw name; -1 if the layer has none, or is not in memory. */
  find(name: Uint8Array): number {
    const row = this.#body === undefined ? -1 : this.#body.find(name);
    return row < 0 ? -1 : this.base + row;
  }

  /** Returns the raw name of a commit of this layer, as a view. The layer must be in memory. */
  nameAt(position: number): Uint8Array {
    return this.#loaded.nameAt(position - this.base);
  }

  /** Reads a commit but for the names of its parents, whose positions are added to `parents`. Returns its corrected time. */
  read(position: number, links: CommitLinks, parents: number[]): number {
    const body = this.#loaded;
    const index = position - this.base;
    const row = body.rowAt(index);
    links.nameOf(0).set(body.treeAt(index));
    links.time = row.time;
    body.addParents(row, parents);
    return row.time + body.correctionAt(index);
  }

  /** Returns the positions of a commit's parents. The layer must be in memory. */
  parentsAt(position: number): number[] {
    const parents: number[] = [];
    const body = this.#loaded;
    body.addParents(body.rowAt(position - this.base), parents);
    return parents;
  }

  /** Returns the topological level of a commit. */
  levelAt(position: number): number {
    return this.#loaded.rowAt(position - this.base).level;
  }

  /** Returns the corrected time of a commit. */
  generationAt(position: number): number {
    const index = position - this.base;
    return this.#loaded.rowAt(index).time + this.#loaded.correctionAt(index);
  }

  get #loaded(): LayerBody {
    if (this.#body === undefined) throw new RangeError("the layer is not in memory");
    return this.#body;
  }

  /** Brings the filters of changed paths into memory, in one read. @throws CorruptStore */
  async loadFilters(): Promise<void> {
    await this.load();
    await this.#noting(async () => await this.#loadFilters());
  }

  async #loadFilters(): Promise<void> {
    const ranges = this.#loaded.head.filterRanges;
    if (this.#filters !== undefined || this.#hasNoFilters || ranges === undefined) return;
    const { index, data } = ranges;
    const end = data.offset + data.length;
    this.#takeFilters(await this.#read(index.offset, end - index.offset), index.offset);
  }

  #takeFilters(bytes: Uint8Array, from: number): void {
    const ranges = this.#loaded.head.filterRanges;
    if (ranges === undefined) return;
    this.#hasNoFilters = this.record.filters === 0;
    if (this.#hasNoFilters) return;
    const part = ({ offset, length }: ChunkRange): Uint8Array => bytes.subarray(offset - from, offset - from + length);
    this.#filters = new LayerFilters(part(ranges.index), part(ranges.data));
  }

  /** The bytes that {@link loadFilters} brings into memory, about. */
  get filterBytes(): number {
    return Math.max(0, this.record.bytes - this.bodyBytes);
  }

  /** Returns the filter of a commit, without bytes if there is none, or none is in memory. */
  filterAt(position: number): Uint8Array {
    return this.#filters?.at(position - this.base) ?? NO_FILTER;
  }
}

const NO_FILTER = new Uint8Array(0);
