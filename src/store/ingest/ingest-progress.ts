/**
 * The port for progress and warnings while a pack is taken in.
 *
 * @packageDocumentation
 */

/** The reports of an ingest, which a client sees as git's own words on band 2. */
export interface IngestProgress {
  received(objects: number, total: number): Promise<void>;
  resolved(deltas: number, total: number): Promise<void>;
  /** Takes lines about objects that fsck finds fault with and lets pass. It is called once, if there are any. */
  warned?(lines: readonly string[]): Promise<void>;
}
