/**
 * CRC-32 as in zlib and in pack indexes, eight bytes at a time ("slicing by 8").
 */

const tables: usize = memory.data(8 * 256 * 4, 16);

/** Fills the tables; once an instance. */
export function initialiseCrc32(): void {
  for (let byte: u32 = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) != 0 ? (crc >> 1) ^ 0xedb88320 : crc >> 1;
    store<u32>(tables + (<usize>byte << 2), crc);
  }
  for (let at = tables; at < tables + 7 * 1024; at += 4) {
    const crc = load<u32>(at);
    store<u32>(at, (crc >> 8) ^ load<u32>(tables + (<usize>(crc & 255) << 2)), 1024);
  }
}

/** Continues the checksum `crc` (0 to begin with) over `length` bytes. */
export function crc32(crc: u32, at: usize, length: usize): u32 {
  crc = ~crc;
  const end = at + length;
  while (end - at >= 8) {
    const low = load<u32>(at) ^ crc;
    const high = load<u32>(at, 4);
    crc =
      load<u32>(tables + (<usize>(low & 255) << 2), 7 * 1024) ^
      load<u32>(tables + (<usize>((low >> 8) & 255) << 2), 6 * 1024) ^
      load<u32>(tables + (<usize>((low >> 16) & 255) << 2), 5 * 1024) ^
      load<u32>(tables + (<usize>(low >> 24) << 2), 4 * 1024) ^
      load<u32>(tables + (<usize>(high & 255) << 2), 3 * 1024) ^
      load<u32>(tables + (<usize>((high >> 8) & 255) << 2), 2 * 1024) ^
      load<u32>(tables + (<usize>((high >> 16) & 255) << 2), 1024) ^
      load<u32>(tables + (<usize>(high >> 24) << 2));
    at += 8;
  }
  while (at < end) crc = (crc >> 8) ^ load<u32>(tables + (<usize>((crc ^ load<u8>(at++)) & 255) << 2));
  return ~crc;
}
