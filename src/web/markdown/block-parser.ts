/**
 * Divides a document into blocks, line by line. A line is looked at once for each block around it, and there are few of
 * those: whatever the lines are, no line is read again for another one.
 *
 * @packageDocumentation
 * @see https://github.github.com/gfm/#appendix-a-parsing-strategy
 */
import { itemAt } from "../../bytes/assert.ts";
import { Block, type BlockKind } from "./block.ts";
import { BLOCK_STARTS, type BlockSite } from "./block-starts.ts";
import { endsHtmlBlock } from "./html-blocks.ts";
import { Line } from "./line.ts";
import { References, takeDefinition } from "./references.ts";
import type { Work } from "./work.ts";

/** The steps of a line, of each block that it is looked at for, and of each character. */
const LINE_STEPS = 150;
const BLOCK_STEPS = 20;
const CHARACTER_STEPS = 2;
const FENCE_END = /^(?:`{3,}|~{3,})[ \t]*$/;
/** A line that may begin a block which is no paragraph. */
const MAY_BEGIN = /^[#`~*+_=<>0-9|:[-]/;
/** The columns by which the lines of a footnote are indented, behind its first one. */
const FOOTNOTE_COLUMNS = 4;

/** What a document consists of. */
export type ParsedDocument = { readonly root: Block; readonly references: References };

/** Divides a document into blocks. Yields the steps that were taken. */
export function* parseBlocks(text: string, work: Work): Generator<number, ParsedDocument, undefined> {
  const parser = new BlockParser(work, text.length);
  let number = 0;
  for (const line of text.replaceAll("\0", "\ufffd").split(/\r\n?|\n/)) {
    parser.add(new Line(line, ++number));
    if (work.isDue) yield work.take();
  }
  return parser.end();
}

class BlockParser implements BlockSite {
  readonly references: References;
  readonly #root = new Block("document", undefined, 1);
  readonly #work: Work;
  tip = this.#root;
  #line = new Line("", 0);
  /** The innermost block that the line belongs to for certain. */
  #matched = this.#root;
  /** Whether all open blocks are those that the line belongs to. */
  isAllClosed = true;
  #oldTip = this.#root;

  constructor(work: Work, length: number) {
    this.#work = work;
    this.references = new References(length);
  }

  get line(): Line {
    return this.#line;
  }

  add(line: Line): void {
    this.#line = line;
    this.#work.add(LINE_STEPS + CHARACTER_STEPS * line.text.length);
    this.#oldTip = this.tip;
    const matched = this.#matchBlocks();
    if (matched === undefined) return;
    this.#matched = matched;
    this.isAllClosed = matched === this.#oldTip;
    const container = this.#openBlocks(matched);
    if (container !== undefined) this.#addText(container);
  }

  end(): ParsedDocument {
    while (this.tip !== this.#root) this.#finish(this.tip, this.#line.number);
    return { root: this.#root, references: this.references };
  }

  /** Returns the innermost open block that the line goes on with; `undefined` if the line ends it and has no more. */
  #matchBlocks(): Block | undefined {
    let container = this.#root;
    for (;;) {
      const last = container.children.at(-1);
      if (last === undefined || !last.isOpen) return container;
      this.#work.add(BLOCK_STEPS + this.#line.next - this.#line.offset);
      if (this.#endsFence(last)) return undefined;
      if (!this.#goesOn(last)) return container;
      container = last;
    }
  }

  /** Ends code whose fence the line closes. */
  #endsFence(block: Block): boolean {
    const { fence } = block;
    const line = this.#line;
    if (fence === undefined || line.isIndented || line.sign !== fence.sign) return false;
    const { rest } = line;
    if (!FENCE_END.test(rest) || rest.trimEnd().length < fence.length) return false;
    this.#finish(block, line.number);
    return true;
  }

  /** Whether the line goes on with a block, whose signs are skipped then. */
  #goesOn(block: Block): boolean {
    const line = this.#line;
    switch (block.kind) {
      case "document":
      case "list":
        return true;
      case "quote":
        return this.#goesOnWithQuote();
      case "footnote":
        return this.#goesOnWithFootnote();
      case "item":
        return this.#goesOnWithItem(block);
      case "code":
        return this.#goesOnWithCode(block);
      case "html":
        return !(line.isBlank && block.level >= 6);
      case "paragraph":
      case "table":
        return !line.isBlank;
      case "heading":
      case "rule":
        return false;
    }
  }

  #goesOnWithQuote(): boolean {
    const line = this.#line;
    if (line.isIndented || line.sign !== ">") return false;
    line.skipTo(1);
    if (line.isAtSpace) line.skipColumns(1);
    return true;
  }

  #goesOnWithFootnote(): boolean {
    const line = this.#line;
    if (line.isBlank) line.skipTo();
    else if (line.indent >= FOOTNOTE_COLUMNS) line.skipColumns(FOOTNOTE_COLUMNS);
    else return false;
    return true;
  }

  #goesOnWithItem({ children, mark }: Block): boolean {
    const line = this.#line;
    if (line.isBlank) {
      if (children.length === 0) return false;
      line.skipTo();
      return true;
    }
    if (mark === undefined || line.indent < mark.indent + mark.padding) return false;
    line.skipColumns(mark.indent + mark.padding);
    return true;
  }

  #goesOnWithCode({ fence }: Block): boolean {
    const line = this.#line;
    if (fence !== undefined) {
      for (let left = fence.indent; left > 0 && line.isAtSpace; left--) line.skipColumns(1);
      return true;
    }
    if (line.isIndented) line.skipColumns(4);
    else if (line.isBlank) line.skipTo();
    else return false;
    return true;
  }

  /** Opens the blocks that begin in the line. Returns the innermost one; `undefined` if nothing is left of the line. */
  #openBlocks(matched: Block): Block | undefined {
    const line = this.#line;
    let container = matched;
    while (!container.takesAnyLine) {
      this.#work.add(BLOCK_STEPS + line.next - line.offset);
      if (!line.isIndented && !MAY_BEGIN.test(line.sign)) break;
      const begun = this.#begin(container);
      if (begun === "none") break;
      if (begun === "all") return undefined;
      container = this.tip;
      if (begun === "leaf") return container;
    }
    if (!container.takesAnyLine) line.skipTo();
    return container;
  }

  #begin(container: Block): "block" | "leaf" | "all" | "none" {
    for (const start of BLOCK_STARTS) {
      const begun = start(this, container);
      if (begun !== undefined) return begun;
    }
    return "none";
  }

  #addText(container: Block): void {
    const line = this.#line;
    if (!this.isAllClosed && !line.isBlank && this.tip.kind === "paragraph") {
      this.tip.lines.push(line.remaining()); // It goes on without the signs of what is around it.
      return;
    }
    this.closeUnmatched();
    if (container.takesLines) {
      container.lines.push(line.remaining());
      if (container.kind === "html" && endsHtmlBlock(container.level, line.text.slice(line.offset)))
        this.#finish(container, line.number);
    } else if (!line.isBlank && line.offset < line.text.length) {
      this.open("paragraph").lines.push(line.remaining());
    }
  }

  closeUnmatched(): void {
    if (this.isAllClosed) return;
    while (this.#oldTip !== this.#matched) {
      const { parent } = this.#oldTip;
      this.#finish(this.#oldTip, this.#line.number - 1);
      if (parent === undefined) break;
      this.#oldTip = parent;
    }
    this.isAllClosed = true;
  }

  open(kind: BlockKind): Block {
    while (!this.tip.mayHold(kind)) this.#finish(this.tip, this.#line.number - 1);
    const block = new Block(kind, this.tip, this.#line.number);
    this.tip.children.push(block);
    this.tip = block;
    return block;
  }

  replace(block: Block, kind: BlockKind): Block {
    const { parent } = block;
    if (parent === undefined) return block;
    parent.children.pop();
    this.tip = parent;
    const other = new Block(kind, parent, block.startLine);
    parent.children.push(other);
    this.tip = other;
    return other;
  }

  /** Takes the definitions from the beginning of a paragraph. */
  takeDefinitions(paragraph: Block): void {
    if (!itemAt(paragraph.lines, 0).startsWith("[")) return;
    const text = paragraph.lines.join("\n");
    let at = 0;
    for (let end: number | undefined = 0; end !== undefined && text.charAt(at) === "[";) {
      end = takeDefinition(text, at, this.references);
      at = end ?? at; // What is no definition stays.
    }
    if (at > 0) paragraph.lines = at >= text.length ? [] : text.slice(at).split("\n");
  }

  defineFootnote(label: string, block: Block): void {
    this.references.defineFootnote(label, block);
  }

  #finish(block: Block, lastLine: number): void {
    block.isOpen = false;
    block.endLine = lastLine;
    this.tip = block.parent ?? this.#root; // The document has no parent, and stays the tip.
    if (block.kind === "paragraph") {
      // A line that looked like an underline may have taken the definitions already.
      if (block.lines.length > 0) this.takeDefinitions(block);
      if (block.lines.length === 0) this.tip.children.pop();
    } else if (block.kind === "code" && block.fence === undefined) {
      while (block.lines.at(-1)?.trim() === "") block.lines.pop();
      block.endLine = block.startLine + block.lines.length - 1;
    } else if (block.kind === "item") block.endLine = block.children.at(-1)?.endLine ?? block.startLine; // It may be empty.
    else if (block.kind === "list") {
      block.isTight = block.children.every(
        (item, at) => isTight(block, at) && item.children.every((_, i) => isTight(item, i)),
      );
      block.endLine = block.children.at(-1)?.endLine ?? block.startLine; // It has an item.
    }
  }
}

/** Whether a child and the one behind it stand in lines that follow each other. */
function isTight({ children }: Block, at: number): boolean {
  const next = children[at + 1];
  return next === undefined || itemAt(children, at).endLine + 1 >= next.startLine;
}
