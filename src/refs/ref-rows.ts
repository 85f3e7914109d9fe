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

/** Where a row lies in its chunk. The name is bytes, as git sends it. */
export type RefRowPlace = {
  readonly chunk: Uint8Array;
  readonly nameAt: number;
  /** Where the object's name begins, right behind that of the ref. */
  readonly oidAt: number;
  /** Where the peeled object's name begins; `undefined` for a ref that does not peel. */
  readonly peeledAt: number | undefined;
};

/** Finds the rows in the chunks of {@link encodeRefRows}, for whoever passes them on as bytes. */
export function* placeRefRows(chunks: Iterable<Uint8Array>, rawSize: number): Generator<RefRowPlace> {
  for (const chunk of chunks) {
    let at = 0;
    while (at < chunk.length) {
      const nameAt = at + 3;
      const oidAt = nameAt + ((u8At(chunk, at) << 8) | u8At(chunk, at + 1));
      const peeledAt = chunk[at + 2] === 1 ? oidAt + rawSize : undefined;
      yield { chunk, nameAt, oidAt, peeledAt };
      at = (peeledAt ?? oidAt) + rawSize;
    }
  }
}

/** Decodes the chunks of {@link encodeRefRows}, one row at a time. Object names are views into the chunk. */
export function* decodeRefRows(chunks: Iterable<Uint8Array>, rawSize: number): Generator<RefRow> {
  for (const { chunk, nameAt, oidAt, peeledAt } of placeRefRows(chunks, rawSize)) {
    const name = escapedText(chunk.subarray(nameAt, oidAt));
    const oid = chunk.subarray(oidAt, oidAt + rawSize);
    yield peeledAt === undefined ? { name, oid } : { name, oid, peeled: chunk.subarray(peeledAt, peeledAt + rawSize) };
  }
}
