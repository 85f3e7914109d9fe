/**
 * Formulas in a text: `$…$` within a line, and `$$…$$`. They are shown as they are written. Only the next sign may end one, so that each is
 * looked at once.
 *
 * @packageDocumentation
 * @see https://docs.github.com/en/get-started/writing-on-github/working-with-advanced-formatting/writing-mathematical-expressions
 */
const WORD = /[\p{L}\p{N}$]/u;
const SPACE = /\s/;

/**
 * Returns where the sign is that ends the formula which begins at `at`: -1 if none begins there, as before a price; `undefined` if no further sign
 * of this kind follows.
 */
export function formulaEnd(text: string, at: number, sign: "$" | "$$"): number | undefined {
  const start = at + sign.length;
  const end = text.indexOf(sign, start);
  if (end < 0) return undefined;
  const inner = text.slice(start, end);
  if (sign === "$$") return inner.trim() === "" ? -1 : end;
  const isBegin = !WORD.test(text.charAt(at - 1)) && !SPACE.test(inner.charAt(0));
  const isEnd = !/[\s\\]$/.test(inner) && !WORD.test(text.charAt(end + 1));
  return inner !== "" && isBegin && isEnd && !inner.includes("\n") ? end : -1;
}
