/**
 * Blocks of HTML: the seven ways in which one begins, and how it ends.
 *
 * @packageDocumentation
 * @see https://github.github.com/gfm/#html-blocks
 */
import { tagAt } from "./tag.ts";

const NAMES =
  "address|article|aside|base|basefont|blockquote|body|caption|center|col|colgroup|dd|details|dialog|dir|div|dl|dt|fieldset|" +
  "figcaption|figure|footer|form|frame|frameset|h[1-6]|head|header|hr|html|iframe|legend|li|link|main|menu|menuitem|nav|" +
  "noframes|ol|optgroup|option|p|param|search|section|summary|table|tbody|td|tfoot|th|thead|title|tr|track|ul";
/** How blocks begin, from the first kind on. */
const BEGINNINGS: readonly RegExp[] = [
  /^<(?:script|pre|textarea|style)(?:\s|>|$)/i,
  /^<!--/,
  /^<\?/,
  /^<![A-Za-z]/,
  /^<!\[CDATA\[/,
  new RegExp(`^</?(?:${NAMES})(?:\\s|/?>|$)`, "i"),
];
/** How the first five end. The sixth ends with an empty line, and so does one that a lone tag begins. */
const ENDS: readonly RegExp[] = [/<\/(?:script|pre|textarea|style)>/i, /-->/, /\?>/, />/, /\]\]>/];
/** The kind of a block that can't interrupt a paragraph. */
export const LONE_TAG = 7;
/** Returns the kind, from 1 on, of a block that a line begins; `undefined` if it begins none. */
export function htmlBlockKind(line: string): number | undefined {
  const at = BEGINNINGS.findIndex((beginning) => beginning.test(line));
  if (at >= 0) return at + 1;
  const { end } = tagAt(line, 0);
  return end !== undefined && line.slice(end).trim() === "" ? LONE_TAG : undefined;
}

/** Whether a line ends a block of HTML of some kind. */
export function endsHtmlBlock(kind: number, line: string): boolean {
  return ENDS[kind - 1]?.test(line) === true;
}
