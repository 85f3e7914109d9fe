/**
 * Divides the text of a block into tokens. Each sign is looked at once, or as often as a bound says: what can't be found
 * behind one place is not looked for from the next one.
 *
 * @packageDocumentation
 * @see https://github.github.com/gfm/#inlines
 */
import { type Autolink, findAutolinks } from "./autolinks.ts";
import { type Delimiter, Delimiters, flanking, isDelimiter } from "./emphasis.ts";
import {
  destinationAt,
  isEscapable,
  labelEnd,
  LONGEST_LABEL,
  type LinkTarget,
  normalizedLabel,
  type References,
  skipSpaces,
  titleAt,
} from "./references.ts";
import { tagAt } from "./tag.ts";
import { formulaEnd } from "./formula.ts";
import { plainText, type Run, type Token } from "./token.ts";
import type { Work } from "./work.ts";

/** The steps of a token, of a character, and of an angle bracket. */
const TOKEN_STEPS = 40;
const CHARACTER_STEPS = 3;
const ANGLE_STEPS = 100;

const PLAIN = /^[^\n\\`*_~[\]!<$]+/;
const URI = /<([A-Za-z][A-Za-z0-9.+-]{1,31}:[^<>\0-\x20]*)>/y;
const MAIL =
  /<([a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]+@[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*)>/y;
/** What stands between angle brackets and is no tag: how it begins, and ends. */
const SECTIONS = [
  ["<!-->", ""],
  ["<!--->", ""],
  ["<!--", "-->"],
  ["<?", "?>"],
  ["<![CDATA[", "]]>"],
  ["<!", ">"],
] as const;

/** A bracket that is open. */
type Bracket = {
  readonly token: number;
  readonly isImage: boolean;
  /** Where its text begins, and the delimiter before it. */
  readonly start: number;
  readonly delimiter: Delimiter | undefined;
  /** Whether another one was opened behind it. */
  hasInner: boolean;
};

/** Divides a text into tokens. Yields the steps that were taken. */
export function* parseInline(text: string, references: References, work: Work): Generator<number, Token[], undefined> {
  const parser = new InlineParser(text, references, work);
  while (parser.step()) if (work.isDue) yield work.take();
  return parser.end();
}

class InlineParser {
  readonly #text: string;
  readonly #references: References;
  readonly #work: Work;
  readonly #tokens: Token[] = [];
  readonly #delimiters: Delimiters;
  readonly #brackets: Bracket[] = [];
  /** No link may begin in brackets before this one: there is a link in them. */
  #firstLink = 0;
  readonly #autolinks: readonly Autolink[];
  #nextAutolink = 0;
  #at = 0;
  /** Where the last run of backticks of each length lies, once all have been looked at. */
  #backticks: Map<number, number> | undefined;
  /** Ends that are not there any more. */
  readonly #missing = new Set<string>();

  constructor(text: string, references: References, work: Work) {
    this.#text = text.trimEnd();
    this.#references = references;
    this.#work = work;
    this.#delimiters = new Delimiters(work);
    work.add(TOKEN_STEPS + CHARACTER_STEPS * text.length);
    this.#autolinks = findAutolinks(this.#text);
  }

  /** Takes the next token. Returns whether there was one. */
  step(): boolean {
    if (this.#at >= this.#text.length) return false;
    const from = this.#at;
    if (!this.#takeAutolink()) this.#take(this.#text.charAt(from));
    this.#work.add(TOKEN_STEPS);
    return true;
  }

  end(): Token[] {
    this.#delimiters.match(undefined);
    return this.#tokens;
  }

  #take(c: string): void {
    switch (c) {
      case "\n":
        this.#takeLineEnd();
        break;
      case "\\":
        this.#takeBackslash();
        break;
      case "`":
        this.#takeCode();
        break;
      case "$":
        this.#takeFormula();
        break;
      case "*":
      case "_":
      case "~":
        this.#takeRun(c);
        break;
      case "[":
        this.#openBracket(false);
        break;
      case "]":
        this.#closeBracket();
        break;
      case "!":
        // What follows an exclamation may be a footnote.
        if (/^!\[(?!\^)/.test(this.#text.slice(this.#at, this.#at + 3))) this.#openBracket(true);
        else this.#takeText(1);
        break;
      case "<":
        this.#takeAngle();
        break;
      default:
        this.#takePlain();
    }
  }

  #takeText(length: number, kind: "text" | "literal" | "html" = "text"): void {
    this.#tokens.push({ kind, text: this.#text.slice(this.#at, this.#at + length) });
    this.#at += length;
  }

  /** Takes an address that begins here, or passes over those that began in something else. */
  #takeAutolink(): boolean {
    let next = this.#autolinks[this.#nextAutolink];
    while (next !== undefined && next.start < this.#at) next = this.#autolinks[++this.#nextAutolink];
    if (next?.start !== this.#at) return false;
    this.#tokens.push({ kind: "autolink", href: next.href, text: this.#text.slice(next.start, next.end) });
    this.#at = next.end;
    return true;
  }

  #takePlain(): void {
    // Nothing behind the next address is looked at: it would be again from there.
    const end = this.#autolinks[this.#nextAutolink]?.start ?? this.#text.length; // There may be none.
    this.#takeText(PLAIN.exec(this.#text.slice(this.#at, end))?.[0].length ?? 1); // It begins with such a character.
  }

  #takeLineEnd(): void {
    const last = this.#tokens.at(-1);
    let spaces = 0;
    if (last?.kind === "text") {
      const { text } = last;
      while (text.charAt(text.length - 1 - spaces) === " ") spaces++;
      this.#tokens[this.#tokens.length - 1] = { kind: "text", text: text.slice(0, text.length - spaces) };
    }
    this.#tokens.push(spaces >= 2 ? { kind: "break" } : { kind: "text", text: "\n" });
    this.#at++;
    while (/[ \t]/.test(this.#text.charAt(this.#at))) this.#at++;
  }

  #takeBackslash(): void {
    const next = this.#text.charAt(this.#at + 1);
    if (next === "\n") {
      this.#tokens.push({ kind: "break" });
      this.#at += 2;
      while (/[ \t]/.test(this.#text.charAt(this.#at))) this.#at++;
    } else if (next !== "" && isEscapable(next)) {
      this.#at++;
      this.#takeText(1, "literal");
    } else this.#takeText(1);
  }

  #takeCode(): void {
    const length = runLength(this.#text, this.#at, "`");
    const start = this.#at + length;
    const end = this.#closingBackticks(start, length);
    if (end === undefined) {
      this.#takeText(length);
      return;
    }
    const code = this.#text.slice(start, end).replaceAll("\n", " ");
    const isPadded = code.startsWith(" ") && code.endsWith(" ") && code.trim() !== "";
    this.#tokens.push({ kind: "code", text: isPadded ? code.slice(1, -1) : code });
    this.#at = end + length;
  }

  /** Takes a formula as it is written: what stands in it are its own signs. */
  #takeFormula(): void {
    const sign = this.#text.startsWith("$$", this.#at) ? "$$" : "$";
    const end = this.#missing.has(sign) ? -1 : formulaEnd(this.#text, this.#at, sign);
    if (end === undefined) this.#missing.add(sign);
    if (end === undefined || end < 0) {
      this.#takeText(sign.length);
      return;
    }
    const inner = this.#text.slice(this.#at + sign.length, end);
    const isTicked = inner.length > 2 && inner.startsWith("`") && inner.endsWith("`");
    this.#tokens.push({ kind: "code", text: `${sign}${isTicked ? inner.slice(1, -1) : inner}${sign}` });
    this.#at = end + sign.length;
  }

  /** Returns where the next run of this many backticks begins. */
  #closingBackticks(from: number, length: number): number | undefined {
    const last = this.#backticks?.get(length);
    if (this.#backticks !== undefined && (last === undefined || last < from)) return undefined;
    const runs = new Map<number, number>();
    for (let at = this.#text.indexOf("`", from); at >= 0;) {
      const here = runLength(this.#text, at, "`");
      if (here === length) return at;
      runs.set(here, at);
      this.#work.add(1);
      at = this.#text.indexOf("`", at + here);
    }
    this.#backticks ??= runs;
    return undefined;
  }

  #takeRun(sign: string): void {
    const length = runLength(this.#text, this.#at, sign);
    if (!isDelimiter(sign, length)) {
      this.#takeText(length);
      return;
    }
    const [before, after] = [characterBefore(this.#text, this.#at), characterAt(this.#text, this.#at + length)];
    const sides = flanking(sign, before, after);
    const run: Run = { kind: "run", sign, left: length, opens: [], closes: [] };
    this.#tokens.push(run);
    if (sides.mayOpen || sides.mayClose) this.#delimiters.push(run, sides);
    this.#at += length;
  }

  #openBracket(isImage: boolean): void {
    const around = this.#brackets.at(-1);
    if (around !== undefined) around.hasInner = true;
    const length = isImage ? 2 : 1;
    this.#brackets.push({
      token: this.#tokens.length,
      isImage,
      start: this.#at + length,
      delimiter: this.#delimiters.last,
      hasInner: false,
    });
    this.#takeText(length);
  }

  #closeBracket(): void {
    const bracket = this.#brackets.pop();
    const isDead = bracket !== undefined && !bracket.isImage && this.#brackets.length < this.#firstLink;
    const found = bracket === undefined || isDead ? undefined : this.#targetOf(bracket);
    if (bracket !== undefined && found === undefined && this.#takeFootnote(bracket)) return;
    if (bracket === undefined || found === undefined) {
      this.#firstLink = Math.min(this.#firstLink, this.#brackets.length);
      this.#takeText(1);
      return;
    }
    this.#at = found.end;
    this.#delimiters.match(bracket.delimiter);
    const { href, title } = found.target;
    if (bracket.isImage) {
      const alt = plainText(this.#tokens, bracket.token + 1);
      this.#work.add(this.#tokens.length - bracket.token);
      this.#tokens.length = bracket.token;
      this.#tokens.push({ kind: "image", href, title, alt });
      this.#firstLink = Math.min(this.#firstLink, this.#brackets.length);
    } else {
      this.#tokens[bracket.token] = { kind: "link", href, title, alt: "" };
      this.#tokens.push({ kind: "endLink" });
      // A link has no other one in it.
      this.#firstLink = this.#brackets.length;
    }
  }

  /** Takes what stands in brackets as the sign of a footnote, if it is one. Returns whether it is. */
  #takeFootnote({ token, isImage, start, delimiter, hasInner }: Bracket): boolean {
    const length = this.#at - start;
    if (isImage || hasInner || this.#text.charAt(start) !== "^" || length > LONGEST_LABEL) return false;
    this.#work.add(length);
    const block = this.#references.footnote(this.#text.slice(start + 1, this.#at));
    if (block === undefined) return false;
    this.#delimiters.match(delimiter);
    this.#tokens.length = token;
    this.#tokens.push({ kind: "footnote", block });
    this.#firstLink = Math.min(this.#firstLink, this.#brackets.length);
    this.#at++;
    return true;
  }

  /** Returns where a bracket leads to that is closed here, and where that ends. */
  #targetOf({ start, hasInner }: Bracket): { readonly target: LinkTarget; readonly end: number } | undefined {
    const after = this.#at + 1;
    const inline = this.#text.charAt(after) === "(" ? this.#inlineTarget(after + 1) : undefined;
    if (inline !== undefined) return inline;
    const end = labelEnd(this.#text, after);
    let label = end === undefined ? "" : this.#text.slice(after + 1, end - 1);
    this.#work.add(label.length);
    if (label === "") {
      const written = this.#text.slice(start, this.#at);
      // A label has no brackets in it.
      if (hasInner || written.length > LONGEST_LABEL) return undefined;
      label = written;
    }
    this.#work.add(label.length);
    const target = this.#references.take(normalizedLabel(label));
    return target === undefined ? undefined : { target, end: end ?? after };
  }

  /** Returns the target in parentheses that begins at `at`. */
  #inlineTarget(at: number): { readonly target: LinkTarget; readonly end: number } | undefined {
    const text = this.#text;
    const start = skipSpaces(text, at);
    const destination = destinationAt(text, start);
    if (destination === undefined) return undefined;
    const titleStart = skipSpaces(text, destination.end);
    const title = titleStart > destination.end ? titleAt(text, titleStart) : undefined;
    const end = skipSpaces(text, title?.end ?? destination.end); // It may have no title.
    this.#work.add(end - at);
    if (text.charAt(end) !== ")") return undefined;
    const target = { href: destination.value, title: title?.value ?? "" }; // It may have none.
    return { target, end: end + 1 };
  }

  #takeAngle(): void {
    this.#work.add(ANGLE_STEPS);
    for (const [pattern, prefix] of [
      [URI, ""],
      [MAIL, "mailto:"],
    ] as const) {
      pattern.lastIndex = this.#at;
      const [all, address] = pattern.exec(this.#text) ?? []; // There may be no address.
      if (all !== undefined && address !== undefined) {
        this.#tokens.push({ kind: "autolink", href: prefix + address, text: address });
        this.#at += all.length;
        return;
      }
    }
    const length = this.#tagLength() ?? this.#sectionLength();
    if (length === undefined) this.#takeText(1);
    else this.#takeText(length, "html");
  }

  #tagLength(): number | undefined {
    const { end, looked } = tagAt(this.#text, this.#at);
    this.#work.add((looked - this.#at) * CHARACTER_STEPS);
    return end === undefined ? undefined : end - this.#at;
  }

  #sectionLength(): number | undefined {
    for (const [begin, end] of SECTIONS) {
      if (!this.#text.startsWith(begin, this.#at)) continue;
      if (end === "") return begin.length;
      if (begin === "<!" && !/[A-Za-z]/.test(this.#text.charAt(this.#at + 2))) return undefined;
      if (this.#missing.has(end)) return undefined;
      const found = this.#text.indexOf(end, this.#at + begin.length);
      if (found >= 0) return found + end.length - this.#at;
      this.#missing.add(end);
      return undefined;
    }
    return undefined;
  }
}

function runLength(text: string, at: number, sign: string): number {
  let end = at + 1;
  while (text.charAt(end) === sign) end++;
  return end - at;
}

/** The character before a place; a space at the beginning. */
function characterBefore(text: string, at: number): string {
  if (at === 0) return " ";
  const low = text.charCodeAt(at - 1);
  return low >= 0xdc00 && low <= 0xdfff ? text.slice(at - 2, at) : text.charAt(at - 1);
}

/** The character at a place; a space at the end. */
function characterAt(text: string, at: number): string {
  const code = text.codePointAt(at);
  return code === undefined ? " " : String.fromCodePoint(code);
}
