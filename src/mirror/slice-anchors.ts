/**
 * The anchors of slices: the objects from which everything in the slices is reachable, and whether refs name them by
 * now.
 *
 * ```text
 *        ┌ pack of a slice ┐   ┌ pack of the next ┐
 * root ── · ── · ── · ── A ── · ── · ── · ── B
 *                        └── a tag: T
 * ```
 *
 * Every object of a pack is one of its anchors, or another object of the pack refers to it. The next pack refers to A,
 * and nothing refers to B and T: they are left.
 *
 * Objects form a graph without cycles. From any object of a slice, the way up through the objects that refer to it ends
 * at an anchor to which nothing refers. Everything is therefore reachable once refs have exactly these anchors as
 * values, whatever became of the others. If the upstream rewrites its history between two slices, an anchor is left
 * that no ref ever gets.
 *
 * @packageDocumentation
 */
import { concat } from "../bytes/chunk.ts";
import { toHex } from "../bytes/hex.ts";
import type { ObjectFormat } from "../object/object-id.ts";
import type { Slice } from "../refs/mirror-store.ts";
import type { RefUpdate } from "../refs/ref-update.ts";
import type { IngestedPack } from "../store/ingest/ingest-pack.ts";

/**
 * The part of a pack that is looked at. Its record's mark is for its own anchors, or for all values that refs are to
 * have.
 */
type Arrived = Pick<IngestedPack, "refersTo"> & {
  readonly record: Pick<IngestedPack["record"], "name" | "marked">;
};

/** The most bytes of anchors. They must fit a mirror's row. */
const MOST_ANCHOR_BYTES = 1024 * 1024;

/** Cuts concatenated raw names into views. */
export function* splitNames(names: Uint8Array, { rawSize }: ObjectFormat): Generator<Uint8Array> {
  for (let at = 0; at + rawSize <= names.length; at += rawSize) yield names.subarray(at, at + rawSize);
}

/**
 * Returns the state of the slices after one more: `pack`, with everything below `cut`. Must be called before the kernel
 * is used for anything else.
 */
export function addSlice(last: Slice | undefined, cut: Uint8Array, pack: Arrived, format: ObjectFormat): Slice {
  const anchors = concat([last?.anchors ?? new Uint8Array(0), cut]);
  const isKnown = pack.record.marked && (last === undefined || last.packs !== undefined);
  const left = isKnown ? anchorsLeft(anchors, pack, format) : anchors;
  if (!isKnown || left.length > MOST_ANCHOR_BYTES) return { anchors: newest(left, format) };
  return { anchors: left, packs: [...(last?.packs ?? []), pack.record.name] };
}

/**
 * Returns the anchors to which no object of the pack refers. A pack without the mark proves nothing, so all anchors are
 * left.
 */
export function anchorsLeft(anchors: Uint8Array, pack: Arrived | undefined, format: ObjectFormat): Uint8Array {
  if (pack?.record.marked !== true) return anchors;
  return concat([...splitNames(anchors, format)].filter((name) => !pack.refersTo(name)));
}

/**
 * Returns the packs of the slices if the refs that `updates` set reach everything in them. `left` is the result of
 * {@link anchorsLeft} for the pack that came with these updates.
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

/** Keeps as many anchors as there is room for. The last ones are kept, because they reach most. */
function newest(anchors: Uint8Array, { rawSize }: ObjectFormat): Uint8Array {
  const room = MOST_ANCHOR_BYTES - (MOST_ANCHOR_BYTES % rawSize);
  return anchors.length <= room ? anchors : anchors.slice(anchors.length - room);
}
