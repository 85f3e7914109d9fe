/**
 * Refspecs: which refs of an upstream a mirror has, and under which names.
 *
 * ```text
 * refspec := [ "+" ] source ":" target      both with one "*", which stands for the same text, or neither
 *          | "^" source                     leaves out what others would take
 * ```
 *
 * A mirror follows its upstream wherever that goes, so the plus sign changes nothing: see the mirror's policy for that.
 *
 * @packageDocumentation
 * @see git-fetch(1), gitglossary(7)
 */
import { itemAt } from "../bytes/assert.ts";
import { checkRefFormat } from "../object/ref-name.ts";

/** One refspec. `target` is `undefined` where matching refs are left out. */
export type Refspec = {
  readonly source: string;
  readonly target: string | undefined;
};

/** What a mirror has unless it is told otherwise. */
export const DEFAULT_REFSPECS: readonly string[] = ["+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"];

/** Where a mirror that keeps what its upstream drops has it. What an upstream has there itself is not taken. */
export const KEPT = "refs/kept/";

/** Whether a pattern could match, or make, a ref: with something in place of its asterisk it is a ref's name. */
function isPattern(pattern: string): boolean {
  const asterisk = pattern.indexOf("*");
  if (asterisk !== pattern.lastIndexOf("*")) return false;
  return pattern.startsWith("refs/") && checkRefFormat(pattern.replace("*", "x"));
}

/** Parses a refspec; `undefined` where it is none that a mirror can have. */
export function parseRefspec(text: string): Refspec | undefined {
  if (text.startsWith("^")) {
    const source = text.slice(1);
    return isPattern(source) ? { source, target: undefined } : undefined;
  }
  const [source = "", target = source, ...more] = text.replace(/^\+/, "").split(":");
  if (more.length > 0 || source.includes("*") !== target.includes("*")) return undefined;
  // What is kept there is no upstream's.
  if (target.startsWith(KEPT)) return undefined;
  return isPattern(source) && isPattern(target) ? { source, target } : undefined;
}

/** Gives what the asterisk of `pattern` stands for in `name`, which may be nothing; "" where there is none and both are the same. */
function match(pattern: string, name: string): string | undefined {
  const asterisk = pattern.indexOf("*");
  if (asterisk < 0) return pattern === name ? "" : undefined;
  const head = pattern.slice(0, asterisk);
  const tail = pattern.slice(asterisk + 1);
  const fits = name.length >= head.length + tail.length && name.startsWith(head) && name.endsWith(tail);
  return fits ? name.slice(head.length, name.length - tail.length) : undefined;
}

/** Gives the name that an upstream's ref has in the mirror, by the first refspec that takes it; `undefined` where none does. */
export function mapRef(refspecs: readonly Refspec[], name: string): string | undefined {
  if (refspecs.some(({ source, target }) => target === undefined && match(source, name) !== undefined))
    return undefined;
  for (const { source, target } of refspecs) {
    const matched = target === undefined ? undefined : match(source, name);
    // A function, since `$&` in a name would mean something in a replacement.
    const mapped = matched === undefined ? undefined : target?.replace("*", () => matched);
    if (mapped !== undefined) return mapped.startsWith(KEPT) ? undefined : mapped;
  }
  return undefined;
}

/** Gives what the names of all refs that can be taken begin with: what to ask an upstream for. */
export function refPrefixes(refspecs: readonly Refspec[]): string[] {
  const taken = refspecs.filter(({ target }) => target !== undefined);
  return [...new Set(taken.map(({ source }) => itemAt(source.split("*"), 0)))];
}
