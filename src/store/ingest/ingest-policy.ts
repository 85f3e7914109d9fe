/**
 * How a pack is taken in: the numbers that trade memory, reads and pauses.
 *
 * | figure | value | what it trades |
 * | --- | --- | --- |
 * | `chunkBytes` | 256 KiB | what is read of the pack at once: calls for memory |
 * | `feedBytes` | 8 KiB | what the scanner is given at once, before a pause may come: some 8 MiB may come of it, a thousand bytes of each |
 * | `progressObjects` | 1000 | objects between two words about progress |
 * | `trimmedCacheBytes` | 4 MiB | what the isolate's cache keeps while a large pack is taken in: later reads for memory now |
 * | `blockBytes` | 64 KiB | what is read back of a staged pack at once where little is wanted |
 * | `shortRunBytes` | 128 KiB | runs of the staged pack up to this length are read in blocks that are kept, since they are soon wanted again |
 * | `mostBasesRead` | 32 | bases outside the pack that are read to know their types, since they are read anyway; of more, the packs tell |
 * | `mostReferencesRead` | 2 | the same of what the pack's objects refer to, which is not read otherwise |
 *
 * @packageDocumentation
 */
import { assert } from "../../bytes/assert.ts";

const KIB = 1024;

/** The numbers; see the table above. */
export const INGESTING = {
  chunkBytes: 256 * KIB,
  feedBytes: 8 * KIB,
  progressObjects: 1000,
  trimmedCacheBytes: 4 * KIB * KIB,
  blockBytes: 64 * KIB,
  shortRunBytes: 128 * KIB,
  mostBasesRead: 32,
  mostReferencesRead: 2,
} as const;

assert(INGESTING.feedBytes <= INGESTING.chunkBytes, "what is read at once is enough to give the scanner");
assert(INGESTING.blockBytes <= INGESTING.shortRunBytes, "a run that is short is not shorter than a block");
assert(
  INGESTING.mostReferencesRead <= INGESTING.mostBasesRead,
  "references, which are not read anyway, are read no sooner",
);
