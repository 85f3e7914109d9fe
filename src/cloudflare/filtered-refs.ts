/**
 * Shows a caller a repository's refs through a {@link RefFilter}.
 *
 * @packageDocumentation
 */
import type { Pacer } from "../bytes/pacer.ts";
import { chooseRows, countTips, openSnapshotInParts } from "../mirror/snapshot.ts";
import { objectFormat } from "../object/object-id.ts";
import { type RefFilter, SHOWS_ALL } from "../refs/ref-filter.ts";
import { decodeRefRows } from "../refs/ref-rows.ts";
import type { OpenRequest, OpenSnapshot, RefStore } from "../refs/ref-store.ts";

/**
 * Returns the refs that the filter shows. If it may hide some, every snapshot is made from all rows that remain, and no
 * pack has its mark: a mark may rest on a hidden ref, which reaches nothing for this caller. Writers' calls are passed
 * on unchanged. `pacer` counts the work of the request.
 */
export function filteredRefs(store: RefStore, shows: RefFilter, pacer: Pacer): RefStore {
  if (shows === SHOWS_ALL) return store;
  return {
    ...store,
    open: async (request) => {
      const { publicOnly = false, pushSeed = false, lends = false } = request;
      const all = await store.open({ packs: true, refPrefixes: [], publicOnly, pushSeed, lends });
      if (all.kind === "missing") return all;
      const shown = await pacer.finish(openShown(all, shows, request));
      const { pushSeed: seed } = all;
      return seed === undefined ? shown : { ...shown, pushSeed: seed };
    },
  };
}

/** Answers a request from the refs that are shown. Yields the steps of each part. */
function* openShown(
  all: OpenSnapshot,
  shows: RefFilter,
  request: OpenRequest,
): Generator<number, OpenSnapshot, undefined> {
  const { record, version, headOid } = all;
  const { rawSize } = objectFormat(record.objectFormat);
  const refs = yield* chooseRows(decodeRefRows(all.refs, rawSize), ({ name }) => shows(name));
  const packs = all.packs.map((pack) => ({ ...pack, marked: false }));
  const pointer = { record, version, ...(headOid !== undefined && shows(record.head) ? { headOid } : {}) };
  const tips = yield* countTips(refs, rawSize);
  return yield* openSnapshotInParts(pointer, { refs, packs, tips }, request);
}
