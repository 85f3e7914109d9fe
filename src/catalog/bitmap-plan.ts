/**
 * The plan of bitmaps: of which pack of a catalog they are made next. One pack has them, usually the largest, since what
 * they stand for has to be in the pack.
 *
 * | figure | value | what it trades |
 * | --- | --- | --- |
 * | `leastObjects` | 10,000 | a pack of fewer objects is walked in a fraction of a second |
 * | `leastAsked` | 1,000 | the same where somebody asked for maintenance |
 * | `leastBytes` | 32 MiB | a pack of at least this many bytes has them, however few its objects are: then it can be offered as a bundle |
 * | `mostObjects` | 1,000,000 | the objects of one step, whose tables take about 60 bytes for each |
 * | `share` | 4 | a pack of less than this part of the largest one's objects would save little |
 *
 * @packageDocumentation
 * @see git-repack(1), `--write-bitmap-index`
 */
import { assert } from "../bytes/assert.ts";
import type { PackRecord } from "./pack-record.ts";

/** The numbers; see the table above. */
export const BITMAPS = {
  leastObjects: 10_000,
  leastAsked: 1000,
  leastBytes: 32 * 1024 * 1024,
  mostObjects: 1_000_000,
  share: 4,
} as const;

assert(BITMAPS.leastAsked <= BITMAPS.leastObjects, "asking for maintenance makes bitmaps of more packs");

/** The part of a pack's record that the plan looks at. */
export type BitmapPack = Pick<PackRecord, "objects" | "packBytes" | "marked" | "source" | "loan" | "bitmap">;

/**
 * Returns the pack of which bitmaps are to be made; `undefined` if none is. It is the largest that has the mark, and the
 * next one where that can have none. A borrowed pack has those that it came with.
 *
 * @param least - The fewest objects that are worth a step; see `leastObjects`.
 */
export function planBitmap<Pack extends BitmapPack>(packs: readonly Pack[], least: number): Pack | undefined {
  const own = packs.filter(({ source }) => source !== "copy" && source !== "cruft");
  const largest = Math.max(0, ...own.map(({ objects }) => objects));
  const worthwhile = own.filter(
    ({ objects, packBytes, marked }) =>
      marked &&
      (objects >= least || packBytes >= BITMAPS.leastBytes) &&
      objects >= largest / BITMAPS.share &&
      objects <= BITMAPS.mostObjects,
  );
  for (const pack of worthwhile.toSorted((a, b) => b.objects - a.objects)) {
    if (pack.bitmap === undefined && pack.loan === undefined) return pack;
    if (pack.bitmap !== undefined && pack.bitmap.bytes > 0) return undefined;
  }
  return undefined;
}
