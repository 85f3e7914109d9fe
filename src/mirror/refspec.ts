/**
 * Refspecs: which refs of an upstream a mirror has, and under which names.
 *
 * ```text
 * refspec := [ "+" ] source ":" target      both with one "*", which stands for the same text, or neither
 *          | "^" source                     leaves out what others would take
 * ```
 *
 * A mirror follows its upstream through forced updates as well, so the plus sign changes nothing. The mirror's policy
 * decides there.
 *
 * @packageDocumentation
 * @see git-fetch(1), gitglossary(7)
 */
import { itemAt } from "../bytes/assert.ts";
import { byteTextOf, escapedOf } from "../object/escaped-bytes.ts";
import { checkRefFormat } from "../object/ref-name.ts";

/**
 * One refspec, with one character per byte, since its asterisk stands for any bytes. `target` is `undefined` if
 * matching refs are left out.
 */
export type Refspec = {
  readonly source: string;
  readonly target: string | undefined;
};

/** The refspecs of a mirror whose owner gave none. */
export const DEFAULT_REFSPECS: readonly string[] = ["+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"];

/** The prefix under which a mirror keeps what its upstream drops. The upstream's own refs below it are not taken. */
export const KEPT = "refs/kept/";

/** Whether a pattern could match or make a ref: with text in place of its asterisk it is a ref's name. */
function isPattern(pattern: string): boolean {
  const asterisk = pattern.indexOf("*");
  if (asterisk !== pattern.lastIndexOf("*")) return false;
  return pattern.startsWith("refs/") && checkRefFormat(pattern.replace("*", "x"));
}

/** Parses a refspec; `undefined` if a mirror can't have it. */
export function parseRefspec(text: string): Refspec | undefined {
  if (text.startsWith("^")) {
    const source = text.slice(1);
    return isPattern(source) ? { source: byteTextOf(source), target: undefined } : undefined;
  }
  const [source = "", target = source, ...more] = text.replace(/^\+/, "").split(":");
  if (more.length > 0 || source.includes("*") !== target.includes("*")) return undefined;
  // Refs that are kept there are no upstream's.
  if (target.startsWith(KEPT)) return undefined;
  if (!isPattern(source) || !isPattern(target)) return undefined;
  return { source: byteTextOf(source), target: byteTextOf(target) };
}

/**
 * Returns the text, maybe empty, for which the asterisk of `pattern` stands in `name`. It is "" if there is no asterisk
 * and both are equal.
 */
function match(pattern: string, name: string): string | undefined {
  const asterisk = pattern.indexOf("*");
  if (asterisk < 0) return pattern === name ? "" : undefined;
  const head = pattern.slice(0, asterisk);
  const tail = pattern.slice(asterisk + 1);
  const fits = name.length >= head.length + tail.length && name.startsWith(head) && name.endsWith(tail);
  return fits ? name.slice(head.length, name.length - tail.length) : undefined;
}

/**
 * Returns the name that an upstream's ref has in the mirror, by the first refspec that takes it; `undefined` if none
 * does.
 */
export function mapRef(refspecs: readonly Refspec[], escapedName: string): string | undefined {
  const name = byteTextOf(escapedName);
  if (refspecs.some(({ source, target }) => target === undefined && match(source, name) !== undefined))
    return undefined;
  for (const { source, target } of refspecs) {
    const matched = target === undefined ? undefined : match(source, name);
    // A function, because `$&` in a name has a meaning in a replacement text.
    const mapped = matched === undefined ? undefined : target?.replace("*", () => matched);
    if (mapped !== undefined) return mapped.startsWith(KEPT) ? undefined : escapedOf(mapped);
  }
  return undefined;
}

/** Returns the prefixes of the names of all refs that can be taken, with which to ask an upstream. */
export function refPrefixes(refspecs: readonly Refspec[]): string[] {
  const taken = refspecs.filter(({ target }) => target !== undefined);
  return [...new Set(taken.map(({ source }) => escapedOf(itemAt(source.split("*"), 0))))];
}
