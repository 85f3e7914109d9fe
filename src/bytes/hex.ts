/**
 * Bytes as lower-case hexadecimal text, the form of object names on the wire and in refs.
 *
 * @packageDocumentation
 */

const PAIRS = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));
const EVEN_HEX = /^(?:[0-9a-f]{2})*$/i;

/** Gives the lower-case hexadecimal form of `bytes` from `start` up to `end`. */
export function toHex(bytes: Uint8Array, start = 0, end: number = bytes.length): string {
  let hex = "";
  for (let at = start; at < end; at++) hex += PAIRS[bytes[at] ?? 0] ?? "";
  return hex;
}

/** Gives the bytes that hexadecimal text of either case stands for; `undefined` where it is not hexadecimal or of odd length. */
export function fromHex(hex: string): Uint8Array<ArrayBuffer> | undefined {
  if (!EVEN_HEX.test(hex)) return undefined;
  const bytes = new Uint8Array(hex.length / 2);
  for (let at = 0; at < bytes.length; at++) bytes[at] = Number.parseInt(hex.slice(2 * at, 2 * at + 2), 16);
  return bytes;
}
