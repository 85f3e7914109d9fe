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
 * The filters of a layer take about so many bytes at most: a layer that has reached them gets no further filter. Readers use the filters of a graph
 * only while they take at most 16 MiB together, so that there is room for layers on top.
 */
export const MOST_LAYER_FILTER_BYTES = 12 * 1024 * 1024;

/** What a commit takes in a file beside its name, the name of its tree, and its filter: rows of `CDAT`, `GDA2` and `BIDX`. */
const ROW_BYTES = 16 + 4 + 4;

/** Returns the bytes of a layer that are not rows of its commits. They are its filters and a little more: they are never fewer than the filters have. */
export function filterBytesOf({ checksum, commits, bytes }: CommitGraphRecord): number {
  return Math.max(0, bytes - commits * (checksum.length + ROW_BYTES)); // Two raw names are as long as one in hexadecimal.
}

/**
 * Returns the number of the uppermost layer that lacks filters of changed paths and can get them; -1 if there is none. A layer gets filters by being
 * written anew, together with all that lie on it. So these must not be too many commits together, and must have room for one more filter: else steps
 * would follow each other for ever.
 */
export function layerToFilter(
  layers: readonly CommitGraphRecord[],
  { mostCommits, mostFilterBytes } = { mostCommits: MOST_LAYER_COMMITS, mostFilterBytes: MOST_LAYER_FILTER_BYTES },
): number {
  let together = 0;
  let filterBytes = 0;
  for (let at = layers.length - 1; at >= 0; at--) {
    const layer = itemAt(layers, at);
    together += layer.commits;
    filterBytes += filterBytesOf(layer);
    if (together > mostCommits || filterBytes >= mostFilterBytes) return -1;
    if (layer.filters < layer.commits) return at;
  }
  return -1;
}
