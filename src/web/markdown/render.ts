/**
 * Writes the blocks of a document as HTML. What comes of it is not trusted: `html-filter.ts` reads it once more.
 *
 * @packageDocumentation
 */
import { assert, itemAt } from "../../bytes/assert.ts";
import { highlightedInParts } from "../highlight.ts";
import { ANCHOR, escapeHtml, escapeOutsideReferences, type HtmlAddresses } from "../html-filter.ts";
import type { Align, Block } from "./block.ts";
import { parseBlocks, type ParsedDocument } from "./block-parser.ts";
import { Footnotes } from "./footnotes.ts";
import { parseInline } from "./inline-parser.ts";
import { unescaped } from "./references.ts";
import { splitRow } from "./table.ts";
import { plainText, type Token } from "./token.ts";
import { TooMuchWork, type Work } from "./work.ts";

/** The most characters that are written: an empty title becomes twenty times as many as it has. */
const MOST_HTML = 2 * 1024 * 1024;
/** The most cells of all tables: each row is made as wide as its head. */
const MOST_CELLS = 50_000;
/** The longest text, in characters, of one paragraph, heading or cell that is more than text. */
const LONGEST_TEXT = 32_768;
/** The most characters of all blocks of code together that are coloured. */
const MOST_COLOURED = 32 * 1024;
const BLOCK_STEPS = 250;
const TOKEN_STEPS = 40;

const ITEM = "<li>";
const PARAGRAPH_END = "</p>\n";
const TASK = /^\[([ xX])\](?=\s+\S)/;
/** The first line of a quotation that is an alert at GitHub: only one at the top of the document can be. */
const ALERT = /^\[!(NOTE|TIP|IMPORTANT|WARNING|CAUTION)\][ \t]*(?:\n|$)/i;
const LANGUAGE = /^[\w+#-]{1,20}/;

/** Returns the HTML of a document. Yields the steps that were taken. @throws TooMuchWork */
export function* documentHtml(
  text: string,
  addresses: HtmlAddresses,
  work: Work,
): Generator<number, string, undefined> {
  const parsed = yield* parseBlocks(text, work);
  return yield* new BlockWriter(parsed, addresses, work).write();
}

/** Returns the anchors of headings as GitHub makes them, each once. */
function slugger(): (text: string) => string {
  const seen = new Map<string, number>();
  return (text) => {
    const slug = text
      .trim()
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{M}\p{N}\p{Pc} -]/gu, "")
      .replaceAll(" ", "-");
    const count = seen.get(slug) ?? 0; // A heading that is new has no number.
    seen.set(slug, count + 1);
    return count === 0 ? slug : `${slug}-${count}`;
  };
}

class BlockWriter {
  readonly #document: ParsedDocument;
  readonly #addresses: HtmlAddresses;
  readonly #work: Work;
  readonly #slug = slugger();
  readonly #footnotes = new Footnotes();
  readonly #pieces: string[] = [];
  #length = 0;
  #cells = 0;
  #coloured = 0;

  constructor(document: ParsedDocument, addresses: HtmlAddresses, work: Work) {
    this.#document = document;
    this.#addresses = addresses;
    this.#work = work;
  }

  *write(): Generator<number, string, undefined> {
    yield* this.#blocks(this.#document.root);
    if (this.#footnotes.count > 0) yield* this.#notes();
    return this.#pieces.join("");
  }

  /** Writes the footnotes. They may refer to each other: the links back are written when all is. */
  *#notes(): Generator<number, void, undefined> {
    this.#line(`<hr>\n<h2 id="${ANCHOR}${this.#slug("footnotes")}">Footnotes</h2>\n<ol>\n`);
    const places: number[] = [];
    for (let number = 1; number <= this.#footnotes.count; number++) {
      const block = this.#footnotes.blockOf(number);
      this.#line(this.#footnotes.startHtml(number));
      yield* this.#blocks(block);
      const isText = block.children.at(-1)?.kind === "paragraph";
      const last = isText ? this.#pieces.pop() : undefined;
      const hasEnd = last?.endsWith(PARAGRAPH_END) === true;
      if (last !== undefined) this.#pieces.push(hasEnd ? last.slice(0, -PARAGRAPH_END.length) : last);
      places.push(this.#pieces.length);
      this.#pieces.push("", hasEnd ? PARAGRAPH_END : "\n", "</li>\n");
    }
    this.#push("</ol>\n");
    for (const [at, place] of places.entries()) {
      const html = this.#footnotes.backHtml(at + 1);
      this.#work.add(html.length);
      this.#length += html.length;
      if (this.#length > MOST_HTML) throw new TooMuchWork();
      this.#pieces[place] = html;
    }
  }

  /** Writes what is in a block. */
  *#blocks(root: Block): Generator<number, void, undefined> {
    const frames = [{ block: root, next: 0, end: "" }];
    for (let frame = frames.at(-1); frame !== undefined; frame = frames.at(-1)) {
      const child = frame.block.children[frame.next++];
      if (child === undefined) {
        if (frame.end !== "") this.#push(frame.end);
        frames.pop();
        continue;
      }
      // Its place is behind the text.
      if (child.kind === "footnote") continue;
      this.#work.add(BLOCK_STEPS);
      if (this.#work.isDue) yield this.#work.take();
      const end = this.#open(child);
      if (end === undefined) yield* this.#leaf(child);
      else frames.push({ block: child, next: 0, end });
    }
  }

  /** Writes the beginning of a block that holds others, and returns its end; `undefined` of any other one. */
  #open({ kind, mark }: Block): string | undefined {
    switch (kind) {
      case "quote":
        this.#line("<blockquote>\n");
        return "</blockquote>\n";
      case "list": {
        const start = mark?.start;
        this.#line(start === undefined ? "<ul>\n" : start === 1 ? "<ol>\n" : `<ol start="${start}">\n`);
        return start === undefined ? "</ul>\n" : "</ol>\n";
      }
      case "item":
        this.#line(ITEM);
        return "</li>\n";
      default:
        return undefined;
    }
  }

  *#leaf(block: Block): Generator<number, void, undefined> {
    switch (block.kind) {
      case "paragraph":
        yield* this.#paragraph(block);
        break;
      case "heading":
        yield* this.#heading(block);
        break;
      case "code":
        yield* this.#code(block);
        break;
      case "html":
        this.#line(block.lines.join("\n"));
        break;
      case "rule":
        this.#line("<hr>\n");
        break;
      case "table":
        yield* this.#table(block);
        break;
      default:
        assert(false, `a ${block.kind} is no leaf`);
    }
  }

  #push(html: string): void {
    this.#length += html.length;
    if (this.#length > MOST_HTML) throw new TooMuchWork();
    this.#pieces.push(html);
  }

  /** Writes something that begins a line, unless it is the first of an item. */
  #line(html: string): void {
    const last = this.#pieces.at(-1) ?? "\n"; // The first one begins a line.
    if (!last.endsWith("\n") && last !== ITEM) this.#push("\n");
    this.#push(html);
  }

  *#paragraph(block: Block): Generator<number, void, undefined> {
    const { lines, parent } = block;
    let text = this.#alert(block, lines.join("\n"));
    if (text === "") return;
    let box = "";
    if (parent?.kind === "item" && itemAt(parent.children, 0).lines === lines) {
      const [all = "", sign = " "] = TASK.exec(text) ?? []; // It may be no task.
      if (all !== "") box = `<input type="checkbox" disabled${sign === " " ? "" : " checked"}>`;
      text = text.slice(all.length);
    }
    const html = yield* this.#inline(text);
    const isBare = parent?.kind === "item" && parent.parent?.isTight === true;
    this.#line(isBare ? box + html : `<p>${box}${html}${PARAGRAPH_END}`);
  }

  /** Writes the word of an alert. Returns the text of a paragraph without it. */
  #alert(block: Block, text: string): string {
    const [all = "", name = ""] = (isFirstOfQuote(block) ? ALERT.exec(text) : undefined) ?? []; // It may be none.
    if (all !== "")
      this.#line(`<p><strong>${name.charAt(0).toUpperCase()}${name.slice(1).toLowerCase()}</strong></p>\n`);
    return text.slice(all.length);
  }

  *#heading({ lines, level }: Block): Generator<number, void, undefined> {
    const tokens = yield* this.#tokens(lines.join("\n"));
    const id = this.#slug(plainText(tokens));
    this.#line(`<h${level} id="${escapeHtml(ANCHOR + id)}">${yield* this.#tokensHtml(tokens)}</h${level}>\n`);
  }

  *#code({ lines, fence }: Block): Generator<number, void, undefined> {
    const code = (fence === undefined ? lines : lines.slice(1)).join("\n");
    const info = fence === undefined ? "" : unescaped(itemAt(lines, 0).trim());
    this.#coloured += code.length;
    const language = LANGUAGE.exec(info)?.[0];
    const isColoured = this.#coloured <= MOST_COLOURED && language !== undefined;
    const html = isColoured ? yield* highlightedInParts(code, language) : escapeHtml(code);
    this.#line(`<pre><code>${html}</code></pre>\n`);
  }

  *#table({ lines, columns }: Block): Generator<number, void, undefined> {
    this.#line("<table>\n<thead>\n");
    for (const [at, line] of lines.entries()) {
      this.#cells += columns.length;
      if (this.#cells > MOST_CELLS) throw new TooMuchWork();
      if (at === 1) this.#push("<tbody>\n");
      yield* this.#row(splitRow(line), columns, at === 0 ? "th" : "td");
      if (at === 0) this.#push("</thead>\n");
    }
    this.#push(lines.length > 1 ? "</tbody>\n</table>\n" : "</table>\n");
  }

  *#row(cells: readonly string[], columns: readonly Align[], element: "th" | "td"): Generator<number, void, undefined> {
    this.#push("<tr>\n");
    for (const [at, align] of columns.entries()) {
      const text = cells[at];
      const html = text === undefined || text === "" ? "" : yield* this.#inline(text);
      this.#push(`<${element}${align === undefined ? "" : ` align="${align}"`}>${html}</${element}>\n`);
    }
    this.#push("</tr>\n");
  }

  *#inline(text: string): Generator<number, string, undefined> {
    if (text.length > LONGEST_TEXT) return escapeHtml(text);
    return yield* this.#tokensHtml(yield* this.#tokens(text));
  }

  *#tokens(text: string): Generator<number, Token[], undefined> {
    if (text.length > LONGEST_TEXT) return [{ kind: "literal", text }];
    return yield* parseInline(text, this.#document.references, this.#work);
  }

  *#tokensHtml(tokens: readonly Token[]): Generator<number, string, undefined> {
    let html = "";
    let isInLink = false;
    for (const token of tokens) {
      if (token.kind === "link") isInLink = true;
      else if (token.kind === "endLink") isInLink = false;
      html += this.#tokenHtml(token, isInLink);
      this.#work.add(TOKEN_STEPS);
      if (this.#work.isDue) yield this.#work.take();
    }
    return html;
  }

  #tokenHtml(token: Token, isInLink: boolean): string {
    switch (token.kind) {
      case "text":
        return escapeOutsideReferences(token.text);
      case "literal":
        return escapeHtml(token.text);
      case "code":
        return `<code>${escapeHtml(token.text)}</code>`;
      case "html":
        return token.text;
      case "break":
        return "<br>\n";
      case "link":
        return linkStart(token.href, token.title);
      case "endLink":
        return "</a>";
      case "footnote":
        return this.#footnotes.signHtml(token.block, isInLink);
      case "autolink":
        // A link has no other one in it.
        return isInLink ? escapeHtml(token.text) : `${linkStart(token.href, "")}${escapeHtml(token.text)}</a>`;
      case "image":
        return this.#imageHtml(token, isInLink);
      case "run": {
        const closed = token.closes.map((name) => `</${name}>`).join("");
        const opened = token.opens.map((name) => `<${name}>`).toReversed();
        return closed + token.sign.repeat(token.left) + opened.join("");
      }
    }
  }

  /** An image of elsewhere is not shown: whoever looks at the page would be seen there. */
  #imageHtml(
    { href, title, alt }: { readonly href: string; readonly title: string; readonly alt: string },
    isInLink: boolean,
  ): string {
    if (this.#addresses.image(href) !== undefined)
      return `<img src="${escapeOutsideReferences(href)}" alt="${escapeOutsideReferences(alt)}"${hintOf(title)}>`;
    const text = escapeOutsideReferences(alt === "" ? "image" : alt);
    return isInLink ? text : `${linkStart(href, title)}${text}</a>`;
  }
}

function linkStart(href: string, title: string): string {
  return `<a href="${escapeOutsideReferences(href)}"${hintOf(title)}>`;
}

function hintOf(title: string): string {
  return title === "" ? "" : ` title="${escapeOutsideReferences(title)}"`;
}

/** Whether a paragraph begins a quotation at the top of the document, and is not all of it in one line. */
function isFirstOfQuote({ lines, parent }: Block): boolean {
  if (parent?.kind !== "quote" || parent.depth !== 1 || itemAt(parent.children, 0).lines !== lines) return false;
  return lines.length > 1 || parent.children.length > 1;
}
