/**
 * The policy for reading a pack and its index in ranges: every number that trades round trips for bytes.
 *
 * | figure | value | what it trades |
 * | --- | --- | --- |
 * | `wholeIndexBytes` | 1 MiB | an index up to this size is one read, in place of one per look-up |
 * | `costlyIndexBytes` | 4 MiB | an index larger than this is asked last, and for as few names as will do: 150,000 objects |
 * | `largeIndexBytes` | 14 MiB | an index larger than this is never read whole for a few names: an isolate would not keep it, and read it again with each request |
 * | `wholeBitmapBytes` | 2 MiB | a file of bitmaps up to this size is read whole; of a larger one, bitmaps within as many bytes are one read |
 * | `sortedObjects` | 50,000 | the entries of a pack with up to this many objects are sorted, and its `.rev` is not read |
 * | `offsetRows` | 8192 | offsets of an index that are one read: 32 KiB, which takes a bucket no longer than the four bytes of one, and serves the next look-ups |
 * | `manyBuckets` | 3 | names in this many places of an index: read it whole, if it is not large |
 * | `manyLookups` | 48 | after this many look-ups a walk is expected to make thousands: read the index whole |
 * | `smallPackBytes` | 1 MiB | a pack up to this size is read whole |
 * | `mediumPackBytes` | 8 MiB | a pack up to this size is read in groups of `mediumGroupBlocks`: it fits the cache, and most of it is wanted |
 * | `groupBlocks`, `mediumGroupBlocks` | 8, 32 | blocks per read around an offset: 0.5 and 2 MiB |
 * | `fewReads`, `fewGroupBlocks` | 24, 16 | until a pack had this many reads, assume a small fetch: round trips cost more than bytes, so groups are larger |
 * | `readOn` | 3 | growth of the read-ahead of a sequential reader, per read |
 * | `mostReaders` | 64 | places that are read sequentially at once: the trees of one directory lie together, so a walk has many |
 * | `mostPrefetched` | 96 | blocks that one hint reads ahead: 6 MiB |
 * | `mostBlocks` | 16 | blocks of one read that joins hints: 1 MiB |
 * | `readsAtOnce` | 6 | reads under way at once: the platform allows six connections that wait for their answer |
 *
 * The sizes were measured on git's own repository (419,403 objects): `npm run bench` shows reads, round trips and bytes.
 *
 * @packageDocumentation
 */
import { assert } from "../bytes/assert.ts";
import { BLOCK_BYTES } from "./block-cache.ts";

const MIB = 1024 * 1024;

/** The figures of the table above. Sizes are in bytes, and groups in blocks of {@link BLOCK_BYTES}. */
export const READING = {
  wholeIndexBytes: MIB,
  costlyIndexBytes: 4 * MIB,
  largeIndexBytes: 14 * MIB,
  wholeBitmapBytes: 2 * MIB,
  sortedObjects: 50_000,
  offsetRows: 8192,
  manyBuckets: 3,
  manyLookups: 48,
  smallPackBytes: MIB,
  mediumPackBytes: 8 * MIB,
  groupBlocks: 8,
  mediumGroupBlocks: 32,
  fewReads: 24,
  fewGroupBlocks: 16,
  readOn: 3,
  mostReaders: 64,
  mostPrefetched: 96,
  mostBlocks: 16,
  readsAtOnce: 6,
} as const;

assert(
  READING.wholeIndexBytes <= READING.costlyIndexBytes && READING.costlyIndexBytes <= READING.largeIndexBytes,
  "an index that is read whole is neither costly nor large",
);
assert(READING.smallPackBytes <= READING.mediumPackBytes, "a small pack is no larger than a medium one");
assert(
  READING.smallPackBytes <= READING.mostBlocks * BLOCK_BYTES,
  "a pack that is read whole fits the blocks of one read",
);
assert(
  READING.groupBlocks <= READING.fewGroupBlocks && READING.fewGroupBlocks <= READING.mediumGroupBlocks,
  "groups are larger where round trips cost more",
);
