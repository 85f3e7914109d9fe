/**
 * The objects that deltas of a pack build on and that it does not bring: the bases of a thin pack.
 *
 * @packageDocumentation
 */
import { unlessTooLarge } from "../../bytes/failure.ts";
import type { Held, Inflating } from "../inflating.ts";
import type { StoredChain } from "../large-content.ts";
import type { ObjectCopy, ObjectReader } from "../object-reader.ts";
import type { LargeBase } from "./large-bases.ts";

/** Finds bases outside the pack. */
export interface OutsideBases {
  /** Returns the type number that the catalog has for each raw name (one after the other); 0 if it has none. */
  typesOf(names: Uint8Array): Promise<Uint8Array>;
  /** Reads ahead the objects that {@link read} will be called for. */
  prefetch(names: Uint8Array): Promise<void>;
  /** Reads an object of the catalog; `undefined` if it, or an entry that it is built from, is too large to be held. */
  read(name: Uint8Array): Promise<ObjectCopy | undefined>;
  /** Returns the entries that make an object of the catalog. */
  chainOf(name: Uint8Array): Promise<StoredChain>;
}

/** A base that the pack does not bring. */
export type OutsideBase = {
  /** Its number among the entries and all such bases. */
  readonly node: number;
  /** The index of its name: see `ObjectNames`. */
  readonly index: number;
  readonly type: number;
  held: Held | undefined;
  /** The scratch file that holds its content, if it was too large for memory. */
  large: LargeBase | undefined;
};

/** Reads an object; `undefined` if it, or an entry that it is built from, is too large to be held. @throws MissingObject, CorruptStore */
export async function readIfAllHeld(
  reader: ObjectReader,
  inflating: Inflating,
  name: Uint8Array,
): Promise<ObjectCopy | undefined> {
  const object = await unlessTooLarge(reader.read(name));
  return object && { type: object.type, bytes: inflating.bytes(object.held).slice() };
}
