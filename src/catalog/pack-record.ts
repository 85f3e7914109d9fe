/**
 * What a catalog says of a pack. The catalog is the only authority on which packs a repository has: a bucket listing never is.
 *
 * @packageDocumentation
 */

/** How a pack came to be. A `copy` is a tip pack: all of its objects are in other packs, too, so it says nothing of reachability and is always marked. */
export type PackSource = "receive" | "mirror" | "repack" | "copy";

/** One pack of a repository. Immutable once committed, but for `marked`, which the ref store clears. */
export type PackRecord = {
  /** Key stem, random and never reused: `objects/pack/pack-{name}.pack`. */
  readonly name: string;
  /** The pack's trailer in hex: the name dumb clients know it by. */
  readonly checksum: string;
  /** Entries in the pack file. */
  readonly objects: number;
  /** Entries before those that thin-pack completion appended. */
  readonly ownObjects: number;
  /** Bytes of the `.pack` file. */
  readonly packBytes: number;
  /** Offset where the entries that completion appended begin; `packBytes` minus the trailer where there are none. */
  readonly ownBytes: number;
  /** Bytes of the `.idx` file. */
  readonly indexBytes: number;
  /** The first bytes of the `.idx` file: all of a small one, else header and fan-out table. */
  readonly indexHead: Uint8Array;
  /** The types of its objects (see `format/pack-kinds.ts`) where they are few; else they are in the pack's `.kinds` file. */
  readonly kinds?: Uint8Array;
  /** Every own object is reachable from the tips it was pushed with, and these still are from their refs. */
  readonly marked: boolean;
  readonly source: PackSource;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
};
