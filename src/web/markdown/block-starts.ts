/**
 * How blocks begin. Each function looks at what is left of a line, and opens a block if one begins there.
 *
 * @packageDocumentation
 * @see https://github.github.com/gfm/#leaf-blocks
 */
import type { Block, BlockKind, ListMark } from "./block.ts";
import { htmlBlockKind, LONE_TAG } from "./html-blocks.ts";
import { isSpace, type Line } from "./line.ts";
import { splitRow, tableColumns } from "./table.ts";

/** Where blocks are opened. */
export type BlockSite = {
  readonly line: Line;
  /** The innermost open block. */
  readonly tip: Block;
  readonly isAllClosed: boolean;
  /** Closes the blocks that the line does not go on with. */
  closeUnmatched(): void;
  /** Opens a block in the innermost one that may hold it. */
  open(kind: BlockKind): Block;
  /** Puts a block of another kind in place of the innermost one. */
  replace(block: Block, kind: BlockKind): Block;
  takeDefinitions(paragraph: Block): void;
  /** Makes a block the footnote with a label, unless another one is. */
  defineFootnote(label: string, block: Block): void;
};

/** What has begun: a block that may hold others, one that takes the rest of the line, or one that has taken it. */
export type Begun = "block" | "leaf" | "all";
type BlockStart = (site: BlockSite, container: Block) => Begun | undefined;

/** The most blocks within each other. What would open another one is text. */
const MOST_BLOCKS = 100;
const CODE_COLUMNS = 4;
const RULE_SIGN = /[*_-]/;
const LEAST_RULE = 3;
const UNDERLINE = /^(?:=+|-+)[ \t]*$/;
// What follows backticks is looked through once: fewer of them are followed by another one.
const FENCE = /^(?:`{3,}(?=[^`]*$)|~{3,})/;
const HEADING = /^#{1,6}(?=[ \t]|$)/;
/** The label of a footnote, as in GitHub's own parser: it has no spaces. */
const FOOTNOTE = /^\[\^([^\]\s]{1,999})\]:[ \t]*/;
const MARK = /^(?:[*+-]|(\d{1,9})[.)])(?=[ \t]|$)/;

function beginQuote(site: BlockSite, container: Block): Begun | undefined {
  const { line } = site;
  if (line.isIndented || line.sign !== ">" || container.depth >= MOST_BLOCKS) return undefined;
  line.skipTo(1);
  if (line.isAtSpace) line.skipColumns(1);
  site.closeUnmatched();
  site.open("quote");
  return "block";
}

/** Takes the signs away that may end a heading. */
function headingText(text: string): string {
  const trimmed = text.trim();
  let end = trimmed.length;
  while (trimmed.charAt(end - 1) === "#") end--;
  return end === 0 || isSpace(trimmed.charAt(end - 1)) ? trimmed.slice(0, end).trimEnd() : trimmed;
}

function beginHeading(site: BlockSite): Begun | undefined {
  const { line } = site;
  const signs = line.isIndented ? undefined : HEADING.exec(line.rest)?.[0];
  if (signs === undefined) return undefined;
  site.closeUnmatched();
  const heading = site.open("heading");
  heading.level = signs.length;
  heading.lines = [headingText(line.rest.slice(signs.length))];
  return "all";
}

function beginFence(site: BlockSite): Begun | undefined {
  const { line } = site;
  const signs = line.isIndented ? undefined : FENCE.exec(line.rest)?.[0];
  if (signs === undefined) return undefined;
  site.closeUnmatched();
  const code = site.open("code");
  code.fence = { sign: signs.charAt(0), length: signs.length, indent: line.indent };
  line.skipTo(signs.length);
  return "leaf";
}

function beginHtml(site: BlockSite, container: Block): Begun | undefined {
  const { line, tip } = site;
  if (line.isIndented || line.sign !== "<") return undefined;
  const kind = htmlBlockKind(line.rest);
  if (kind === undefined) return undefined;
  const isInParagraph = container.kind === "paragraph" || (!site.isAllClosed && tip.kind === "paragraph");
  if (kind === LONE_TAG && isInParagraph) return undefined;
  site.closeUnmatched();
  site.open("html").level = kind;
  return "leaf";
}

function beginUnderline(site: BlockSite, container: Block): Begun | undefined {
  const { line } = site;
  if (line.isIndented || container.kind !== "paragraph" || !UNDERLINE.test(line.rest)) return undefined;
  site.closeUnmatched();
  site.takeDefinitions(container);
  if (container.lines.length === 0) return undefined;
  const heading = site.replace(container, "heading");
  heading.level = line.sign === "=" ? 1 : 2;
  heading.lines = container.lines;
  return "all";
}

/** Whether what is left of a line is a rule. */
function isRule(line: Line): boolean {
  const { text, next, sign } = line;
  if (next < line.noRuleBefore || !RULE_SIGN.test(sign)) return false;
  let count = 0;
  let at = next;
  for (; at < text.length; at++) {
    const c = text.charAt(at);
    if (c === sign) count++;
    else if (!isSpace(c)) break;
  }
  if (at === text.length && count >= LEAST_RULE) return true;
  // From behind this place it is none, either: the same sign ends the search.
  line.noRuleBefore = at;
  return false;
}

function beginRule(site: BlockSite): Begun | undefined {
  const { line } = site;
  if (line.isIndented || !isRule(line)) return undefined;
  site.closeUnmatched();
  site.open("rule");
  return "all";
}

function beginFootnote(site: BlockSite, container: Block): Begun | undefined {
  const { line } = site;
  if (line.isIndented || line.sign !== "[" || container.depth >= MOST_BLOCKS) return undefined;
  const [all = "", label] = FOOTNOTE.exec(line.rest) ?? []; // It may be none.
  if (label === undefined) return undefined;
  line.skipTo(all.length);
  site.closeUnmatched();
  site.defineFootnote(label, site.open("footnote"));
  return "block";
}

/** Reads the mark of an item, and the spaces behind it. */
function takeMark(line: Line, container: Block): ListMark | undefined {
  const { rest, indent } = line;
  const [text = "", number] = (indent < CODE_COLUMNS && MARK.exec(rest)) || []; // There may be none.
  if (text === "") return undefined;
  // Text that goes on with a number, or ends with a sign, is no list.
  if (container.kind === "paragraph") {
    const isFirst = number === undefined || Number(number) === 1;
    if (!isFirst || rest.slice(text.length).trim() === "") return undefined;
  }
  line.skipTo(text.length);
  const { offset, column } = line;
  const isEmpty = line.isBlank;
  const spaces = line.indent;
  let padding = text.length + spaces;
  if (spaces > CODE_COLUMNS || spaces < 1 || isEmpty) {
    padding = text.length + 1;
    line.goBack(offset, column);
    if (line.isAtSpace) line.skipColumns(1);
  } else line.skipColumns(spaces);
  return { sign: text.at(-1) ?? "", start: number === undefined ? undefined : Number(number), indent, padding }; // It has a sign.
}

function beginItem(site: BlockSite, container: Block): Begun | undefined {
  const { line } = site;
  if (line.isIndented || container.depth >= MOST_BLOCKS) return undefined;
  const mark = takeMark(line, container);
  if (mark === undefined) return undefined;
  site.closeUnmatched();
  const { tip } = site;
  const isOfList = tip.kind === "list" && tip.mark?.sign === mark.sign;
  if (!isOfList) site.open("list").mark = mark;
  site.open("item").mark = mark;
  return "block";
}

function beginIndented(site: BlockSite): Begun | undefined {
  const { line } = site;
  if (!line.isIndented || site.tip.kind === "paragraph" || line.isBlank) return undefined;
  line.skipColumns(CODE_COLUMNS);
  site.closeUnmatched();
  site.open("code");
  return "leaf";
}

/** A table begins with its second line. What stands above its head in the same paragraph stays a paragraph. */
function beginTable(site: BlockSite, container: Block): Begun | undefined {
  const { line } = site;
  if (line.isIndented || container.kind !== "paragraph") return undefined;
  const columns = tableColumns(line.rest);
  const head = container.lines.at(-1);
  if (columns === undefined || head === undefined || splitRow(head).length !== columns.length) return undefined;
  let table: Block;
  if (container.lines.length === 1) table = site.replace(container, "table");
  else {
    container.lines.pop();
    table = site.open("table");
  }
  table.columns = columns;
  table.lines = [head];
  return "all";
}

/** The ways in which a block begins, in the order in which they are tried. */
export const BLOCK_STARTS: readonly BlockStart[] = [
  beginQuote,
  beginHeading,
  beginFence,
  beginHtml,
  beginUnderline,
  beginRule,
  beginFootnote,
  beginItem,
  beginIndented,
  beginTable,
];
