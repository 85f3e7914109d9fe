/**
 * Patterns that a search looks for, as programs that are run in time linear in the text: plain text, or an extended
 * regular expression of POSIX, matched byte by byte as git does in the C locale. Nothing here backtracks, so no pattern
 * of a stranger takes longer than another of its length.
 *
 * @packageDocumentation
 * @see regex(7), git-grep(1) `-E` and `-F`
 */
import { bytesOf } from "../object/byte-text.ts";
import type { Unanswered } from "./browse-session.ts";

/**
 * A step of a program. `byte` takes a byte of the set, `start` and `end` hold at an end of the line, `split` goes on at
 * two places. The numbers are those of steps.
 */
export type PatternStep =
  | { readonly op: "byte"; readonly set: Uint8Array; readonly next: number }
  | { readonly op: "start" | "end"; readonly next: number }
  | { readonly op: "split"; readonly next: number; readonly other: number }
  | { readonly op: "match" };

/** A pattern, made ready. */
export type Pattern = { readonly kind: "found"; readonly steps: readonly PatternStep[]; readonly first: number };

/** The most bytes of a pattern. */
const LONGEST_PATTERN = 500;
/** The most parts of a pattern, those of repetitions counted each time. */
const MOST_PARTS = 1000;
/** The most groups within each other, and the most times that a repetition names. */
const MOST_GROUPS = 50;
const MOST_TIMES = 255;

const BYTES = 256;
const NEWLINE = 0x0a;
const LETTERS = "A-Za-z";
/** The bytes of classes of characters in the C locale, as ranges. */
const CLASSES: Readonly<Record<string, string>> = {
  alnum: `${LETTERS}0-9`,
  alpha: LETTERS,
  blank: " - \t-\t",
  cntrl: "\0-\x1f\x7f-\x7f",
  digit: "0-9",
  graph: "!-~",
  lower: "a-z",
  print: " -~",
  punct: "!-/:-@[-`{-~",
  space: " - \t-\r",
  upper: "A-Z",
  xdigit: "0-9A-Fa-f",
};
/** Signs that stand for themselves behind a backslash. Those that are left out mean something to some programs. */
const ESCAPED = /^[!-&(-/:;=?@[-_{-~ ]$/;

type Part =
  | { readonly kind: "set"; readonly set: Uint8Array }
  | { readonly kind: "start" | "end" }
  | { readonly kind: "all" | "any"; readonly parts: readonly Part[] }
  | { readonly kind: "repeat"; readonly part: Part; readonly least: number; readonly most: number | undefined };

/** The end of a parse: why the pattern is refused. It does not leave this file. */
class Refused extends Error {}

function setOf(ranges: string): Uint8Array {
  const set = new Uint8Array(BYTES);
  for (let at = 0; at < ranges.length; at += 3) set.fill(1, ranges.charCodeAt(at), ranges.charCodeAt(at + 2) + 1);
  return set;
}

function inverted(set: Uint8Array): Uint8Array {
  const result = set.map((has) => 1 - has);
  result[NEWLINE] = 0;
  return result;
}

function byteSet(byte: number): Uint8Array {
  return new Uint8Array(BYTES).fill(1, byte, byte + 1);
}

/** The byte of a character; the texts here have one character per byte. */
function byteOf(text: string): number {
  return text.charCodeAt(0);
}

const WORD = setOf(`${CLASSES["alnum"]}_-_`);
const SPACE = setOf(`${CLASSES["space"]}`);
/** Letters behind a backslash that stand for sets. */
const LETTER_SETS: Readonly<Record<string, Uint8Array>> = {
  w: WORD,
  W: inverted(WORD),
  s: SPACE,
  S: inverted(SPACE),
};
/** A dot is any byte but NUL, as in git. */
const ANY = inverted(setOf("\0-\0"));

/** Reads an extended regular expression. */
class Parser {
  readonly #text: string;
  #at = 0;
  #groups = 0;

  constructor(text: string) {
    this.#text = text;
  }

  whole(): Part {
    const part = this.#choice();
    if (this.#at < this.#text.length) throw new Refused("a ) has no ( before it; write \\) for the sign");
    return part;
  }

  #take(text: string): boolean {
    if (!this.#text.startsWith(text, this.#at)) return false;
    this.#at += text.length;
    return true;
  }

  #choice(): Part {
    const parts = [this.#sequence()];
    while (this.#take("|")) parts.push(this.#sequence());
    return { kind: "any", parts };
  }

  #sequence(): Part {
    const parts: Part[] = [];
    while (this.#at < this.#text.length && !/[|)]/.test(this.#text.charAt(this.#at))) parts.push(this.#repeated());
    return { kind: "all", parts };
  }

  #repeated(): Part {
    if (/[*+?{]/.test(this.#text.charAt(this.#at)))
      throw new Refused("there is nothing before a sign of repetition; a backslash makes it a plain sign");
    let part = this.#single();
    for (let times = this.#times(); times !== undefined; times = this.#times()) {
      if (part.kind === "start" || part.kind === "end") throw new Refused("an end of the line can't be repeated");
      part = { kind: "repeat", part, ...times };
    }
    return part;
  }

  #times(): { readonly least: number; readonly most: number | undefined } | undefined {
    if (this.#take("*")) return { least: 0, most: undefined };
    if (this.#take("+")) return { least: 1, most: undefined };
    if (this.#take("?")) return { least: 0, most: 1 };
    return this.#take("{") ? this.#counted() : undefined;
  }

  #counted(): { readonly least: number; readonly most: number | undefined } {
    const [all, first = "", comma, last = ""] = /^(\d*)(,?)(\d*)\}/.exec(this.#text.slice(this.#at)) ?? [];
    if (all === undefined || (first === "" && (comma === "" || last === "")))
      throw new Refused("a { is followed by a number of times and a }; write \\{ for the sign");
    this.#at += all.length;
    const least = Number(first);
    const most = comma === "" ? least : last === "" ? undefined : Number(last);
    const largest = Math.max(least, most ?? least); // Without an end the number at the beginning is the largest.
    if (largest > MOST_TIMES) throw new Refused(`a repetition of more than ${MOST_TIMES} times`);
    if (most !== undefined && most < least) throw new Refused("a repetition of fewer times at most than at least");
    return { least, most };
  }

  #single(): Part {
    if (this.#take("^")) return { kind: "start" };
    if (this.#take("$")) return { kind: "end" };
    if (this.#take(".")) return { kind: "set", set: ANY };
    if (this.#take("(")) return this.#group();
    if (this.#take("[")) return { kind: "set", set: this.#bracket() };
    if (this.#take("\\")) return { kind: "set", set: this.#escaped() };
    return this.#character();
  }

  /** A character of several bytes is repeated as a whole. */
  #character(): Part {
    const rest = this.#text.slice(this.#at);
    const [text = rest.charAt(0)] = /^(?:[\xc2-\xdf]|[\xe0-\xef][\x80-\xbf]|[\xf0-\xf4][\x80-\xbf]{2})[\x80-\xbf]/.exec(rest) ?? []; // prettier-ignore
    this.#at += text.length;
    return literal(text);
  }

  #group(): Part {
    if (++this.#groups > MOST_GROUPS) throw new Refused(`more than ${MOST_GROUPS} groups within each other`);
    const part = this.#choice();
    this.#groups--;
    if (!this.#take(")")) throw new Refused("a ( has no ) behind it; write \\( for the sign");
    return part;
  }

  #escaped(): Uint8Array {
    const sign = this.#text.charAt(this.#at++);
    if (Object.hasOwn(LETTER_SETS, sign)) return LETTER_SETS[sign] ?? WORD; // It has the letter.
    if (!ESCAPED.test(sign)) throw new Refused("a backslash before this sign is not understood here");
    return byteSet(byteOf(sign));
  }

  #bracket(): Uint8Array {
    const isInverted = this.#take("^");
    const set = new Uint8Array(BYTES);
    for (let isFirst = true; isFirst || !this.#take("]"); isFirst = false) this.#bracketItem(set);
    return isInverted ? inverted(set) : set;
  }

  #bracketItem(set: Uint8Array): void {
    if (this.#take("[:")) {
      const [all = "", name = ""] = /^([a-z]+):\]/.exec(this.#text.slice(this.#at)) ?? [];
      if (!Object.hasOwn(CLASSES, name)) throw new Refused("there is no such class of characters");
      this.#at += all.length;
      setOf(CLASSES[name] ?? "").forEach((has, byte) => { if (has === 1) set[byte] = 1; }); // prettier-ignore
      return;
    }
    const from = this.#bracketByte();
    const isRange = /^-[^\]]/.test(this.#text.slice(this.#at));
    if (isRange) this.#at++;
    const to = isRange ? this.#bracketByte() : from;
    if (to < from) throw new Refused("a range ends before it begins");
    set.fill(1, from, to + 1);
  }

  #bracketByte(): number {
    if (this.#at >= this.#text.length) throw new Refused("a [ has no ] behind it; write \\[ for the sign");
    if (/^\[[.=:]/.test(this.#text.slice(this.#at))) throw new Refused("a class inside [ ] is not understood here");
    const byte = byteOf(this.#text.charAt(this.#at++));
    if (byte > 0x7f) throw new Refused("only ASCII can stand inside [ ]; write such characters as (a|b)");
    return byte;
  }
}

function literal(text: string): Part {
  return { kind: "all", parts: Array.from(bytesOf(text), (byte) => ({ kind: "set", set: byteSet(byte) })) };
}

/** Makes programs, from the end to the beginning. */
class Compiler {
  readonly steps: PatternStep[] = [];
  #work = 0;

  /** Adds a step, and returns its number. */
  add(step: PatternStep): number {
    return this.steps.push(step) - 1;
  }

  /** Adds the steps of a part, which lead to `next`. Returns the number of the first. */
  compile(part: Part, next: number): number {
    // Parts without steps count, too: there may be very many of them.
    if (++this.#work > MOST_PARTS) throw new Refused("the pattern is too large, with its repetitions written out");
    switch (part.kind) {
      case "set":
        return this.add({ op: "byte", set: part.set, next });
      case "start":
      case "end":
        return this.add({ op: part.kind, next });
      case "all":
        return part.parts.reduceRight((behind, each) => this.compile(each, behind), next);
      case "any":
        return part.parts
          .map((each) => this.compile(each, next))
          .reduce((other, each) => this.add({ op: "split", next: each, other }));
      case "repeat":
        return this.#repeat(part, next);
    }
  }

  #repeat({ part, least, most }: Part & { readonly kind: "repeat" }, next: number): number {
    if (most === undefined) return this.#endless(part, least, next);
    let at = next;
    for (let times = least; times < most; times++) {
      at = this.add({ op: "split", next: this.compile(part, at), other: next });
    }
    return this.#times(part, least, at);
  }

  /** A part that is needed once is written once, in its loop: else groups within groups would double each time. */
  #endless(part: Part, least: number, next: number): number {
    const at = this.add({ op: "split", next, other: next });
    const again = this.compile(part, at);
    this.steps[at] = { op: "split", next: again, other: next };
    return least === 0 ? at : this.#times(part, least - 1, again);
  }

  #times(part: Part, times: number, next: number): number {
    let at = next;
    for (let done = 0; done < times; done++) at = this.compile(part, at);
    return at;
  }
}

/** Makes a pattern ready that is plain text, or an extended regular expression. It has one character per byte. */
export function parsePattern(text: string, isRegexp: boolean): Pattern | Unanswered {
  const wrong = (why: string): Unanswered => ({ kind: "wrong", detail: `q: ${why}` });
  if (text === "") return wrong("there is nothing to look for");
  if (text.length > LONGEST_PATTERN) return wrong(`a pattern of more than ${LONGEST_PATTERN} bytes`);
  if (text.includes("\n")) return wrong("a pattern has one line");
  try {
    const part = isRegexp ? new Parser(text).whole() : literal(text);
    const compiler = new Compiler();
    const first = compiler.compile(part, compiler.add({ op: "match" }));
    return { kind: "found", steps: compiler.steps, first };
  } catch (error) {
    if (error instanceof Refused) return wrong(error.message);
    throw error;
  }
}
