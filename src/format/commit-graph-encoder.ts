/**
 * The encoder of a layer of the commit-graph. It makes the file in one piece of memory from tables of its commits: about 70 bytes each,
 * and their filters.
 *
 * @packageDocumentation
 * @see gitformat-commit-graph(5); `write_commit_graph_file` in git's commit-graph.c, whose order of chunks this is
 */
import { assert, f64At, itemAt, u32At, u8At } from "../bytes/assert.ts";
import type { ObjectFormat } from "../object/object-id.ts";
import { BLOOM_BITS_PER_ENTRY, BLOOM_HASH_VERSION, BLOOM_HASHES } from "./bloom-filter.ts";
import {
  BLOOM_HEADER_BYTES,
  CHUNK_ROW_BYTES,
  type ChunkId,
  COMMIT_ROW_BYTES,
  EDGE_BIT,
  FANOUT_BYTES,
  GRAPH_HASH_ID,
  GRAPH_HEADER_BYTES,
  GRAPH_SIGNATURE,
  GRAPH_VERSION,
  MOST_CORRECTION,
  MOST_GRAPH_TIME,
  MOST_LEVEL,
  NO_PARENT,
} from "./commit-graph.ts";
import type { Digest } from "./pack-index-encoder.ts";

/** The most layers of a chain: their number is a byte, and few of them are read faster. */
export const MOST_LAYERS = 64;

/** The filters of a layer's commits. One without bytes was not computed. */
export type FilterTable = {
  /** Where each commit's filter ends in `bytes`. */
  readonly ends: Uint32Array;
  /** All filters, one after the other; the array may be longer. */
  readonly bytes: Uint8Array;
};

/** The commits of a layer, as tables with one row per commit, in the order of their names. */
export type CommitGraphTables = {
  readonly format: ObjectFormat;
  readonly count: number;
  /** The raw names, sorted, one after the other. */
  readonly names: Uint8Array;
  /** The raw names of the trees. */
  readonly trees: Uint8Array;
  /** Where each commit's parents begin in `parents`; one more row than commits. */
  readonly parentStart: Uint32Array;
  /** The positions of parents, which count the commits of the layers below first. */
  readonly parents: Uint32Array;
  /** Seconds since the epoch, up to {@link MOST_GRAPH_TIME}. */
  readonly times: Float64Array;
  /** The topological levels. */
  readonly levels: Uint32Array;
  /** The corrected times. */
  readonly generations: Float64Array;
  /** The filters of changed paths; absent if there are none at all. */
  readonly filters?: FilterTable;
  /** The raw checksums of the layers below, the lowest first. */
  readonly bases: readonly Uint8Array[];
};

/** Work that yields the number of rows that were written. */
type Writing = Generator<number, void, undefined>;
/** A chunk. Those that have little more than bytes to copy are written in one go. */
type Chunk = {
  readonly id: ChunkId;
  readonly length: number;
  readonly write: (view: DataView, at: number) => Writing | void;
};

/** Rows that are written in one go, and bytes that are hashed. */
const STRETCH_ROWS = 4096;
const HASHED_BYTES = 1024 * 1024;

function parentCount({ parentStart }: CommitGraphTables, row: number): number {
  return u32At(parentStart, row + 1) - u32At(parentStart, row);
}

function correctionOf({ generations, times }: CommitGraphTables, row: number): number {
  return f64At(generations, row) - f64At(times, row);
}

function setU64(view: DataView, at: number, value: number): void {
  view.setUint32(at, Math.floor(value / 2 ** 32));
  view.setUint32(at + 4, value % 2 ** 32);
}

function bytesAt(view: DataView, at: number, bytes: Uint8Array): void {
  new Uint8Array(view.buffer, view.byteOffset + at, bytes.length).set(bytes);
}

function writeFanout({ names, count, format }: CommitGraphTables, view: DataView, at: number): void {
  let row = 0;
  for (let first = 0; first < 256; first++) {
    while (row < count && u8At(names, row * format.rawSize) === first) row++;
    view.setUint32(at + first * 4, row);
  }
}

function* writeCommits(tables: CommitGraphTables, view: DataView, begin: number): Writing {
  const { count, format, trees, parentStart, parents, times, levels } = tables;
  const { rawSize } = format;
  let edges = 0;
  for (let row = 0, at = begin; row < count; row++, at += rawSize + COMMIT_ROW_BYTES) {
    bytesAt(view, at, trees.subarray(row * rawSize, (row + 1) * rawSize));
    const from = u32At(parentStart, row);
    const number = parentCount(tables, row);
    const parent = (i: number): number => (i < number ? u32At(parents, from + i) : NO_PARENT);
    view.setUint32(at + rawSize, parent(0));
    view.setUint32(at + rawSize + 4, number > 2 ? EDGE_BIT + edges : parent(1));
    if (number > 2) edges += number - 1;
    const time = f64At(times, row);
    assert(time >= 0 && time <= MOST_GRAPH_TIME, "the time of a commit fits its row");
    view.setUint32(at + rawSize + 8, Math.min(u32At(levels, row), MOST_LEVEL) * 4 + Math.floor(time / 2 ** 32));
    view.setUint32(at + rawSize + 12, time % 2 ** 32);
    if (row % STRETCH_ROWS === 0) yield Math.min(row, STRETCH_ROWS);
  }
}

function* writeGenerations(tables: CommitGraphTables, view: DataView, at: number): Writing {
  let large = 0;
  for (let row = 0; row < tables.count; row++) {
    const correction = correctionOf(tables, row);
    view.setUint32(at + row * 4, correction > MOST_CORRECTION ? EDGE_BIT + large++ : correction);
    if (row % STRETCH_ROWS === 0) yield Math.min(row, STRETCH_ROWS);
  }
}

function writeLarge(tables: CommitGraphTables, view: DataView, begin: number): void {
  let at = begin;
  for (let row = 0; row < tables.count; row++) {
    const correction = correctionOf(tables, row);
    if (correction <= MOST_CORRECTION) continue;
    setU64(view, at, correction);
    at += 8;
  }
}

function writeEdges(tables: CommitGraphTables, view: DataView, begin: number): void {
  const { count, parentStart, parents } = tables;
  let at = begin;
  for (let row = 0; row < count; row++) {
    if (parentCount(tables, row) <= 2) continue;
    const end = u32At(parentStart, row + 1);
    for (let i = u32At(parentStart, row) + 1; i < end; i++, at += 4)
      view.setUint32(at, u32At(parents, i) + (i === end - 1 ? EDGE_BIT : 0));
  }
}

/** Returns the number of rows of `GDO2` and of `EDGE`. */
function countRows(tables: CommitGraphTables): { readonly large: number; readonly edges: number } {
  let [large, edges] = [0, 0];
  for (let row = 0; row < tables.count; row++) {
    if (correctionOf(tables, row) > MOST_CORRECTION) large++;
    const number = parentCount(tables, row);
    if (number > 2) edges += number - 1;
  }
  return { large, edges };
}

function filterChunks({ ends, bytes }: FilterTable): Chunk[] {
  const length = ends.length === 0 ? 0 : u32At(ends, ends.length - 1);
  return [
    {
      id: "BIDX",
      length: ends.length * 4,
      write: function* (view, at) {
        for (const [row, end] of ends.entries()) {
          view.setUint32(at + row * 4, end);
          if (row % STRETCH_ROWS === 0) yield Math.min(row, STRETCH_ROWS);
        }
      },
    },
    {
      id: "BDAT",
      length: BLOOM_HEADER_BYTES + length,
      write: (view, at) => {
        view.setUint32(at, BLOOM_HASH_VERSION);
        view.setUint32(at + 4, BLOOM_HASHES);
        view.setUint32(at + 8, BLOOM_BITS_PER_ENTRY);
        bytesAt(view, at + BLOOM_HEADER_BYTES, bytes.subarray(0, length));
      },
    },
  ];
}

function chunksOf(tables: CommitGraphTables): Chunk[] {
  const { count, names, bases, filters } = tables;
  const { rawSize } = tables.format;
  const { large, edges } = countRows(tables);
  const chunks: Chunk[] = [
    { id: "OIDF", length: FANOUT_BYTES, write: (view, at) => writeFanout(tables, view, at) },
    { id: "OIDL", length: count * rawSize, write: (view, at) => bytesAt(view, at, names.subarray(0, count * rawSize)) },
    {
      id: "CDAT",
      length: count * (rawSize + COMMIT_ROW_BYTES),
      write: (view, at) => writeCommits(tables, view, at),
    },
    { id: "GDA2", length: count * 4, write: (view, at) => writeGenerations(tables, view, at) },
    { id: "GDO2", length: large * 8, write: (view, at) => writeLarge(tables, view, at) },
    { id: "EDGE", length: edges * 4, write: (view, at) => writeEdges(tables, view, at) },
    ...(filters === undefined ? [] : filterChunks(filters)),
    {
      id: "BASE",
      length: bases.length * rawSize,
      write: (view, at) => {
        for (const [i, base] of bases.entries()) bytesAt(view, at + i * rawSize, base);
      },
    },
  ];
  const isOptional = ({ id }: Chunk): boolean => id === "GDO2" || id === "EDGE" || id === "BASE";
  return chunks.filter((chunk) => chunk.length > 0 || !isOptional(chunk));
}

/**
 * Encodes a layer. It yields the number of rows that were written, so that others can be served in between.
 *
 * @param digest - A fresh hash of the repository's object format, for the trailer.
 */
export function* encodeCommitGraph(
  tables: CommitGraphTables,
  digest: Digest,
): Generator<number, Uint8Array<ArrayBuffer>, undefined> {
  const { format, bases, filters } = tables;
  assert(filters === undefined || filters.ends.length === tables.count, "each commit has a row in the filters' index");
  assert(bases.length < MOST_LAYERS, "a chain has few layers");
  const chunks = chunksOf(tables);
  const headBytes = GRAPH_HEADER_BYTES + (chunks.length + 1) * CHUNK_ROW_BYTES;
  const end = chunks.reduce((sum, { length }) => sum + length, headBytes);
  const bytes = new Uint8Array(end + format.rawSize);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, GRAPH_SIGNATURE);
  bytes.set([GRAPH_VERSION, GRAPH_HASH_ID[format.name], chunks.length, bases.length], 4);
  let at = headBytes;
  for (let row = 0; row <= chunks.length; row++) {
    const into = GRAPH_HEADER_BYTES + row * CHUNK_ROW_BYTES;
    setU64(view, into + 4, at);
    if (row === chunks.length) break;
    const { id, length, write } = itemAt(chunks, row);
    for (let i = 0; i < 4; i++) bytes[into + i] = id.charCodeAt(i);
    yield* write(view, at) ?? [];
    at += length;
  }
  for (let hashed = 0; hashed < end; hashed += HASHED_BYTES) {
    const piece = bytes.subarray(hashed, Math.min(end, hashed + HASHED_BYTES));
    digest.update(piece);
    yield piece.length / format.rawSize;
  }
  bytes.set(digest.digest(), end);
  return bytes;
}
