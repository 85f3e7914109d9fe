/**
 * Refs as bytes. A Durable Object can send 100,000 of them to a Worker without a string or an object for each.
 *
 * ```text
 * row := u16 length of name (big-endian) | u8 flags (1: peeled follows) | name | raw oid | raw peeled oid?
 * ```
 *
 * @packageDocumentation
 */
import { u8At } from "../bytes/assert.ts";
import { bytesOfEscaped, escapedText } from "../object/escaped-bytes.ts";

/** One ref with its value. `name` is escaped text, see `escaped-bytes.ts`. `peeled` is the object that an annotated tag finally names. */
export type RefRow = { readonly name: string; readonly oid: Uint8Array; readonly peeled?: Uint8Array };

/** The approximate size of a chunk of rows. */
const CHUNK_BYTES = 262_144;

/** Encodes rows in the order given. Returns chunks that each hold whole rows. */
export function encodeRefRows(rows: Iterable<RefRow>): Uint8Array<ArrayBuffer>[] {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let chunk = new Uint8Array(CHUNK_BYTES);
  let used = 0;
  for (const row of rows) {
    const name = bytesOfEscaped(row.name);
    // A ref that does not peel has no second name.
    const size = 3 + name.length + row.oid.length + (row.peeled?.length ?? 0);
    if (used + size > chunk.length) {
      if (used > 0) chunks.push(chunk.slice(0, used));
      if (size > chunk.length) chunk = new Uint8Array(size);
      used = 0;
    }
    chunk[used] = name.length >> 8;
    chunk[used + 1] = name.length & 0xff;
    chunk[used + 2] = row.peeled === undefined ? 0 : 1;
    chunk.set(name, used + 3);
    chunk.set(row.oid, used + 3 + name.length);
    if (row.peeled !== undefined) chunk.set(row.peeled, used + 3 + name.length + row.oid.length);
    used += size;
  }
  if (used > 0) chunks.push(chunk.slice(0, used));
  return chunks;
}

/** Decodes the chunks of {@link encodeRefRows}, one row at a time. Object names are views into the chunk. */
export function* decodeRefRows(chunks: Iterable<Uint8Array>, rawSize: number): Generator<RefRow> {
  for (const chunk of chunks) {
    let at = 0;
    while (at < chunk.length) {
      const nameLength = (u8At(chunk, at) << 8) | u8At(chunk, at + 1);
      const hasPeeled = chunk[at + 2] === 1;
      const nameEnd = at + 3 + nameLength;
      const name = escapedText(chunk.subarray(at + 3, nameEnd));
      const oid = chunk.subarray(nameEnd, nameEnd + rawSize);
      at = nameEnd + rawSize;
      if (hasPeeled) {
        yield { name, oid, peeled: chunk.subarray(at, at + rawSize) };
        at += rawSize;
      } else {
        yield { name, oid };
      }
    }
  }
}
