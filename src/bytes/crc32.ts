/**
 * CRC-32 for short texts. The kernel computes those of packs.
 *
 * @packageDocumentation
 */

/** The polynomial of zip and PNG, with its bits reversed. */
const POLYNOMIAL = 0xedb88320;

/**
 * Returns the CRC-32 of the bytes, as an unsigned number.
 *
 * @example
 * ```ts
 * crc32(new TextEncoder().encode("123456789")) === 0xcbf43926;
 * ```
 */
export function crc32(bytes: Uint8Array): number {
  let crc = -1;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? POLYNOMIAL : 0);
  }
  return ~crc >>> 0;
}
