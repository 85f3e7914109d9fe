/**
 * The times of a cruft pack's objects: when each was last known to be of use, in seconds.
 *
 * ```
 * 0   "MTME" · version 1 · hash: 1 sha1, 2 sha256
 * 12  times, u32, in the order of the index
 * …   the pack's checksum · the checksum of all before
 * ```
 *
 * @packageDocumentation
 * @see gitformat-pack(5), "pack-*.mtimes files have the format"
 */
import type { ObjectFormat } from "../object/object-id.ts";
import type { Digest } from "./pack-index-encoder.ts";

const SIGNATURE = 0x4d544d45;
const VERSION = 1;
const HEADER_BYTES = 12;

/** What the file is made from. */
export type PackTimes = {
  readonly format: ObjectFormat;
  readonly count: number;
  /** The time of every object, in seconds since the epoch. */
  readonly time: number;
  /** The trailer of the pack, raw. */
  readonly packChecksum: Uint8Array;
};

/**
 * Encodes the times of a pack whose objects all have the same.
 *
 * @param digest - A fresh hash of the repository's object format, for the trailer.
 */
export function encodePackTimes({ format, count, time, packChecksum }: PackTimes, digest: Digest): Uint8Array {
  const end = HEADER_BYTES + 4 * count;
  const bytes = new Uint8Array(end + 2 * format.rawSize);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, SIGNATURE);
  view.setUint32(4, VERSION);
  view.setUint32(8, format.name === "sha1" ? 1 : 2);
  for (let at = HEADER_BYTES; at < end; at += 4) view.setUint32(at, time);
  bytes.set(packChecksum, end);
  digest.update(bytes.subarray(0, end + format.rawSize));
  bytes.set(digest.digest(), end + format.rawSize);
  return bytes;
}
