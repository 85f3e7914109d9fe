/**
 * The filters of changed paths of a layer's commits: those that earlier layers have, and others that are computed.
 *
 * @packageDocumentation
 * @see gitformat-commit-graph(5), `BIDX` and `BDAT`
 */
import { f64At, itemAt, u32At } from "../bytes/assert.ts";
import { isStorageFault } from "../bytes/failure.ts";
import { BLOOM_MOST_PATHS, encodeBloomFilter } from "../format/bloom-filter.ts";
import type { FilterTable } from "../format/commit-graph-encoder.ts";
import { ChangedPaths } from "../graph/changed-paths.ts";
import type { GraphTables } from "../graph/commit-graph-tables.ts";
import type { GraphSession } from "../graph/graph-session.ts";
import type { CommitGraphLayer } from "../store/commit-graph-layer.ts";
import { whileLoaded } from "./graph-below.ts";
import type { Graphing } from "./graphing.ts";

/** The filters of a layer that take more memory are not taken over. No layer that is made now has that many. */
const MOST_TAKEN_BYTES = 16 * 1024 * 1024;
/** The bytes of filters that are taken from memory at once. A filter has fewer. */
const PIECE_BYTES = 256 * 1024;
/** The steps charged for a row. */
const ROW_STEPS = 100;

/** Collects filters, until there is no room for another one. */
export class FilterList {
  readonly #pieces: Uint8Array[] = [];
  /** The bytes used of the last piece. */
  #used = PIECE_BYTES;
  #bytes = 0;
  readonly #mostBytes: number;
  /** By row: where a filter begins, if all pieces lie one after the other. */
  readonly #places: Float64Array;
  readonly #lengths: Uint16Array;

  constructor(count: number, mostBytes: number) {
    this.#mostBytes = mostBytes;
    this.#places = new Float64Array(count);
    this.#lengths = new Uint16Array(count);
  }

  /** Sets the filter of a row. There must be room. */
  set(row: number, filter: Uint8Array): void {
    if (this.#used + filter.length > PIECE_BYTES) {
      this.#pieces.push(new Uint8Array(PIECE_BYTES));
      this.#used = 0;
    }
    itemAt(this.#pieces, this.#pieces.length - 1).set(filter, this.#used);
    this.#places[row] = (this.#pieces.length - 1) * PIECE_BYTES + this.#used;
    this.#lengths[row] = filter.length;
    this.#used += filter.length;
    this.#bytes += filter.length;
  }

  /** Whether there is room for a filter. Where there is none, {@link filterBytesOf} the layer tells so, too. */
  get hasRoom(): boolean {
    return this.#bytes < this.#mostBytes;
  }

  /** Whether a row has a filter. */
  has(row: number): boolean {
    return (this.#lengths[row] ?? 0) > 0; // There is no row past the end.
  }

  /** Returns the filters in the order of rows. */
  table(): FilterTable {
    const bytes = new Uint8Array(this.#bytes);
    const ends = new Uint32Array(this.#lengths.length);
    let at = 0;
    for (const [row, length] of this.#lengths.entries()) {
      if (length > 0) {
        const place = f64At(this.#places, row);
        const from = place % PIECE_BYTES;
        bytes.set(itemAt(this.#pieces, (place - from) / PIECE_BYTES).subarray(from, from + length), at);
      }
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

/** Takes the filters that a layer has. */
async function takeFrom(
  layer: CommitGraphLayer,
  list: FilterList,
  { names, count, format }: GraphTables,
  session: GraphSession,
): Promise<void> {
  await whileLoaded(layer, async () => {
    await layer.loadFilters();
    await session.database.context.pacer.forEach(count, ROW_STEPS, (row) => {
      if (list.has(row) || !list.hasRoom) return;
      const position = layer.find(names.subarray(row * format.rawSize, (row + 1) * format.rawSize));
      const filter = position < 0 ? undefined : layer.filterAt(position);
      if (filter !== undefined && filter.length > 0) list.set(row, filter);
    });
  });
}

/**
 * Returns the filters of a layer's commits. Those that `sources` have are taken over: layers of which the files may be gone. Others are computed,
 * those of the newest commits first, until they are enough for one step; of which few are enough while others wait for memory (`isPressed`). A commit for whose filter there is no room has none: "a value of zero length
 * means that it was not computed".
 */
export async function filtersOf(
  session: GraphSession,
  tables: GraphTables,
  {
    sources,
    bounds,
    isPressed,
  }: { readonly sources: readonly CommitGraphLayer[]; readonly bounds: Graphing; readonly isPressed: () => boolean },
): Promise<FilterList> {
  const { pacer } = session.database.context;
  const { nodes, count, times } = tables;
  const list = new FilterList(count, bounds.mostFilterBytes);
  for (const layer of sources) {
    if (!list.hasRoom) break;
    if (layer.record.filters === 0 || layer.filterBytes > MOST_TAKEN_BYTES) continue;
    try {
      await takeFrom(layer, list, tables, session);
    } catch (error) {
      if (!isStorageFault(error)) throw error;
    }
  }
  const missing: number[] = [];
  for (let row = 0; row < count; row++) if (!list.has(row)) missing.push(row);
  const timeOf = (row: number): number => times[row] ?? 0; // Each row has a time.
  missing.sort((a, b) => timeOf(b) - timeOf(a));
  const changed = new ChangedPaths(session, BLOOM_MOST_PATHS);
  const most = pacer.steps + bounds.mostSteps;
  for (const [made, row] of missing.slice(0, bounds.mostFilters).entries()) {
    if (pacer.steps > most || !list.hasRoom || (made >= bounds.leastFilters && isPressed())) break;
    list.set(row, encodeBloomFilter(await changed.of(u32At(nodes, row))));
  }
  return list;
}
