/**
 * The `Range` header.
 *
 * @packageDocumentation
 * @see RFC 9110, section 14
 */
import type { FileRange } from "./host.ts";

const RANGE = /^bytes=(?:(\d{1,15})-(\d{1,15})?|-(\d{1,15}))$/;

/**
 * Returns the requested part of a file of `size` bytes; `undefined` if all of it has to be sent. That is so without a
 * header, and with one that is not a single range of bytes, which a server may ignore.
 */
export function parseRange(header: string | undefined, size: number): FileRange | "unsatisfiable" | undefined {
  const match = header === undefined ? null : RANGE.exec(header);
  if (match === null) return undefined;
  const [, first, last, suffix] = match;
  if (suffix !== undefined) {
    const length = Math.min(Number(suffix), size);
    return length === 0 ? "unsatisfiable" : { offset: size - length, length };
  }
  const offset = Number(first);
  const end = last === undefined ? size : Math.min(Number(last) + 1, size);
  if (last !== undefined && Number(last) < offset) return undefined;
  return offset >= size ? "unsatisfiable" : { offset, length: end - offset };
}
