/**
 * Matches git's patterns for paths: `*`, `?`, `[…]` and `**`, where `*` never takes a slash.
 *
 * Nothing is compiled and nothing allocated. If a pattern has several stars, only the last is ever tried again. The
 * leftmost match of the part between two stars leaves the most text to the second star, so another match of that part
 * never helps. For the same reason a `**` makes all stars before it final. C git tries them all and takes exponential
 * time; here strangers write both pattern and path.
 *
 * @packageDocumentation
 * @see gitignore(5), gitattributes(5), wildmatch.c with `WM_PATHNAME`
 */
import type { Budget } from "../bytes/budget.ts";

const STAR = 0x2a;
const SLASH = 0x2f;
const QUESTION = 0x3f;
const BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSING = 0x5d;
const DASH = 0x2d;
const COLON = 0x3a;

/** The character does not match the pattern here. */
const DIFFERS = -1;
/** The pattern is malformed and matches nothing. */
const MALFORMED = -2;
/** The steps after which the budget is charged. Charging each step would cost more than the step. */
const STEPS_TOLD = 1024;

/**
 * Whether a text matches a pattern; both have one character per byte. A malformed pattern matches nothing.
 *
 * @throws LimitExceeded if the budget is used up.
 */
export function wildmatch(pattern: string, text: string, budget: Budget): boolean {
  return new Match(pattern, text, budget).run();
}

/** One text matched against one pattern. */
class Match {
  readonly #pattern: string;
  readonly #text: string;
  readonly #budget: Budget;
  /** The current places in pattern and text. */
  #p = 0;
  #t = 0;
  /**
   * The place in the pattern after the last `*`, and the place in the text where it continues; -1 if there is no star
   * to try again.
   */
  #starP = -1;
  #starT = 0;
  /**
   * The place in the pattern after the last `**`, and the place in the text where it continues; -1 if there is none.
   */
  #deepP = -1;
  #deepT = 0;
  /** Whether the set being read has the character, as far as it was read. */
  #has = false;
  #steps = 0;

  constructor(pattern: string, text: string, budget: Budget) {
    this.#pattern = pattern;
    this.#text = text;
    this.#budget = budget;
  }

  run(): boolean {
    const matches = this.#match();
    this.#budget.spend(this.#steps + 1);
    return matches;
  }

  #match(): boolean {
    const pattern = this.#pattern;
    const text = this.#text;
    for (;;) {
      if (this.#steps >= STEPS_TOLD) this.#tell();
      const isSame = this.#takePlain();
      if (!isSame) {
        if (!this.#tryAgain()) return false;
      } else if (this.#p === pattern.length) {
        if (this.#t === text.length) return true;
        if (!this.#tryAgain()) return false;
      } else if (pattern.charCodeAt(this.#p) === STAR) {
        const verdict = this.#enterStars();
        if (verdict !== undefined) return verdict;
      } else {
        // The rest of the pattern needs more text, and no later place of a star leaves more.
        if (this.#t === text.length) return false;
        const next = this.#special(text.charCodeAt(this.#t));
        if (next === MALFORMED) return false;
        if (next === DIFFERS) {
          if (!this.#tryAgain()) return false;
        } else {
          this.#p = next;
          this.#t++;
        }
      }
    }
  }

  /** Goes past plain characters, which stand for themselves. Returns false at one that the text does not have. */
  #takePlain(): boolean {
    const pattern = this.#pattern;
    const text = this.#text;
    const from = this.#p;
    let p = from;
    let t = this.#t;
    let isSame = true;
    for (; p < pattern.length && t < text.length; p++, t++) {
      const code = pattern.charCodeAt(p);
      if (code === STAR || code === QUESTION || code === BRACKET || code === BACKSLASH) break;
      if (code !== text.charCodeAt(t)) {
        isSame = false;
        break;
      }
    }
    this.#steps += p - from + 1;
    this.#p = p;
    this.#t = t;
    return isSame;
  }

  #tell(): void {
    this.#budget.spend(this.#steps);
    this.#steps = 0;
  }

  /** Goes past stars. Returns the verdict if they end the pattern. */
  #enterStars(): boolean | undefined {
    const pattern = this.#pattern;
    const from = this.#p;
    let end = from + 1;
    while (pattern.charCodeAt(end) === STAR) end++;
    this.#steps += end - from;
    const isEnd = end === pattern.length;
    if (end - from > 1 && isDeep(pattern, from, end)) {
      if (isEnd) return true;
      // `**/` also stands for no directory at all.
      this.#p = pattern.charCodeAt(end) === SLASH ? end + 1 : end;
      this.#deepP = this.#p;
      this.#deepT = this.#t;
      this.#starP = -1;
      return undefined;
    }
    this.#p = end;
    if (isEnd) {
      const slash = this.#text.indexOf("/", this.#t);
      if (slash < 0) return true;
      this.#steps += slash - this.#t;
      this.#starP = -1;
      return this.#tryAgain() ? undefined : false;
    }
    this.#starP = end;
    this.#starT = this.#t;
    return undefined;
  }

  /**
   * Has the last star take one character more, or else the last `**` one directory more. Returns false if neither can.
   */
  #tryAgain(): boolean {
    const text = this.#text;
    if (this.#starP >= 0 && this.#starT < text.length && text.charCodeAt(this.#starT) !== SLASH) {
      this.#t = ++this.#starT;
      this.#p = this.#starP;
      return true;
    }
    this.#starP = -1;
    if (this.#deepP < 0) return false;
    // `**/` continues after a slash, `**\/` at one.
    const isBehind = this.#pattern.charCodeAt(this.#deepP - 1) === SLASH;
    const slash = text.indexOf("/", isBehind ? this.#deepT : this.#deepT + 1);
    if (slash < 0) return false;
    this.#steps += slash - this.#deepT;
    this.#deepT = isBehind ? slash + 1 : slash;
    this.#t = this.#deepT;
    this.#p = this.#deepP;
    return true;
  }

  /**
   * Matches a special part of the pattern with this character. Returns the place after it in the pattern, or why it
   * does not match.
   */
  #special(code: number): number {
    const pattern = this.#pattern;
    const at = this.#p;
    const wanted = pattern.charCodeAt(at);
    if (wanted === BRACKET) return this.#set(code);
    if (wanted === QUESTION) return code === SLASH ? DIFFERS : at + 1;
    // A backslash at the end matches nothing.
    return at + 1 < pattern.length && pattern.charCodeAt(at + 1) === code ? at + 2 : DIFFERS;
  }

  /** Matches a set, `[…]`, like {@link Match.#special}. */
  #set(code: number): number {
    const pattern = this.#pattern;
    const sign = pattern.charAt(this.#p + 1);
    const isNegated = sign === "!" || sign === "^";
    const first = this.#p + (isNegated ? 2 : 1);
    this.#has = false;
    let at = first;
    // A bracket that comes first stands for itself.
    while (at === first || pattern.charCodeAt(at) !== CLOSING) {
      at = this.#item(at, code);
      if (at === MALFORMED) return MALFORMED;
    }
    this.#steps += at - this.#p;
    return this.#has !== isNegated && code !== SLASH ? at + 1 : DIFFERS;
  }

  /**
   * Reads one item of a set: a character, a range, or a class. Returns the place of the next item, or
   * {@link MALFORMED}.
   */
  #item(at: number, code: number): number {
    const pattern = this.#pattern;
    const named = pattern.charCodeAt(at) === BRACKET ? classAt(pattern, at) : undefined;
    if (named === MALFORMED) return MALFORMED;
    const known = named === undefined ? undefined : CLASSES[named];
    if (known !== undefined) {
      this.#has ||= known.has(code);
      return at + known.text.length;
    }
    const low = escapedAt(pattern, at);
    if (low >= pattern.length) return MALFORMED;
    const isRange =
      pattern.charCodeAt(low + 1) === DASH && low + 2 < pattern.length && pattern.charCodeAt(low + 2) !== CLOSING;
    const high = isRange ? escapedAt(pattern, low + 2) : low;
    if (high >= pattern.length) return MALFORMED;
    this.#has ||= code >= pattern.charCodeAt(low) && code <= pattern.charCodeAt(high);
    return high + 1;
  }
}

/**
 * Whether the stars in `[from, end)`, two or more, take slashes too. They do if they are all there is between two
 * slashes, or the pattern's ends.
 */
function isDeep(pattern: string, from: number, end: number): boolean {
  if (from > 0 && pattern.charCodeAt(from - 1) !== SLASH) return false;
  return end === pattern.length || pattern.charCodeAt(end) === SLASH || pattern.startsWith("\\/", end);
}

/** Returns the place of the character meant at `at`: that place, or the one after a backslash. */
function escapedAt(pattern: string, at: number): number {
  return pattern.charCodeAt(at) === BACKSLASH ? at + 1 : at;
}

type CharacterClass = { readonly text: string; has(code: number): boolean };

const between = (code: number, low: string, high: string): boolean =>
  code >= low.charCodeAt(0) && code <= high.charCodeAt(0);
const isDigit = (code: number): boolean => between(code, "0", "9");
const isLower = (code: number): boolean => between(code, "a", "z");
const isUpper = (code: number): boolean => between(code, "A", "Z");
const isAlpha = (code: number): boolean => isLower(code) || isUpper(code);
const isAlnum = (code: number): boolean => isAlpha(code) || isDigit(code);
const isGraph = (code: number): boolean => between(code, "!", "~");
const isBlank = (code: number): boolean => code === 0x20 || code === 0x09;

const CLASSES: readonly CharacterClass[] = [
  { text: "[:alnum:]", has: isAlnum },
  { text: "[:alpha:]", has: isAlpha },
  { text: "[:blank:]", has: isBlank },
  { text: "[:cntrl:]", has: (code) => code < 0x20 || code === 0x7f },
  { text: "[:digit:]", has: isDigit },
  { text: "[:graph:]", has: isGraph },
  { text: "[:lower:]", has: isLower },
  { text: "[:print:]", has: (code) => between(code, " ", "~") },
  { text: "[:punct:]", has: (code) => isGraph(code) && !isAlnum(code) },
  { text: "[:space:]", has: (code) => isBlank(code) || (code >= 0x0a && code <= 0x0d) },
  { text: "[:upper:]", has: isUpper },
  { text: "[:xdigit:]", has: (code) => isDigit(code) || between(code, "a", "f") || between(code, "A", "F") },
];

/**
 * Returns the number of the class at a bracket; `undefined` if it is not a class, and MALFORMED if no class has its
 * name.
 */
function classAt(pattern: string, from: number): number | undefined {
  if (pattern.charCodeAt(from + 1) !== COLON) return undefined;
  const end = pattern.indexOf("]", from + 2);
  if (end < 0) return MALFORMED;
  if (pattern.charCodeAt(end - 1) !== COLON || end - 1 < from + 2) return undefined;
  const number = CLASSES.findIndex(({ text }) => text.length === end + 1 - from && pattern.startsWith(text, from));
  return number < 0 ? MALFORMED : number;
}
