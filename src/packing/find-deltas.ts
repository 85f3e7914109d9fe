/**
 * Finds deltas for packs that are combined: learns which entries are deltas already, from the packs' own headers, and has the
 * others looked at.
 *
 * @packageDocumentation
 */
import { itemAt } from "../bytes/assert.ts";
import { CorruptStore } from "../bytes/failure.ts";
import { EntryHeader, MAX_ENTRY_HEADER_BYTES } from "../format/pack-entry.ts";
import { OFS_DELTA, REF_DELTA } from "../object/object-type.ts";
import type { Repository } from "../repository/repository.ts";
import type { ObjectDatabase } from "../store/object-database.ts";
import type { CombinedEntries, SourcePack } from "./combined-entries.ts";
import { DeltaChains } from "./delta-chains.ts";
import { type MadeDelta, seekDeltas } from "./delta-search.ts";
import { type EntryRange, EntryReader } from "./entry-reader.ts";

/** What deltas are found with. */
type FindInput = {
  readonly repository: Pick<Repository, "kernels" | "pacer" | "deflate" | "memory">;
  readonly database: ObjectDatabase;
  readonly entries: CombinedEntries;
};

/** Reads the headers of the entries that are taken from a pack, and notes which of them are deltas on what. */
async function readChains(
  { repository, entries, database }: FindInput,
  source: SourcePack,
  chains: DeltaChains,
): Promise<void> {
  const { order, first, handle } = source;
  const { rawSize } = database.context.format;
  const ranks: number[] = [];
  const ranges: EntryRange[] = [];
  for (let rank = 0; rank < order.count; rank++) {
    if (!entries.isChosen(first + rank)) continue;
    ranks.push(rank);
    ranges.push({ offset: order.offsetAt(rank), end: order.offsetAt(rank + 1) });
  }
  const reader = new EntryReader(handle, ranges, repository.pacer);
  const header = new EntryHeader();
  try {
    for (const [i, rank] of ranks.entries()) {
      await repository.pacer.pace();
      const range = itemAt(ranges, i);
      const { offset, end } = range;
      const bytes = EntryReader.isShort(range)
        ? await reader.read(range)
        : await handle.readRun(offset, Math.min(MAX_ENTRY_HEADER_BYTES, end - offset));
      if (header.decode(bytes, 0, bytes.length, rawSize) === "short")
        throw new CorruptStore("the pack ends within an entry", { pack: handle.record.name, offset });
      const slot = entries.slotOf(first + rank);
      if (header.type === OFS_DELTA) chains.add(slot, entries.slotOf(first + order.rankOf(offset - header.distance)));
      else if (header.type === REF_DELTA)
        chains.add(slot, entries.slotOfName(bytes.subarray(header.baseAt, header.baseAt + rawSize)));
    }
  } finally {
    await reader.close();
  }
}

/** Makes deltas of entries that are whole. Returns them by the slots of their objects. @throws CorruptStore, HostBusy */
export async function findDeltas(input: FindInput): Promise<ReadonlyMap<number, MadeDelta>> {
  const { repository, database, entries } = input;
  const { format } = database.context;
  const chains = new DeltaChains(entries.count);
  const kernel = await repository.kernels.lendSmall(format.rawSize);
  try {
    for (const source of entries.sources) await readChains(input, source, chains);
    const { pacer, deflate, memory } = repository;
    const isPressed = (): boolean => memory.othersWait;
    return await seekDeltas({ database, kernel, entries, chains, format, pacer, deflate, isPressed });
  } finally {
    repository.kernels.giveBack(kernel);
    chains.free();
  }
}
