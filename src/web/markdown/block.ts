/**
 * The blocks of a document.
 *
 * @packageDocumentation
 * @see https://github.github.com/gfm/#blocks-and-inlines
 */

/** What a block is. */
export type BlockKind =
  | "document"
  | "quote"
  | "footnote"
  | "list"
  | "item"
  | "paragraph"
  | "heading"
  | "code"
  | "html"
  | "rule"
  | "table";

/** The fence of a block of code: its sign, how often that stands there, and how far it is indented. */
export type Fence = { readonly sign: string; readonly length: number; readonly indent: number };

/** The mark of an item of a list. */
export type ListMark = {
  /** The sign behind a number, or the one of a list without numbers. */
  readonly sign: string;
  /** The number; `undefined` without one. */
  readonly start: number | undefined;
  /** Columns before the mark; and those of the mark with the spaces behind it. */
  readonly indent: number;
  readonly padding: number;
};

/** Where the cells of a column stand. */
export type Align = "left" | "center" | "right" | undefined;

/** The blocks that hold others, beside lists. */
const HOLDERS: ReadonlySet<BlockKind> = new Set(["document", "quote", "footnote", "item"]);

/** A block, and what is in it: other blocks, or lines. */
export class Block {
  readonly kind: BlockKind;
  readonly parent: Block | undefined;
  readonly children: Block[] = [];
  /** How many blocks are around it. */
  readonly depth: number;
  readonly startLine: number;
  endLine: number;
  isOpen = true;
  /** Lines of a leaf, as they come. Of code with a fence, the first is what stands behind the fence. */
  lines: string[] = [];
  /** The level of a heading, or which of its seven kinds a block of HTML is. */
  level = 0;
  fence?: Fence;
  mark?: ListMark;
  /** Whether the paragraphs of a list are shown as bare text, since empty lines lie between none of its blocks. */
  isTight = true;
  /** The columns of a table. Its head is its first line. */
  columns: readonly Align[] = [];

  constructor(kind: BlockKind, parent: Block | undefined, startLine: number) {
    this.kind = kind;
    this.parent = parent;
    this.startLine = startLine;
    this.endLine = startLine;
    this.depth = parent === undefined ? 0 : parent.depth + 1;
  }

  /** Whether a block of some kind may be in it. */
  mayHold(kind: BlockKind): boolean {
    if (this.kind === "list") return kind === "item";
    return kind !== "item" && HOLDERS.has(this.kind);
  }

  /** Whether it takes lines. */
  get takesLines(): boolean {
    return this.kind === "paragraph" || this.kind === "code" || this.kind === "html" || this.kind === "table";
  }

  /** Whether each line that belongs to it is a line of it, whatever it looks like. */
  get takesAnyLine(): boolean {
    return this.kind === "code" || this.kind === "html";
  }
}
