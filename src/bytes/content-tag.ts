/**
 * A short name for what a text says, to tell whether it has changed. Not for secrets: whoever wants to can make two texts of one
 * name.
 *
 * @packageDocumentation
 */

const OFFSETS = [0x811c9dc5, 0x9e3779b9] as const;
/** Of FNV-1a. */
const PRIME = 0x01000193;

/**
 * Gives 16 hex digits.
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
