/**
 * A catalog's record of a layer of the commit-graph. The layers of a repository are a chain: each has the commits that it adds to those
 * below it, with all that these reach.
 *
 * @packageDocumentation
 * @see git-commit-graph(1), `--split`
 */
import { itemAt } from "../bytes/assert.ts";

/** One layer. Its file never changes. */
export type CommitGraphRecord = {
  /** The key stem, random and never reused: `objects/pack/pack-{name}.graph`. */
  readonly name: string;
  /** The trailer of the file in hexadecimal, by which git knows the layer. */
  readonly checksum: string;
  /** The number of commits in the layer. */
  readonly commits: number;
  /** The commits of the layer whose changed paths have a filter. */
  readonly filters: number;
  /** The size of the file in bytes. */
  readonly bytes: number;
};

/** The most commits of a layer. */
export const MOST_LAYER_COMMITS = 200_000;

/**
 * Returns the number of the uppermost layer that lacks filters of changed paths and can get them; -1 if there is none. A layer gets filters by being
 * written anew, together with all that lie on it, so that these must not be too many commits together.
 */
export function layerToFilter(layers: readonly CommitGraphRecord[], mostCommits = MOST_LAYER_COMMITS): number {
  let together = 0;
  for (let at = layers.length - 1; at >= 0; at--) {
    const { commits, filters } = itemAt(layers, at);
    together += commits;
    if (together > mostCommits) return -1;
    if (filters < commits) return at;
  }
  return -1;
}
