/**
 * The syntax of git's configuration files, as far as `.gitmodules` needs it.
 *
 * Text is handled byte by byte, a character for each, since git does so and names need not be UTF-8: see `byte-text.ts`.
 *
 * @packageDocumentation
 * @see git-config(1)
 */
import { textOf } from "./byte-text.ts";

/** One variable of a configuration file. */
export type ConfigVariable = {
  /** `section.subsection.key`: section and key in lower case. */
  readonly name: string;
  /** `undefined` for a key without `=`, which stands for true. */
  readonly value: string | undefined;
};

const BYTE_ORDER_MARK = "\u00EF\u00BB\u00BF";
const ESCAPES: Readonly<Record<string, string>> = { t: "\t", b: "\b", n: "\n", "\\": "\\", '"': '"' };

const isSpace = (c: string): boolean => c === " " || c === "\t" || c === "\n" || c === "\r";
const isKeyCharacter = (c: string): boolean => /^[0-9A-Za-z-]$/.test(c);

class SyntaxProblem extends Error {
  override readonly name = "SyntaxProblem";
}

function refuse(): never {
  throw new SyntaxProblem("bad config");
}

/** Reads characters as git does: a line feed for every end of line, and one more at the end of the file. */
class ConfigReader {
  readonly #text: string;
  readonly #visit: (variable: ConfigVariable) => void;
  #at = 0;
  #ended = false;
  /** What the names of variables begin with: `section.` or `section.subsection.`. */
  #base = "";

  constructor(text: string, visit: (variable: ConfigVariable) => void) {
    this.#text = text;
    this.#visit = visit;
  }

  read(): void {
    if (this.#text.startsWith(BYTE_ORDER_MARK)) this.#at = BYTE_ORDER_MARK.length;
    while (!this.#ended) {
      const c = this.#next();
      if (isSpace(c)) continue;
      if (c === "#" || c === ";") this.#skipLine();
      else if (c === "[") this.#base = `${this.#readSection()}.`;
      else if (/^[A-Za-z]$/.test(c)) this.#readVariable(this.#base + c.toLowerCase());
      else refuse();
    }
  }

  #next(): string {
    if (this.#at >= this.#text.length) {
      this.#ended = true;
      return "\n";
    }
    if (this.#text.startsWith("\r\n", this.#at)) this.#at++;
    return this.#text.charAt(this.#at++);
  }

  #skipLine(): void {
    while (this.#next() !== "\n");
  }

  #readSection(): string {
    let name = "";
    for (;;) {
      const c = this.#next();
      if (this.#ended) refuse();
      if (c === "]") return name;
      if (isSpace(c)) return `${name}.${this.#readSubsection(c)}`;
      if (!isKeyCharacter(c) && c !== ".") refuse();
      name += c.toLowerCase();
    }
  }

  #readSubsection(space: string): string {
    let c = space;
    while (isSpace(c)) {
      if (c === "\n") refuse();
      c = this.#next();
    }
    if (c !== '"') refuse();
    let name = "";
    for (c = this.#next(); c !== '"'; c = this.#next()) {
      if (c === "\\") c = this.#next();
      if (c === "\n") refuse();
      name += c;
    }
    return this.#next() === "]" ? name : refuse();
  }

  #readVariable(start: string): void {
    let name = start;
    let c = this.#next();
    while (!this.#ended && isKeyCharacter(c)) {
      name += c.toLowerCase();
      c = this.#next();
    }
    while (c === " " || c === "\t") c = this.#next();
    if (c !== "\n" && c !== "=") refuse();
    this.#visit({ name, value: c === "=" ? this.#readValue() : undefined });
  }

  #readValue(): string {
    let value = "";
    let spaces = 0;
    let quoted = false;
    for (;;) {
      const c = this.#next();
      if (c === "\n") return quoted ? refuse() : value;
      if (isSpace(c) && !quoted) {
        if (value !== "") spaces++;
        continue;
      }
      if (!quoted && (c === ";" || c === "#")) {
        this.#skipLine();
        return value;
      }
      value += " ".repeat(spaces);
      spaces = 0;
      if (c === '"') quoted = !quoted;
      else value += c === "\\" ? this.#readEscape() : c;
    }
  }

  #readEscape(): string {
    const c = this.#next();
    return c === "\n" ? "" : (ESCAPES[c] ?? refuse());
  }
}

/**
 * Calls `visit` for each variable, in order. Gives false where the syntax is bad: the variables before have been visited then,
 * as in git.
 */
export function readConfig(bytes: Uint8Array, visit: (variable: ConfigVariable) => void): boolean {
  try {
    new ConfigReader(textOf(bytes), visit).read();
    return true;
  } catch (error) {
    if (error instanceof SyntaxProblem) return false;
    throw error;
  }
}
