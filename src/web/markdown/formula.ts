/**
 * Formulas in a text: `$…$` within a line, and `$$…$$`. They are shown as they are written. Only the next sign may end one, so that each is
 * looked at once.
 *
 * @packageDocumentation
 * @see https://docs.github.com/en/get-started/writing-on-github/working-with-advanced-formatting/writing-mathematical-expressions
 */
const WORD = /[\p{L}\p{N}$]/u;
const SPACE = /\s/;
/** An amount of money at the beginning of a text: a number, and then the end of a part of a sentence, a bracket or a word. */
const AMOUNT = /^\d[\d.,]*(?:[kKmMB]|bn)?(?:[,;:.!?)]\s|\s\(|\s\p{Ll}{2,}\s)/u;
/** What stands before the sign of a dollar that is not that of the United States alone. */
const CURRENCY = /[\s(](?:US|AU|CA|CAD|NZ|HK|SG|NT|MX|Mex|A|C|R|S)$/;
/** What no sentence has, and most formulas have. */
const MATHEMATICAL = /[\\^_{}=+]/;

/** Whether the text between two signs says what something costs, as that in `$6, US$ 7`. */
function isPrice(inner: string): boolean {
  return AMOUNT.test(inner) && CURRENCY.test(inner) && !MATHEMATICAL.test(inner);
}

/**
 * Returns where the sign is that ends the formula which begins at `at`: -1 if none begins there, as before a price; `undefined` if no further sign
 * of this kind follows.
 */
export function formulaEnd(text: string, at: number, sign: "$" | "$$"): number | undefined {
  const start = at + sign.length;
  const end = text.indexOf(sign, start);
  if (end < 0) return undefined;
  const inner = text.slice(start, end);
  if (sign === "$$") return inner.trim() === "" || isRun(text, at, end) ? -1 : end;
  const isBegin = !WORD.test(text.charAt(at - 1)) && !SPACE.test(inner.charAt(0));
  const isEnd = !/[\s\\]$/.test(inner) && !WORD.test(text.charAt(end + 1));
  const isFormula = inner !== "" && isBegin && isEnd && !inner.includes("\n") && !isPrice(inner);
  return isFormula ? end : -1;
}

/** Whether one of two double signs is part of a longer run, as where `$` to `$$$` say how dear something is. */
function isRun(text: string, at: number, end: number): boolean {
  return text[at - 1] === "$" || text[at + 2] === "$" || text[end + 2] === "$";
}
