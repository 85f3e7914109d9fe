/**
 * How entries of stored packs are gathered and copied: every number that trades memory for reads.
 *
 * | figure | value | what it trades |
 * | --- | --- | --- |
 * | `fewBytes`, `fewEntries` | 16 MiB, 50,000 | a selection up to this size is gathered first, with its bases, in few reads; a larger one is copied run by run |
 * | `veryFewEntries` | 16 | a selection up to this many entries is not gathered: looking for its bases would cost more reads than it saves |
 * | `sweep.reads`, `sweep.runBytes`, `sweep.heldBytes` | 24, 7 MiB, 12 MiB | how a selection is gathered; what is held counts beside the caches |
 * | `smallSweep.reads`, `smallSweep.runBytes`, `smallSweep.heldBytes` | 64, 2 MiB, 4 MiB | the same where other work goes on beside, or the client is slow: less memory for more reads |
 * | `someBytes`, `leftBlockBytes` | 1 MiB, 2 MiB | above the first, the cache keeps only the second of its blocks: they were read for a walk that is over |
 * | `gapBytes` | 128 KiB | entries nearer than this are read together: what lies between costs less than another read |
 * | `runBytes` | 2 MiB | a run is read up to this size, and a larger entry is streamed |
 * | `smallRunBytes` | 256 KiB | what is read at once after a client was waited for, or where memory is short; each next run is twice as large |
 * | `fewRuns` | 200 | small runs up to which gathered entries are freed for a client that is waited for: they are read again |
 * | `passedBytes`, `passedShare` | 1 MiB, 2 | runs this near to each other are read in one operation, piece by piece. What is read over may be this many times what is copied, and a run: bytes for reads |
 * | `runsAhead` | 3 | runs that are read while one is copied: round trips for memory |
 *
 * @packageDocumentation
 */
import { assert } from "../bytes/assert.ts";
import { READING } from "../store/reading-policy.ts";

const KIB = 1024;
const MIB = 1024 * KIB;

/** The numbers; see the table above. */
export const COPYING = {
  fewBytes: 16 * MIB,
  fewEntries: 50_000,
  veryFewEntries: 16,
  someBytes: MIB,
  leftBlockBytes: 2 * MIB,
  gapBytes: 128 * KIB,
  runBytes: 2 * MIB,
  smallRunBytes: 256 * KIB,
  fewRuns: 200,
  passedBytes: MIB,
  passedShare: 2,
  runsAhead: 3,
  sweep: { reads: 24, runBytes: 7 * MIB, heldBytes: 12 * MIB },
  smallSweep: { reads: 64, runBytes: 2 * MIB, heldBytes: 4 * MIB },
} as const;

assert(COPYING.veryFewEntries < COPYING.fewEntries, "what needs no gathering is less than what is gathered");
assert(COPYING.gapBytes < COPYING.runBytes, "what is read over to join two entries is less than a run");
assert(COPYING.gapBytes < COPYING.smallRunBytes, "what is read over to join two entries is less than a small run");
for (const { runBytes, heldBytes } of [COPYING.sweep, COPYING.smallSweep]) {
  assert(COPYING.runBytes <= runBytes, "an entry that is read, not streamed, fits one read of a sweep");
  assert(runBytes <= heldBytes, "a sweep can hold what it reads at once");
}
assert(COPYING.gapBytes < COPYING.passedBytes, "within a stretch more is read over than within a run");
assert(COPYING.runsAhead < READING.readsAtOnce, "reading ahead leaves connections for other reads");
