/**
 * A catalog's record of a layer of the commit-graph. The layers of a repository are a chain: each has the commits that it adds to those
 * below it, with all that these reach.
 *
 * @packageDocumentation
 * @see git-commit-graph(1), `--split`
 */

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
