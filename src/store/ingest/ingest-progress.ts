/**
 * What taking a pack in says while it goes on.
 *
 * @packageDocumentation
 */

/** What a client sees of the work: git's own words on band 2. */
export interface IngestProgress {
  received(objects: number, total: number): Promise<void>;
  resolved(deltas: number, total: number): Promise<void>;
  /** Takes lines about objects that fsck finds fault with and that are let pass; called once, if there are any. */
  warned?(lines: readonly string[]): Promise<void>;
}
