/**
 * The multi-pack index: the names of the objects of many packs in one table, and of each the pack and the place in it.
 *
 * ```
 * 0    "MIDX" · version 1 · hash: 1 sha1, 2 sha256 · number of chunks C · 0 · u32 number of packs
 * 12   (C + 1) × (id, offset u64): the chunks, and where the last one ends
 * PNAM the names of the packs' indexes, sorted, each with a NUL at its end; NULs up to a multiple of four
 * OIDF fan-out: 256 × u32          OIDL  names, sorted, raw
 * OOFF of each object: u32 number of the pack, u32 offset there
 * …    the checksum of all before
 * ```
 *
 * Offsets of 2 GiB and more would need a chunk LOFF: a pack that has some is left out here.
 *
 * @packageDocumentation
 * @see gitformat-pack(5), git-multi-pack-index(1)
 */
import { u32At } from "../bytes/assert.ts";
import type { ObjectFormat } from "../object/object-id.ts";

const SIGNATURE = 0x4d494458;
const VERSION = 1;
const HEADER_BYTES = 12;
const CHUNK_ROW_BYTES = 12;
const FANOUT_BYTES = 256 * 4;
const ALIGNMENT = 4;
/** The bytes of a row of OOFF. */
export const PLACE_BYTES = 8;

/** What the file begins with. */
export type MultiPackHead = {
  readonly format: ObjectFormat;
  /** The packs' names without `pack-` and `.idx`, sorted: an object's pack is a number of this list. */
  readonly packs: readonly string[];
  /** For each first byte, the number of names with it. */
  readonly counts: Uint32Array;
};

function packNames(packs: readonly string[]): Uint8Array {
  const text = new TextEncoder().encode(packs.map((name) => `pack-${name}.idx\0`).join(""));
  const padded = new Uint8Array(Math.ceil(text.length / ALIGNMENT) * ALIGNMENT);
  padded.set(text);
  return padded;
}

/** Returns everything before the names of the objects. What follows is OIDL, OOFF and the checksum. */
export function encodeMultiPackHead({ format, packs, counts }: MultiPackHead): Uint8Array<ArrayBuffer> {
  const names = packNames(packs);
  const count = counts.reduce((sum, each) => sum + each, 0);
  const chunks: readonly (readonly [id: string, bytes: number])[] = [
    ["PNAM", names.length],
    ["OIDF", FANOUT_BYTES],
    ["OIDL", count * format.rawSize],
    ["OOFF", count * PLACE_BYTES],
    ["\0\0\0\0", 0],
  ];
  const namesAt = HEADER_BYTES + chunks.length * CHUNK_ROW_BYTES;
  const bytes = new Uint8Array(namesAt + names.length + FANOUT_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, SIGNATURE);
  bytes.set([VERSION, format.name === "sha1" ? 1 : 2, chunks.length - 1, 0], 4);
  view.setUint32(8, packs.length);
  let at = namesAt;
  for (const [row, [id, length]] of chunks.entries()) {
    const place = HEADER_BYTES + row * CHUNK_ROW_BYTES;
    for (let i = 0; i < id.length; i++) bytes[place + i] = id.charCodeAt(i);
    view.setBigUint64(place + 4, BigInt(at));
    at += length;
  }
  bytes.set(names, namesAt);
  let upTo = 0;
  for (let first = 0; first < 256; first++) {
    upTo += u32At(counts, first);
    view.setUint32(namesAt + names.length + first * 4, upTo);
  }
  return bytes;
}
