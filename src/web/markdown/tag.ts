/**
 * Tags of HTML as Markdown knows them. Each character is looked at once.
 *
 * @packageDocumentation
 * @see https://github.github.com/gfm/#raw-html
 */

/** The most characters of a tag. Nobody writes a longer one. */
const LONGEST_TAG = 2000;
const SPACE = /\s/;
const NAME_START = /[a-zA-Z]/;
const NAME = /[a-zA-Z0-9-]/;
const ATTRIBUTE_START = /[a-zA-Z_:]/;
const ATTRIBUTE = /[a-zA-Z0-9:._-]/;
const BARE = /[^\s"'=<>`]/;

/** A tag that is looked for: where it ends, if there is one, and how far was looked for it. */
export type FoundTag = { readonly end: number | undefined; readonly looked: number };

/** Looks for the tag that begins at `at` with an angle bracket. */
export function tagAt(text: string, at: number): FoundTag {
  const reader = new TagReader(text, at + 1);
  const end = reader.read();
  return { end, looked: reader.at };
}

class TagReader {
  readonly #text: string;
  readonly #last: number;
  at: number;

  constructor(text: string, at: number) {
    this.#text = text;
    this.#last = Math.min(text.length, at + LONGEST_TAG);
    this.at = at;
  }

  /** Returns where the tag ends; `undefined` if this is none. */
  read(): number | undefined {
    const isEnd = this.#skip("/");
    if (!NAME_START.test(this.#next)) return undefined;
    this.#skipAll(NAME);
    while (this.at < this.#last) {
      const from = this.at;
      this.#skipAll(SPACE);
      if (this.#skip(">")) return this.at;
      if (isEnd) return undefined;
      if (this.#skip("/")) return this.#skip(">") ? this.at : undefined;
      if (this.at === from || !this.#skipAttribute()) return undefined;
    }
    return undefined;
  }

  get #next(): string {
    return this.at < this.#last ? this.#text.charAt(this.at) : "";
  }

  #skip(sign: string): boolean {
    if (this.#next !== sign) return false;
    this.at++;
    return true;
  }

  #skipAll(kind: RegExp): void {
    while (this.at < this.#last && kind.test(this.#text.charAt(this.at))) this.at++;
  }

  /** Skips an attribute with its value, if it has one. Spaces behind one that has none stay. */
  #skipAttribute(): boolean {
    if (!ATTRIBUTE_START.test(this.#next)) return false;
    this.#skipAll(ATTRIBUTE);
    const end = this.at;
    this.#skipAll(SPACE);
    if (!this.#skip("=")) {
      this.at = end;
      return true;
    }
    this.#skipAll(SPACE);
    const quote = this.#next;
    if (quote !== '"' && quote !== "'") {
      const from = this.at;
      this.#skipAll(BARE);
      return this.at > from;
    }
    do this.at++;
    while (this.at < this.#last && this.#text.charAt(this.at) !== quote);
    return this.#skip(quote);
  }
}
