/**
 * A catalog's record of a pack. The catalog is the only authority on which packs a repository has: a bucket listing
 * never is.
 *
 * @packageDocumentation
 */

/**
 * The origin of a pack. A `copy` is a tip pack: all of its objects are in other packs, too. So its mark says nothing
 * about reachability and is always set. A `cruft` pack holds objects that no ref reached when it was made; no reader is
 * told of it.
 */
export type PackSource = "receive" | "mirror" | "repack" | "copy" | "cruft";

/**
 * The state of a borrowed pack. `lent`: its owner has it, too, and it counts for the owner. `own`: its owner has given it
 * up, and it counts for the borrower. `demanded`: a purge has removed something that it holds, and it is wanted back.
 */
export type LoanState = "lent" | "own" | "demanded";

/** The loan of a pack whose files lie below another repository's prefix, as those of a fork do at first. */
export type PackLoan = {
  /** The id of the repository below whose prefix the files lie. */
  readonly home: string;
  readonly state: LoanState;
};

/** The name of a pack, and the id of the repository below whose prefix it lies, if that is another one. */
export type StoredPackName = { readonly name: string; readonly home?: string };

/** The size of a pack's `.bitmap` file in bytes, and the number of commits in it; 0 if the pack can have none. */
export type PackBitmapSize = {
  readonly bytes: number;
  readonly commits: number;
  /** The size of the pack's `.tips` file in bytes: see `bundle-plan.ts`. It is absent if there is none. */
  readonly tips?: number;
};

/** One pack of a repository. It is immutable once committed, except for `marked` and `bitmap`. */
export type PackRecord = {
  /** The key stem, random and never reused: `objects/pack/pack-{name}.pack`. */
  readonly name: string;
  /** The pack's trailer in hexadecimal, by which clients of dumb HTTP know the pack. */
  readonly checksum: string;
  /** The number of entries in the pack file. */
  readonly objects: number;
  /** The number of entries before those that thin-pack completion appended. */
  readonly ownObjects: number;
  /** The size of the `.pack` file in bytes. */
  readonly packBytes: number;
  /**
   * The offset at which the entries that completion appended begin; without any, `packBytes` minus the trailer's size.
   */
  readonly ownBytes: number;
  /** The size of the `.idx` file in bytes. */
  readonly indexBytes: number;
  /** The first bytes of the `.idx` file: all of a small one, else its header and fan-out table. */
  readonly indexHead: Uint8Array;
  /**
   * The types of the objects (see `format/pack-types.ts`) if there are few; else they are in the pack's `.kinds` file.
   */
  readonly kinds?: Uint8Array;
  /** The pack's `.bitmap` file, once maintenance has tried to write it. */
  readonly bitmap?: PackBitmapSize;
  /**
   * Whether every own object is reachable from the tips that it was pushed with, and these are still reachable from
   * their refs.
   */
  readonly marked: boolean;
  readonly source: PackSource;
  /** The loan of a borrowed pack; absent if the files lie below the repository's own prefix. */
  readonly loan?: PackLoan;
  /** The time of creation in milliseconds since the epoch. */
  readonly createdAt: number;
  /** The bytes of the pack, if it lies in the repository's object and not in the bucket: see `tail.ts`. */
  readonly tail?: Uint8Array;
};
