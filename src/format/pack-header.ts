/**
 * The header of a pack: its first twelve bytes.
 *
 * ```
 * 0  "PACK"
 * 4  version: 2 or 3, big-endian
 * 8  number of entries, big-endian
 * ```
 *
 * @packageDocumentation
 * @see gitformat-pack(5)
 */
import { ObjectRejected } from "../bytes/failure.ts";

/** Bytes of a pack header. */
export const PACK_HEADER_BYTES = 12;

const SIGNATURE = 0x5041434b;
const VERSIONS: readonly number[] = [2, 3];

/** A decoded pack header. */
export type PackHeader = { readonly version: number; /** The number of entries. */ readonly count: number };

/**
 * Decodes a pack header from the first {@link PACK_HEADER_BYTES} of `bytes`.
 *
 * @throws ObjectRejected in git's words if the signature or the version is wrong, or the header is cut short.
 */
export function decodePackHeader(bytes: Uint8Array): PackHeader {
  if (bytes.length < PACK_HEADER_BYTES) throw new ObjectRejected("early EOF");
  const view = new DataView(bytes.buffer, bytes.byteOffset, PACK_HEADER_BYTES);
  if (view.getUint32(0) !== SIGNATURE) throw new ObjectRejected("pack signature mismatch");
  const version = view.getUint32(4);
  if (!VERSIONS.includes(version)) throw new ObjectRejected(`pack version ${version} unsupported`);
  return { version, count: view.getUint32(8) };
}

/** Encodes the header of a version 2 pack with `count` entries. */
export function encodePackHeader(count: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(PACK_HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, SIGNATURE);
  view.setUint32(4, 2);
  view.setUint32(8, count);
  return bytes;
}
