/**
 * The commit-graph of a repository: of each commit its tree, its parents, its time and its generation number, so that history is walked
 * without a commit being read. It may be a chain of files, called layers here, each of which adds commits to those below it.
 *
 * ```
 * 0   "CGPH" · version 1 · hash: 1 sha1, 2 sha256 · number of chunks C · number of layers below
 * 8   (C + 1) × (id, offset u64): the chunks, and where the last one ends
 * OIDF  fan-out: 256 × u32          OIDL  names, sorted, raw
 * CDAT  tree · first parent u32 · second parent u32 · level << 2 | time >> 32 · time
 * GDA2  corrected time minus time, u32; or 1 << 31 | row of GDO2 (u64)
 * EDGE  the second and further parents of commits with more than two; the last has its top bit set
 * BIDX  where each filter ends in BDAT, u32         BDAT  hash version · hashes · bits per path · filters
 * BASE  the checksums of the layers below
 * …     the checksum of all before
 * ```
 *
 * A **position** counts the commits of all layers, the lowest first. The *corrected time* of a commit is its generation number: its time, or
 * one second more than the greatest of its parents. So it is greater than that of every ancestor.
 *
 * @packageDocumentation
 * @see gitformat-commit-graph(5), git-commit-graph(1)
 */
import { u8At } from "../bytes/assert.ts";
import { CorruptStore } from "../bytes/failure.ts";
import type { ObjectFormat, ObjectFormatName } from "../object/object-id.ts";
import { BLOOM_BITS_PER_ENTRY, BLOOM_HASH_VERSION, BLOOM_HASHES } from "./bloom-filter.ts";

/** The signature: "CGPH". */
export const GRAPH_SIGNATURE = 0x43475048;
/** The version of the format. */
export const GRAPH_VERSION = 1;
/** The byte that stands for a hash function. */
export const GRAPH_HASH_ID = { sha1: 1, sha256: 2 } as const satisfies Record<ObjectFormatName, number>;
/** The bytes before the table of chunks. */
export const GRAPH_HEADER_BYTES = 8;
/** The bytes of a row of the table of chunks. */
export const CHUNK_ROW_BYTES = 12;
/** The bytes of OIDF. */
export const FANOUT_BYTES = 256 * 4;
/** The bytes of a row of CDAT beside the tree's name. */
export const COMMIT_ROW_BYTES = 16;
/** The bytes of BDAT before its filters. */
export const BLOOM_HEADER_BYTES = 12;
/** In place of a parent's position: there is none. */
export const NO_PARENT = 0x70000000;
/** In place of a second parent's position: the rest is a row of EDGE. There, it marks the last parent. */
export const EDGE_BIT = 0x80000000;
/** Times up to here fit a row. */
export const MOST_GRAPH_TIME = 2 ** 34 - 1;
/** The greatest level. */
export const MOST_LEVEL = 0x3fffffff;
/** The greatest difference of a corrected time that fits its row of GDA2. */
export const MOST_CORRECTION = 0x7fffffff;

/** The chunks in their order in a file. Between `OIDF` and `EDGE` lies all that walks need. */
export const CHUNK_IDS = ["OIDF", "OIDL", "CDAT", "GDA2", "GDO2", "EDGE", "BIDX", "BDAT", "BASE"] as const;
/** The name of a chunk. */
export type ChunkId = (typeof CHUNK_IDS)[number];

/** A range of the file. */
export type ChunkRange = { readonly offset: number; readonly length: number };

/** The bytes that {@link CommitGraphHead} needs at most: header, table of chunks and fan-out. */
export const GRAPH_HEAD_BYTES = GRAPH_HEADER_BYTES + (CHUNK_IDS.length + 1) * CHUNK_ROW_BYTES + FANOUT_BYTES;

function corrupt(why: string): never {
  throw new CorruptStore(`commit-graph: ${why}`);
}

function isChunkId(id: string): id is ChunkId {
  return CHUNK_IDS.some((known) => known === id);
}

/** The header, the table of chunks and the fan-out of a layer. It keeps a view of the given bytes. */
export class CommitGraphHead {
  /** The number of commits in this layer. */
  readonly count: number;
  /** The number of layers below. */
  readonly bases: number;
  readonly format: ObjectFormat;
  readonly #view: DataView;
  readonly #chunks = new Map<ChunkId, ChunkRange>();
  readonly #fanoutAt: number;

  /**
   * Reads the beginning of a layer: {@link GRAPH_HEAD_BYTES}, or the whole file if that is shorter.
   *
   * @throws CorruptStore if it is not one of this object format.
   */
  constructor(bytes: Uint8Array, format: ObjectFormat) {
    this.format = format;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (bytes.length < GRAPH_HEADER_BYTES || this.#view.getUint32(0) !== GRAPH_SIGNATURE) corrupt("no signature");
    if (u8At(bytes, 4) !== GRAPH_VERSION || u8At(bytes, 5) !== GRAPH_HASH_ID[format.name]) corrupt("another version");
    this.bases = u8At(bytes, 7);
    this.#readChunks(u8At(bytes, 6));
    const fanout = this.#chunks.get("OIDF") ?? corrupt("no fan-out");
    if (fanout.length !== FANOUT_BYTES || fanout.offset + FANOUT_BYTES > bytes.length) corrupt("fan-out cut short");
    this.#fanoutAt = fanout.offset;
    this.count = this.#upTo(255);
    for (let first = 1; first < 256; first++) if (this.#upTo(first) < this.#upTo(first - 1)) corrupt("fan-out falls");
    this.#check("OIDL", this.count * format.rawSize);
    this.#check("CDAT", this.count * (format.rawSize + COMMIT_ROW_BYTES));
    this.#check("GDA2", this.count * 4);
  }

  #readChunks(count: number): void {
    const view = this.#view;
    if (GRAPH_HEADER_BYTES + (count + 1) * CHUNK_ROW_BYTES > view.byteLength) corrupt("table of chunks cut short");
    const offsetAt = (row: number): number => {
      const at = GRAPH_HEADER_BYTES + row * CHUNK_ROW_BYTES + 4;
      return view.getUint32(at) * 2 ** 32 + view.getUint32(at + 4);
    };
    for (let row = 0; row < count; row++) {
      const at = GRAPH_HEADER_BYTES + row * CHUNK_ROW_BYTES;
      const id = String.fromCharCode(...[0, 1, 2, 3].map((i) => view.getUint8(at + i)));
      const offset = offsetAt(row);
      const length = offsetAt(row + 1) - offset;
      if (length < 0) corrupt("chunks out of order");
      if (isChunkId(id)) this.#chunks.set(id, { offset, length });
    }
  }

  #check(id: ChunkId, length: number): void {
    if (this.#chunks.get(id)?.length !== length) corrupt(`${id} has the wrong size`);
  }

  #upTo(first: number): number {
    return this.#view.getUint32(this.#fanoutAt + first * 4);
  }

  /** Returns the range of a chunk; `undefined` if the file has none. */
  chunk(id: ChunkId): ChunkRange | undefined {
    return this.#chunks.get(id);
  }

  /** Returns the range of a chunk that every file has. */
  chunkOf(id: "OIDL" | "CDAT" | "GDA2"): ChunkRange {
    return this.#chunks.get(id) ?? corrupt(`no ${id}`);
  }

  /** Returns the rows `[first, last)` of this layer whose names begin with the first byte of `name`. */
  bucketOf(name: Uint8Array): readonly [first: number, last: number] {
    const byte = u8At(name, 0);
    return [byte === 0 ? 0 : this.#upTo(byte - 1), this.#upTo(byte)];
  }

  /** Returns the range of all that a walk needs: from the names to the last parents. */
  get walkRange(): ChunkRange {
    const { offset } = this.chunkOf("OIDL");
    const last = this.#chunks.get("EDGE") ?? this.#chunks.get("GDO2") ?? this.chunkOf("GDA2");
    return { offset, length: last.offset + last.length - offset };
  }

  /** The ranges of the filters' index and of the filters; `undefined` if there are none that this host reads. */
  get filterRanges(): { readonly index: ChunkRange; readonly data: ChunkRange } | undefined {
    const index = this.#chunks.get("BIDX");
    const data = this.#chunks.get("BDAT");
    if (index === undefined || data === undefined) return undefined;
    if (index.length !== this.count * 4 || data.length < BLOOM_HEADER_BYTES) corrupt("filters cut short");
    return { index, data };
  }
}

/** A row of CDAT. */
export type CommitRow = {
  /** The positions of the first parent and of the second, or {@link NO_PARENT}, or {@link EDGE_BIT} and a row of EDGE. */
  readonly first: number;
  readonly second: number;
  /** The topological level. */
  readonly level: number;
  /** Seconds since the epoch. */
  readonly time: number;
};

/** Decodes a row of CDAT that begins at `at`, but for the tree's name. */
export function decodeCommitRow(view: DataView, at: number, rawSize: number): CommitRow {
  const from = at + rawSize;
  const mixed = view.getUint32(from + 8);
  return {
    first: view.getUint32(from),
    second: view.getUint32(from + 4),
    level: mixed >>> 2,
    time: (mixed & 3) * 2 ** 32 + view.getUint32(from + 12),
  };
}

/** Whether the header of BDAT tells of filters as this host makes them. */
export function isKnownFilter(header: DataView): boolean {
  return (
    header.getUint32(0) === BLOOM_HASH_VERSION &&
    header.getUint32(4) === BLOOM_HASHES &&
    header.getUint32(8) === BLOOM_BITS_PER_ENTRY
  );
}
