/**
 * One line of a document, and how far it has been read. A tab goes to the next column that four divides, and a block
 * may take a part of it.
 *
 * @packageDocumentation
 * @see https://github.github.com/gfm/#tabs
 */
const TAB = "\t";
const TAB_COLUMNS = 4;
/** The columns from which on a line is code. */
const CODE_COLUMNS = 4;

/** A line that is read from its beginning. */
export class Line {
  readonly text: string;
  readonly number: number;
  /** Where reading goes on, and in which column that is. */
  offset = 0;
  column = 0;
  /** Where the next character lies that is no space. */
  next = 0;
  /** Columns up to there. */
  indent = 0;
  /** No rule begins before this place: one was looked for up to here. */
  noRuleBefore = 0;
  #nextColumn = 0;
  /** Whether the block before has taken a part of the tab here. */
  #isInTab = false;

  constructor(text: string, number: number) {
    this.text = text;
    this.number = number;
    this.find();
  }

  /** Whether all that follows are spaces. */
  get isBlank(): boolean {
    return this.next >= this.text.length;
  }

  /** Whether what follows is indented like code. */
  get isIndented(): boolean {
    return this.indent >= CODE_COLUMNS;
  }

  /** The next character that is no space; empty at the end. */
  get sign(): string {
    return this.text.charAt(this.next);
  }

  /** What follows, without spaces before it. */
  get rest(): string {
    return this.text.slice(this.next);
  }

  /** Whether a space or a tab is next. */
  get isAtSpace(): boolean {
    return isSpace(this.text.charAt(this.offset));
  }

  /** Looks for the next character that is no space. */
  find(): void {
    let [at, column] = [this.offset, this.column];
    for (; at < this.text.length; at++) {
      const c = this.text.charAt(at);
      if (c === " ") column++;
      else if (c === TAB) column += TAB_COLUMNS - (column % TAB_COLUMNS);
      else break;
    }
    [this.next, this.#nextColumn, this.indent] = [at, column, column - this.column];
  }

  /** Skips columns of spaces and tabs, or of other characters. */
  skipColumns(count: number): void {
    for (let left = count; left > 0 && this.offset < this.text.length;) {
      if (this.text.charAt(this.offset) === TAB) {
        const columns = TAB_COLUMNS - (this.column % TAB_COLUMNS);
        this.#isInTab = columns > left;
        const taken = Math.min(left, columns);
        this.column += taken;
        if (!this.#isInTab) this.offset++;
        left -= taken;
      } else {
        [this.#isInTab, this.offset, this.column, left] = [false, this.offset + 1, this.column + 1, left - 1];
      }
    }
    this.find();
  }

  /** Skips what stands before the next character that is no space, and then this many characters. */
  skipTo(characters = 0): void {
    [this.#isInTab, this.offset, this.column] = [false, this.next + characters, this.#nextColumn + characters];
    this.find();
  }

  /** Skips all. */
  skipAll(): void {
    [this.#isInTab, this.offset] = [false, this.text.length];
    this.find();
  }

  /** Goes back to where reading was. */
  goBack(offset: number, column: number): void {
    [this.#isInTab, this.offset, this.column] = [false, offset, column];
    this.find();
  }

  /** Returns what has not been read, with spaces for what is left of a tab. */
  remaining(): string {
    if (!this.#isInTab) return this.text.slice(this.offset);
    return " ".repeat(TAB_COLUMNS - (this.column % TAB_COLUMNS)) + this.text.slice(this.offset + 1);
  }
}

/** Whether a character is a space or a tab. */
export function isSpace(c: string): boolean {
  return c === " " || c === TAB;
}
