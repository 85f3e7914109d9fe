/**
 * One layer of the commit-graph, open for reading: the part of it that walks need in memory, or a few small ranges of it.
 *
 * @packageDocumentation
 * @see gitformat-commit-graph(5)
 */
import { concat } from "../bytes/chunk.ts";
import { CorruptStore } from "../bytes/failure.ts";
import { freeMemory } from "../bytes/free-memory.ts";
import type { CommitGraphRecord } from "../catalog/commit-graph-record.ts";
import {
  type ChunkRange,
  COMMIT_ROW_BYTES,
  CommitGraphHead,
  type CommitRow,
  decodeCommitRow,
  EDGE_BIT,
  GRAPH_HEAD_BYTES,
  isKnownFilter,
  BLOOM_HEADER_BYTES,
  NO_PARENT,
} from "../format/commit-graph.ts";
import { findName } from "../format/pack-index.ts";
import type { CommitLinks } from "../object/commit.ts";
import type { ObjectFormat } from "../object/object-id.ts";
import type { BlockCache } from "./block-cache.ts";
import { NamePrefixes } from "./name-prefixes.ts";
import type { PackPlace } from "./pack-handle.ts";

/** A layer up to this size is read whole: it is one read, and has its filters with it. */
const WHOLE_BYTES = 1024 * 1024;
/** The bytes read beyond the tables whose size is known, for the parents of octopus merges and times that are far off. */
const SLACK_BYTES = 16 * 1024;
/** The names that are read at once, where they are read one after the other: about a megabyte. */
const NAMES_AT_ONCE = 50_000;
/** The names that are read together where one is wanted, by its place. */
const NAMES_OF_RANGE = 2048;

/** Where layers are read. */
export type LayerContext = PackPlace & { readonly cache: BlockCache; readonly format: ObjectFormat };

type Filters = { readonly ends: DataView; readonly bytes: Uint8Array };

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** The part of a layer that walks need. Positions here are rows of the layer, but for those of parents. */
class LayerBody {
  readonly head: CommitGraphHead;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #namesAt: number;
  readonly #rowsAt: number;
  readonly #correctionsAt: number;

  /** `bytes` is the file up to the end of {@link CommitGraphHead.walkRange}, or more of it. */
  constructor(head: CommitGraphHead, bytes: Uint8Array) {
    this.head = head;
    this.#bytes = bytes;
    this.#view = viewOf(bytes);
    this.#namesAt = head.chunkOf("OIDL").offset;
    this.#rowsAt = head.chunkOf("CDAT").offset;
    this.#correctionsAt = head.chunkOf("GDA2").offset;
  }

  /** Returns the row of a raw name; -1 if the layer has none. */
  find(name: Uint8Array): number {
    const { rawSize } = this.head.format;
    const [first, last] = this.head.bucketOf(name);
    const at = this.#namesAt;
    const rank = findName(this.#bytes.subarray(at + first * rawSize, at + last * rawSize), name);
    return rank < 0 ? -1 : first + rank;
  }

  nameAt(row: number): Uint8Array {
    const { rawSize } = this.head.format;
    const at = this.#namesAt + row * rawSize;
    return this.#bytes.subarray(at, at + rawSize);
  }

  /** All names, one after the other, as a view. */
  get names(): Uint8Array {
    return this.#bytes.subarray(this.#namesAt, this.#namesAt + this.head.count * this.head.format.rawSize);
  }

  treeAt(row: number): Uint8Array {
    const { rawSize } = this.head.format;
    const at = this.#rowsAt + row * (rawSize + COMMIT_ROW_BYTES);
    return this.#bytes.subarray(at, at + rawSize);
  }

  rowAt(row: number): CommitRow {
    const { rawSize } = this.head.format;
    return decodeCommitRow(this.#view, this.#rowsAt + row * (rawSize + COMMIT_ROW_BYTES), rawSize);
  }

  correctionAt(row: number): number {
    const correction = this.#view.getUint32(this.#correctionsAt + row * 4);
    if (correction < EDGE_BIT) return correction;
    const at = this.#in(this.head.chunk("GDO2"), (correction - EDGE_BIT) * 8, 8);
    return this.#view.getUint32(at) * 2 ** 32 + this.#view.getUint32(at + 4);
  }

  /** Adds the positions of the parents of a row to `into`. */
  addParents({ first, second }: CommitRow, into: number[]): void {
    if (first === NO_PARENT) return;
    into.push(first);
    if (second === NO_PARENT) return;
    if (second < EDGE_BIT) {
      into.push(second);
      return;
    }
    for (let edge = second - EDGE_BIT; ; edge++) {
      const parent = this.#view.getUint32(this.#in(this.head.chunk("EDGE"), edge * 4, 4));
      into.push(parent % EDGE_BIT);
      if (parent >= EDGE_BIT) return;
    }
  }

  #in(chunk: ChunkRange | undefined, at: number, length: number): number {
    if (chunk === undefined || at + length > chunk.length) throw new CorruptStore("commit-graph: row out of bounds");
    return chunk.offset + at;
  }
}

/** A layer. Positions count the commits of all layers; those of this one begin at `base`. */
export class CommitGraphLayer {
  readonly record: CommitGraphRecord;
  /** The number of commits in the layers below. */
  readonly base: number;
  readonly #context: LayerContext;
  #head: CommitGraphHead | undefined;
  #body: LayerBody | undefined;
  #prefixes: NamePrefixes | undefined;
  #filters: Filters | undefined;
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

  async #read(offset: number, length: number): Promise<Uint8Array> {
    const { cache, scope, storage } = this.#context;
    const key = `${scope}/${this.record.name}.graph:${offset}+${length}`;
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
    this.#head ??= this.#body?.head ?? this.#opened(await this.#read(0, length));
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
      const names = await this.#context.storage.read({ pack: this.record.name, extension: "graph" }, from, length);
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
    return await this.#read(head.chunkOf("OIDL").offset + first * rawSize, (last - first) * rawSize);
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
    if (this.#body !== undefined) return;
    let bytes = await this.#read(0, this.bodyBytes);
    const head = this.#opened(bytes);
    const { offset, length } = head.walkRange;
    const end = offset + length;
    if (end > bytes.length) bytes = concat([bytes, await this.#read(bytes.length, end - bytes.length)]);
    this.#body = new LayerBody(head, bytes);
    if (bytes.length === this.record.bytes) this.#takeFilters(bytes, 0);
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
    const ranges = this.#loaded.head.filterRanges;
    if (this.#filters !== undefined || this.#hasNoFilters || ranges === undefined) return;
    const { index, data } = ranges;
    const end = data.offset + data.length;
    this.#takeFilters(await this.#read(index.offset, end - index.offset), index.offset);
  }

  #takeFilters(bytes: Uint8Array, from: number): void {
    const ranges = this.#loaded.head.filterRanges;
    if (ranges === undefined) return;
    const { index, data } = ranges;
    const part = ({ offset, length }: ChunkRange): Uint8Array => bytes.subarray(offset - from, offset - from + length);
    this.#hasNoFilters = !isKnownFilter(viewOf(part(data)));
    if (!this.#hasNoFilters)
      this.#filters = { ends: viewOf(part(index)), bytes: part(data).subarray(BLOOM_HEADER_BYTES) };
  }

  /** The bytes that {@link loadFilters} brings into memory, about. */
  get filterBytes(): number {
    return Math.max(0, this.record.bytes - this.bodyBytes);
  }

  /** Returns the filter of a commit, without bytes if there is none, or none is in memory. */
  filterAt(position: number): Uint8Array {
    const row = position - this.base;
    if (this.#filters === undefined) return NO_FILTER;
    const { ends, bytes } = this.#filters;
    const begin = row === 0 ? 0 : ends.getUint32((row - 1) * 4);
    return bytes.subarray(begin, ends.getUint32(row * 4));
  }
}

const NO_FILTER = new Uint8Array(0);
