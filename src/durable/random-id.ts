/**
 * Random ids.
 *
 * @packageDocumentation
 */
import { toHex } from "../bytes/hex.ts";

const ID_BYTES = 16;

/** Returns 128 random bits in hex. */
export function randomId(): string {
  return toHex(crypto.getRandomValues(new Uint8Array(ID_BYTES)));
}
