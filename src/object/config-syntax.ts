/**
 * Parses the syntax of git's configuration files, as far as `.gitmodules` needs it.
 *
 * Text is handled byte by byte, because git does so and names need not be UTF-8. Results have one character per byte:
 * see `byte-text.ts`. Time is linear in the bytes, whatever they are: each is examined once.
 *
 * @packageDocumentation
 * @see git-config(1)
 */
import { u8At } from "../bytes/assert.ts";
import { textOf } from "./byte-text.ts";

/**
 * A variable's section, as it begins names of variables: `section` or `section.subsection`, the section in lower case.
 * Each header of a file makes one object, which all variables below it share. So facts about a section can be found out
 * once.
 */
export type ConfigSection = { readonly name: string };

/** One variable of a configuration file. */
export type ConfigVariable = {
  /** `undefined` before the first header. */
  readonly section: ConfigSection | undefined;
  /** The key in lower case. */
  readonly key: string;
  /** `undefined` for a key without `=`, which stands for true. */
  readonly value: string | undefined;
};

const TAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const QUOTE = 0x22;
const HASH = 0x23;
const DASH = 0x2d;
const DOT = 0x2e;
const SEMICOLON = 0x3b;
const EQUALS = 0x3d;
const OPENING = 0x5b;
const BACKSLASH = 0x5c;
const CLOSING = 0x5d;
const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf];
/** The characters that may follow a backslash in a value, and what each stands for. */
const ESCAPES = new Map([["t", TAB], ["b", 0x08], ["n", LF], ["\\", BACKSLASH], ['"', QUOTE]].map(([c, code]) => [String(c).charCodeAt(0), Number(code)])); // prettier-ignore

/** Bytes that are read in one part. A part of variables of three bytes each takes 1 to 3 ms. */
export const CONFIG_PART_BYTES = 64 * 1024;

/** The byte may be part of a key. */
const IN_KEY = 1;
/** The byte stands for itself in a value, within quotes and without. */
const IN_VALUE = 2;
/** The byte stands for itself in the name of a subsection. */
const IN_NAME = 4;

const isSpace = (c: number): boolean => c === SPACE || c === TAB || c === LF || c === CR;
const isLetter = (c: number): boolean => (c >= 0x41 && c <= 0x5a) || (c >= 0x61 && c <= 0x7a);
const isKeyCharacter = (c: number): boolean => isLetter(c) || (c >= 0x30 && c <= 0x39) || c === DASH;

function usesOf(c: number): number {
  const isSpecial = c === QUOTE || c === BACKSLASH || c === LF || c === CR;
  const inValue = !isSpecial && c !== SEMICOLON && c !== HASH && !isSpace(c);
  return (isKeyCharacter(c) ? IN_KEY : 0) | (inValue ? IN_VALUE : 0) | (isSpecial ? 0 : IN_NAME);
}

/** The uses of each byte: a sum of {@link IN_KEY}, {@link IN_VALUE} and {@link IN_NAME}. */
const USES = Uint8Array.from({ length: 256 }, (_, c) => usesOf(c));

class SyntaxProblem extends Error {
  override readonly name = "SyntaxProblem";
}

function refuse(): never {
  throw new SyntaxProblem("bad config");
}

/** Reads bytes as git does: with a line feed for every end of line, and one more at the end of the file. */
class ConfigReader {
  readonly #bytes: Uint8Array;
  readonly #visit: (variable: ConfigVariable) => void;
  #at = 0;
  #ended = false;
  #section: ConfigSection | undefined;

  constructor(bytes: Uint8Array, visit: (variable: ConfigVariable) => void) {
    this.#bytes = bytes;
    this.#visit = visit;
  }

  *read(): Generator<void, void> {
    if (BYTE_ORDER_MARK.every((byte, i) => this.#bytes[i] === byte)) this.#at = BYTE_ORDER_MARK.length;
    let partEnd = CONFIG_PART_BYTES;
    while (!this.#ended) {
      if (this.#at >= partEnd) {
        yield;
        partEnd = this.#at + CONFIG_PART_BYTES;
      }
      const c = this.#next();
      if (isSpace(c)) continue;
      if (c === HASH || c === SEMICOLON) this.#skipLine();
      else if (c === OPENING) this.#section = { name: this.#readSection() };
      else if (isLetter(c)) this.#readVariable();
      else refuse();
    }
  }

  #next(): number {
    const c = this.#bytes[this.#at];
    if (c === undefined) {
      this.#ended = true;
      return LF;
    }
    this.#at++;
    if (c !== CR || this.#bytes[this.#at] !== LF) return c;
    this.#at++;
    return LF;
  }

  #skipLine(): void {
    const end = this.#bytes.indexOf(LF, this.#at);
    this.#at = end < 0 ? this.#bytes.length : end + 1;
    this.#ended ||= end < 0;
  }

  /** Takes the bytes that allow the use `use`, up to the first that does not. */
  #take(use: number): string {
    const start = this.#at;
    let at = start;
    while (at < this.#bytes.length && (u8At(USES, u8At(this.#bytes, at)) & use) !== 0) at++;
    this.#at = at;
    return at === start ? "" : textOf(this.#bytes.subarray(start, at));
  }

  #readSection(): string {
    const start = this.#at;
    for (;;) {
      const end = this.#at;
      const c = this.#next();
      if (this.#ended) refuse();
      if (isKeyCharacter(c) || c === DOT) continue;
      const name = textOf(this.#bytes.subarray(start, end)).toLowerCase();
      if (c === CLOSING) return name;
      return isSpace(c) ? `${name}.${this.#readSubsection(c)}` : refuse();
    }
  }

  #readSubsection(space: number): string {
    let c = space;
    while (isSpace(c)) {
      if (c === LF) refuse();
      c = this.#next();
    }
    if (c !== QUOTE) refuse();
    const name: string[] = [];
    for (;;) {
      name.push(this.#take(IN_NAME));
      c = this.#next();
      if (c === QUOTE) break;
      if (c === BACKSLASH) c = this.#next();
      if (c === LF) refuse();
      name.push(String.fromCharCode(c));
    }
    return this.#next() === CLOSING ? name.join("") : refuse();
  }

  /** Reads a variable. The first character of its key was read already. */
  #readVariable(): void {
    this.#at--;
    const key = this.#take(IN_KEY).toLowerCase();
    let c = this.#next();
    while (c === SPACE || c === TAB) c = this.#next();
    if (c !== LF && c !== EQUALS) refuse();
    this.#visit({ section: this.#section, key, value: c === EQUALS ? this.#readValue() : undefined });
  }

  #readValue(): string {
    const value: string[] = [];
    let spaces = 0;
    let quoted = false;
    const add = (text: string): void => {
      if (spaces > 0) value.push(" ".repeat(spaces));
      spaces = 0;
      if (text !== "") value.push(text);
    };
    for (;;) {
      const plain = this.#take(IN_VALUE);
      if (plain !== "") add(plain);
      const c = this.#next();
      if (c === LF) return quoted ? refuse() : value.join("");
      if (isSpace(c) && !quoted) {
        if (value.length > 0) spaces++;
      } else if (!quoted && (c === SEMICOLON || c === HASH)) {
        this.#skipLine();
        return value.join("");
      } else if (c === QUOTE) {
        quoted = !quoted;
        add("");
      } else {
        add(c === BACKSLASH ? this.#readEscape() : String.fromCharCode(c));
      }
    }
  }

  #readEscape(): string {
    const c = this.#next();
    return c === LF ? "" : String.fromCharCode(ESCAPES.get(c) ?? refuse());
  }
}

/**
 * Calls `visit` for each variable, in order, and yields after about each {@link CONFIG_PART_BYTES}. Returns false if the
 * syntax is bad; the variables before were visited then, as in git.
 */
export function* readConfigInParts(
  bytes: Uint8Array,
  visit: (variable: ConfigVariable) => void,
): Generator<void, boolean> {
  try {
    yield* new ConfigReader(bytes, visit).read();
    return true;
  } catch (error) {
    if (error instanceof SyntaxProblem) return false;
    throw error;
  }
}
