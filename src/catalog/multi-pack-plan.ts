/**
 * The plan of the multi-pack index: one index of all packs that lie below a repository's prefix, by which C git finds an object with one
 * look-up. Nothing of this host reads it. It is made again when the repository has grown, and not with every pack: git looks into
 * packs that it does not name besides.
 *
 * | figure | value | what it trades |
 * | --- | --- | --- |
 * | `leastObjects` | 10,000 | in fewer objects git finds one about as fast pack by pack |
 * | `leastAsked` | 1,000 | the same where somebody asked for maintenance |
 * | `mostObjects` | 3,000,000 | the objects of one index, whose table of places takes 8 bytes of memory for each |
 * | `mostPacks` | 100 | each is read in pieces, some of them several times |
 * | `mostPackBytes` | 2 GiB - 1 | a place beyond that does not fit its row: a larger pack is left out |
 * | `grownPercent` | 50 | by how much the objects have to become more, so that what is written is three times what is there at last |
 * | `restTime` | 1 day | an index that was given up is made again after this time, whether or not there is more |
 *
 * @packageDocumentation
 * @see git-multi-pack-index(1)
 */
import { assert } from "../bytes/assert.ts";
import type { PackRecord } from "./pack-record.ts";

/** The numbers; see the table above. `restTime` is in milliseconds. */
export const MULTI_PACKS = {
  leastObjects: 10_000,
  leastAsked: 1000,
  mostObjects: 3_000_000,
  mostPacks: 100,
  mostPackBytes: 2 ** 31 - 1,
  grownPercent: 50,
  restTime: 24 * 60 * 60_000,
} as const;

assert(
  MULTI_PACKS.leastAsked <= MULTI_PACKS.leastObjects,
  "asking for maintenance makes an index of more repositories",
);

/** An index that was made, and what it was made of. */
export type MadeMultiPackIndex = {
  /**
   * The key stem, random and never reused: `objects/pack/pack-{name}.midx`. No pack has this name. Absent if these packs can
   * have no index.
   */
  readonly name?: string;
  readonly bytes: number;
  /** The packs that it names. */
  readonly packs: readonly string[];
  /** The objects of these packs, those that are in several of them as often. */
  readonly objects: number;
};

/** What is known of the index that was made last. */
export type LastMultiPackIndex = {
  readonly objects: number;
  /** When it was made, in milliseconds since the epoch. */
  readonly at: number;
  /** Whether it was given up, because one of its packs has left the catalog. */
  readonly isGivenUp: boolean;
};

type PlannedPack = Pick<PackRecord, "objects" | "packBytes" | "source" | "loan">;

/** Returns the packs that an index names. Borrowed ones lie elsewhere, tip packs repeat what others have, and nobody is to find what only cruft packs have. */
export function indexedPacks<Pack extends PlannedPack>(packs: readonly Pack[]): Pack[] {
  return packs.filter(
    ({ source, loan, packBytes }) =>
      source !== "cruft" && source !== "copy" && loan === undefined && packBytes <= MULTI_PACKS.mostPackBytes,
  );
}

/** Returns when an index of these packs is due, in milliseconds since the epoch: 0 for at once, `undefined` for never. */
export function multiPackIndexDue(
  packs: readonly PlannedPack[],
  last: LastMultiPackIndex | undefined,
  asked: boolean,
): number | undefined {
  const named = indexedPacks(packs);
  const objects = named.reduce((sum, pack) => sum + pack.objects, 0);
  const least = asked ? MULTI_PACKS.leastAsked : MULTI_PACKS.leastObjects;
  if (named.length < 2 || named.length > MULTI_PACKS.mostPacks) return undefined;
  if (objects < least || objects > MULTI_PACKS.mostObjects) return undefined;
  if (last === undefined || (last.isGivenUp && asked)) return 0;
  if ((objects - last.objects) * 100 >= last.objects * MULTI_PACKS.grownPercent) return 0;
  return last.isGivenUp ? last.at + MULTI_PACKS.restTime : undefined;
}
