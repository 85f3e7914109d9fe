/**
 * Shows a caller a repository's refs through a {@link RefFilter}.
 *
 * @packageDocumentation
 */
import { countTips, openSnapshot } from "../mirror/snapshot.ts";
import { objectFormat } from "../object/object-id.ts";
import { type RefFilter, SHOWS_ALL } from "../refs/ref-filter.ts";
import { decodeRefRows, encodeRefRows, type RefRow } from "../refs/ref-rows.ts";
import type { RefStore } from "../refs/ref-store.ts";

/**
 * Returns the refs that the filter shows. If it may hide some, every snapshot is made from all rows that remain, and no
 * pack has its mark: a mark may rest on a hidden ref, which reaches nothing for this caller. Writers' calls are passed
 * on unchanged.
 */
export function filteredRefs(store: RefStore, shows: RefFilter): RefStore {
  if (shows === SHOWS_ALL) return store;
  return {
    ...store,
    open: async (request) => {
      const { publicOnly = false, pushSeed = false, lends = false } = request;
      const all = await store.open({ packs: true, refPrefixes: [], publicOnly, pushSeed, lends });
      if (all.kind === "missing") return all;
      const { record, version, headOid, pushSeed: seed } = all;
      const { rawSize } = objectFormat(record.objectFormat);
      const refs = encodeRefRows(shownRows(decodeRefRows(all.refs, rawSize), shows));
      const packs = all.packs.map((pack) => ({ ...pack, marked: false }));
      const pointer = { record, version, ...(headOid !== undefined && shows(record.head) ? { headOid } : {}) };
      const shown = openSnapshot(pointer, { refs, packs, tips: countTips(refs, rawSize) }, request);
      return seed === undefined ? shown : { ...shown, pushSeed: seed };
    },
  };
}

function* shownRows(rows: Iterable<RefRow>, shows: RefFilter): Generator<RefRow> {
  for (const row of rows) if (shows(row.name)) yield row;
}
