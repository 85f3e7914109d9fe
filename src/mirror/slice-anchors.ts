/**
 * What all that came in slices hangs on, and whether refs have come to name it.
 *
 * ```text
 *        ┌ pack of a slice ┐   ┌ pack of the next ┐
 * root ── · ── · ── · ── A ── · ── · ── · ── B        every object of a pack is one of its anchors or is referred to within the pack;
 *                        └── a tag: T                 A is referred to by the next pack, B and T by nothing: they are what is left
 * ```
 *
 * Objects form a graph without cycles, and whoever goes up in it from any object that came, by what refers to it, ends at an anchor that
 * nothing refers to. So all of it is reachable once refs have just these for values, and it is no matter what became of others: where the
 * upstream rewrites its history between two slices, an anchor is left that no ref ever gets.
 *
 * @packageDocumentation
 */
import { concat } from "../bytes/chunk.ts";
import { toHex } from "../bytes/hex.ts";
import type { ObjectFormat } from "../object/object-id.ts";
import type { Slice } from "../refs/mirror-store.ts";
import type { RefUpdate } from "../refs/ref-update.ts";
import type { IngestedPack } from "../store/ingest/ingest-pack.ts";

/** What is looked at of a pack: its record's mark is for its own anchors, or for all that refs are to have. */
type Arrived = Pick<IngestedPack, "refersTo"> & {
  readonly record: Pick<IngestedPack["record"], "name" | "marked">;
};

/** A row of a mirror has to have room for the anchors. */
const MOST_ANCHOR_BYTES = 1024 * 1024;

/** Cuts raw names, one after the other, into views. */
export function* splitNames(names: Uint8Array, { rawSize }: ObjectFormat): Generator<Uint8Array> {
  for (let at = 0; at + rawSize <= names.length; at += rawSize) yield names.subarray(at, at + rawSize);
}

/** Gives what is here once a slice has come: `pack`, with all below `cut`. Call it before the kernel is used for anything else. */
export function addSlice(last: Slice | undefined, cut: Uint8Array, pack: Arrived, format: ObjectFormat): Slice {
  const anchors = concat([last?.anchors ?? new Uint8Array(0), cut]);
  const isKnown = pack.record.marked && (last === undefined || last.packs !== undefined);
  const left = isKnown ? anchorsLeft(anchors, pack, format) : anchors;
  if (!isKnown || left.length > MOST_ANCHOR_BYTES) return { anchors: newest(left, format) };
  return { anchors: left, packs: [...(last?.packs ?? []), pack.record.name] };
}

/** Gives the anchors that no object of the pack refers to; of a pack without the mark, which proves nothing, all. */
export function anchorsLeft(anchors: Uint8Array, pack: Arrived | undefined, format: ObjectFormat): Uint8Array {
  if (pack?.record.marked !== true) return anchors;
  return concat([...splitNames(anchors, format)].filter((name) => !pack.refersTo(name)));
}

/**
 * Gives the packs of the slices, where the refs that `updates` set reach all that is in them. `left` is what {@link anchorsLeft} gave
 * for the pack that came with these.
 */
export function reachedPacks(
  last: Slice | undefined,
  left: Uint8Array,
  updates: readonly RefUpdate[],
  format: ObjectFormat,
): readonly string[] {
  if (last?.packs === undefined) return [];
  const values = new Set(updates.map(({ newOid }) => newOid));
  for (const name of splitNames(left, format)) if (!values.has(toHex(name))) return [];
  return last.packs;
}

/** As many as there is room for: the last that came reach most. */
function newest(anchors: Uint8Array, { rawSize }: ObjectFormat): Uint8Array {
  const room = MOST_ANCHOR_BYTES - (MOST_ANCHOR_BYTES % rawSize);
  return anchors.length <= room ? anchors : anchors.slice(anchors.length - room);
}
