/**
 * The kernel: what the rest calls for each byte of each object. Its face is `src/kernel/kernel.ts`, which says what each export
 * means.
 */
import { carve } from "./arena";
import { initialiseCrc32 } from "./crc32";
import { hashInitialise } from "./hash";
import { batchClear } from "./hash-batch";
import { initialiseTemplates } from "./huffman";
import { inflateStart } from "./inflate";
import { tableInitialise, tableReset } from "./oid-table";
import { treeInitialise } from "./tree-entry";

export { adler32 } from "./adler32";
export { ringAt, scratchAt, windowAt } from "./arena";
export { crc32 } from "./crc32";
export { applyDelta, deltaBaseSize, deltaResultSize, deltaSizes } from "./delta";
export { hashFinish, hashObject, hashStart, hashUpdate } from "./hash";
export { batchAdd, batchCapacity, batchClear, batchCollision, batchNameAt, batchRun } from "./hash-batch";
export {
  inflate,
  inflateConsumed,
  inflateProduced,
  inflateRestore,
  inflateSave,
  inflateStart,
  inflateStateBytes,
  inflateWhole,
} from "./inflate";
export {
  flagsOf,
  oidAdd,
  oidAt,
  oidCount,
  oidFind,
  orFlags,
  setFlags,
  setValue,
  valueOf,
} from "./oid-table";
export { difference, differMore, differTrees } from "./tree-difference";
export { collectMore, collectTree, listed, markTree, scanTree, suspiciousCount } from "./tree";

/** Prepares a new instance; false where its regions do not fit. */
export function initialise(
  windowBytes: usize,
  ringBytes: usize,
  maxBytes: usize,
  rawSize: usize,
  seedLow: u32,
  seedHigh: u32,
): bool {
  initialiseTemplates();
  initialiseCrc32();
  hashInitialise(rawSize);
  treeInitialise(rawSize);
  tableInitialise(rawSize, seedLow, seedHigh);
  return carve(windowBytes, ringBytes, maxBytes) && reset();
}

/** Makes a used instance as good as new: an empty table, no stream, no jobs. */
export function reset(): bool {
  batchClear();
  inflateStart();
  return tableReset();
}
