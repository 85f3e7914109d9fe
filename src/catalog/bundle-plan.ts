/**
 * Decides which packs of a catalog are offered as bundles. A bundle is a head and a pack, so nothing is stored but the head's
 * lines: they are the pack's `.tips` file, which maintenance writes.
 *
 * The base has everything that its commits reach, and its tips come with its bitmaps. Each bundle of the newest history has what came
 * since: it names the commits on which it builds, and these lie in the base or in other bundles. A catalog tells the two apart by
 * their bitmaps: packs of the newest history have none.
 *
 * Together they are a chain: each of the newest history also builds on a commit of the one before it, whatever its own history is.
 * git's client begins at the greatest creation token, and goes down only for as long as what it has taken lacks something.
 *
 * | figure | value | what it trades |
 * | --- | --- | --- |
 * | `leastBytes` | 1 MiB | what a base has at least, and packs without a head have together before heads are made: less comes as fast with the clone itself |
 * | `mostTips` | 2000 | the refs of a head: HEAD's branch first, then other branches, then tags. A client tells all of them as what it has |
 * | `mostPrerequisites` | 1000 | the commits on which a bundle builds: its reader looks for each |
 * | `mostNewest` | 9 | the bundles of the newest history. With more packs than these, a roll-up is due |
 *
 * @packageDocumentation
 * @see gitformat-bundle(5), git-clone(1), `--bundle-uri`
 */
import { assert } from "../bytes/assert.ts";
import { type BitmapPack, BITMAPS, planBitmap } from "./bitmap-plan.ts";
import { ROLLING_UP } from "./roll-up.ts";

/** The numbers; see the table above. */
export const BUNDLES = { leastBytes: 1024 * 1024, mostTips: 2000, mostPrerequisites: 1000, mostNewest: 9 } as const;

assert(BUNDLES.mostNewest < ROLLING_UP.duePacks, "packs that are too many for bundles are combined");

type BundlePack = Pick<BitmapPack, "packBytes" | "marked" | "bitmap">;

/** The packs that have the head of a bundle. */
export type BundledPacks<Pack> = {
  readonly base: Pack;
  /** Those of the newest history, in the order of the catalog. */
  readonly newest: readonly Pack[];
};

/** Returns the packs that are offered as bundles, if what the newest ones build on is offered, too; `undefined` without a base. */
export function bundledPacks<Pack extends BundlePack>(packs: readonly Pack[]): BundledPacks<Pack> | undefined {
  const good = packs.filter(({ marked, bitmap }) => marked && bitmap?.tips !== undefined);
  const [base] = good
    .filter(({ packBytes, bitmap }) => packBytes >= BUNDLES.leastBytes && bitmap?.bytes !== 0)
    .toSorted((a, b) => b.packBytes - a.packBytes);
  // The oldest, since each builds on the one before it.
  return base && { base, newest: good.filter(({ bitmap }) => bitmap?.bytes === 0).slice(0, BUNDLES.mostNewest) };
}

/** Returns the pack of the newest history that gets a head next, the oldest first; `undefined` if none does. */
function planBundle<Pack extends BitmapPack>(packs: readonly Pack[]): Pack | undefined {
  const bundled = bundledPacks(packs);
  if (bundled === undefined) return undefined;
  const newest = packs.filter((pack) => pack !== bundled.base && pack.source !== "copy" && pack.source !== "cruft");
  const without = newest.filter(
    ({ marked, bitmap, loan, objects }) =>
      marked && bitmap === undefined && loan === undefined && objects <= BITMAPS.mostObjects,
  );
  const bytes = without.reduce((sum, { packBytes }) => sum + packBytes, 0);
  return newest.length <= BUNDLES.mostNewest && bytes >= BUNDLES.leastBytes ? without[0] : undefined;
}

/**
 * Returns the pack that is described next, by bitmaps or else by the head of a bundle, and the step that does so; `undefined` if
 * there is nothing to do. `least` is as for {@link planBitmap}.
 */
export function planDescription<Pack extends BitmapPack>(
  packs: readonly Pack[],
  least: number,
): { readonly step: "bitmap" | "bundle"; readonly packs: readonly [Pack] } | undefined {
  const base = planBitmap(packs, least);
  if (base !== undefined) return { step: "bitmap", packs: [base] };
  const newest = planBundle(packs);
  return newest && { step: "bundle", packs: [newest] };
}
