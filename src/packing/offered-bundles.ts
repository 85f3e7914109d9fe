/**
 * Finds the packs of a snapshot that are offered as bundles, in the order in which they build on each other.
 *
 * @packageDocumentation
 * @see gitformat-bundle(5), git's technical/bundle-uri
 */
import { isStorageFault } from "../bytes/failure.ts";
import { bundledPacks } from "../catalog/bundle-plan.ts";
import type { PackRecord } from "../catalog/pack-record.ts";
import { parseTips, type ReadTips } from "../format/bundle.ts";
import type { OpenSnapshot } from "../refs/ref-store.ts";
import type { Repository } from "../repository/repository.ts";
import { wholePacks } from "../repository/view.ts";

/**
 * The token of the base. It is always the same: when a repack has made a larger one, those who have the smaller fetch what is
 * new, and do not take everything again.
 */
const BASE_TOKEN = 1;

/** A pack that is offered as a bundle. */
export type OfferedBundle = {
  readonly pack: PackRecord;
  /** It is greater than those of the bundles on which this one builds. */
  readonly creationToken: number;
};

/** The snapshot, with its packs. */
export type BundledSnapshot = Pick<OpenSnapshot, "record" | "packs">;

/** Returns the id of the repository below whose prefix a pack lies. */
export function homeOf({ record }: Pick<BundledSnapshot, "record">, { loan }: PackRecord): string {
  return loan?.home ?? record.id;
}

/** Reads a pack's tips; none where the file is not what the catalog says. */
export async function readTips(
  { storage, cache }: Pick<Repository, "storage" | "cache">,
  home: string,
  { name, bitmap }: PackRecord,
): Promise<ReadTips> {
  const length = bitmap?.tips ?? 0; // A pack without tips has none.
  const key = `${home}/${name}.tips:0+${length}`;
  const known = cache.get(key);
  if (known !== undefined) return parseTips(known);
  try {
    const bytes = await storage(home).read({ pack: name, extension: "tips" }, 0, length);
    cache.set(key, bytes);
    return parseTips(bytes);
  } catch (error) {
    // A step that was done twice may have written it twice.
    if (isStorageFault(error)) return parseTips(new Uint8Array(0));
    throw error;
  }
}

/**
 * Returns the bundles of a snapshot, each after those on which it builds. One that builds on a pack that is not offered any more is
 * left out: its reader would have to find the commits elsewhere.
 */
export async function offeredBundles(repository: Repository, snapshot: BundledSnapshot): Promise<OfferedBundle[]> {
  const bundled = bundledPacks(wholePacks(snapshot));
  if (bundled === undefined) return [];
  const { base, newest } = bundled;
  const tokens = new Map([[base.name, BASE_TOKEN]]);
  const offered: OfferedBundle[] = [{ pack: base, creationToken: BASE_TOKEN }];
  const files = newest.map(async (pack) => ({ pack, ...(await readTips(repository, homeOf(snapshot, pack), pack)) }));
  let left = (await Promise.all(files)).filter(({ tips }) => tips.length > 0);
  for (let before = -1; before !== offered.length;) {
    before = offered.length;
    for (const { pack, needs } of left) {
      const below = needs.map((name) => tokens.get(name));
      if (!below.every((token) => token !== undefined)) continue;
      // The age of a pack keeps a token from being given twice. A roll-up may have made what is below later.
      const creationToken = Math.max(pack.createdAt, BASE_TOKEN + 1, ...below.map((token) => token + 1));
      tokens.set(pack.name, creationToken);
      offered.push({ pack, creationToken });
    }
    left = left.filter(({ pack }) => !tokens.has(pack.name));
  }
  return offered;
}
