/**
 * The plan of a roll-up: which packs of a catalog are combined into one. Packs are kept in a geometric progression of
 * their numbers of objects, so that a repository of many pushes has few packs, and each object is copied few times.
 *
 * | figure | value | what it trades |
 * | --- | --- | --- |
 * | `factor` | 2 | how much larger a pack is than all smaller ones together: fewer packs for more copying |
 * | `duePacks` | 10 | a roll-up that nobody asked for gathers this many packs: fewer jobs for more packs to read |
 * | `mostPacks` | 400 | the packs of one step, each of which takes a read or two |
 * | `mostObjects` | 400,000 | the objects of one step: the tables take about 100 bytes for each |
 * | `mostBytes` | 512 MiB | the bytes of one step: they are read, hashed and written |
 * | `askedObjects` | 100,000 | packs of no more objects become one where maintenance is asked for: a step can look for deltas among this many |
 * | `askedBytes` | 64 MiB | the bytes of such packs |
 *
 * A pack of more than half of either stays as it is, as with git's `gc.bigPackThreshold`.
 *
 * @packageDocumentation
 * @see git-repack(1), `--geometric`
 */
import { assert } from "../bytes/assert.ts";
import type { PackRecord } from "./pack-record.ts";

const MIB = 1024 * 1024;

/** The numbers; see the table above. */
export const ROLLING_UP = {
  factor: 2,
  duePacks: 10,
  mostPacks: 400,
  mostObjects: 400_000,
  mostBytes: 512 * MIB,
  askedObjects: 100_000,
  askedBytes: 64 * MIB,
} as const;

assert(ROLLING_UP.duePacks < ROLLING_UP.mostPacks, "a step takes the packs that make it due");

/** The part of a pack's record that the plan looks at. */
export type RollUpPack = Pick<PackRecord, "name" | "objects" | "packBytes" | "marked" | "source" | "loan">;

/**
 * Returns how many packs at the beginning of `sizes`, which are numbers of objects in ascending order, have to be
 * combined so that each other pack has at least `factor` times the objects of all before it.
 */
function splitOf(sizes: readonly number[]): number {
  const sizeAt = (i: number): number => sizes[i] ?? Number.POSITIVE_INFINITY;
  let split = sizes.length - 1;
  while (split > 0 && sizeAt(split) >= ROLLING_UP.factor * sizeAt(split - 1)) split--;
  if (split <= 0) return 0;
  let total = 0;
  let end = 0;
  for (; end <= split; end++) total += sizeAt(end);
  while (end < sizes.length && sizeAt(end) < ROLLING_UP.factor * total) total += sizeAt(end++);
  return end;
}

/** Returns the longest beginning of `packs` that one step may combine. */
function withinBounds<Pack extends RollUpPack>(packs: readonly Pack[]): Pack[] {
  let objects = 0;
  let bytes = 0;
  const taken: Pack[] = [];
  for (const pack of packs.slice(0, ROLLING_UP.mostPacks)) {
    objects += pack.objects;
    bytes += pack.packBytes;
    if (objects > ROLLING_UP.mostObjects || bytes > ROLLING_UP.mostBytes) break;
    taken.push(pack);
  }
  return taken;
}

/** Whether any two such packs fit one step. Larger packs would be copied again for a few small ones, and never be done. */
const isMovable = ({ objects, packBytes }: RollUpPack): boolean =>
  2 * objects <= ROLLING_UP.mostObjects && 2 * packBytes <= ROLLING_UP.mostBytes;

/** Returns all packs if they are little enough to be made one whenever somebody asks; else none. */
function allIfFew<Pack extends RollUpPack>(packs: readonly Pack[]): readonly Pack[] {
  const sum = (of: "objects" | "packBytes"): number => packs.reduce((total, pack) => total + pack[of], 0);
  const isFew = packs.length <= ROLLING_UP.mostPacks && sum("objects") <= ROLLING_UP.askedObjects;
  return isFew && packs.length > 1 && sum("packBytes") <= ROLLING_UP.askedBytes ? packs : [];
}

function planFor<Pack extends RollUpPack>(packs: readonly Pack[], isAsked: boolean): readonly Pack[] {
  const few = isAsked ? allIfFew(packs) : [];
  if (few.length > 0) return few;
  const movable = packs.filter((pack) => isMovable(pack));
  const ascending = movable.toSorted((a, b) => a.objects - b.objects);
  const split = splitOf(ascending.map(({ objects }) => objects));
  const chosen = withinBounds(ascending.slice(0, split));
  return chosen.length < (isAsked ? 2 : ROLLING_UP.duePacks) ? [] : chosen;
}

/** Whether a pack may be combined with others of the catalog. */
const isCombinable = ({ source, loan }: RollUpPack): boolean => source !== "copy" && loan === undefined;

/**
 * Returns the packs that the next step combines, in the order of the catalog; none if nothing is to be done. Packs with
 * the mark and packs without it are never combined with each other, because the result would have no mark. Tip packs
 * stay as they are, and so do borrowed packs: what is copied of them takes a walk, which leaves out what the borrower's
 * refs don't reach.
 *
 * @param packs - The catalog, oldest first.
 * @param isAsked - Whether somebody asks for it. Then two packs are worth a step, and a small repository comes to have one pack, as with `git repack -ad`:
 * a clone of it reads one file from its beginning to its end.
 */
export function planRollUp<Pack extends RollUpPack>(packs: readonly Pack[], isAsked: boolean): Pack[] {
  const own = packs.filter((pack) => isCombinable(pack));
  for (const marked of [true, false]) {
    const chosen = new Set(
      planFor(
        own.filter((pack) => pack.marked === marked),
        isAsked,
      ),
    );
    if (chosen.size > 0) return packs.filter((pack) => chosen.has(pack));
  }
  return [];
}
