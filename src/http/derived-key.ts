/**
 * Keys that are made from the deployment's secret. Each serves for one purpose, so that what is signed or sealed for one
 * is worth nothing for another.
 *
 * @packageDocumentation
 */
import { createHash } from "node:crypto";

/** The purposes. A new one needs a text of its own. */
type KeyPurpose = "event tickets" | "lfs tickets" | "page forms" | "page sessions" | "read tickets";

/** Returns the key for a purpose: 32 bytes. */
export function derivedKey(secret: string, purpose: KeyPurpose): Buffer {
  return createHash("sha256").update(`${purpose}\0${secret}`).digest();
}
