/**
 * Tells the sizes of many stored objects in few storage operations. The pack is read in runs, each one operation, of
 * which only the beginnings of entries are kept.
 *
 * @packageDocumentation
 */
import { itemAt, u32At } from "../bytes/assert.ts";
import { CorruptStore } from "../bytes/failure.ts";
import { concat } from "../bytes/chunk.ts";
import type { Inflating } from "./inflating.ts";
import type { Locations, ObjectDatabase } from "./object-database.ts";
import { ENTRY_BEGINNING_BYTES, sizeFromBeginning } from "./object-size.ts";
import type { PackHandle } from "./pack-handle.ts";

/**
 * A gap between two entries up to this size in bytes is read and thrown away, which is cheaper than another operation.
 */
const GAP_BYTES = 1024 * 1024;
/** The most bytes from a run's first entry to its last, so that a large pack is read at several places at once. */
const RUN_BYTES = 64 * 1024 * 1024;
/** The number of runs read at once. */
const RUNS_AT_ONCE = 4;
/** The size in bytes of the buffer that a run is read through. */
const PIECE_BYTES = 256 * 1024;

/** An object of a pack: the offset of its entry, and the index of its name in the list of names. */
type Asked = { readonly offset: number; readonly index: number };

/** Returns the size in bytes of each object located; -1 for those that are nowhere. @throws CorruptStore */
export async function objectSizes(
  database: ObjectDatabase,
  inflating: Inflating,
  locations: Locations,
): Promise<Float64Array> {
  const sizes = new Float64Array(locations.packs.length).fill(-1);
  for (const [number, handle] of database.packs.entries()) {
    const asked = await askedOf(handle, number, locations);
    const take = ({ index }: Asked, beginning: Uint8Array): void => {
      sizes[index] = sizeFromBeginning(beginning, database.context.format.rawSize, inflating);
    };
    const runs = runsOf(asked);
    for (let next = 0; next < runs.length; next += RUNS_AT_ONCE) {
      await Promise.all(runs.slice(next, next + RUNS_AT_ONCE).map((run) => readRun(handle, run, take)));
    }
  }
  return sizes;
}

/** Returns the objects located in one pack, in pack order. */
async function askedOf(handle: PackHandle, number: number, { packs, positions }: Locations): Promise<Asked[]> {
  const indexes: number[] = [];
  for (const [index, pack] of packs.entries()) if (pack === number) indexes.push(index);
  const offsets = indexes.length === 0 ? [] : await handle.offsets(indexes.map((index) => u32At(positions, index)));
  return indexes
    .map((index, at) => ({ offset: itemAt(offsets, at), index }))
    .sort((a, b) => a.offset - b.offset || a.index - b.index);
}

function runsOf(asked: readonly Asked[]): Asked[][] {
  const runs: Asked[][] = [];
  for (const each of asked) {
    const run = runs.at(-1);
    // Without a run so far, neither `last` nor `first` is used.
    const last = run?.at(-1)?.offset ?? 0;
    const first = run?.[0]?.offset ?? 0; // Unused without a run.
    if (run !== undefined && each.offset - last <= GAP_BYTES && each.offset - first <= RUN_BYTES) run.push(each);
    else runs.push([each]);
  }
  return runs;
}

/** Reads from the first to the last entry of a run, and passes the beginning of each to `take`. */
async function readRun(
  handle: PackHandle,
  run: readonly Asked[],
  take: (asked: Asked, beginning: Uint8Array) => void,
): Promise<void> {
  const { packBytes, name } = handle.record;
  const endOf = ({ offset }: Asked): number => Math.min(offset + ENTRY_BEGINNING_BYTES, packBytes);
  const [first] = run;
  const last = run.at(-1);
  if (first === undefined || last === undefined) return;
  const end = endOf(last);
  const stream = await handle.openRun(first.offset, end - first.offset);
  try {
    let buffer = new Uint8Array(Math.min(PIECE_BYTES, end - first.offset));
    // The bytes read of an entry whose beginning continues in the next piece.
    let kept = new Uint8Array(0);
    let next = 0;
    for (let at = first.offset; at < end;) {
      const piece = await stream.read(buffer);
      if (piece.length === 0) throw new CorruptStore("the pack ends early", { pack: name, offset: at });
      const from = at - kept.length;
      const bytes = kept.length === 0 ? piece : concat([kept, piece]);
      at += piece.length;
      for (let each = run[next]; each !== undefined && endOf(each) <= at; each = run[++next]) {
        take(each, bytes.subarray(each.offset - from, endOf(each) - from));
      }
      kept = bytes.slice((run[next]?.offset ?? at) - from);
      buffer = new Uint8Array(piece.buffer);
    }
  } finally {
    await stream.cancel();
  }
}
