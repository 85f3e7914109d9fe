/**
 * A short tag of a text, which tells whether the text has changed. It offers no security: an attacker can make two
 * texts with the same tag.
 *
 * @packageDocumentation
 */

const OFFSETS = [0x811c9dc5, 0x9e3779b9] as const;
/** The 32-bit prime of FNV-1a. */
const PRIME = 0x01000193;

/**
 * Returns a tag of 16 hexadecimal digits.
 *
 * @example
 * ```ts
 * contentTag("a") !== contentTag("b");
 * ```
 */
export function contentTag(text: string): string {
  const bytes = new TextEncoder().encode(text);
  return OFFSETS.map((offset) => {
    let hash: number = offset;
    for (const byte of bytes) hash = Math.imul(hash ^ byte, PRIME);
    return (hash >>> 0).toString(16).padStart(8, "0");
  }).join("");
}
