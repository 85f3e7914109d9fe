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
 * The filters of a layer take about this many bytes at most: a layer that has reached them gets no further filter. Readers use the filters of a graph
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
 * The memory of a step that makes a layer, in bytes. Of each commit: `rowBytes` beside the names of itself and of its tree, `nameBytes` for each name beside its
 * raw bytes, and `collectedBytes` for tables, names and the file. `stepBytes` is the most of all together, with what is held of layers that are there.
 */
export const LAYER_MEMORY = { rowBytes: 40, nameBytes: 16, collectedBytes: 200, stepBytes: 60_000_000 } as const;

/** What is held of a commit of the layers that are there, beside two raw names: the beginning of its name, and the rows of `CDAT` and `GDA2`. */
const HELD_BYTES = 4 + 16 + 4;

/** Returns about how many bytes of memory a step needs to write a layer of `commits`. Their filters are there twice: as collected, and in the file. */
export function writingBytes(commits: number, filterBytes: number, rawSize: number): number {
  const { rowBytes, nameBytes, collectedBytes } = LAYER_MEMORY;
  return commits * (2 * (rawSize + nameBytes) + rowBytes + collectedBytes) + 2 * filterBytes;
}

/** What layers that are written anew may have together. */
export type FilterBounds = {
  readonly mostCommits: number;
  readonly mostFilterBytes: number;
  readonly stepBytes: number;
};

/** The bounds of a host. */
export const FILTER_BOUNDS: FilterBounds = {
  mostCommits: MOST_LAYER_COMMITS,
  mostFilterBytes: MOST_LAYER_FILTER_BYTES,
  stepBytes: LAYER_MEMORY.stepBytes,
};

/**
 * Returns the number of the uppermost layer that lacks filters of changed paths and can get them; -1 if there is none. A layer gets filters by being
 * written anew, together with all that lie on it. So these must not be too many commits together, nor take too much memory, and must have room for one more
 * filter: else steps would follow each other for ever. A step does what this tells, so that it has no other bounds.
 */
export function layerToFilter(layers: readonly CommitGraphRecord[], bounds = FILTER_BOUNDS): number {
  const { mostCommits, mostFilterBytes, stepBytes } = bounds;
  let together = 0;
  let filterBytes = 0;
  for (let at = layers.length - 1; at >= 0; at--) {
    const layer = itemAt(layers, at);
    together += layer.commits;
    filterBytes += filterBytesOf(layer);
    const rawSize = layer.checksum.length / 2;
    const memory = together * (2 * rawSize + HELD_BYTES) + writingBytes(together, filterBytes, rawSize);
    if (together > mostCommits || filterBytes >= mostFilterBytes || memory > stepBytes) return -1;
    if (layer.filters < layer.commits) return at;
  }
  return -1;
}
