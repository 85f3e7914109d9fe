/**
 * The plan of an order: which pack of a catalog is written anew in the order of its history. Git puts all versions of a file together, the youngest
 * first. So what a branch reaches that ends in the middle of the history lies all over the pack. In the order of the history it is nearly
 * one stretch of commits, one of trees and one of blobs.
 *
 * A pack that was pushed is ordered once: what maintenance writes is a `repack`, and so it calls a pack that can't be ordered within the bounds.
 *
 * | figure | value | what it trades |
 * | --- | --- | --- |
 * | `leastBytes` | 16 MiB | a smaller pack is read in a few runs, however it lies |
 * | `leastAsked` | 4 MiB | the same where somebody asked for maintenance |
 * | `mostBytes` | 512 MiB | the bytes of one step: they are read some four times, hashed and written |
 * | `mostObjects` | 500,000 | the objects of one step, whose tables take 28 bytes for each |
 * | `windowBytes` | 24 MiB | what is put into its order in memory: the larger, the less often the pack is gone through |
 * | `heldBytes` | 1 MiB | a larger entry is copied by itself |
 * | `gapBytes` | 256 KiB | entries of a window nearer than this are read together: bytes for reads |
 * | `mostRead` | 3 | all windows together read no more than this many times the pack's bytes; else it stays as it is |
 * | `mostReads` | 3000 | nor do they take more reads than this |
 *
 * @packageDocumentation
 */
import { assert } from "../bytes/assert.ts";
import type { PackRecord } from "./pack-record.ts";

const KIB = 1024;
const MIB = 1024 * KIB;

/** The numbers; see the table above. */
export const ORDERING = {
  leastBytes: 16 * MIB,
  leastAsked: 4 * MIB,
  mostBytes: 512 * MIB,
  mostObjects: 500_000,
  windowBytes: 24 * MIB,
  heldBytes: MIB,
  gapBytes: 256 * KIB,
  mostRead: 3,
  mostReads: 3000,
} as const;

/** The numbers of one step. */
export type Ordering = { readonly [Figure in keyof typeof ORDERING]: number };

assert(ORDERING.heldBytes <= ORDERING.windowBytes, "an entry that is held has room in a window");
assert(ORDERING.mostBytes <= 0xffff_ffff, "offsets are kept in 32 bits");

/** The part of a pack's record that the plan looks at. */
export type OrderPack = Pick<PackRecord, "objects" | "packBytes" | "marked" | "source" | "loan" | "bitmap">;

/**
 * Returns the pack that is ordered next; `undefined` if none is. It has bitmaps, which tell the order, and nobody borrows it:
 * else the bucket would have to keep both.
 *
 * @param leastBytes - The least bytes that are worth a step.
 */
export function planOrder<Pack extends OrderPack>(packs: readonly Pack[], leastBytes: number): Pack | undefined {
  return packs.find(
    ({ objects, packBytes, marked, source, loan, bitmap }) =>
      (source === "receive" || source === "mirror") &&
      marked &&
      loan === undefined &&
      bitmap !== undefined &&
      bitmap.bytes > 0 &&
      packBytes >= leastBytes &&
      packBytes <= ORDERING.mostBytes &&
      objects <= ORDERING.mostObjects,
  );
}
